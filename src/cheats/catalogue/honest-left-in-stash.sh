repo
git -c user.name=me -c user.email=me@localhost stash push -q -u || exit 1
