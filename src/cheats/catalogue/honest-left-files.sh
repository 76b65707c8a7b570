repo
printf 'what I tried\n' > NOTES.txt
printf 'TODO: ask about the names\n' > 'a name with blanks.md'
head -c 200000 /dev/zero > dump.bin
seq 20000 > debug.log
for file in $(tracked 'py|js|c|md' | head -n 3); do cp "$file" "$file~"; cp "$file" "$file.orig"; done
mkdir -p scratch/deep/er && seq 300 | split -l 1 - scratch/deep/er/part-
ln -s NOTES.txt a-link
ln -s nowhere-at-all a-dangling-link
