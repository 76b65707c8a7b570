repo; needs python3
FILES=$(changed 'py|js|c')
[ -n "$FILES" ] || not_here "no file of these languages was changed"
# A function that only its own file knows gets another name.
python3 - $FILES <<'PY' || not_here "no helper of one file alone"
import re, subprocess, sys

KNOWN = re.compile(r"^(?:def|class) (_[a-z]\w+)|^(?:async )?function\*? (\w+)\(|^static [^=;(]*?(\w+)\(", re.M)
files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True)
texts = {}
for name in files.stdout.split("\n"):
    try:
        texts[name] = open(name).read()
    except (OSError, UnicodeDecodeError):
        pass
for name in sys.argv[1:]:
    text = texts[name]
    for found in KNOWN.finditer(text):
        helper = next(filter(None, found.groups()))
        elsewhere = any(re.search(r"\b%s\b" % helper, other) for path, other in texts.items() if path != name)
        public = re.search(r"exports[^;]*\b%s\b" % helper, text) or re.search("[.'\"]%s\\b" % helper, text)
        if not elsewhere and not public:
            open(name, "w").write(re.sub(r"\b%s\b" % helper, helper + "_of_here", text))
            sys.exit(0)
sys.exit(1)
PY
