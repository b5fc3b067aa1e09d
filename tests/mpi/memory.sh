#!/bin/sh
# Too little memory of some kind is an error before anything is touched, also in --dry-run.
# Usage: memory.sh BUILD_DIR SOURCE_DIR
set -u
. "$2/tests/scratch.sh"
ran=0
config=$src/tests/mpi/short.yaml

# refused WHAT TEXT COMMAND...: exit code 64, a message with TEXT, no run directory
refused() {
    what=$1 text=$2
    shift 2
    timeout -k 5 60 "$@" >"$dir/out" 2>&1
    rc=$?
    ran=$((ran + 1))
    [ $rc -eq 64 ] || fail "$what: exit code $rc: $(tail -3 "$dir/out")"
    grep -q "$text" "$dir/out" || fail "$what: no '$text' in: $(grep '^r1:' "$dir/out")"
    [ ! -e "$dir/run" ] || fail "$what: the run directory was made"
}

for dry in "" --dry-run; do
    refused "address space$dry" "address space (ulimit -v)" \
        sh -c "ulimit -v 600000; exec '$build/r1-train' '$config' \
        limits.max_tokens_per_microbatch=200000 rl.max_response_len=40 \
        model.config.max_positions=100000 cold_start.batch=8000 --output '$dir/run' $dry"
    # A container's /dev/shm, where this user may mount one.
    unshare -m true 2>/dev/null || continue
    refused "/dev/shm$dry" "MiB in /dev/shm of" \
        unshare -m sh -c "mount -t tmpfs -o size=8m tmpfs /dev/shm && exec mpirun -np 2 \
        '$build/r1-train' '$config' model.config.hidden_size=512 --output '$dir/run' $dry"
    unshare -m sh -c "mount -t tmpfs -o size=64m tmpfs /dev/shm && exec mpirun -np 2 \
        '$build/r1-train' '$config' --output '$dir/fits' --dry-run" >"$dir/out" 2>&1 ||
        fail "/dev/shm of 64 MiB: $(tail -3 "$dir/out")"
done
[ $bad -eq 0 ] && echo "$ran refusals, nothing touched"
exit $bad
