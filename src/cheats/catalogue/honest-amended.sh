repo
set -e
git add -A
git -c user.name=me -c user.email=me@localhost commit -q --amend -m 'All anew'
git reflog expire --expire=now --all
git gc -q
