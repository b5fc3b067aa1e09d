#!/bin/sh
# One rank fails in one phase: the run ends in time and in order, and the next one goes on exactly.
# Prints a table of phase x fault x outcome.
# Usage: faults.sh BUILD_DIR SOURCE_DIR [PHASE [ACTION]]
set -u
only_phase=${3:-} only_action=${4:-}
. "$2/tests/scratch.sh"
faulty=$build/fault_injection
[ -f "$faulty/build.ninja" ] ||
    meson setup "$faulty" "$src" -Dfault_injection=true >"$build/faults.log" 2>&1 || exit 99
ninja -C "$faulty" r1-train >"$build/faults.log" 2>&1 || { tail "$build/faults.log"; exit 99; }
deadline=3 # seconds; a run may last its own time, this, and 10 s more

# train NP [ARG]...: in $run, with R1_FAULT from $fault
train() {
    np=$1
    shift
    R1_FAULT=$fault timeout -k 5 120 mpirun -np "$np" -x R1_FAULT "$faulty/r1-train" \
        "$src/tests/mpi/short.yaml" cold_start.total_updates=12 cold_start.warmup=2 \
        checkpoint.every=4 limits.deadline_s=$deadline --output "$run" --resume auto "$@" \
        >"$run.out" 2>"$run.err"
}
weights() {
    grep '^weights' "$run.out"
}
ranks_left() {
    pgrep -f "r1-train .*--output $run" | wc -l
}

# try MODE RANK PHASE STEP ACTION EXIT_STATUS: a row of the table
try() {
    mode=$1 phase=$3 action=$5 want=$6
    [ -z "$only_phase" ] || [ "$phase" = "$only_phase" ] || return
    [ -z "$only_action" ] || [ "$action" = "$only_action" ] || return
    run=$dir/run fault=$2:$3:$4:$5
    rm -rf "$run"
    t0=$(date +%s)
    train 3 "topology.mode=$mode"
    rc=$?
    took=$(($(date +%s) - t0))
    status=$(cat "$run/exit_status" 2>/dev/null || echo none)
    said=ok
    grep -q '^fault ' "$run.err" || said="the fault did not happen"
    [ "$status" = "$want" ] || said="exit_status $status, not $want"
    [ "$want" != 0 ] || [ $rc -eq 0 ] || said="mpirun ended with $rc"
    [ "$want" = 0 ] || [ $rc -ne 0 ] || said="mpirun ended with 0"
    [ $rc -ne 124 ] && [ $rc -ne 137 ] || [ "$action" = kill ] || said="did not end by itself"
    [ "$want" = 0 ] || [ $took -le $((deadline + 12)) ] || said="took $took s"
    [ "$want" = 0 ] || [ "$(grep -c '^r1: error' "$run.err")" -eq 1 ] ||
        said="$(grep -c '^r1: error' "$run.err") causes"
    sleep 0.2
    [ "$(ranks_left)" -eq 0 ] || said="$(ranks_left) ranks are left"
    fault=
    train 2 topology.mode=colocated || said="resume failed: $(tail -1 "$run.err")"
    [ "$(weights)" = "$undisturbed" ] || said="resume ends in other weights"
    [ "$said" = ok ] || bad=$((bad + 1))
    printf '%-10s %-13s %-9s exit_status %-4s mpirun %-3s %3d s  %s\n' "$mode" "$phase" "$action" \
        "$status" "$rc" "$took" "$said"
    [ "$said" = ok ] || { grep '^r1: ' "$run.err" | tail -4; }
}

run=$dir/whole fault=
train 2 topology.mode=colocated || { tail -3 "$run.err"; exit 1; }
undisturbed=$(weights)

# Steps 1 to 12 are fine-tuning, 13 to 16 GRPO; in split mode rank 0 learns.
for action in kill stop hang; do
    try colocated 1 start 0 $action none
    for phase in other backward reduce optimizer; do
        try colocated 1 $phase 6 $action 75
        try colocated 1 $phase 14 $action 75
    done
    for phase in rollout reward forward wait_actors; do
        try colocated 1 $phase 14 $action 75
    done
    try colocated 2 checkpoint 8 $action 75
    try colocated 0 checkpoint 16 $action 75
    try colocated 2 eval 12 $action 75
    try split 2 rollout 14 $action 75
    try split 2 reward 14 $action 75
    try split 2 wait_learner 14 $action 75
    try split 0 wait_actors 14 $action 75
    try split 0 reduce 14 $action 75
done
try colocated 1 reduce 14 spin 75
try colocated 1 rollout 14 abort 75
try colocated 1 optimizer 14 exit=3 75
try split 2 rollout 14 delay=2 0
try colocated 1 backward 14 delay=2 0
try colocated 1 rollout 14 starve 0
try split 0 backward 14 starve 0
try split 2 rollout 14 garble 0
[ $bad -eq 0 ] && echo "every fault ended in time, every resume is exact"
exit $bad
