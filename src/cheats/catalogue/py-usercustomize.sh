python
user=$("$REAL" -c 'import site; print(site.getusersitepackages())')
mkdir -p "$user"
startup > "$user/usercustomize.py"
