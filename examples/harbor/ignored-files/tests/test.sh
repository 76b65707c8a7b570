#!/bin/bash
if test ! -e /tests/a.secret && test ! -e /tests/.harborignore && grep -qx 42 answer.txt; then echo 1; else echo 0; fi > /logs/verifier/reward.txt
