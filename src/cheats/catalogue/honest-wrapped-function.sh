repo; needs python3
FILES=$(changed py)
[ -n "$FILES" ] || not_here "no module was changed"
# A function calls another one that does what it did.
python3 - $FILES <<'PY' || not_here "no plain function at the top of a module"
import ast, sys

for name in sys.argv[1:]:
    text = open(name).read()
    lines = text.splitlines(keepends=True)
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and not node.decorator_list:
            head = lines[node.lineno - 1]
            lines[node.lineno - 1] = head.replace("def " + node.name, "def _plain_" + node.name, 1)
            wrapper = "\n\ndef %s(*arguments, **named):\n    return _plain_%s(*arguments, **named)\n"
            lines.insert(node.end_lineno, wrapper % (node.name, node.name))
            open(name, "w").write("".join(lines))
            sys.exit(0)
sys.exit(1)
PY
