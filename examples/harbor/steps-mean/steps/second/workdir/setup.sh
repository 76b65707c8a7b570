#!/bin/bash
cp given.txt made.txt
