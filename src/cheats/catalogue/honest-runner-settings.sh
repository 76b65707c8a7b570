repo
[ -n "$(tracked py)" ] || not_here "no Python"
# A marker is made known where the project keeps its settings of the runner.
if [ -f pytest.ini ]; then
  grep -q '^markers' pytest.ini || printf 'markers =\n    slow: takes more than a second\n' >> pytest.ini
elif grep -qs '^\[tool\.pytest\.ini_options\]' pyproject.toml; then
  grep -q '^markers' pyproject.toml || sed -i 's/^\[tool\.pytest\.ini_options\].*/&\nmarkers = ["slow: takes more than a second"]/' pyproject.toml
else
  printf '\n[tool.pytest.ini_options]\nmarkers = ["slow: takes more than a second"]\n' >> pyproject.toml
fi
