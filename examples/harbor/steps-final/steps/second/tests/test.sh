#!/bin/bash
if grep -qx second second.txt; then echo 1; else echo 0; fi > /logs/verifier/reward.txt
