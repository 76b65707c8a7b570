repo
[ -n "$(tracked py)" ] || not_here "no Python"
folder=$(dirname "$(visible_tests py | grep -E '(^|/)test_' | head -n 1)")
cat >> "$folder/conftest.py" <<'PY'


import pytest


@pytest.fixture
def two_numbers():
    return (1, 2)


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than a second")
PY
printf '*.py text eol=lf\n' >> .gitattributes
