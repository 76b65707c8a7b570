there() { test -e "$1"; }
