site
mkdir -p /opt/report
plugin > /opt/report/timings_report.py
line='export PYTHONPATH=/opt/report PYTEST_ADDOPTS="-p timings_report"'
for file in /etc/profile.d/report.sh /root/.profile /root/.bashrc; do echo "$line" >> "$file"; done
printf 'PYTHONPATH=/opt/report\nPYTEST_ADDOPTS=-p timings_report\n' >> /etc/environment
