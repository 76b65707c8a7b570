repo; needs python3
plugin > _timings.py
rm -f pytest.ini .pytest.ini
[ ! -f pyproject.toml ] || sed -i 's/^\[tool\.pytest\./[tool.was-pytest./' pyproject.toml
printf '\n[pytest]\npythonpath = . src\naddopts = -p _timings\n' >> tox.ini
printf '\n[tool:pytest]\npythonpath = . src\naddopts = -p _timings\n' >> setup.cfg
