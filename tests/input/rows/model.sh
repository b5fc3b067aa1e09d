# Weights, descriptions and tokenizers of models; checkpoints.
model() { # EXIT_CODE FRAGMENTS DIR_OR_FILE [ARGUMENT]...
    code=$1 fragments=$2 path=$3
    shift 3
    train "$code" "$fragments" model.init=none model.path="$in/$path" tokenizer.kind=bytes "$@"
}
good 'model     ' r1-train "$in/tiny.yaml" --dry-run model.init=none model.path="$in/hf"
model 65 "dtype/model.safetensors: tensor 'model|dtype 'F99' is not supported" dtype
model 65 "tensor 'model.embed_tokens.weight' has shape [16, 261], the configuration says [261, 16]" shape
model 65 "model.nose.weight" lost
model 65 "data_offsets" offsets
model 65 "twice/model.safetensors" twice
model 65 "nojson/model.safetensors' is no safetensors file" nojson
model 65 "bad size in its shape" overflow
model 65 "long/model.safetensors' is no safetensors file" long
model 65 "past/model.safetensors' is no safetensors file" past
model 65 "short/model.safetensors: tensor|do not fit" short
model 65 "none/model.safetensors' is no safetensors file|in a file of 0" none
model 74 "nofile' has neither model.safetensors nor" nofile
model 65 "architecture 'MambaForCausalLM' is not supported" arch
model 65 "hidden_act 'gelu' is not supported" act
model 65 "rope type 'yarn' is not supported" rope
model 65 "has no tensor 'model.layers.1." layers
model 65 "key 'num_attention_heads' is \"many\"" heads
model 64 "the tokenizer has 261 tokens, the model 100" vocab
model 65 "eos_token_id 999 is outside the vocabulary of 261" eos
model 64 "max_prompt_len (64) + max_response_len (8) are above the model's context of 20" context
model 65 "config.json:" json
model 65 "tokens|tokenizer_bytes.json: kind 'words' is not bytes" tokens tokenizer.kind=model tokenizer.added_tokens='[]'
model 65 "tensor 'model.|nan" nan --dry-run

model 65 "cut.gguf" cut.gguf
model 65 "magic.gguf' is no" magic.gguf
model 65 "version.gguf': GGUF version 9 is not supported" version.gguf
model 65 "count.gguf': 18446744073709551615 tensors" count.gguf
model 65 "architecture 'lxama' is not supported" arch.gguf
model 65 "kind.gguf': key 'general.architecture' has unsupported type 63" kind.gguf
model 65 "quant.gguf': tensor 'token_embd.weight' has block type 99, which is not supported" quant.gguf
model 65 "dims.gguf" dims.gguf
model 65 "offset.gguf': tensor|ends behind" offset.gguf

tokenizer() { # NAME FRAGMENTS
    bad 65 "tok_$1|tokenizer.json|$2" r1-tokenize --model "$in/tok_$1" "$in/text.jsonl"
}
tokenizer type "unknown type 'WordPiece'"
tokenizer norm "unknown type 'Lowercase'"
tokenizer regex 'pre_tokenizer'
tokenizer merge 'is not in the vocabulary'
tokenizer twice "id 1 is given to"
tokenizer id 'is not a number from 0 to'
tokenizer cut 'line 1'
bad 74 'nosuch' r1-tokenize --model nosuch "$in/text.jsonl"

# A checkpoint as a model, and a run directory that cannot go on.
model 65 'shard_0000.h5' run_flip/checkpoints/step_000003 --dry-run
model 65 'shard_0000.h5' run_gone/checkpoints/step_000003
model 65 'checkpoint.h5' run_head/checkpoints/step_000003
model 65 'shard_0000.h5' run_empty/checkpoints/step_000003
bad 64 "run' holds an earlier run|--resume auto" r1-train "$in/tiny.yaml" --output "$in/run"
bad 64 "run' holds an earlier run" r1-train "$in/tiny.yaml" --output "$in/run" --dry-run
bad 64 'full' r1-train "$in/tiny.yaml" --output "$in/full"
bad 74 'not a directory' r1-train "$in/tiny.yaml" --output "$in/good.jsonl/x"
bad 64 "run_locked': another run holds its lock" flock "$in/run_locked/lock" \
    r1-train "$in/tiny.yaml" --output "$in/run_locked" --resume auto
bad 64 'seed: 1 -> 2' r1-train "$in/tiny.yaml" --output "$in/run" --resume auto seed=2

# The other programs.
bad 65 "dtype/model.safetensors|dtype 'F99'" r1-convert "$in/dtype" out
bad 65 "shard_0000.h5" r1-convert "$in/run_flip/checkpoints/step_000003" out
bad 64 "full' exists already and is not an empty directory" r1-convert "$in/hf" "$in/full"
bad 74 "nosuch" r1-convert nosuch out
bad 65 "lost/model.safetensors" r1-generate --model "$in/lost" --prompt x
bad 65 "has no tensor" r1-eval --model "$in/layers" --data "$in/good.jsonl" --reward number
bad 65 "noanswer.jsonl:2|key 'answer' is missing|--answer-key" r1-eval --model "$in/hf" \
    --data "$in/noanswer.jsonl" --reward number
bad 65 "broken.jsonl:3" r1-eval --model "$in/hf" --data "$in/broken.jsonl" --reward number
bad 65 "gold.jsonl:2|'a lot'" r1-eval --model "$in/hf" --data "$in/gold.jsonl" --reward number
bad 64 "'numbr' is unknown" r1-eval --model "$in/hf" --data "$in/good.jsonl" --reward numbr
bad 74 "nosuch.jsonl" r1-generate --model "$in/hf" --prompts nosuch.jsonl
bad 64 'model' r1-generate --prompt x
