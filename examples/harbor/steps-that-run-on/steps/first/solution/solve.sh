#!/bin/bash
echo first > first.txt
(setsid bash -c 'while sleep 0.1; do echo tick >> /app/ticks; done' > /dev/null 2>&1 &)
