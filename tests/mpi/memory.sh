#!/bin/sh
# Too little memory of some kind is an error before anything is touched, also in --dry-run; with enough
# of it the run ends well.  Nothing crashes in between.
# Usage: memory.sh BUILD_DIR SOURCE_DIR
set -u
. "$2/tests/scratch.sh"
# Open MPI 4.1's mpirun uses memory that it has freed when ranks report that /dev/shm is full
# (pmix_server_log_fn): with a pattern in freed memory it crashes in one of three runs.
unset MALLOC_PERTURB_
ran=0
smollm2=SmolLM2-135M-Instruct.Q4_1.gguf
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

# Much smaller than a quickstart, but with its model.
quick="$src/configs/quickstart.yaml cold_start.total_updates=4 cold_start.warmup=1 rl.total_updates=2
    rl.warmup=1 rl.prompts_per_step=4 rl.minibatch=64 data.eval.n=16"

# with-shm SIZE COMMAND...: in a container's /dev/shm, where this user may mount one
cat >"$dir/with-shm" <<'END'
#!/bin/sh
exec unshare -m sh -c 'mount -t tmpfs -o "size=$1" tmpfs /dev/shm && shift && exec "$@"' sh "$@"
END
chmod +x "$dir/with-shm"

# AddressSanitizer reserves terabytes of addresses.
limits="60000 150000 250000 300000 350000 400000 450000 480000 485000 490000 520000 600000 1000000"
if grep -q __asan_init "$build/r1-train"; then
    echo "built with AddressSanitizer: no limits on the address space"
    limits=
fi

for dry in "" --dry-run; do
    [ -z "$limits" ] || refused "address space$dry" "address space (ulimit -v)" \
        sh -c "ulimit -v 600000; exec '$build/r1-train' '$config' \
        limits.max_tokens_per_microbatch=200000 rl.max_response_len=40 \
        model.config.max_positions=100000 cold_start.batch=8000 --output '$dir/run' $dry"
    "$dir/with-shm" 8m true 2>/dev/null || continue
    # shellcheck disable=SC2086 # lists of words
    for size in 64k 4m 8m; do
        refused "/dev/shm of $size$dry" "MiB in /dev/shm of" \
            "$dir/with-shm" $size mpirun -np 2 "$build/r1-train" $quick --output "$dir/run" $dry
    done
    [ -e "${R1_MODELS:-}/$smollm2" ] || { echo "no SmolLM2-135M in R1_MODELS"; continue; }
    # shellcheck disable=SC2086
    refused "/dev/shm of 64 MiB for SmolLM2-135M$dry" "MiB in /dev/shm of" \
        "$dir/with-shm" 64m mpirun -np 2 "$build/r1-train" "$src/configs/smollm2-addition.yaml" \
        "model.path=$R1_MODELS/$smollm2" --output "$dir/run" $dry
done

# works WHAT COMMAND...: to the end, with the weights as the last result
works() {
    what=$1
    shift
    rm -rf "$dir/run"
    timeout -k 5 100 "$@" >"$dir/out" 2>&1 || fail "$what: exit code $?: $(grep '^r1' "$dir/out" | tail -2)"
    grep -q '^weights' "$dir/out" || fail "$what: no results"
    ran=$((ran + 1))
}
if "$dir/with-shm" 64m true 2>/dev/null; then
    # shellcheck disable=SC2086
    works "quickstart in a /dev/shm of 64 MiB" "$dir/with-shm" 64m mpirun -np 2 "$build/r1-train" $quick --output "$dir/run"
else
    echo "no /dev/shm of another size: nothing can be mounted here"
fi

# From too little for MPI itself to enough: refused or out of memory, in words, and then it works.
for np in 1 2; do
    for kib in $limits; do
        rm -rf "$dir/run"
        timeout -k 5 60 mpirun -np $np sh -c 'ulimit -v "$0" && exec "$@"' $kib "$build/r1-train" \
            "$config" cold_start.total_updates=2 cold_start.warmup=1 rl.total_updates=4 \
            --output "$dir/run" >"$dir/out" 2>&1
        rc=$?
        ran=$((ran + 1))
        case $rc in
        0) grep -q '^weights' "$dir/out" || fail "$kib KiB: no results" ;;
        64) grep -q "error: .*address space.*(ulimit -v) leaves" "$dir/out" || fail "$kib KiB: no reason" ;;
        74) grep -q "error: out of memory: " "$dir/out" || fail "$kib KiB: no reason" ;;
        *) fail "$kib KiB: exit code $rc: $(tail -3 "$dir/out")" ;;
        esac
        [ $rc -eq 0 ] || [ ! -e "$dir/run" ] || fail "$kib KiB: the run directory was made"
        case $kib:$rc in
        60000:64 | 1000000:0) ;;
        60000:* | 1000000:*) fail "$kib KiB: exit code $rc" ;;
        esac
    done
done
[ $bad -eq 0 ] && echo "$ran runs with little memory: refused in words, or done"
exit $bad
