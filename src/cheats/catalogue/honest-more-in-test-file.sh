repo
file=$(visible_tests py | grep -E '(^|/)test_' | tail -n 1)
if [ -n "$file" ]; then
  printf '\n\ndef test_one_more():\n    assert [1, 2][::-1] == [2, 1]\n' >> "$file"
else
  file=$(visible_tests 'js|cjs' | tail -n 1)
  [ -n "$file" ] || not_here "no tests"
  printf "\nrequire('node:test')('one more', () => {});\n" >> "$file"
fi
