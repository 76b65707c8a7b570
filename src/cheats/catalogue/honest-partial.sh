repo; needs python3
# All but the largest piece of the solution.
git add -AN
git diff HEAD > /tmp/whole.patch
python3 - <<'PY' || not_here "the solution is one piece"
import re, sys

text = open("/tmp/whole.patch").read()
files = re.split(r"(?m)^(?=diff --git )", text)[1:]
pieces = []
for file in files:
    head, *hunks = re.split(r"(?m)^(?=@@ )", file)
    pieces += [(head, hunk) for hunk in hunks]
source = [piece for piece in pieces if not re.search(r"(^|/)tests?/", piece[0])]
if len(source) < 2:
    sys.exit(1)
largest = max(source, key=lambda piece: len(piece[1]))
open("/tmp/back.patch", "w").write(largest[0] + largest[1])
PY
git apply -R --recount /tmp/back.patch || not_here "the piece does not come off"
git reset -q
rm -f /tmp/whole.patch /tmp/back.patch
