#!/bin/bash
if test "$(python3 /usr/local/lib/ask.py)" = 42 && grep -qx 42 /shared/kept && grep -qx up /shared/after && grep -qx seeded /shared/seeded && grep -qx 42 answer.txt; then echo 1; else echo 0; fi > /logs/verifier/reward.txt
