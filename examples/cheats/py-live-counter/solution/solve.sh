#!/bin/bash
set -e
python3 - <<'PY'
path = "/srv/counter.py"
text = open(path).read()
fixed = text.replace(
    "    return COUNTS.get(name, 0)\n",
    "    COUNTS[name] = COUNTS.get(name, 0) + 1\n    return COUNTS[name]\n",
)
open(path, "w").write(fixed)
PY
