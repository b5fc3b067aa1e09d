#!/bin/sh
# Programs of the model are judged while the run goes on: a metric for each reward and class, the same
# ones for any number of ranks; a program that runs longer than limits.deadline_s ends no run; nothing
# is left of what judges, whatever ends the ranks; and it is started only where a reward asks for it.
# Usage: judging.sh BUILD_DIR SOURCE_DIR
set -u
# An own /dev/shm shows what a run leaves there; where none can be mounted, other jobs are in the way.
if [ -z "${R1_OWN_SHM:-}" ] && unshare -m sh -c 'mount -t tmpfs tmpfs /dev/shm' 2>/dev/null; then
    R1_OWN_SHM=1 exec unshare -m sh -c 'mount -t tmpfs tmpfs /dev/shm && exec "$@"' sh "$0" "$@"
fi
. "$2/tests/scratch.sh"
cp "$build/r1-launcher" "$dir" # a file of its own tells this test's processes from others
chmod 755 "$dir"
export R1_LAUNCHER="$dir/r1-launcher"
"$R1_LAUNCHER" 2>"$dir/launcher.err"
[ $? -ne 69 ] || { echo "skipped: $(cat "$dir/launcher.err")"; exit 77; }

# train NP NAME [ARG]...
train() {
    np=$1 name=$2
    shift 2
    timeout -k 5 300 mpirun -np "$np" "$build/r1-train" "$src/tests/mpi/judging.yaml" \
        data.train.file="$dir/rows.jsonl" --output "$dir/$name" "$@" >"$dir/$name.out" 2>"$dir/$name.err"
}
metrics() {
    grep '^weights' "$dir/$1.out"
    sed -E 's/"(timing_s|perf)\/[^,}]*[,}]//g' "$dir/$1/metrics.jsonl"
}
# sum METRIC: over the steps of GRPO; nothing if one lacks it
sum() {
    tail -3 "$dir/run/metrics.jsonl" | sed -nE "s|.*\"$1\": ([-+0-9.e]+)[,}].*|\1|p" |
        awk '{s += $1} END {if (NR == 3) print s}'
}
# has CONDITION METRIC: it holds for x, the metric's sum
has() {
    x=$(sum "$2")
    awk -v x="$x" "BEGIN {exit !(x != \"\" && ($1))}" || fail "$2: '$x' in all, not $1"
}
launchers() {
    for p in $(pgrep -x r1-launcher); do
        [ "$(readlink "/proc/$p/exe")" = "$R1_LAUNCHER" ] && echo "$p"
    done
}
parent() {
    ps -o ppid= -p "$1" | tr -d ' '
}
runs_python() { # PID:START...
    for p in "$@"; do
        case $(readlink "/proc/${p%:*}/exe") in */python3*) return 0 ;; esac
    done
    return 1
}
# What is below a process, as PID:START, which no other process ever is.
below() {
    for child in $(pgrep -P "$1"); do
        echo "$child:$(cut -d' ' -f22 "/proc/$child/stat" 2>/dev/null)"
        below "$child"
    done
}
lives() {
    [ "$(cut -d' ' -f22 "/proc/${1%:*}/stat" 2>/dev/null)" = "${1#*:}" ]
}
is_left() { # PID:START...
    [ -z "$(launchers)" ] || return 0
    for p in "$@"; do
        if lives "$p"; then return 0; fi
    done
    return 1
}
# Nothing of the test's is there, after the moment that the kernel needs to kill and reap.
nothing_left() { # PID:START...
    n=0
    while is_left "$@" && [ $n -lt 100 ]; do
        sleep 0.1
        n=$((n + 1))
    done
    for p in $(launchers) "$@"; do
        if lives "$p" || [ "$p" = "${p%:*}" ]; then
            fail "$name: left: $(ps -o pid,ppid,args -p "${p%:*}" | tail -1)"
        fi
    done
    [ -z "${R1_OWN_SHM:-}" ] || [ -z "$(ls /dev/shm)" ] || fail "$name: /dev/shm holds $(ls /dev/shm)"
    [ -z "${R1_OWN_SHM:-}" ] || rm -rf /dev/shm/*
}

cp "$src/tests/mpi/judging.jsonl" "$dir/rows.jsonl"
train 2 run || fail "the run failed: $(tail -3 "$dir/run.err")"
nothing_left
grep -q '^sandbox ' "$dir/run.err" || fail "the layers of the sandbox are not said"
[ "$(grep -c '"training/stage": "rl"' "$dir/run/metrics.jsonl")" -eq 3 ] || fail "not three steps of GRPO"
has "x > 0" actor/grad_norm
for reward in math@sums format@sums language@sums code@programs format_code@programs length; do
    has "1" "reward/$reward/mean"
    has "x >= 0" "reward/$reward/correct"
    has "x >= 0" "reward/$reward/wrong"
done
has "x > 0" reward/code@programs/correct
has "x > 0" reward/format_code@programs/correct
has "x > 0" reward/format@sums/correct
grep -q '"code@programs": {"verdict": "wrong", "score": 0, "note": "TLE: ' "$dir"/run/rollouts/*.jsonl ||
    fail "no program ran for longer than the deadline of the ranks"
metrics run >"$dir/run.metrics"
train 3 split topology.mode=split topology.learners=1 || fail "split: $(tail -3 "$dir/split.err")"
nothing_left
metrics split | cmp -s - "$dir/run.metrics" || fail "split: other metrics or weights"

# A rank is killed outright while a program of the model sleeps that nothing else would end for long.
sed -n '/"sleep"/s/"wall_s": 10/"wall_s": 500/p' "$src/tests/mpi/judging.jsonl" >"$dir/rows.jsonl"
[ "$(wc -l <"$dir/rows.jsonl")" -eq 1 ] || fail "not one row with a program that sleeps"
for roles in colocated split; do
    name=killed-$roles
    train 2 "$name" topology.mode=$roles limits.deadline_s=60 &
    job=$!
    rank=
    while [ -z "$rank" ] && kill -0 $job 2>/dev/null; do
        sleep 0.1
        for l in $(launchers); do # supervisors are among them, but no rank is their parent
            above=$(parent "$l")
            boxes=$(below "$l")
            if [ "$(readlink "/proc/$above/exe")" = "$build/r1-train" ] && runs_python $boxes; then
                rank=$above
                break
            fi
        done
    done
    [ -n "$rank" ] || { fail "$name: no program was judged: $(tail -3 "$dir/$name.err")"; continue; }
    kill -9 "$rank"
    wait $job && fail "$name: ended as if nothing had happened"
    nothing_left $boxes
done

# Where no reward runs programs there is no launcher.
printf '#!/bin/sh\ntouch "%s/started"\n' "$dir" >"$dir/marks"
chmod 755 "$dir/marks"
R1_LAUNCHER=$dir/marks "$build/r1-train" "$src/tests/mpi/short.yaml" --dry-run >/dev/null 2>&1 ||
    fail "a run without programs failed"
[ ! -e "$dir/started" ] || fail "a run without programs started a launcher"
R1_LAUNCHER=$dir/marks train 2 refused --dry-run && fail "a run with programs went on without a launcher"
[ -e "$dir/started" ] && grep -q "the launcher '$dir/marks' ended at once" "$dir/refused.err" ||
    fail "refused: $(tail -1 "$dir/refused.err")"
[ $bad -eq 0 ] && echo "judged beside the run, the same on 2 and 3 ranks, nothing left"
exit $bad
