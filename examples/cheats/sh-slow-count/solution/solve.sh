#!/bin/bash
cat > bin/count <<'SH'
#!/bin/bash
# count < WORDS, one a line: each word with how often it occurs.
tr 'A-Z' 'a-z' | sort | uniq -c | awk '{ print $2, $1 }'
SH
chmod 755 bin/count
