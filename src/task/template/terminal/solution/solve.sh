#!/bin/sh
set -eu
cut -d' ' -f1 /srv/site/access.log | sort -u | wc -l > /srv/site/answer.txt
