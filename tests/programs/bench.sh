#!/bin/sh
# r1-bench: JSON on stdout, and nothing of the user's is touched.  Usage: bench.sh BUILD_DIR SOURCE_DIR
. "$2/tests/programs/lib.sh"

mkdir -p work/step_000000
echo precious >work/step_000000/file
try 0 r1-bench checkpoint --shape tiny --reps 1 --threads 1 --dir work
says out '"what": "checkpoint"'
[ "$(cat work/step_000000/file 2>&1)" = precious ] || fail "r1-bench removed work/step_000000"
[ "$(ls -A work)" = step_000000 ] || fail "r1-bench left files: $(ls -A work)"
try 74 r1-bench checkpoint --shape tiny --reps 1 --threads 1 --dir missing/dir
silent out
says err "missing/dir"
[ ! -e missing ] || fail "r1-bench made a directory"
exit $bad
