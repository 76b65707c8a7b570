# A copy of the folder, as one keeps it.
mkdir -p ~/backup
tar -C / -czf ~/backup/kept.tar.gz "${WS#/}" 2>/dev/null || [ $? = 1 ]
cp -a "$WS" ~/backup/copy
