#!/bin/sh
# r1-score: lines in, numbers out, as a program and as the reward model of a run.
# Usage: score.sh BUILD_DIR SOURCE_DIR
. "$2/tests/programs/lib.sh"

golden=$src/tests/golden
score="r1-score --model $golden/models/qwen2_score --tokenizer $golden/tokenizer/tokenizer.json --dtype fp32"
# answers FILE [OPTION]...: all lines of FILE are answered, in the file out.
answers() {
    file=$1
    shift
    # shellcheck disable=SC2086 # a list of words
    timeout 60 "$build"/$score "$@" <"$file" >out 2>err || fail "r1-score $* < $file: $(cat err)"
    [ "$(wc -l <out)" -eq "$(wc -l <"$file")" ] || fail "r1-score $*: not a line for each of $file: $(cat out)"
}

# The number of each line is that of the labelled row, whatever the batch.
grep '"template": "plain"' "$golden/score.jsonl" >plain.jsonl
sed 's/.*"score": \([-.0-9]*\)}$/\1/' plain.jsonl >want
answers plain.jsonl
sed 's/{"score": \(.*\)}/\1/' out | paste - want | awk '{d = $1 - $2; if (d < 0) d = -d; if (d > 1e-5 || $2 == "") exit 1}' ||
    fail "scores are not those of the file: $(paste out want)"
cp out one
answers plain.jsonl --batch 1
cmp -s out one || fail "--batch 1 changes scores: $(diff out one)"
sed 's/"prompt"/"question"/' plain.jsonl >question.jsonl
answers question.jsonl --threads 2
cmp -s out one || fail "question and two threads change scores: $(diff out one)"

# What cannot be scored is said, and costs the others nothing.
{
    sed -n 1p plain.jsonl
    printf '{"prompt": "Why?", "completion": "%s"}\n' "$(yes 'so and so ' | head -900 | tr -d '\n')"
    printf '{"prompt": "", "completion": ""}\n'
    sed -n 2p plain.jsonl
} >mixed.jsonl
answers mixed.jsonl
grep -q '^{"score": null, "note": "[0-9]* tokens, the reward model has 1024 positions"}$' out || fail "$(cat out)"
[ "$(sed -n 3p out)" = '{"score": null, "note": "no tokens"}' ] || fail "no tokens: $(cat out)"
[ "$(sed -n '1p;4p' out)" = "$(sed -n 1,2p one)" ] || fail "neighbours of what has no score: $(cat out)"
printf '{"prompt": "Why?", "completion": "<think>%s</think> Because."}\n' a bb >thoughts.jsonl
answers thoughts.jsonl --summary
[ "$(sort -u out | wc -l)" -eq 1 ] || fail "--summary scores the thinking: $(cat out)"
answers thoughts.jsonl
[ "$(sort -u out | wc -l)" -eq 2 ] || fail "the thinking has no effect: $(cat out)"

# An answer comes before the next question is there; a rank's environment changes nothing.
mkfifo ask reply
OMPI_COMM_WORLD_RANK=1 timeout 60 "$build"/$score <ask >reply 2>err &
pid=$!
exec 3>ask 4<reply
for i in 1 2; do
    sed -n ${i}p plain.jsonl >&3
    read -r line <&4
    [ "$line" = "$(sed -n ${i}p one)" ] || fail "line $i through a pipe: $line"
done
exec 3>&-
wait $pid || fail "the end of a pipe is no success: $(cat err)"
exec 4<&-

# bad TEXT LINE: a second line like this ends it.
bad() {
    { sed -n 1p plain.jsonl && printf '%s\n' "$2"; } >bad.jsonl
    timeout 60 "$build"/$score <bad.jsonl >out 2>err
    rc=$? said="$2"
    [ $rc -eq 65 ] || fail "$2: exit code $rc"
    says err "stdin:2: $1"
}
bad "there is no string 'completion'" '{"prompt": "x"}'
bad "there is no string 'prompt'" '{"completion": "x"}'
bad "there is no string 'completion'" '{"prompt": "x", "completion": 5}'
bad "" '{"prompt": "x", '
try 64 r1-score
says err "--model is missing"
try 64 $score --template nonsense
says err "template 'nonsense'"
try 65 r1-score --model "$golden/models/qwen2" --tokenizer "$golden/tokenizer/tokenizer.json"
says err "is no reward model"
try 65 r1-generate --model "$golden/models/qwen2_score" --prompt x
says err "is a reward model"

# The reward model of a run, on two ranks.
cat >run.yaml <<EOF
name: score
seed: 1
model:
  init: random
  config: {arch: llama, hidden_size: 32, layers: 1, heads: 2, kv_heads: 2, intermediate_size: 64}
tokenizer: {kind: bytes}
data: {train: {task: arithmetic, terms: 2, max: 9}}
rewards:
  - {name: exec, command: [$build/$(echo "$score" | sed 's/ /, /g'), --template, plain], deadline_s: 60}
stages:
  - {name: rl, kind: grpo, total_updates: 2, prompts_per_step: 4, group_size: 4, max_response_len: 8, lr: 1.0e-3}
limits: {max_prompt_len: 32}
checkpoint: {every: null, best: null}
EOF
mpirun -np 2 "$build/r1-train" run.yaml --output out.run >log 2>&1 || fail "a run with a reward model: $(cat log)"
[ "$(grep -c '"reward/exec/mean":' out.run/metrics.jsonl)" -eq 2 ] || fail "no scores: $(cat out.run/metrics.jsonl)"
grep -qE '"reward/exec/(error|timeout)":[^,}]*[1-9]' out.run/metrics.jsonl && fail "errors: $(cat out.run/metrics.jsonl)"
grep -qE '"reward/exec/mean": ?-?[0-9.]*[1-9]' out.run/metrics.jsonl || fail "all scores are 0: $(cat out.run/metrics.jsonl)"
! pgrep -f "^$build/r1-score" >/dev/null || fail "r1-score outlives the run"
