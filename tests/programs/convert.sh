#!/bin/sh
# r1-convert: dtypes as they are spelt elsewhere, no directories out of nothing, checkpoints without
# room for moments that are zero.  Usage: convert.sh BUILD_DIR SOURCE_DIR
. "$2/tests/programs/lib.sh"

make_model
for dtype in BF16 bf16 F16 fp16 F32 fp32; do
    try 0 r1-convert "$model" "as-$dtype" --dtype $dtype
    [ "$(cat out)" = "as-$dtype" ] || fail "stdout is not the path: $(cat out)"
done
cmp -s as-BF16/model.safetensors as-bf16/model.safetensors || fail "BF16 and bf16 differ"
try 64 r1-convert "$model" other --dtype Q8
says err "--dtype Q8: F32, BF16 or F16"

try 0 r1-convert as-F32 start/step_000000
[ "$(cat out)" = start/step_000000 ] || fail "stdout is not the path: $(cat out)"
try 0 r1-convert --verify start/step_000000
says out "every byte is as it was written"
try 74 r1-convert as-F32 missing/dir/model
silent out
says err "missing/dir"
[ ! -e missing ] || fail "made the parents of a misspelt path"

# Weights once; the moments read as zeros, and the weights are the source's.
weights=$(wc -c <as-F32/model.safetensors)
shard=$(wc -c <start/step_000000/shard_0000.h5)
[ "$shard" -lt $((weights + weights / 2)) ] || fail "$shard bytes for $weights bytes of weights"
h5dump -d /optimizer/v/model.norm.weight start/step_000000/checkpoint.h5 >dump
grep -q '(0): 0, 0, 0' dump || fail "moments are not zero: $(cat dump)"
try 0 r1-convert start/step_000000 back
cmp -s as-F32/model.safetensors back/model.safetensors || fail "the weights changed on the way"
try 64 r1-convert start/step_000000 back
says err "'back' exists already"
exit $bad
