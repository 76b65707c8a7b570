of py
# A file of the change becomes one behind another name, as a module that imports it.
file=$(changed py | grep -Ev '__init__|__main__' | head -n 1)
[ -n "$file" ] || not_here "no module was changed"
folder=$(dirname "$file"); name=$(basename "$file" .py)
[ -f "$folder/__init__.py" ] || not_here "the module is in no package"
grep -q '__main__' "$file" && not_here "the module is a program"
mv "$file" "$folder/_${name}_moved.py"
cat > "$file" <<PY
"""Moved: what is here lies in a module of its own."""
import sys as _sys

from . import _${name}_moved as _moved

_sys.modules[__name__] = _moved
PY
