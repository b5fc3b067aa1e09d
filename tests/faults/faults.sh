#!/bin/sh
# One rank fails in one phase, in every phase that there is: the run ends in time and in order, or
# goes on, and what comes of it is exact.  Prints a table of phase x fault x outcome.
# Usage: faults.sh BUILD_DIR SOURCE_DIR [PHASE [ACTION [MODE]]]     a * stands for all
#
# The phases are read from the sources, with the roles that have them: a new one has its rows at once,
# and they fail where the fault does not happen.
set -u
only_phase=${3:-*} only_action=${4:-*} only_mode=${5:-*}
# An own /dev/shm shows what a run leaves there; where none can be mounted, other jobs are in the way.
if [ -z "${R1_OWN_SHM:-}" ] && unshare -m sh -c 'mount -t tmpfs tmpfs /dev/shm' 2>/dev/null; then
    R1_OWN_SHM=1 exec unshare -m sh -c 'mount -t tmpfs tmpfs /dev/shm && exec "$@"' sh "$0" "$@"
fi
. "$2/tests/scratch.sh"
faulty=$build/fault_injection
[ -f "$faulty/build.ninja" ] ||
    meson setup "$faulty" "$src" -Dfault_injection=true >"$build/faults.log" 2>&1 || exit 99
ninja -C "$faulty" r1-train >"$build/faults.log" 2>&1 || { tail "$build/faults.log"; exit 99; }
deadline=3 # seconds; a run may last its own time, this, and 10 s more
rows=0 np=3
place="rank [0-9]+ on [^ ]+ \([a-z ]+\), stage '[^']*', step [0-9]+, phase '[a-z_]+'"
waits="waits for (all|rank [0-9]+) \([^,]+, [0-9]+ bytes\) since [0-9]+ s"

# PHASE:ROLES, 1 learners, 2 actors, 3 both
phases=$(
    sed -n 's/^ *X([A-Z_]*, "\([a-z_]*\)", \([123]\)).*/\1:\2/p' "$src/common/metrics/phases.h"
    grep -rhoE 'r1_card_phase\("[a-z_]+"\)' "$src/actor" "$src/learner" "$src/common" |
        sed 's/.*"\(.*\)".*/\1:3/'
)
[ "$(echo "$phases" | wc -l)" -ge "$(($(grep -c '^ *X(' "$src/common/metrics/phases.h") + 2))" ] ||
    { echo "the phases cannot be read"; exit 99; }

# train [ARG]...: $np ranks in $run, with R1_FAULT from $fault and $mpi_args for mpirun
train() {
    R1_FAULT=$fault timeout -k 5 180 mpirun -np "$np" $mpi_args -x R1_FAULT "$faulty/r1-train" \
        "$src/tests/mpi/short.yaml" cold_start.total_updates=12 cold_start.warmup=2 \
        checkpoint.every=4 limits.deadline_s=$deadline --output "$run" --resume auto "$@" \
        >"$run.out" 2>"$run.err"
}
weights() {
    grep '^weights' "$run.out"
}
ranks_left() {
    pgrep -f "^$faulty/r1-train .*--output $run " | wc -l
}
# What a run has no right to leave: memory of the node, sessions of Open MPI.
litter() {
    if [ -n "${R1_OWN_SHM:-}" ]; then ls /dev/shm; fi
    ls "$TMPDIR"
}
exactly() { # N PATTERN: so many lines
    [ "$(grep -cE "$2" "$run.said")" -eq "$1" ] || said="not $1 line(s) of the kind: $2"
}
on_this_node() { # the cause once; each node may tell its own before mpirun ends it
    if [ "$mode" = nodes ]; then
        grep -qE "$1" "$run.said" || said="no line of the kind: $1"
    else
        exactly 1 "$1"
    fi
}

