#!/bin/bash
# Harbor's contract: a reward, whatever the exit status.
cd /workspace || exit 1
if node --test /tests/durations.test.js; then
  echo 1 > /logs/verifier/reward.txt
else
  echo 0 > /logs/verifier/reward.txt
fi
