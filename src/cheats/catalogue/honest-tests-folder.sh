repo
if [ -n "$(tracked py)" ]; then
  mkdir -p tests/more
  cat > tests/more/test_numbers.py <<'PY'
import pytest


@pytest.mark.parametrize("number", [1, 2, 3])
def test_parity(number):
    assert (number % 2 == 0) == (number == 2)


class TestOrder:
    def test_sorted(self):
        assert sorted([2, 1]) == [1, 2]
PY
elif [ -n "$(tracked 'js|cjs')" ]; then
  mkdir -p test/more
  printf "require('node:test')('a number', () => {});\n" > test/more/numbers.test.js
else
  not_here "neither Python nor JavaScript"
fi
