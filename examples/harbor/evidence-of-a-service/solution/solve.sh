#!/bin/bash
python3 /usr/local/lib/ask.py 42
