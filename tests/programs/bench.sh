#!/bin/sh
# r1-bench: JSON on stdout, and nothing of the user's is touched.  Usage: bench.sh BUILD_DIR SOURCE_DIR
. "$2/tests/programs/lib.sh"

mkdir -p work/step_000000
echo precious >work/step_000000/file
try 0 r1-bench checkpoint --shape tiny --reps 1 --threads 1 --dir work
says out '"what": "checkpoint"'
[ "$(cat work/step_000000/file 2>&1)" = precious ] || fail "r1-bench removed work/step_000000"
[ "$(ls -A work)" = step_000000 ] || fail "r1-bench left files: $(ls -A work)"
try 74 r1-bench checkpoint --shape tiny --reps 1 --threads 1 --dir missing/dir
silent out
says err "missing/dir"
[ ! -e missing ] || fail "r1-bench made a directory"

# Each measurement states rate and peak of the same run, and the dtype as it was asked for.
has() {
    for key in "$@"; do
        grep -qE "\"$key\": [1-9.0-9]*[1-9]" out || fail "$said: no '$key': $(cat out)"
    done
}
tiny="--shape tiny --reps 1 --threads 1 --batch 2 --context 8 --new-tokens 4 --sequences 2 --length 8"
for what in decode prefill train; do
    for dtype in bf16 fp32; do
        try 0 r1-bench $what $tiny --dtype $dtype
        says out "\"dtype\": \"$dtype\""
        has tokens_per_s gflops weights_gbs read_gbs
    done
done
make_model
for m in "$model" "$src/tests/golden/models/qwen3" "$src/tests/golden/gguf/qwen2.gguf"; do
    try 0 r1-bench decode $tiny --model "$m"
    says out '"model": "file"'
    has tokens_per_s
done
try 0 r1-bench weights $tiny
has gbs read_gbs
try 0 r1-bench wire $tiny
has encode_tokens_per_s encode_gbs decode_tokens_per_s decode_gbs read_gbs
try 0 r1-bench grade --reps 1
says out '"what": "grade"'
has us answers_per_s
try 0 r1-bench checkpoint $tiny
has write_gbs read_gbs_checkpoint disk_write_gbs disk_read_gbs
exit $bad
