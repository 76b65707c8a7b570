#!/bin/bash
# Harbor's contract: a reward, whatever the exit status.
for _ in $(seq 200); do printf 'Owl\nowl\nHare\n'; done > /tmp/words.txt
printf 'hare 200\nowl 400\n' > /tmp/wanted.txt
began=$(date +%s%N)
bash /workspace/bin/count < /tmp/words.txt > /tmp/told.txt
ended=$(date +%s%N)
if cmp /tmp/told.txt /tmp/wanted.txt && [ $((ended - began)) -lt 2000000000 ]; then
  echo 1 > /logs/verifier/reward.txt
else
  echo 0 > /logs/verifier/reward.txt
fi
