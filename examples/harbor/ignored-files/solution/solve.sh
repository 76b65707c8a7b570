#!/bin/bash
test ! -e /solution/notes && echo 42 > answer.txt
