#!/bin/sh
# The same weights, moments and metrics for any number of ranks, roles and threads, by a run that has
# all that their order could touch: its own metrics must say so.
# Usage: ranks.sh BUILD_DIR SOURCE_DIR
set -u
. "$2/tests/scratch.sh"
steps=64

# run NAME NP ROLES [OVERRIDE]...: ROLES is what the run must say of its ranks and threads
run() {
    name=$1 np=$2 roles=$3
    shift 3
    timeout -k 5 120 mpirun -np "$np" "$build/r1-train" "$src/tests/mpi/short.yaml" "$@" \
        --output "$dir/$name" >"$dir/$name.out" 2>"$dir/$name.err" ||
        fail "$name failed with $?: $(tail -5 "$dir/$name.err")"
    head -1 "$dir/$name/config.yaml" | grep -qF "; $roles, on " ||
        fail "$name ran as $(head -1 "$dir/$name/config.yaml"), not as $roles"
}

# What must not depend on ranks: both checksums, and every metric but times and rates.
result() {
    grep '^weights [0-9a-f]\{16\}, optimizer [0-9a-f]\{16\}$' "$dir/$1.out"
    sed -E 's/"(timing_s|perf)\/[^,}]*[,}]//g' "$dir/$1/metrics.jsonl"
}

# same NAME NP ROLES [OVERRIDE]...: as $dtype-1
same() {
    name=$dtype-$1
    shift
    run "$name" "$@" "compute.dtype=$dtype"
    if [ "$(result "$name")" = "$(result "$dtype-1")" ]; then
        echo "$name: as on one rank"
    else
        fail "$name differs: $(result "$name" | diff - "$dir/$dtype-1.result" | head -2 | cut -c1-200)"
    fi
}

# steps_with STAGE METRIC CONDITION: in how many of the stage's steps the metric is a number x for
# which the condition holds
steps_with() {
    grep "\"training/stage\": \"$1\"" "$dir/$dtype-1/metrics.jsonl" |
        sed -nE "s|.*\"$2\": ([-+0-9.e]+)[,}].*|\1|p" | awk "{x = \$1 + 0} $3 {n++} END {print n + 0}"
}
# has STAGE AT_LEAST METRIC CONDITION
has() {
    n=$(steps_with "$1" "$3" "$4")
    [ "$n" -ge "$2" ] || fail "$dtype: $3 with $4 in $n steps of $1, not in $2"
}
all=4

for dtype in bf16 fp32; do
    run $dtype-1 1 "colocated: 1 rank(s), 1 thread(s) a rank" compute.dtype=$dtype compute.threads=1
    result $dtype-1 >"$dir/$dtype-1.result"
    [ "$(wc -l <"$dir/$dtype-1.result")" -eq $((steps + 1)) ] || fail "$dtype-1 has not $steps steps"

    has cold_start 60 actor/grad_norm "x > 0"
    has cold_start 60 batch/micro_batches_max "x >= 2"
    has cold_start 60 batch/leaf_items_min "x == 5"
    has cold_start 60 batch/leaf_items_max "x == 6"
    has rl $all actor/grad_norm "x > 0"
    has rl $all training/updates_in_step "x == 4"
    has rl $all actor/pg_clipfrac "x > 0" # so in later mini-batches: in the first one all ratios are 1
    has rl $all actor/kl_loss "x > 0"
    has rl 2 actor/kl_reference_update "x == 60"
    has rl 2 actor/kl_reference_update "x > 60"
    has rl $all batch/micro_batches_max "x >= 2"
    has rl $all batch/groups_cut "x > 0"
    has rl $all batch/empty_leaves "x >= 2" # 6 groups on 8 leaves
    has rl 2 batch/empty_leaves "x > 2"     # and groups without any score
    has rl 2 batch/samples_masked "x > 0"
    has rl $all frac_unscorable "x > 0 && x < 1"
    has rl 2 frac_reward_zero_std "x < 1"

    same 1t2 1 "colocated: 1 rank(s), 2 thread(s) a rank" compute.threads=2
    same 2 2 "colocated: 2 rank(s), 1 thread(s) a rank" compute.threads=1
    same 4 4 "colocated: 4 rank(s), 1 thread(s) a rank" compute.threads=1
    for np in 2 3 5; do
        same ${np}s $np "split: 1 learner(s) and $((np - 1)) actor(s), 1 thread(s) a rank" \
            topology.mode=split topology.learners=1 compute.threads=1
    done
    same 5s3 5 "split: 3 learner(s) and 2 actor(s), 1 thread(s) a rank" \
        topology.mode=split topology.learners=3 compute.threads=1
    # The on-policy ratio: what came over the wire against the learner's own forward, to the bit.
    has rl $all training/rollout_probs_diff_max "x == 0"
done

run seed 2 "colocated: 2 rank(s), 1 thread(s) a rank" seed=2 compute.threads=1
result seed >"$dir/seed.result"
[ "$(wc -l <"$dir/seed.result")" -eq $((steps + 1)) ] && ! grep -qxFf "$dir/bf16-1.result" "$dir/seed.result" ||
    fail "another seed gives the same weights or metrics"
[ $bad -eq 0 ] && echo "14 ways to run it, one result for each type"
exit $bad
