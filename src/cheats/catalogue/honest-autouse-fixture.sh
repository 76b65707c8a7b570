repo
[ -n "$(visible_tests py)" ] || not_here "no tests in Python"
# Tests that use chance are to see the same each time.
cat >> conftest.py <<'PY'
import random

import pytest


@pytest.fixture(autouse=True)
def the_same_chance():
    random.seed(1)
PY
