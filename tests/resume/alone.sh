#!/bin/sh
# One rank, killed and resumed: what the run directory keeps, and what is refused with which code.
# Usage: alone.sh BUILD_DIR SOURCE_DIR
set -u
. "$2/tests/scratch.sh"
sums() { # LAST ANSWER'S OFFSET
    for i in 1 2 3 4 5 6 7 8; do
        echo "{\"prompt\": \"1+$i=\", \"answer\": \"$((i + 1 + $1 * (i / 8)))\"}"
    done >"$dir/sums.jsonl"
}
# train NAME CODE [ARG]...: run r1-train, expect its exit code
train() {
    name=$1 want=$2
    shift 2
    timeout -k 5 120 "$build/r1-train" "$src/tests/resume/alone.yaml" \
        data.train.file="$dir/sums.jsonl" --output "$dir/$name" "$@" >"$dir/out" 2>"$dir/err"
    have=$?
    [ $have -eq "$want" ] || fail "$name $*: exit code $have, not $want: $(tail -1 "$dir/err")"
}
says() {
    grep -q "$1" "$dir/err" || fail "no word of '$1': $(tail -1 "$dir/err")"
}

# Killed behind its first checkpoints: the evaluation before training is still in the results.
sums 0
"$build/r1-train" "$src/tests/resume/alone.yaml" data.train.file="$dir/sums.jsonl" \
    --output "$dir/run" >/dev/null 2>&1 &
job=$!
n=0
while [ ! -d "$dir/run/checkpoints/step_000002" ] && [ $n -lt 2000 ]; do
    sleep 0.01
    n=$((n + 1))
done
kill -9 $job
wait $job 2>/dev/null
[ -f "$dir/run/exit_status" ] && fail "the run had ended before it was killed"
last=$(ls -d "$dir/run/checkpoints"/step_* | tail -1)

# Other rows behind the same path are refused, and the run stays as it is.
sums 1
train run 64 --resume auto
says 'data.train of stage rl is not what it was'
sums 0

# With no checkpoint that can be read nothing starts and nothing goes.
cp -r "$dir/run" "$dir/broken"
for c in "$dir/broken/checkpoints"/step_*; do
    printf 'x' | dd of="$c/checkpoint.h5" bs=1 seek=700 conv=notrunc 2>/dev/null
done
train broken 65 --resume auto
says "none of its .* checkpoints can be used.*$(basename "$last")"
train broken 65 --resume "$dir/broken/checkpoints/$(basename "$last")"
says 'checkpoint.h5.* is damaged'
[ -f "$dir/broken/checkpoints/$(basename "$last")/shard_0000.h5" ] || fail "a checkpoint is gone"
[ -s "$dir/broken/metrics.jsonl" ] || fail "the metrics are gone"
"$build/r1-convert" --verify "$dir/broken/checkpoints/$(basename "$last")" >/dev/null 2>&1
[ $? -eq 65 ] || fail "r1-convert --verify: not 65"

# A directory that is not a run's.
mkdir -p "$dir/thesis/checkpoints/step_000001"
train thesis 64 --resume auto
says 'no config.yaml'
[ -d "$dir/thesis/checkpoints/step_000001" ] || fail "a foreign directory was emptied"

train run 0 --resume auto
grep -q 'before training' "$dir/out" || fail "the evaluation before training is lost"
grep -q '"exit_status": 0' "$dir/run/summary.json" || fail "no exit status in the summary"
[ -z "$(ls -A "$dir/run/checkpoints" | grep '^\.tmp')" ] || fail "an interrupted save is left"

# The metrics lost their end: the newest checkpoint that they reach; then nothing at all is left.
cp -r "$dir/run" "$dir/short"
rm "$dir/short/exit_status"
head -n 40 "$dir/run/metrics.jsonl" >"$dir/short/metrics.jsonl" # of 41: before, and 40 steps
train short 0 --resume auto
says "shorter than it was"
[ "$(sed -E 's/"(timing_s|perf)\/[^,}]*[,}]//g' "$dir/short/metrics.jsonl")" = \
    "$(sed -E 's/"(timing_s|perf)\/[^,}]*[,}]//g' "$dir/run/metrics.jsonl")" ] ||
    fail "the metrics of the run that went on differ"
rm "$dir/short/exit_status" "$dir/short/metrics.jsonl"
train short 0 --resume auto
says 'records of earlier steps are missing'
[ $bad -eq 0 ] && echo "kept, refused and found again"
exit $bad
