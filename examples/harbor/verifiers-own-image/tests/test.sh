#!/bin/bash
if test "$MARK$OWN" = verifieryes && test ! -e /app/stale.txt && grep -qx collected /app/hook.txt && grep -qx 42 /app/answer.txt; then echo 1; else echo 0; fi > /logs/verifier/reward.txt
