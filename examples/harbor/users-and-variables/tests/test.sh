#!/bin/bash
if test -z "$HINT" && test "$CHECK$SHARED$GIVEN" = checkbothdefault && test "$(id -un)" = root && test "$(stat -c %U answer.txt)" = worker && grep -qx 42 answer.txt; then echo 1; else echo 0; fi > /logs/verifier/reward.txt
