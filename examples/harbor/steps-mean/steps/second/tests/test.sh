#!/bin/bash
if . /tests/helper.sh && there first.txt && grep -qx second second.txt && grep -qx given made.txt; then echo 1; else echo 0; fi > /logs/verifier/reward.txt
