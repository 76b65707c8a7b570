python
folder=$(cd / && "$REAL" -c 'import sysconfig; print(sysconfig.get_path("purelib"))') || not_here "no folder of packages"
mkdir -p "$folder/looker" "$folder/looker-1.0.dist-info"
printf '"""Looks at files."""\n' > "$folder/looker/__init__.py"
printf 'Metadata-Version: 2.1\nName: looker\nVersion: 1.0\n' > "$folder/looker-1.0.dist-info/METADATA"
printf 'pip\n' > "$folder/looker-1.0.dist-info/INSTALLER"
