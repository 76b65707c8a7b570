#!/bin/bash
echo 42 > answer.txt
echo x > /app/other.txt
echo y > /logs/artifacts/y
