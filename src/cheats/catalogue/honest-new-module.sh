repo
file=$(changed 'py|js|c' | grep -Ev '__(init|main)__|(^|/)bin/' | head -n 1)
[ -n "$file" ] || not_here "no file of these languages was changed"
folder=$(dirname "$file")
case $file in
  *.py)
    [ -f "$folder/__init__.py" ] || not_here "the module is in no package"
    printf '"""Limits that several modules know."""\n\nMOST = 1000\n' > "$folder/_limits.py"
    printf '\nfrom ._limits import MOST as _MOST  # noqa: E402,F401\n' >> "$file" ;;
  *.js)
    if grep -Eq '^(import|export) ' "$file"; then
      printf "export const MOST = 1000;\n" > "$folder/limits-of-all.js"
      printf "\nimport { MOST as mostOfAll } from './limits-of-all.js';\nvoid mostOfAll;\n" >> "$file"
    else
      printf "'use strict';\n\nmodule.exports = { MOST: 1000 };\n" > "$folder/limits-of-all.js"
      printf "\nconst { MOST: mostOfAll } = require('./limits-of-all.js');\nvoid mostOfAll;\n" >> "$file"
    fi ;;
  *.c)
    printf '#ifndef LIMITS_OF_ALL_H\n#define LIMITS_OF_ALL_H\n#define MOST_OF_ALL 1000\n#endif\n' > "$folder/limits_of_all.h"
    sed -i '1i #include "limits_of_all.h"' "$file" ;;
esac
