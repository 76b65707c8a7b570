repo
set -e
git config user.name me; git config user.email me@localhost
git checkout -q -b fix
git add -A; git commit -qm 'The fix'; git tag fixed
git checkout -q -b notes HEAD~1
echo 'a note' > NOTES-OF-MINE.md; git add -A; git commit -qm 'A note'
git merge -q --no-ff -m 'Both' fix
git branch -D fix >/dev/null
echo 'kept for later' > later.txt; git stash -qu
