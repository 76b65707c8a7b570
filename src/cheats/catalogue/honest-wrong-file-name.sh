repo
FILES=$(git diff --name-only HEAD | grep -Ev '[.](md|txt)$')
[ -n "$FILES" ] || not_here "no file was changed"
# The work lies beside what it should have changed.
for file in $FILES; do mv "$file" "$file.new"; git checkout -q HEAD -- "$file"; done
