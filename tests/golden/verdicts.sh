#!/bin/sh
# The same id, verdict and score for every labelled row: with one thread; with two while other programs
# keep every core busy; and in a build without the optional layer of reward/math/exact.h, where only
# "unknown" may stand for what the layer decides.  Of programs to judge: rows that allow one verdict.
# Usage: verdicts.sh BUILD_DIR SOURCE_DIR
set -u
. "$2/tests/scratch.sh"
busy=
trap 'kill $busy 2>/dev/null; chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir" && mkdir math number countdown shaping code || exit 99
data=${R1_SHARED:+$R1_SHARED/data}
judged=code

# A folder for each kind, with the committed rows and those of R1_SHARED.
cp "$src/tests/golden/math.jsonl" "$src/tests/golden/exact.jsonl" math
for kind in number countdown; do
    grep "\"kind\": \"$kind\"" "$src/tests/golden/rewards.jsonl" >$kind/rewards.jsonl
done
cp "$src/tests/golden/shaping.jsonl" shaping
grep -E '"verdict_in": \["[A-Z]*"\]' "$src/tests/judge/cases.jsonl" >code/cases.jsonl
if [ -d "$data" ]; then
    cp "$data"/math_*_dev.jsonl math
    cp "$data/countdown_verify_dev.jsonl" countdown
    cp "$data/reward_shaping_dev.jsonl" shaping
    grep -E '"verdict_in": \["[A-Z]*"\]' "$data/code_attacks_dev.jsonl" >code/attacks.jsonl
    grep -E '"verdict": "[A-Z]{2,3}"' "$data/code_submissions_dev.jsonl" >code/submissions.jsonl
    cp "$data/code_problems_dev.jsonl" problems
fi
[ -f problems ] || : >problems
"$build/r1-grade" code problems >/dev/null 2>err
if [ $? -eq 69 ]; then
    echo "programs are left out: $(tail -1 err)"
    judged=
fi

# grade PROGRAM JOBS KIND...: prints "FILE id verdict score" of each row.
grade() {
    program=$1 jobs=$2
    shift 2
    for kind in "$@"; do
        problems=
        [ "$kind" != code ] || problems="--problems problems"
        for file in "$kind"/*.jsonl; do
            # shellcheck disable=SC2086 # two words or none
            "$build/$program" "$kind" --jobs "$jobs" $problems "$file" >lines 2>err ||
                echo "exit code $?: $program $kind $file: $(tail -1 err)"
            sed "s|^{\"id\": \(.*\), \"verdict\": \"\([^\"]*\)\", \"score\": \(.*\), \"how\": .*|$file \1 \2 \3|" lines
        done
    done
}

# shellcheck disable=SC2086 # $judged is a word or none
grade r1-grade 1 math number countdown shaping $judged >want
grep '^exit code' want && bad=1
rows=$(wc -l <want)
[ "$rows" -ge 900 ] || fail "$rows rows"

cores=$(getconf _NPROCESSORS_ONLN)
while [ "$cores" -gt 0 ]; do
    timeout 300 sh -c 'while :; do :; done' &
    busy="$busy $!"
    cores=$((cores - 1))
done
# shellcheck disable=SC2086
grade r1-grade 2 math number countdown shaping $judged >got
# shellcheck disable=SC2086 # a list of process ids
kill $busy
busy=
cmp -s want got || fail "two threads and busy cores change: $(diff want got | head -4)"
echo "$rows rows are the same under load"

[ -x "$build/r1-grade-plain" ] || exit $bad
grep '^math/' want >full
grade r1-grade-plain 2 math >plain
paste full plain | awk '
    $1 != $5 || $2 != $6 {print "not the same rows: " $0; exit 1}
    $3 == $7 && $4 == $8 {next}
    $7 == "unknown" {decided++; next}
    {print "without FLINT: " $0; wrong++}
    END {print decided + 0 " of " NR " rows are decided only with FLINT"; exit wrong || decided < 10}' ||
    fail "the two builds differ"
"$build/r1-grade" math math/exact.jsonl >lines 2>err || fail "exact.jsonl: $(cat err)"
"$build/r1-grade" report math/exact.jsonl lines >report
grep -q '^all .* 100.00 %' report || fail "$(cat report)"
exit $bad
