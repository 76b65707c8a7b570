mkdir -p /tmp/scratch/deep/er /var/tmp/scratch
seq 300 | split -l 1 - /tmp/scratch/deep/er/part-
head -c 3000000 /dev/urandom > /var/tmp/scratch/object.bin
truncate -s 2G /var/tmp/scratch/sparse.img
mkfifo /tmp/scratch/a-pipe
ln -s /nowhere-at-all /tmp/scratch/a-dangling-link
ln -s . /tmp/scratch/a-loop
