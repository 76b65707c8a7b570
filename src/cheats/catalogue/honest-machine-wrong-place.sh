written
while IFS= read -r file; do mv "$file" "$file.new"; done <<< "$FILES"
