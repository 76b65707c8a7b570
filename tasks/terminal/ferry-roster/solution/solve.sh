#!/bin/bash
set -eu
python3 -B "$(dirname "$0")/plan.py"
