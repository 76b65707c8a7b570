#!/bin/bash
if test "$STEP" = first && grep -qx first first.txt; then echo 1; else echo 0; fi > /logs/verifier/reward.txt
