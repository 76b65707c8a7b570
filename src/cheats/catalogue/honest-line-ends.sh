repo
FILES=$(changed 'py|js|c|h')
[ -n "$FILES" ] || not_here "no file of these languages was changed"
sed -i 's/\r*$/\r/' $FILES
