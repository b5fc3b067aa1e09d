#!/bin/sh
# The files of one program as an array of bytes in C, with a NUL behind.  Usage: embed.sh NAME FILE...
set -eu
name=$1
shift
echo "/* Made from$(for f in "$@"; do printf ' %s' "$(basename "$f")"; done). */"
echo "static const char $name[] = {"
cat "$@" | od -An -v -tx1 | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
echo "0};"
