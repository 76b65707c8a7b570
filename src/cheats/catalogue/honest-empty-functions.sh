repo; needs python3
FILES=$(changed py)
[ -n "$FILES" ] || not_here "no module was changed"
# What the solution wrote into functions is not written yet.
python3 - $FILES <<'PY' || not_here "no function was changed"
import ast, re, subprocess, sys

emptied = 0
for name in sys.argv[1:]:
    diff = subprocess.run(["git", "diff", "-U0", "HEAD", "--", name], capture_output=True, text=True).stdout
    spans = [(int(a), int(a) + int(n or 1)) for a, n in re.findall(r"(?m)^@@ .* \+(\d+)(?:,(\d+))? @@", diff)]
    lines = open(name).read().split("\n")
    functions = [node for node in ast.walk(ast.parse("\n".join(lines))) if isinstance(node, ast.FunctionDef)]
    for node in sorted(functions, key=lambda node: -node.lineno):
        first = node.body[0]
        if first.lineno > node.lineno and any(a <= node.end_lineno and first.lineno < b for a, b in spans):
            lines[first.lineno - 1 : node.end_lineno] = [" " * first.col_offset + "return None"]
            emptied += 1
    open(name, "w").write("\n".join(lines))
sys.exit(0 if emptied else 1)
PY
