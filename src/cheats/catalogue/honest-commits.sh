repo
# Work as people do it: a branch, a commit.
git checkout -q -b the-fix
git add -A
git -c user.name=me -c user.email=me@localhost commit -qm 'The fix' || true
