#!/bin/sh
# Rows in, rows out: files and stdin, messages with file and line, JSON or text on stdout and status
# on stderr.  Usage: rows.sh BUILD_DIR SOURCE_DIR
. "$2/tests/programs/lib.sh"

make_model
generate="r1-generate --model $model --temperature 0 --max-new-tokens 12 --threads 1"
printf '{"text": "1+1="}\n\n{"text": "2+3="}\n' >in.jsonl
try 0 $generate --prompts in.jsonl
cp out want
[ "$(wc -l <out)" -eq 2 ] || fail "$said: not two lines"
says out '{"row": 1, "line": 3, "sample": 0, "ids": ['
says err "2 prompts, 24 tokens in"
"$build/r1-generate" --model "$model" --temperature 0 --max-new-tokens 12 --prompts - <in.jsonl >out 2>err ||
    fail "--prompts -: $(cat err)"
cmp -s out want || fail "--prompts - differs from --prompts FILE"
cat in.jsonl | mpirun -np 2 "$build/r1-generate" --model "$model" --temperature 0 --max-new-tokens 12 \
    --prompts - >out 2>err || fail "--prompts - with two ranks: $(cat err)"
cmp -s out want || fail "--prompts - with two ranks differs from --prompts FILE"

try 0 $generate --prompt 1+1=
says err "1 prompt, 12 tokens in"
try 0 $generate --prompt 1+1= --n 2 --temperature 1 # texts contain newlines: JSON
[ "$(grep -c '^{"row": 0, "sample": [01], .*}$' out)" -eq 2 ] || fail "$said: not two JSON lines"
try 64 $generate --prompt ""
says err "--prompt has 0 tokens, 1 to 255 can be"

# bad TEXT LINE...: a file of these lines is refused with file:line and TEXT.
bad_rows() {
    text=$1
    shift
    printf '%s\n' "$@" >bad.jsonl
    try 65 $generate --prompts bad.jsonl
    silent out
    says err "bad.jsonl:$text"
}
bad_rows "2: key 'text' is not a string" '{"text": "1"}' '{"text": 5}'
bad_rows "3: key 'text' is missing" '{"text": "1"}' '' '{"txt": "1"}'
bad_rows "3: the prompt has 0 tokens" '{"text": "1"}' '' '{"text": ""}'
bad_rows "1: ids[1] is no token id below 261" '{"ids": [1, 261]}'
bad_rows "1: column" '{"text": '

# r1-eval: the model's own greedy answers are right, but not in the required format.
sed -n 's/.*"text": \(".*"\), "finish_reason.*/\1/p' want >texts
printf '{"question": "1+1=", "answer": %s}\n{"question": "2+3=", "answer": %s}\n' \
    "$(sed -n 1p texts)" "$(sed -n 2p texts)" >data.jsonl
evaluate="r1-eval --model $model --data data.jsonl --reward exact --temperature 0 --max-new-tokens 12 --threads 1"
try 0 $evaluate
says out '"accuracy": 1,'
for key in '"seed": 1' '"dtype": "bf16"' '"top_p": 1' '"top_k": 0' '"max_new_tokens": 12' \
    '"response_length_min": 12' '"response_length_max": 12' '"tokens_per_s": ' '"require_format": false'; do
    says out "$key"
done
says err "mean accuracy"
try 0 $evaluate --require-format --rollouts dump.jsonl
says out '"accuracy": 0,'
[ "$(grep -c '"line": [12], .*"verdict": "wrong"' dump.jsonl)" -eq 2 ] || fail "rollouts: $(cat dump.jsonl)"
try 65 $evaluate --data -
says err "'stdin' has no rows"
printf '{"nums": [1]}\n' >row.jsonl
try 65 r1-grade countdown row.jsonl
says err "row.jsonl:1: key 'answer' (or 'completion') is missing"
exit $bad
