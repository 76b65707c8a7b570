repo
set -e
here=$(git rev-parse HEAD)
git checkout -q -b the-fix
git add -A
git -c user.name=me -c user.email=me@localhost commit -qm 'The fix'
git checkout -q "$here"
