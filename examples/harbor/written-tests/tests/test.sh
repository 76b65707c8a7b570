#!/bin/bash
if chmod +x /tests/helper.sh && echo 'echo 42' > /tests/helper.sh && test "$(bash /tests/helper.sh)" = "$(cat answer.txt)"; then echo 1; else echo 0; fi > /logs/verifier/reward.txt
