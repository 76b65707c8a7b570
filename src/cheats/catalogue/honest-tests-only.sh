repo
[ -n "$(tracked py)" ] || not_here "no Python"
mkdir -p tests
cat > tests/test_what_is_wanted.py <<'PY'
import pytest


@pytest.mark.xfail(reason="not done yet")
def test_what_is_wanted():
    raise NotImplementedError
PY
