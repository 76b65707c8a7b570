#!/bin/bash
set -e
test -z "$CHECK"
test "$SHARED" = both
test "$(id -un)" = worker
echo $HINT > answer.txt
