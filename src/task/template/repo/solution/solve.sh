#!/bin/sh
set -eu
git apply /solution/fix.patch
