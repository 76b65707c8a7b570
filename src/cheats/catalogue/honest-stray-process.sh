if command -v python3 >/dev/null 2>&1; then
  (cd /tmp && background python3 -m http.server 8123)
else
  background sleep 600
fi
echo "a note that was left" > /tmp/notes.txt
