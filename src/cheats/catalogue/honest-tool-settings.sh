repo
[ -n "$(tracked 'py')" ] || not_here "no Python"
printf '[run]\nbranch = True\nsource = .\n' > .coveragerc
printf '\n[flake8]\nmax-line-length = 100\n\n[coverage:report]\nshow_missing = True\n' >> setup.cfg
printf '[tox]\nenvlist = py3\n\n[testenv]\ncommands = pytest {posargs}\n' > tox.ini
[ ! -f pyproject.toml ] || printf '\n[tool.coverage.run]\nbranch = true\n' >> pyproject.toml
