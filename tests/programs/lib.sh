# To be sourced by the tests of the programs, with BUILD_DIR and SOURCE_DIR as arguments: a scratch
# directory as working directory, and commands that say what differs from what is expected.
set -u
. "$2/tests/scratch.sh"
cd "$dir" || exit 99

# try RC PROGRAM [ARGUMENT]...: stdout goes to the file out, stderr to err.
try() {
    want=$1 program=$2
    shift 2
    said="$program $*"
    timeout -k 5 120 "$build/$program" "$@" >out 2>err </dev/null
    rc=$?
    [ "$rc" -eq "$want" ] || fail "$said: exit code $rc, not $want: $(head -3 err)"
}

# says out|err TEXT: the last command wrote TEXT there.
says() {
    grep -qF -- "$2" "$1" || fail "$said: '$2' is not in $1: $(head -5 "$1")"
}

# silent out|err: the last command wrote nothing there.
silent() {
    [ ! -s "$1" ] || fail "$said: $1 is not empty: $(head -3 "$1")"
}

# make_model: a tiny model, $model, by a run of two updates in the directory run.
make_model() {
    try 0 r1-train "$src/tests/programs/tiny.yaml" --output run compute.threads=1
    model=$dir/run/checkpoints/step_000002
}
