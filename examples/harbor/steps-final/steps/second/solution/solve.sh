#!/bin/bash
echo second > second.txt
