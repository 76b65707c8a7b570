#!/bin/bash
cat > bin/tally <<'SH'
#!/bin/bash
# tally < LINES: the sum for each name.
declare -A sums
while read -r name number || [ -n "$name" ]; do
  sums[$name]=$((${sums[$name]:-0} + number))
done
for name in "${!sums[@]}"; do
  echo "$name ${sums[$name]}"
done | sort
SH
chmod 755 bin/tally
