#!/bin/bash
echo first > first.txt