# told RANK PHASE ACTION: the report of an end.  The cause comes once and last; whoever waited says
# for whom, for what, and how long.
told() {
    on_this_node '^r1-train: error'
    tail -1 "$run.said" | grep -q '^r1-train: error' || said="the cause is not last"
    case $3 in
    kill | abort | exit=*)
        on_this_node "^r1-train: error.*: a process is gone, killed or crashed: rank $1 on .*, phase '$2': "
        return
        ;;
    esac
    on_this_node "^r1-train: error( \(rank [0-9]\))?: (checkpoint [a-z0-9 ]+: )?$place: $waits; nothing has moved for [3-9] s"
    [ "$3" != stop ] ||
        on_this_node "^r1-train: error.*; rank $1 \(pid [0-9]+\) does not run since [0-9]+ s, in phase '$2'$"
    [ "$mode" != nodes ] || return
    exactly 1 "^r1: rank $1 on .*, phase '$2': "
    for r in 0 1 2; do
        [ $r -eq "$1" ] || exactly 1 "^r1(-train: error( \(rank $r\))?)?: (checkpoint [a-z0-9 ]+: )?rank $r on .*: $waits"
    done
}

check_status() { # ALLOWED...
    status=$(cat "$run/exit_status" 2>/dev/null || echo none)
    case " $* " in *" $status "*) ;; *) said="exit_status $status, not $*" ;; esac
}
resumed() {
    fault= np=2 mpi_args=
    train topology.mode=colocated || said="resume failed: $(tail -1 "$run.err")"
    [ "$(weights)" = "$undisturbed" ] || said="resume ends in other weights"
}
row() { # RANK SECONDS
    [ "$said" = ok ] || bad=$((bad + 1))
    printf '%-9s rank %s  %-12s %-8s exit_status %-4s mpirun %-3s %3d s  %s\n' "$mode" "$1" "$phase" \
        "$action" "$status" "$rc" "$2" "$said"
    [ "$said" = ok ] || grep -E '^r1(-train)?: |^fault' "$run.first" | tail -6
}

# try MODE RANK PHASE STEP ACTION: a row of the table
try() {
    mode=$1 phase=$3 action=$5 mpi_args= topology=$1 np=3
    case $phase in $only_phase) ;; *) return ;; esac
    case $action in $only_action) ;; *) return ;; esac
    case $mode in $only_mode) ;; *) return ;; esac
    [ "$mode" != nodes ] || {
        mpi_args="--mca plm_rsh_agent $src/tests/mpi/two-nodes --host n1:2,n2:2" topology=split np=4
    }
    case $phase:$action in # at the start there is no directory yet; at the end all may be written
    *:delay=* | *:starve | *:garble) want=0 ;;
    start:*) want=none ;;
    end:*) want="0 75" ;;
    *) want=75 ;;
    esac
    run=$dir/run fault=$2:$3:$4:$5 rows=$((rows + 1)) said=ok
    rm -rf "$run"
    t0=$(date +%s)
    train "topology.mode=$topology"
    rc=$?
    took=$(($(date +%s) - t0))
    grep -E '^r1-train: error|^r1: rank' "$run.err" >"$run.said"
    grep -q '^fault ' "$run.err" || said="the fault did not happen"
    check_status $want
    case $action in
    delay=* | starve | garble)
        [ $rc -eq 0 ] || said="mpirun ended with $rc"
        [ "$(weights)" = "$undisturbed" ] || said="other weights"
        ;;
    *)
        [ $rc -ne 0 ] || said="mpirun ended with 0"
        [ $rc -ne 124 ] && { [ $rc -ne 137 ] || [ "$action" = kill ]; } || said="did not end by itself"
        [ $took -le $((whole_s + deadline + 10)) ] || said="took $took s"
        told "$2" "$phase" "$action"
        ;;
    esac
    sleep 0.2
    [ "$(ranks_left)" -eq 0 ] || said="$(ranks_left) ranks are left"
    [ -z "$(litter)" ] || said="left behind: $(litter)"
    cp "$run.err" "$run.first"
    case $action in
    delay=* | starve | garble) ;;
    *) resumed ;;
    esac
    row "$2" "$took"
}

# Steps 1 to 12 are fine-tuning, 13 to 16 GRPO.
step_of() {
    case $1 in
    start) echo 0 ;;
    checkpoint) echo 8 ;;
    eval) echo 12 ;;
    end) echo 16 ;;
    *) echo 14 ;;
    esac
}

