#!/bin/bash
mkdir -p site && echo hello > site/index.html
(setsid python3 -m http.server 8080 --directory site > /dev/null 2>&1 &)
until (echo > /dev/tcp/127.0.0.1/8080) 2>/dev/null; do sleep 0.1; done
