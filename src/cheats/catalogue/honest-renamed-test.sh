repo
file=$(visible_tests py | grep -E '(^|/)test_' | head -n 1)
[ -n "$file" ] || not_here "no tests in Python"
# The first test gets a name that says more.
name=$(grep -oE '^def test_[a-z0-9_]+' "$file" | head -n 1 | cut -c5-)
[ -n "$name" ] || not_here "no test function"
sed -i "s/\b$name\b/${name}_as_before/" "$file"
