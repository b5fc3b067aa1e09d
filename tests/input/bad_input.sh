#!/bin/sh
# Bad input of every kind: the exit code, what the message names, and that nothing was written.
# Usage: bad_input.sh BUILD_DIR SOURCE_DIR [PART_OF_A_ROW]
#
# The table is in rows/*.sh; one row is
#     bad EXIT_CODE 'FRAGMENT|FRAGMENT...' PROGRAM [ARGUMENT]...
# with fragments of the message (those with > in front: of stdout).
# A row runs in an empty directory of its own, which must be empty afterwards; its input lies in
# $in, which must be unchanged at the end.  `good` is the same with exit code 0: the border that a
# refusal must not cross.  An internal error, a signal or a time-out fails whatever was expected.
set -u
only=${3:-}
. "$2/tests/scratch.sh"
here=$src/tests/input
in=$dir/in
mkdir "$in" "$dir/rows" || exit 99
PATH=$build:$PATH
export OMP_NUM_THREADS=1
rows=0 running=0

. "$here/make_input.sh"

check() { # NUMBER EXIT_CODE FRAGMENTS COMMAND...: complains into rows/NUMBER.bad
    n=$1 want=$2 fragments=$3
    shift 3
    mkdir "$dir/rows/$n" "$dir/tmp/$n" && cd "$dir/rows/$n" || exit 99
    err=$dir/rows/$n.err out=$dir/rows/$n.out
    TMPDIR=$dir/tmp/$n timeout -k 2 30 "$@" >"$out" 2>"$err" </dev/null
    rc=$?
    [ $rc -eq "$want" ] || echo "exit code $rc, not $want"
    old_ifs=$IFS
    IFS='|'
    for fragment in $fragments; do
        case $fragment in
        '>'*) grep -qF -e "${fragment#>}" "$out" || echo "stdout lacks: ${fragment#>}" ;;
        *) grep -qF -e "$fragment" "$err" || echo "the message lacks: $fragment" ;;
        esac
    done
    IFS=$old_ifs
    grep -E 'internal error|Signal:|Sanitizer|runtime error' "$err"
    [ "$want" -eq 0 ] || [ ! -s "$out" ] || [ "${1##*/}" = r1-grade ] || echo "a failure wrote to stdout"
    left=$(find . -mindepth 1 | head -3)
    [ -z "$left" ] || echo "left behind:" $left
}

row() {
    case "$*" in *"$only"*) ;; *) return ;; esac
    rows=$((rows + 1)) running=$((running + 1))
    number=$rows
    (
        what=$(check "$number" "$@")
        [ -z "$what" ] || {
            echo "row $number: $*"
            echo "$what"
            tail -3 "$dir/rows/$number.err"
        } >"$dir/rows/$number.bad"
    ) &
    [ $running -lt 6 ] || { wait; running=0; }
}
bad() { row "$@"; }
good() {
    fragments=$1
    shift
    row 0 "$fragments" "$@"
}
# The same for train CONFIG, with everything else of a run that would write into ./out.
train() { # EXIT_CODE FRAGMENTS [ARGUMENT]...
    code=$1 fragments=$2
    shift 2
    bad "$code" "$fragments" r1-train "$in/tiny.yaml" --output out "$@"
}

listing() {
    (cd "$in" && find . -type f ! -name lock | sort | xargs cksum)
}
make_input || { echo "the input could not be made"; exit 99; }
listing >"$dir/before"
for table in "$here"/rows/*.sh; do
    . "$table"
done
wait
listing >"$dir/after"
failed=$(find "$dir/rows" -name '*.bad' | wc -l)
find "$dir/rows" -name '*.bad' | sort | xargs -r cat
diff "$dir/before" "$dir/after" || { echo "input was changed"; failed=$((failed + 1)); }
[ "$rows" -gt 0 ] || { echo "no row"; exit 99; }
echo "$rows rows, $failed failed"
[ "$failed" -eq 0 ]