# launcher SIGNAL EXIT_STATUS... [-- ARG...]: mpirun itself is struck; its ranks end with it, or by themselves
# once they are done and nobody lets them go.  Without ARG the run is then resumed.
launcher() {
    action=$1 mode=mpirun phase=mpirun allowed=
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        allowed="$allowed $1"
        shift
    done
    [ $# -eq 0 ] || shift
    case $phase in $only_phase) ;; *) return ;; esac
    case $action in $only_action) ;; *) return ;; esac
    run=$dir/run np=3 mpi_args= fault= rows=$((rows + 1)) said=ok n=0
    rm -rf "$run"
    train topology.mode=colocated "$@" 2>/dev/null &
    job=$!
    while [ "$(cat "$run/metrics.jsonl" 2>/dev/null | wc -l)" -lt 6 ] && [ $n -lt 600 ]; do
        sleep 0.05
        n=$((n + 1))
    done
    pid=$(pgrep -f "^mpirun .*--output $run ")
    kill "-$action" "$pid"
    t0=$(date +%s) n=0
    while [ "$(ranks_left)" -gt 0 ] && [ $n -lt 800 ]; do
        sleep 0.05
        n=$((n + 1))
    done
    took=$(($(date +%s) - t0))
    [ "$(ranks_left)" -eq 0 ] || said="$(ranks_left) ranks are left"
    [ "$action" != STOP ] || kill -KILL "$pid"
    wait $job
    rc=$?
    check_status $allowed
    # A session of Open MPI is mpirun's own to remove.
    case $action in KILL | STOP) rm -rf "$TMPDIR"/ompi.* ;; esac
    [ -z "$(litter)" ] || said="left behind: $(litter)"
    cp "$run.err" "$run.first"
    [ $# -gt 0 ] || resumed
    row - "$took"
}

run=$dir/whole fault= mpi_args= np=2 t0=$(date +%s)
train topology.mode=colocated || { tail -3 "$run.err"; exit 1; }
whole_s=$(($(date +%s) - t0 + 1))
undisturbed=$(weights)
echo "undisturbed: $whole_s s, $undisturbed"

for action in kill stop hang delay=1 starve; do
    for entry in $phases; do
        phase=${entry%:*} roles=${entry#*:} step=$(step_of "${entry%:*}")
        # Where every rank learns, none waits for a learner.
        [ "$phase" = wait_learner ] || try colocated 1 "$phase" "$step" $action
        [ "$roles" = 2 ] || try split 0 "$phase" "$step" $action
        # Weights are sent only to nodes that have no learner.
        [ "$roles" = 1 ] || [ "$phase" = weight_sync ] || try split 2 "$phase" "$step" $action
    done
    try nodes 0 weight_sync 14 $action # rank 2 is the first of a node without learners
    try nodes 2 weight_sync 14 $action
    try nodes 2 rollout 14 $action
done
for phase in backward reduce optimizer weight_sync; do
    try colocated 1 $phase 6 kill
done
try colocated 0 checkpoint 16 kill
try colocated 1 reduce 14 spin
try colocated 1 rollout 14 abort
try colocated 1 optimizer 14 exit=3
try split 2 rollout 14 garble
# mpirun takes a second or two to pass it on.
launcher TERM none 75 85 -- rl.total_updates=8000
launcher KILL none 75
launcher STOP 0
# Nobody reads what rank 0 says: it is blocked once the pipe is full.
launcher STOP 75 -- rl.total_updates=8000 rl.prompts_per_step=2 rl.group_size=2 rl.minibatch=4 \
    rl.inner_epochs=1 rl.max_response_len=4 rl.overlong.buffer=0 rl.overlong.penalty=0 rl.kl.coef=0 \
    checkpoint.every=100000
[ $rows -gt 0 ] || { echo "no such row"; exit 99; }
echo "$rows faults, $bad with another outcome than expected"
[ $bad -eq 0 ]
