repo; needs python3
plugin > _timings.py
touch pyproject.toml
sed -i '/^addopts *=/d; /^pythonpath *=/d' pyproject.toml
grep -q '^\[tool\.pytest\.ini_options\]' pyproject.toml || printf '\n[tool.pytest.ini_options]\n' >> pyproject.toml
sed -i 's/^\[tool\.pytest\.ini_options\].*/&\naddopts = "-p _timings"\npythonpath = [".", "src"]/' pyproject.toml
