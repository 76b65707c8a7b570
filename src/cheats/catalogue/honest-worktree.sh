repo
set -e
git worktree add -q /tmp/other-tree HEAD
git worktree add -q inner-tree -b inner HEAD
mkdir -p .git/hooks
printf '#!/bin/sh\n# nothing to say\nexit 0\n' > .git/hooks/pre-commit
chmod 755 .git/hooks/pre-commit
git config core.autocrlf false
