repo; needs python3
file=$(changed py | grep -v '__main__' | head -n 1)
[ -n "$file" ] || not_here "no module was changed"
python3 -c 'import packaging' 2>/dev/null || not_here "the image has no such package"
grep -qs '^\[project\]' pyproject.toml || not_here "no list of dependencies"
sed -i 's/^\[project\].*/&\ndependencies = ["packaging>=20"]/' pyproject.toml
printf 'packaging>=20\n' >> requirements.txt
printf '\nimport packaging.version  # noqa: E402,F401\n' >> "$file"
