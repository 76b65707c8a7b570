mkdir -p ~/notes /opt/notes
printf 'what I tried, and what came of it\n' > ~/notes/today.md
printf 'see there\n' > /opt/notes/README
printf 'cd %s\nls -l\n' "$WS" > ~/.bash_history
printf '.less-history-file:\n' > ~/.lesshst
seq 20000 > /var/log/my-work.log
