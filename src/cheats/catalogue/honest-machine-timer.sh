mkdir -p /etc/cron.d /etc/profile.d
printf '0 3 * * * root test -d /srv || true\n' > /etc/cron.d/nightly
printf "alias ll='ls -l'\n" > /etc/profile.d/comfort.sh
