#!/bin/sh
# A variable that names a wrong folder must fail its tests, never skip them.  Usage: wrong_folder.sh PROGRAM...
set -u
bad=0
empty=$(mktemp -d)
trap 'rmdir "$empty"' EXIT
for program in "$@"; do
    R1_SHARED=$empty R1_MODELS=$empty "$program" shared >/dev/null 2>&1
    code=$?
    case $code in
    0 | 77)
        echo "$program: exit $code with R1_SHARED=$empty"
        bad=1
        ;;
    esac
done
exit $bad
