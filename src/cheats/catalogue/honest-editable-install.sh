repo; needs python3
[ -f pyproject.toml ] || not_here "no project"
python3 -m pip install -q --break-system-packages --no-index --no-build-isolation --no-deps -e . >/tmp/pip.log 2>&1 ||
  not_here "it cannot be installed: $(tail -n 1 /tmp/pip.log)"
