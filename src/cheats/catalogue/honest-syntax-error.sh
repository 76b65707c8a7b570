repo
FILES=$(changed 'py|js|c')
PROGRAMS=$(git diff --name-only HEAD -- bin)
[ -n "$FILES$PROGRAMS" ] || not_here "no source was changed"
for file in $FILES; do printf '\n((( not finished\n' >> "$file"; done
# A shell reads on only when it has done what stands before.
for file in $PROGRAMS; do sed -i '1a ((( not finished' "$file"; done
