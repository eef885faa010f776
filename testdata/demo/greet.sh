#!/bin/sh
echo "hello, ${1:-you}"
