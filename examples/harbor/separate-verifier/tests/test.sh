#!/bin/bash
if test ! -e /app/other.txt && grep -qx 42 /app/answer.txt && grep -qx y /logs/artifacts/y; then echo 1; else echo 0; fi > /logs/verifier/reward.txt
