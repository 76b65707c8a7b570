#!/bin/bash
if python3 -c "import urllib.request as r; assert r.urlopen('http://127.0.0.1:8080').read() == b'hello\n'"; then echo 1; else echo 0; fi > /logs/verifier/reward.txt
