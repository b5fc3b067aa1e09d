#!/bin/sh
# Do transformers and r1 compute the same from what r1-convert writes?  Converts the real GGUF of
# $R1_MODELS and the committed small ones, loads each directory with transformers, and compares
# logits (at most 2e-5 of the largest) and token ids.  One JSON line a model.
#   transformers_check.sh SOURCE_DIR BUILD_DIR
#   R1_PEERS_DIR  where the virtual environment is made, once (default ~/.cache/r1-peers)
# Exit code 77 (skipped) without R1_MODELS.
set -eu
src=$1 build=$2
peers=${R1_PEERS_DIR:-$HOME/.cache/r1-peers}
gguf=${R1_MODELS:-}/SmolLM2-135M-Instruct.Q4_1.gguf
[ -f "$gguf" ] || { echo "R1_MODELS has no SmolLM2-135M-Instruct.Q4_1.gguf (deploy/get-model smollm2)"; exit 77; }

python=$peers/transformers/bin/python
if ! "$python" -c 'import torch, transformers' 2>/dev/null; then
    mkdir -p "$peers"
    rm -rf "$peers/transformers"
    python3 -c "import ensurepip, venv" 2>/dev/null || "$src/deploy/install" python3-venv
    python3 -m venv "$peers/transformers"
    # The CPU build is much smaller; where its index cannot be reached, the one of PyPI serves too.
    "$python" -m pip install --quiet --retries 0 --timeout 10 torch --index-url https://download.pytorch.org/whl/cpu ||
        "$python" -m pip install --quiet torch
    "$python" -m pip install --quiet transformers numpy
fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
set --
for m in "$gguf" "$src"/tests/golden/gguf/*.gguf; do
    name=$(basename "$m" .gguf)
    [ "$name" != quants ] || continue # block types, no model
    "$build/r1-convert" "$m" "$tmp/$name" >/dev/null
    set -- "$@" "$m" "$tmp/$name"
done
"$python" "$src/tests/golden/transformers_check.py" "$build/tests/golden/dump_logits" "$build/r1-tokenize" "$tmp" "$@"
