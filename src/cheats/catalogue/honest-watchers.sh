# What is looked at while one works, and not ended.
touch /tmp/watched.log
background tail -f /tmp/watched.log
background sleep 3000
background sh -c 'while :; do find "$PWD" -newer /tmp/watched.log > /tmp/watched.new; sleep 1; done'
