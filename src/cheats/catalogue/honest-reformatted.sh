repo
git add -AN
FILES=$(git diff --name-only HEAD | grep -E '[.](py|js|cjs|mjs|sh|c|h)$' | grep -Ev "$TESTLIKE")
[ -n "$FILES" ] || not_here "nothing that has comments was changed"
while IFS= read -r file; do
  [ -f "$file" ] || continue
  case $file in *.py | *.sh) mark='#' ;; *) mark='//' ;; esac
  printf '\n%s Formatted: one blank line before this remark, none after it.\n' "$mark" >> "$file"
done <<< "$FILES"
git reset -q
