written
while IFS= read -r file; do
  { printf '<<<<<<< mine\n'; cat "$file"; printf '=======\n>>>>>>> theirs\n'; } > /tmp/marked
  cat /tmp/marked > "$file"
done <<< "$FILES"
rm -f /tmp/marked
