#!/bin/bash
if grep -qx 42 answer.txt && test -f data/given.txt && test ! -e old.txt; then echo 1; else echo 0; fi > /logs/verifier/reward.txt
