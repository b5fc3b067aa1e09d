#!/bin/sh
# What is taken as a model, and what a path that is none is told.  Usage: models.sh BUILD_DIR SOURCE_DIR
. "$2/tests/programs/lib.sh"

make_model
no_model() {
    text=$1
    shift
    try "$@" --prompt x
    silent out
    says err "$text"
}
mkdir empty
echo text >notes.txt
cp "$model/shard_0000.h5" weights.gguf
echo text >other.gguf
no_model "cannot open the model 'missing'" 74 r1-generate --model missing
no_model "give one of its checkpoints: 'run/checkpoints/step_000002'" 65 r1-generate --model run
no_model "give one of them: 'run/checkpoints/step_000002'" 65 r1-generate --model run/checkpoints
no_model "give its directory: 'run/checkpoints/step_000002'" 65 \
    r1-generate --model run/checkpoints/step_000002/checkpoint.h5
no_model "is one file of a checkpoint" 65 r1-generate --model weights.gguf
no_model "'other.gguf' is not a GGUF file" 65 r1-generate --model other.gguf
no_model "'empty' is not a model: it has no config.json" 65 r1-generate --model empty
no_model "'notes.txt' is not a model" 65 r1-generate --model notes.txt
no_model "is one file of a model, give its directory" 65 \
    r1-generate --model "$src/tests/golden/models/qwen2/model.safetensors"

# A checkpoint with KL reference, copied out of its run: the weights are all that a model needs.
try 0 r1-train "$src/tests/mpi/short.yaml" --output kl cold_start.total_updates=10 \
    rl.total_updates=8 rl.warmup=1 rl.kl.ref_sync_every=4 compute.threads=1
last=$(echo kl/checkpoints/step_* | sed 's/.* //')
grep -q "../reference" "$last/manifest" || fail "the checkpoint has no reference"
cp -r "$last" alone
try 0 r1-generate --model alone --prompt x --max-new-tokens 2
try 0 r1-convert alone alone.hf
try 65 r1-convert --verify alone
says err "reference"
exit $bad
