# The input of bad_input.sh: small files, most of them a sound one with one thing wrong.

# bytes FILE OFFSET TEXT: overwrite in place
bytes() {
    printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

make_config() {
    cat >"$in/tiny.yaml" <<'YAML'
name: tiny
model: {init: random, config: {hidden_size: 16, layers: 1, heads: 2, intermediate_size: 16}}
tokenizer: {kind: bytes, added_tokens: [<think>, </think>, <answer>, </answer>]}
template: plain
compute: {threads: 1}
data: {train: {task: arithmetic}, eval: {n: 4}}
rewards: [{name: number}]
stages:
  - {name: warm, kind: sft, total_updates: 1, batch: 2, lr: 1.0e-3}
  - name: rl
    kind: grpo
    total_updates: 2
    prompts_per_step: 2
    group_size: 2
    max_response_len: 8
limits: {max_prompt_len: 64, max_tokens_per_microbatch: 256}
YAML
    printf 'name: x\nname: y\n' >"$in/twice.yaml"
    printf 'name: [x\n' >"$in/open.yaml"
    printf 'nome: x\n' >"$in/nome.yaml"
    printf 'name: *x\n' >"$in/alias.yaml"
    printf 'name: \303\050\n' >"$in/utf8.yaml"
}

make_data() {
    row='{"question": "1+1", "answer": "2"}'
    printf '%s\n' "$row" "$row" "$row" >"$in/good.jsonl"
    { printf '\357\273\277'; cat "$in/good.jsonl"; } >"$in/bom.jsonl"
    printf '%s\n\n{"question": "2+2", "answer":\n' "$row" >"$in/broken.jsonl"
    printf '%s\n{"answer": "2"}\n' "$row" >"$in/noprompt.jsonl"
    printf '%s\n{"question": "x"}\n' "$row" >"$in/noanswer.jsonl"
    printf '%s\n{"question": "x", "answer": null}\n' "$row" >"$in/nullanswer.jsonl"
    printf '%s\n{"question": "x", "answer": "a lot"}\n' "$row" >"$in/gold.jsonl"
    printf '%s\n{"question": ["x"], "answer": "2"}\n' "$row" >"$in/type.jsonl"
    printf '%s\n{"question": "\303\050", "answer": "2"}\n' "$row" >"$in/utf8.jsonl"
    printf '%s\n[1]\n' "$row" >"$in/list.jsonl"
    printf '\n  \n' >"$in/empty.jsonl"
    { printf '%s\n{"question": "' "$row"; head -c 10000000 /dev/zero | tr '\0' x
        printf '", "answer": "2"}\n'; } >"$in/10mb.jsonl"
    { printf '%s\n{"question": "' "$row"; head -c 17000000 /dev/zero | tr '\0' x
        printf '", "answer": "2"}\n'; } >"$in/17mb.jsonl"
    printf '{"question": "1+1 <think>", "answer": "2"}\n' >"$in/think.jsonl"
    printf '%s\n{"question": "<answer>1</answer>", "answer": "2"}\n' "$row" >"$in/thinks.jsonl"
    printf '{"completion": "2", "answer": "2"}\n[1]\n' >"$in/graded.jsonl"
    printf '{"completion": "2"}\n' >"$in/nogold.jsonl"
    printf '%s\n{"question": "%0100d", "answer": "2"}\n' "$row" 7 >"$in/long.jsonl"
}

# damage DIR SED_SCRIPT [FILE]: another model, with its config.json (or FILE) edited
damage() {
    cp -r "$in/hf" "$in/$1" && sed -i "$2" "$in/$1/${3:-config.json}"
}
# header DIR OLD NEW: a copy of the model whose safetensors header says NEW (as long as OLD)
header() {
    cp -r "$in/hf" "$in/$1" && LC_ALL=C sed -i "s|$2|$3|" "$in/$1/model.safetensors"
}

make_models() {
    (cd "$dir" && r1-train "$in/tiny.yaml" --output "$in/run" checkpoint.every=1 >"$dir/log" 2>&1) ||
        { tail -5 "$dir/log"; return 1; }
    checkpoint=$in/run/checkpoints/step_000003
    r1-convert "$checkpoint" "$in/hf" >"$dir/log" 2>&1 || { tail -5 "$dir/log"; return 1; }
    header dtype '"F32"' '"F99"'
    header shape '"shape":\[261,16\]' '"shape":[16,261]'
    header lost 'model.norm.weight' 'model.nose.weight'
    header offsets '"data_offsets":\[0,' '"data_offsets":[9,'
    header twice 'input_layernorm.weight' 'self_attn.q_proj.weight'
    header nojson '{' '['
    header overflow '"shape":\[261,16\]' '"shape":[-26,16]'
    cp -r "$in/hf" "$in/long" && bytes "$in/long/model.safetensors" 0 '\377\377\377\377\377\377\377\377'
    cp -r "$in/hf" "$in/past" && bytes "$in/past/model.safetensors" 2 '\377'
    cp -r "$in/hf" "$in/short" && truncate -s 3000 "$in/short/model.safetensors"
    cp -r "$in/hf" "$in/none" && : >"$in/none/model.safetensors"
    cp -r "$in/hf" "$in/nofile" && rm "$in/nofile/model.safetensors"
    cp -r "$in/hf" "$in/nan" && bytes "$in/nan/model.safetensors" \
        $(($(stat -c %s "$in/nan/model.safetensors") - 2)) '\377\177'
    damage arch 's/LlamaForCausalLM/MambaForCausalLM/; s/"llama"/"mamba"/'
    damage act 's/"silu"/"gelu"/'
    damage rope 's/"rope_theta"/"rope_scaling": {"rope_type": "yarn", "factor": 2.0}, "rope_theta"/; /"rope_scaling": null/d'
    damage layers 's/\("num_hidden_layers": \)[0-9]*/\12/'
    damage heads 's/\("num_attention_heads": \)[0-9]*/\1"many"/'
    damage vocab 's/\("vocab_size": \)[0-9]*/\1100/; s/\("eos_token_id": \)[0-9]*/\15/'
    rm "$in/vocab/generation_config.json"
    damage eos 's/\("eos_token_id": \)[0-9]*/\1999/'
    damage context 's/\("max_position_embeddings": \)[0-9]*/\120/'
    damage json 's/}$//'
    damage tokens 's/bytes/words/' tokenizer_bytes.json
}

make_tokenizers() {
    from=$src/tests/golden/tokenizer/tokenizer.json
    for one in 'type#"type":"BPE"#"type":"WordPiece"' 'norm#"NFC"#"Lowercase"' \
        'regex#{N}|#{Greek}|' 'merge#\["Ġ","t"\]#["Ġ","tt"]' 'twice#"!":0#"!":1' \
        'id#"id":700#"id":-70' 'pre#"use_regex":false#"use_regex":12345'; do
        name=${one%%#*} edit=${one#*#}
        mkdir -p "$in/tok_$name" && sed "s#${edit%%#*}#${edit#*#}#" "$from" >"$in/tok_$name/tokenizer.json"
    done
    mkdir "$in/tok_cut" && head -c 5000 "$from" >"$in/tok_cut/tokenizer.json"
    printf '{"text": "x"}\n' >"$in/text.jsonl"
}

make_ggufs() {
    for name in cut magic version count kind arch offset quant dims; do
        cp "$src/tests/golden/gguf/llama_tied.gguf" "$in/$name.gguf"
    done
    truncate -s 6000 "$in/cut.gguf"
    bytes "$in/magic.gguf" 0 'GGUX'
    bytes "$in/version.gguf" 4 '\011'
    bytes "$in/count.gguf" 8 '\377\377\377\377\377\377\377\377'
    bytes "$in/arch.gguf" 64 'lxama'
    bytes "$in/kind.gguf" 52 '\077'
    truncate -s 20000 "$in/offset.gguf"
    # Behind a tensor's name: number of dimensions (4 bytes), two dimensions of 8, type of 4.
    name_at=$(grep -abo token_embd.weight "$in/quant.gguf" | head -1 | cut -d: -f1)
    bytes "$in/quant.gguf" $((name_at + 17 + 4 + 16)) '\143'
    bytes "$in/dims.gguf" $((name_at + 17 + 4)) '\377\377\377\377\377\377\377\077'
}

make_checkpoints() {
    for name in flip gone head empty locked reference; do
        cp -r "$in/run" "$in/run_$name"
    done
    bytes "$in/run_flip/checkpoints/step_000003/shard_0000.h5" 5000 'x'
    rm "$in/run_gone/checkpoints/step_000003/shard_0000.h5"
    truncate -s 1000 "$in/run_head/checkpoints/step_000003/checkpoint.h5"
    : >"$in/run_empty/checkpoints/step_000003/shard_0000.h5"
    mkdir "$in/full" && echo precious >"$in/full/file"
}

make_input() {
    make_config && make_data && make_models && make_tokenizers && make_ggufs && make_checkpoints
}
