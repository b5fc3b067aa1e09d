#!/usr/bin/env python3
"""Make the committed GGUF files with gguf-py (the writer and the dequantiser of llama.cpp).

Not part of the build.  In a virtual environment outside the repository:
    pip install gguf safetensors numpy
    python tests/golden/make_gguf.py tests/golden/models tests/golden/gguf
quants.gguf: two rows of 256 elements of every block type, random bits (blocks with a value that is not
finite drawn again); quants.safetensors: the same as gguf-py reads them, in fp32.  NAME.gguf: the weights
of models/NAME as llama.cpp's converter stores them: matrices in the directory's dtype, vectors in fp32,
rows of q and k of architecture llama interleaved, shapes innermost first.  llama_tied.gguf leaves the
base of the rotary embedding out (10000 then); llama3_untied.gguf has divisors for 8192 original positions.
"""
import glob
import json
import os
import sys

import gguf
import numpy as np

QUANTS = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K",
          "Q6_K", "IQ4_NL", "IQ4_XS"]
LAYER = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
         "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm",
         "self_attn.k_norm": "attn_k_norm", "post_attention_layernorm": "ffn_norm",
         "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}
TOP = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
TYPES = {"F32": gguf.GGMLQuantizationType.F32, "F16": gguf.GGMLQuantizationType.F16,
         "BF16": gguf.GGMLQuantizationType.BF16}


def read_safetensors(path):
    raw = open(path, "rb").read()
    n = int.from_bytes(raw[:8], "little")
    for name, t in json.loads(raw[8:8 + n]).items():
        if name != "__metadata__":
            first, end = t["data_offsets"]
            kind = {"F32": np.float32, "F16": np.float16, "BF16": np.uint16}[t["dtype"]]
            x = np.frombuffer(raw[8 + n + first:8 + n + end], kind).reshape(t["shape"])
            yield name, t["dtype"], x


def quants(out):
    rng = np.random.default_rng(5)
    writer = gguf.GGUFWriter(f"{out}/quants.gguf", "llama")
    values, header, at = [], {}, 0
    for name in QUANTS:
        kind = gguf.GGMLQuantizationType[name]
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        blocks = rng.integers(0, 256, (512 // elements, size), np.uint8)
        while True:
            with np.errstate(all="ignore"):
                x = gguf.quants.dequantize(blocks, kind)
            x = x.reshape(len(blocks), -1)
            wrong = ~np.isfinite(x).all(axis=1)
            if not wrong.any():
                break
            blocks[wrong] = rng.integers(0, 256, (wrong.sum(), size), np.uint8)
        writer.add_tensor(name, blocks.reshape(2, -1), raw_dtype=kind)
        header[name] = {"dtype": "F32", "shape": [2, 256], "data_offsets": [at, at + 2048]}
        values.append(x.astype("<f4").tobytes())
        at += 2048
    close(writer)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(f"{out}/quants.safetensors", "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text + b"".join(values))


def close(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def gguf_name(name):
    base, _, end = name.rpartition(".")
    if base in TOP:
        return f"{TOP[base]}.{end}"
    _, _, layer, inner = base.split(".", 3)
    return f"blk.{layer}.{LAYER[inner]}.{end}"


def metadata(writer, c, name):
    rope = c.get("rope_parameters") or c.get("rope_scaling") or {}
    writer.add_context_length(c["max_position_embeddings"])
    writer.add_embedding_length(c["hidden_size"])
    writer.add_block_count(c["num_hidden_layers"])
    writer.add_feed_forward_length(c["intermediate_size"])
    writer.add_head_count(c["num_attention_heads"])
    writer.add_head_count_kv(c["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(c["rms_norm_eps"])
    writer.add_bos_token_id(c["bos_token_id"])
    writer.add_eos_token_id(c["eos_token_id"])
    head = c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"]
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_dimension_count(head)
    theta = rope.get("rope_theta") or c["rope_theta"]
    if name != "llama_tied":
        writer.add_rope_freq_base(theta)
    if rope.get("rope_type") == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    if rope.get("rope_type") == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_divisors(theta, head, rope))
    return c["num_attention_heads"], c["num_key_value_heads"]


def llama3_divisors(theta, head, rope):
    """As llama.cpp's converter computes them."""
    factor, low, high, old = rope["factor"], rope["low_freq_factor"], rope["high_freq_factor"], 8192
    divisors = []
    for freq in 1.0 / theta ** (np.arange(0, head, 2, dtype=np.float32) / head):
        wavelen = 2 * np.pi / freq
        smooth = (old / wavelen - low) / (high - low)
        divisors.append(1 if wavelen < old / high else factor if wavelen > old / low
                        else 1 / ((1 - smooth) / factor + smooth))
    return np.array(divisors, np.float32)


def model(source, out, name):
    config = json.load(open(f"{source}/config.json"))
    writer = gguf.GGUFWriter(f"{out}/{name}.gguf", config["model_type"])
    heads, kv_heads = metadata(writer, config, name)
    for path in sorted(glob.glob(f"{source}/model*.safetensors")):
        for tensor, dtype, x in read_safetensors(path):
            if config["model_type"] == "llama" and ("q_proj" in tensor or "k_proj" in tensor):
                n = heads if "q_proj" in tensor else kv_heads
                x = x.reshape(n, 2, len(x) // n // 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)
            if x.ndim == 1:
                x = (x.astype(np.uint32) << 16).view(np.float32) if dtype == "BF16" else x.astype(np.float32)
                dtype = "F32"
            x = np.ascontiguousarray(x)
            writer.add_tensor(gguf_name(tensor), x.view(np.uint8) if dtype == "BF16" else x,
                              raw_dtype=TYPES[dtype])
    close(writer)


def main():
    source, out = sys.argv[1:3]
    os.makedirs(out, exist_ok=True)
    quants(out)
    for name in sorted(os.listdir(source)):
        model(f"{source}/{name}", out, name)


main()
