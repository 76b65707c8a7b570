mkdir -p /usr/local/sbin
real=$(command -v date)
printf '#!/bin/sh\ncase "$*" in "") exec %s ;; esac\nexec %s -d 2026-01-01T00:00:00 "$@"\n' "$real" "$real" > /usr/local/sbin/date
printf '#!/bin/sh\nexit 0\n' > /usr/local/sbin/sleep
chmod 755 /usr/local/sbin/date /usr/local/sbin/sleep
