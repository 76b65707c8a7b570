repo; needs python3
plugin > _timings.py
printf '[pytest]\npythonpath = . src\naddopts = -p _timings\n' > pytest.ini
