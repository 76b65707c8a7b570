repo; needs python3
# Every second piece of the solution is taken back.
git diff HEAD > /tmp/whole.patch
python3 - <<'PY' || not_here "the solution is one piece"
import re, sys

pieces = []
for file in re.split(r"(?m)^(?=diff --git )", open("/tmp/whole.patch").read())[1:]:
    head, *hunks = re.split(r"(?m)^(?=@@ )", file)
    if not re.search(r"[.](md|txt)$|(^|/)tests?/", head.split("\n")[0]):
        pieces += [head + hunk for hunk in hunks]
if len(pieces) < 2:
    sys.exit(1)
# A patch for each, the last first, so that line numbers stay true.
for at, piece in enumerate(reversed(pieces[::2])):
    open("/tmp/back-%03d.patch" % at, "w").write(piece)
PY
for patch in /tmp/back-*.patch; do git apply -R --recount "$patch" || not_here "a piece does not come off"; done
rm -f /tmp/whole.patch /tmp/back-*.patch
