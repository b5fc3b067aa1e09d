#!/bin/sh
# Does the README's walk name the files that a trajectory passes, in order?
# Usage: walk.sh BUILD_DIR SOURCE_DIR
set -u
. "$2/tests/scratch.sh"

# Prompt 2645 belongs to the first GRPO step: 60 updates of 44 examples come before it.
R1_TRACE=2645 timeout -k 5 120 mpirun -np 2 -x R1_TRACE "$build/r1-train" \
    "$src/tests/mpi/short.yaml" topology.mode=split --output "$dir/run" >/dev/null 2>"$dir/err" || {
    tail -5 "$dir/err"
    exit 1
}
grep '^trace ' "$dir/err" | sort -n -k2 | awk '!seen[$3]++ {print $3}' >"$dir/passed"
sed -n '/^## One GRPO step/,/^## Where/p' "$src/README.md" |
    sed -nE 's/^[0-9]+\. `([^`]+)`.*/\1/p' >"$dir/named"
[ -s "$dir/passed" ] || { echo "nothing was traced"; exit 1; }
diff "$dir/named" "$dir/passed" && echo "$(wc -l <"$dir/passed") files, in order"
