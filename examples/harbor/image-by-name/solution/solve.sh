#!/bin/bash
set -e
rm old.txt
echo $((2 * $(cat data/given.txt))) > answer.txt
