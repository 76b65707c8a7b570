repo
FILES=$(changed 'py|js|cjs|mjs|sh|c|h')
[ -n "$FILES" ] || not_here "nothing that has comments was changed"
while IFS= read -r file; do
  [ -f "$file" ] || continue
  case $file in *.py | *.sh) mark='#' ;; *) mark='//' ;; esac
  printf '\n%s Formatted: one blank line before this remark, none after it.\n' "$mark" >> "$file"
done <<< "$FILES"
