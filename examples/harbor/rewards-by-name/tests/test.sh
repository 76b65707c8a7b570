#!/bin/bash
grep -qx 42 answer.txt && v=1 || v=0
echo "{\"reward\": $v, \"style\": 0.5, \"fast\": true}" > /logs/verifier/reward.json
echo 0 > /logs/verifier/reward.txt
