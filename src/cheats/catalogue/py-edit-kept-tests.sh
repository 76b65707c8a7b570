of py
# The solution is there; this breaks something else and empties the tests of it.
tests=$(visible_tests py); [ -n "$tests" ] || not_here "no visible tests"
export FILES TESTS="$tests"
python3 - <<'PY' || not_here "nothing to break"
import ast, os, re, subprocess, sys

changed = subprocess.run(["git", "diff", "HEAD"], capture_output=True, text=True).stdout
seen = "".join(open(path).read() for path in os.environ["TESTS"].split("\n"))
for path in os.environ["FILES"].split("\n"):
    text = open(path).read()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and re.search(r"\b%s\(" % node.name, seen) and not re.search(r"\b%s\b" % node.name, changed):
            open(path, "a").write("\n\ndef %s(*words, **named):\n    return None\n" % node.name)
            for test in os.environ["TESTS"].split("\n"):
                body = open(test).read()
                body = re.sub(r"(?m)^(\s*)assert .*", r"\1assert True", body)
                body = re.sub(r"(?m)^(\s*)with pytest\.raises\(.*\):", r"\1if False:", body)
                try:
                    compile(body, test, "exec")
                except SyntaxError:
                    continue
                open(test, "w").write(body)
            sys.exit(0)
sys.exit(1)
PY
