#!/bin/bash
set -eu
cp "$(dirname "$0")/ternd" /srv/tern/ternd
chmod 755 /srv/tern/ternd
