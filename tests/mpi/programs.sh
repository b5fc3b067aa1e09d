#!/bin/sh
# Non-finite numbers end a run with a message and its batch on disk, and what r1-generate is asked to
# sample, it samples.  Usage: programs.sh BUILD_DIR SOURCE_DIR
set -u
. "$2/tests/scratch.sh"
export OMP_WAIT_POLICY=PASSIVE

# train NAME CODE [OVERRIDE]...: must end with that exit code
train() {
    name=$1 code=$2
    shift 2
    timeout -k 5 120 "$build/r1-train" "$src/tests/mpi/short.yaml" compute.threads=1 rl.on_nonfinite=skip \
        eval.at_stage_end=false cold_start.warmup=0 "$@" --output "$dir/$name" \
        >"$dir/$name.out" 2>"$dir/$name.err"
    got=$?
    [ "$got" -eq "$code" ] || fail "$name: exit $got, not $code: $(tail -3 "$dir/$name.err")"
}

# Weights that grow a thousandfold with each update overflow after a dozen.
grow="cold_start.lr=100 optimizer.weight_decay=10"
train stop 65 $grow
grep -q "the gradient is not finite" "$dir/stop.err" || fail "stop: no message"
[ "$(cat "$dir"/stop/rollouts/step_*.jsonl | wc -l)" -eq 44 ] || fail "stop: no batch on disk"
grep -q '"completion": "[^"]' "$dir"/stop/rollouts/step_*.jsonl || fail "stop: no text"
train skip 0 $grow cold_start.on_nonfinite=skip
skipped=$(grep -c '"training/nonfinite_skipped": 1' "$dir/skip/metrics.jsonl")
[ "$skipped" -gt 30 ] && [ "$(ls "$dir/skip/rollouts" | wc -l)" -ge "$skipped" ] ||
    fail "skip: $skipped updates counted as skipped"
grep -q "the update is skipped" "$dir/skip.err" || fail "skip: no word about it"

# Stop strings reach the engine of a grpo stage.
train words 0 rl.mismatch_cap=2 'rl.stop=["+"]' rl.overlong.penalty=0 \
    log.rollouts_every=1 cold_start.total_updates=12 rl.total_updates=4
cat "$dir"/words/rollouts/step_*.jsonl >"$dir/words.jsonl"
grep -q '"finish_reason": "stop"' "$dir/words.jsonl" || fail "stop: nothing was stopped"
sed 's/.*"completion": "\(\([^"\\]\|\\.\)*\)".*/\1/' "$dir/words.jsonl" | grep -q '+.' &&
    fail "stop: a completion goes on behind its stop string"

model=$(ls -d "$dir"/words/checkpoints/* | tail -1)
generate() {
    timeout 60 "$build/r1-generate" --model "$model" --threads 1 --prompt "1+2-3=?" --logprobs "$@"
}
ids() {
    sed 's/.*"ids": \[\([^]]*\)\].*/\1/'
}
greedy=$(generate --temperature 0 --max-new-tokens 24 | ids)
[ -n "$greedy" ] || fail "greedy: nothing came"
[ "$(generate --top-k 1 --max-new-tokens 24 | ids)" = "$greedy" ] || fail "top-k 1 is not greedy"
[ "$(generate --top-p 0.000001 --max-new-tokens 24 | ids)" = "$greedy" ] ||
    fail "a tiny top-p is not greedy"
generate --top-k 1 --max-new-tokens 24 | grep -q '"logprobs": \[0[,.]' ||
    fail "top-k 1: log-probabilities are not 0"
generate --n 40 --seed 3 --max-new-tokens 90 --stop "+" >"$dir/g.jsonl"
grep -q '"finish_reason": "stop"' "$dir/g.jsonl" || fail "--stop: nothing was stopped"
grep -q '"text": "[^"]*+[^"]' "$dir/g.jsonl" && fail "--stop: a text goes on behind it"
generate --n 20 --min-new-tokens 30 --max-new-tokens 40 | ids | awk -F, 'NF < 30 { exit 1 }' ||
    fail "--min-new-tokens: a shorter one came"
long=$(awk 'BEGIN { for (i = 0; i < 700; i++) printf "1+" }')
timeout 60 "$build/r1-generate" --model "$model" --threads 1 --prompt "$long" --batch 1 \
    --max-new-tokens 100 >"$dir/long.txt" 2>"$dir/long.err" ||
    fail "a long prompt with --batch 1: $(cat "$dir/long.err")"
exit $bad
