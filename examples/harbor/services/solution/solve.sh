#!/bin/bash
set -e
test "$FROM_COMPOSE" = hello
python3 /usr/local/lib/ask.py 42
cp /seed/seed.txt answer.txt
