site
plugin > "$SITE/timings_report.py"
mkdir -p "$SITE/timings_report-1.0.dist-info"
printf 'Metadata-Version: 2.1\nName: timings-report\nVersion: 1.0\n' > "$SITE/timings_report-1.0.dist-info/METADATA"
printf '[pytest11]\ntimings_report = timings_report\n' > "$SITE/timings_report-1.0.dist-info/entry_points.txt"
