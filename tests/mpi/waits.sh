#!/bin/sh
# Ranks that wait: as long as something moves, and no longer; requests from outside; the order of an
# end.  Usage: waits.sh BUILD_DIR SOURCE_DIR
set -u
. "$2/tests/scratch.sh"

# start NAME NP [ARG]...: in the background, as $job
start() {
    name=$1 np=$2
    shift 2
    timeout -k 5 150 mpirun -np "$np" "$build/r1-train" "$src/tests/mpi/short.yaml" \
        checkpoint.every=1000 --output "$dir/$name" "$@" >"$dir/$name.out" 2>"$dir/$name.err" &
    job=$!
}
# after NAME LINES: wait until so many steps are done
after() {
    n=0
    while [ "$(cat "$dir/$1/metrics.jsonl" 2>/dev/null | wc -l)" -lt "$2" ] && [ $n -lt 1000 ]; do
        sleep 0.02
        n=$((n + 1))
    done
}
# pid_of NAME RANK
pid_of() {
    for p in $(pgrep -f "r1-train .*--output $dir/$1"); do
        tr '\0' '\n' <"/proc/$p/environ" 2>/dev/null | grep -qx "OMPI_COMM_WORLD_RANK=$2" && echo "$p"
    done | head -1
}
# ended NAME CODE: exit code of mpirun and exit_status
ended() {
    wait $job
    rc=$?
    [ $rc -eq "$2" ] || fail "$1: mpirun ended with $rc, not $2: $(tail -3 "$dir/$1.err")"
    [ "$(cat "$dir/$1/exit_status" 2>/dev/null)" = "$2" ] || fail "$1: exit_status is not $2"
    [ -z "$(pgrep -f "r1-train .*--output $dir/$1")" ] || fail "$1: a rank outlived the run"
}
# Lines of r1 itself, without what mpirun adds.
last_line() {
    grep -E '^r1(-train)?: ' "$dir/$1.err" | tail -1
}

# The actors wait through all of the fine-tuning, several times the deadline.  First on a node of
# their own, where what moves is told from node to node, and beside that on one node.
name=nodes
timeout -k 5 150 mpirun --mca plm_rsh_agent "$src/tests/mpi/two-nodes" --host n1:1,n2:2 -np 3 \
    "$build/r1-train" "$src/tests/mpi/short.yaml" checkpoint.every=1000 topology.mode=split \
    limits.deadline_s=2 cold_start.total_updates=400 --output "$dir/$name" \
    >"$dir/$name.out" 2>"$dir/$name.err" &
nodes_job=$!
start patient 3 topology.mode=split limits.deadline_s=2 cold_start.total_updates=400
after patient 20
kill -USR2 "$(pgrep -f "^mpirun .*--output $dir/patient")"
ended patient 0
awk '$1 == "wait_learner" && $5 <= 2.0 {exit 1}' "$dir/patient.err" ||
    fail "patient: the actors did not wait longer than the deadline"
for r in 0 1 2; do
    grep -q "rank $r on .*stage '.*', step [0-9]*, phase '[a-z_]*': [wm]" "$dir/patient/logs/rank-$r.log" ||
        fail "USR2: rank $r did not say where it is"
done

job=$nodes_job
ended nodes 0

# An actor that does not run: those that wait for it end the run, and say who does not move.
start stopped 3 topology.mode=split limits.deadline_s=2
after stopped 3
pid=$(pid_of stopped 2)
kill -STOP "$pid"
ended stopped 75
last_line stopped | grep -qE "^r1-train: error.*rank [01] on [^ ]+ \((learner|actor)\), stage '[a-z_]+', step [0-9]+, phase '[a-z_]+': waits for (all|rank [0-9]+) \([a-z ]+, [0-9]+ bytes\) since [0-9]+ s; nothing has moved for [0-9]+ s; rank 2 \(pid $pid\) does not run since" ||
    fail "stopped: no such report: $(last_line stopped)"
[ "$(grep -cE '^r1: rank [0-9] on' "$dir/stopped.err")" -eq 2 ] ||
    fail "stopped: it does not say where the other ranks were"
[ "$(grep -c 'nothing has moved' "$dir/stopped.err")" -eq 1 ] || fail "stopped: more than one cause"

# A rank that is killed: exit_status says 75 whatever mpirun makes of it.
start killed 3 topology.mode=split
after killed 3
kill -KILL "$(pid_of killed 1)"
wait $job
[ "$(cat "$dir/killed/exit_status" 2>/dev/null)" = 75 ] || fail "killed: exit_status is not 75"
last_line killed | grep -q "a process is gone.*: rank 1 on .*(actor)" ||
    fail "killed: the rank is not named: $(last_line killed)"

# mpirun itself: its ranks go with it, and nothing is left in /dev/shm.
start orphans 2
after orphans 3
grep -o '/dev/shm/[^ ]*' "/proc/$(pid_of orphans 0)/maps" | sort -u >"$dir/shm"
[ -s "$dir/shm" ] || fail "orphans: no shared memory"
kill -KILL "$(pgrep -f "^mpirun .*--output $dir/orphans")"
wait $job
n=0
while [ -n "$(pgrep -f "r1-train .*--output $dir/orphans")" ] && [ $n -lt 100 ]; do
    sleep 0.05
    n=$((n + 1))
done
[ $n -lt 100 ] || fail "orphans: ranks outlived mpirun"
while read -r file; do
    [ ! -e "$file" ] || fail "orphans: left behind: $file"
done <"$dir/shm"

# A gradient that is not finite: the batch is written before anyone ends the run.
start nan 2 topology.mode=colocated cold_start.total_updates=2 cold_start.warmup=0 rl.lr=100 rl.warmup=0 optimizer.weight_decay=1
ended nan 65
[ "$(cat "$dir"/nan/rollouts/*.jsonl | wc -l)" -ge 96 ] || fail "nan: the batch is not in rollouts/"
last_line nan | grep -q 'gradient is not finite' || fail "nan: $(last_line nan)"

# In time before the hours are over.
start hours 2 --max-hours 0.0004 cold_start.total_updates=3000
ended hours 85
grep -q 'before the first step' "$dir/hours.err" || [ -f "$dir/hours/checkpoints/$(ls "$dir/hours/checkpoints" | tail -1)/manifest" ] ||
    fail "hours: stopped without a checkpoint"

# One process, without mpirun, asked while it starts.
"$build/r1-train" "$src/tests/mpi/short.yaml" --output "$dir/early" 2>"$dir/early.err" &
job=$!
n=0
until grep -qs '^machine' "$dir/early.err" || [ $n -gt 1000 ]; do
    sleep 0.01
    n=$((n + 1))
done
kill -USR2 $job
kill -INT $job
wait $job
rc=$?
[ $rc -eq 85 ] || fail "early: ended with $rc: $(tail -1 "$dir/early.err")"

# An attempt that is refused leaves a finished run's exit status alone.
start patient 2 --resume auto seed=2
wait $job
rc=$?
[ $rc -eq 64 ] || fail "another seed was accepted: $rc"
[ "$(cat "$dir/patient/exit_status")" = 0 ] || fail "a refused attempt changed exit_status"
[ $bad -eq 0 ] && echo "patient with those who work, and with nobody else"
exit $bad
