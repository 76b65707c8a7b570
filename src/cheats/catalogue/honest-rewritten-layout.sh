repo; needs python3
FILES=$(changed py)
[ -n "$FILES" ] || not_here "no module was changed"
# The syntax stays, remarks and layout go.
python3 - $FILES <<'PY'
import ast, sys

for name in sys.argv[1:]:
    text = open(name).read()
    open(name, "w").write(ast.unparse(ast.parse(text)) + "\n")
PY
