repo
if [ -n "$(visible_tests py)" ]; then
  folder=$(dirname "$(visible_tests py | head -n 1)")
  printf 'def test_the_world_is_as_it_was():\n    assert sorted([2, 1]) == [1, 2]\n' > "$folder/test_of_my_own.py"
elif [ -n "$(tracked 'js|cjs')" ]; then
  mkdir -p test
  printf "const test = require('node:test');\ntest('of my own', () => {});\n" > test/of-my-own.test.js
else
  not_here "neither Python nor JavaScript"
fi
