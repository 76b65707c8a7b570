written
while IFS= read -r file; do : > "$file"; done <<< "$FILES"
