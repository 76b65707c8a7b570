repo; needs python3
plugin >> conftest.py
