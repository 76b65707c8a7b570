#!/bin/bash
set -e
rm -f /app/ticks
sleep 1
test -s /app/ticks
echo second > second.txt
