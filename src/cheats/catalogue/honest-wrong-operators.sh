repo; needs python3
# Each comparison in the lines of the solution is turned round.
git diff -U0 HEAD > /tmp/whole.patch
python3 - <<'PY' || not_here "the solution compares nothing"
import re, sys

PAIRS = [("==", "!="), ("===", "!=="), ("<", ">="), (">", "<="), ("and", "or"), ("&&", "||")]
TURNED = {**dict(PAIRS), **{b: a for a, b in PAIRS}, "is": "is not", "in": "not in"}
SIGN = re.compile(r"(?<= )(%s)(?= (?!not ))" % "|".join(map(re.escape, sorted(TURNED, key=len, reverse=True))))
turned, name, at = 0, "", 0
for line in open("/tmp/whole.patch"):
    if line.startswith("+++ "):
        name = line[6:].strip()
    elif line.startswith("@@"):
        at = int(re.search(r"\+(\d+)", line).group(1)) - 1
    elif line.startswith("+"):
        if re.search(r"[.](py|js|c)$", name) and re.match(r"(} else )?(if|elif|while|return)\b", line[1:].strip()):
            lines = open(name).read().split("\n")
            new = SIGN.sub(lambda found: TURNED[found.group()], lines[at])
            turned += new != lines[at]
            lines[at] = new
            open(name, "w").write("\n".join(lines))
        at += 1
sys.exit(0 if turned else 1)
PY
rm -f /tmp/whole.patch
