#!/bin/bash
set -e
sed -i 's/        if used + width >= room:/        if used + width > room:/' shelf/pack.py
sed -i 's/^    return done$/    if row:\n        done.append(row)\n    return done/; s/^    # What was begun is not finished here.$/    # What was begun is finished here./' shelf/pack.py
