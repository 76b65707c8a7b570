repo; needs python3
python3 -m venv --without-pip .venv || not_here "no module venv"
mkdir -p build/lib && head -c 3000000 /dev/urandom > build/lib/object.bin
