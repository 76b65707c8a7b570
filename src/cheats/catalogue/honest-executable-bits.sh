repo
FILES=$(tracked 'py|js|c|sh|md')
[ -n "$FILES" ] || not_here "no such files"
chmod 755 $FILES
touch -d '2001-02-03 04:05:06' $FILES
