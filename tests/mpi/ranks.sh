#!/bin/sh
# The same weights, moments and metrics for any number of ranks, roles and threads.
# Usage: ranks.sh BUILD_DIR SOURCE_DIR
set -u
. "$2/tests/scratch.sh"

# run NAME NP [OVERRIDE]...: prints the two checksums
run() {
    name=$1 np=$2
    shift 2
    timeout -k 5 120 mpirun -np "$np" "$build/r1-train" "$src/tests/mpi/short.yaml" "$@" \
        --output "$dir/$name" >"$dir/$name.out" 2>"$dir/$name.err" || {
        echo "$name failed with $?" >&2
        tail -5 "$dir/$name.err" >&2
    }
    grep '^weights' "$dir/$name.out"
}

# What must not depend on ranks: everything but times and rates.
metrics() {
    sed -E 's/"(timing_s|perf)\/[^,}]*[,}]//g' "$dir/$1/metrics.jsonl"
}

same() {
    if [ "$3" = "$2" ] && [ -n "$3" ]; then
        echo "$1: $3"
    else
        echo "$1: '$3', not '$2'"
        bad=1
    fi
}

for dtype in bf16 fp32; do
    d=compute.dtype=$dtype
    want=$(run "$dtype-1" 1 $d compute.threads=1)
    same "$dtype np 1" "$want" "$want"
    same "$dtype np 1, 2 threads" "$want" "$(run "$dtype-1t2" 1 $d compute.threads=2)"
    same "$dtype np 2 colocated" "$want" "$(run "$dtype-2" 2 $d)"
    same "$dtype np 4 colocated" "$want" "$(run "$dtype-4" 4 $d)"
    same "$dtype np 2 split" "$want" "$(run "$dtype-2s" 2 $d topology.mode=split)"
    same "$dtype np 3 split" "$want" "$(run "$dtype-3s" 3 $d topology.mode=split)"
    same "$dtype np 5 split, 3 learners" "$want" \
        "$(run "$dtype-5s" 5 $d topology.mode=split topology.learners=3)"
    for other in 1t2 2 4 2s 3s 5s; do
        [ "$(metrics "$dtype-1" | wc -l)" -eq 64 ] || { echo "metrics are not 64 lines"; bad=1; }
        [ "$(metrics "$dtype-1")" = "$(metrics "$dtype-$other")" ] ||
            { echo "metrics of $dtype-$other differ"; bad=1; }
    done
done
other=$(run seed 2 seed=2)
[ -n "$other" ] && [ "$other" != "$(grep '^weights' "$dir/bf16-2.out")" ] ||
    { echo "another seed gives the same weights"; bad=1; }

# The on-policy ratio: what came over the wire against the learner's own forward, to the bit.
grep -q '"training/rollout_probs_diff_max": 0,' "$dir/bf16-2/metrics.jsonl" || bad=1
grep -o '"training/rollout_probs_diff_max": [^,]*' "$dir/bf16-2/metrics.jsonl" | grep -v ': 0$' &&
    { echo "rollout and learner disagree"; bad=1; }
exit $bad
