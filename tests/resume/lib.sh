# To be sourced with BUILD_DIR and SOURCE_DIR as arguments: runs of tests/mpi/short.yaml, each in
# $dir/NAME, that are disturbed and compared with the undisturbed one, $dir/whole.
. "$2/tests/scratch.sh"

# train NP NAME [ARG]...
train() {
    np=$1 name=$2
    shift 2
    timeout -k 5 120 mpirun -np "$np" "$build/r1-train" "$src/tests/mpi/short.yaml" \
        --output "$dir/$name" "$@" >"$dir/$name.out" 2>"$dir/$name.err"
}
metrics() {
    sed -E 's/"(timing_s|perf)\/[^,}]*[,}]//g' "$dir/$1/metrics.jsonl"
}
# steps_done NAME
steps_done() {
    if [ -f "$dir/$1/metrics.jsonl" ]; then wc -l <"$dir/$1/metrics.jsonl"; else echo 0; fi
}
compare() {
    [ "$(grep '^weights' "$dir/$1.out")" = "$(grep '^weights' "$dir/whole.out")" ] ||
        fail "$1: checksums differ from the undisturbed run's"
    [ "$(metrics "$1")" = "$(metrics whole)" ] || fail "$1: metrics differ"
}
mpirun_of() {
    pgrep -f "^mpirun .*--output $dir/$1( |\$)" | head -1
}
# wait_for COMMAND...: until it succeeds; 1 when $job has ended before that, or in a minute it did not
wait_for() {
    n=0
    until "$@"; do
        kill -0 "$job" 2>/dev/null && [ $n -lt 6000 ] || return 1
        sleep 0.01
        n=$((n + 1))
    done
}
# reached NAME STEPS
reached() {
    [ "$(steps_done "$1")" -ge "$2" ]
}
