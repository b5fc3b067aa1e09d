#!/usr/bin/env python3
"""Make the committed golden models with PyTorch and transformers in float64.

Not part of the build.  In a virtual environment outside the repository:
    pip install torch transformers safetensors numpy
    python tests/golden/make_models.py tests/golden/models
Each folder gets config.json, the weights (random, exactly representable in the file's dtype) and
golden.safetensors: input_ids and mask [B, T]; logits [B, T, V]; logprobs [B, T-1] of the next token;
loss = mean of -logprobs over mask[:, 1:]; grad.NAME; train.loss and train.grad_norm of AdamW steps on
this batch (lr 1e-3 with 3 warm-up steps, betas 0.9 and 0.95, eps 1e-8, weight decay 0.1 on matrices,
clipping at norm 1) and after.NAME; greedy [B, N], the continuation of each row's first 8 tokens.
"""
import json
import math
import os
import sys

import torch
from safetensors.torch import save_file
from transformers import (LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config,
                          Qwen3ForCausalLM)

B, T, STEPS, GREEDY, PROMPT = 2, 41, 6, 34, 8
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 32}
BASE = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
            intermediate_size=24, vocab_size=70, max_position_embeddings=128, initializer_range=0.02,
            bos_token_id=1, eos_token_id=2, hidden_act="silu")
# name -> (kind, dtype of the file, shards, written as transformers 5 does, differences from BASE)
CASES = {
    "llama_tied": ("llama", torch.float32, 1, False,
                   dict(head_dim=8, rms_norm_eps=1e-5, tie_word_embeddings=True, theta=10000.0)),
    "llama3_untied": ("llama", torch.bfloat16, 3, False,
                      dict(head_dim=12, num_attention_heads=4, rms_norm_eps=1e-5,
                           tie_word_embeddings=False, theta=10000.0, rope=LLAMA3)),
    "llama_linear": ("llama", torch.float16, 1, True,
                     dict(head_dim=8, rms_norm_eps=1e-6, tie_word_embeddings=False, theta=500000.0,
                          num_key_value_heads=2, rope={"rope_type": "linear", "factor": 2.5})),
    "qwen2": ("qwen2", torch.float16, 1, False,
              dict(rms_norm_eps=1e-6, tie_word_embeddings=True, theta=1000000.0)),
    "qwen3": ("qwen3", torch.float32, 1, True,
              dict(head_dim=14, rms_norm_eps=1e-6, tie_word_embeddings=False, theta=1000000.0)),
}
CLASSES = {"llama": (LlamaConfig, LlamaForCausalLM), "qwen2": (Qwen2Config, Qwen2ForCausalLM),
           "qwen3": (Qwen3Config, Qwen3ForCausalLM)}
DTYPES = {torch.float32: "float32", torch.float16: "float16", torch.bfloat16: "bfloat16"}


def build(kind, changes):
    keys = {**BASE, **changes}
    theta, rope = keys.pop("theta"), keys.pop("rope", {"rope_type": "default"})
    config_class, model_class = CLASSES[kind]
    config = config_class(**keys, rope_parameters={**rope, "rope_theta": theta},
                          attn_implementation="eager")
    return model_class(config).double().eval(), keys, theta, rope


def fill(model, dtype, gen):
    with torch.no_grad():
        for name, p in model.named_parameters():
            x = torch.randn(p.shape, generator=gen, dtype=torch.float64)
            if p.dim() == 2:
                x *= 1.2 / math.sqrt(p.shape[1])
            else:
                x = x * 0.2 + (1.0 if "norm" in name else 0.0)
            p.copy_(x.to(dtype).double())


def write_config(folder, kind, dtype, v5, keys, theta, rope):
    out = {"architectures": [CLASSES[kind][1].__name__], "model_type": kind, **keys}
    if v5:
        out.update(dtype=DTYPES[dtype], rope_parameters={**rope, "rope_theta": theta})
    else:
        out.update(torch_dtype=DTYPES[dtype], rope_theta=theta,
                   rope_scaling=None if rope["rope_type"] == "default" else rope)
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump(out, f, indent=1, sort_keys=True)
        f.write("\n")


def write_weights(folder, model, dtype, shards):
    tensors = {n: p.detach().to(dtype).contiguous() for n, p in model.named_parameters()}
    if shards == 1:
        save_file(tensors, os.path.join(folder, "model.safetensors"))
        return
    index = {}
    for s in range(shards):
        file = f"model-{s + 1:05d}-of-{shards:05d}.safetensors"
        part = {n: tensors[n] for n in sorted(tensors)[s::shards]}
        save_file(part, os.path.join(folder, file))
        index.update({n: file for n in part})
    with open(os.path.join(folder, "model.safetensors.index.json"), "w") as f:
        json.dump({"metadata": {}, "weight_map": index}, f, indent=0, sort_keys=True)
        f.write("\n")


def loss_of(model, ids, mask):
    logits = model(ids).logits
    logp = torch.log_softmax(logits[:, :-1], -1).gather(-1, ids[:, 1:, None])[..., 0]
    return logits, logp, -(logp * mask[:, 1:]).sum() / mask[:, 1:].sum()


def train(model, ids, mask):
    decay = [p for p in model.parameters() if p.dim() == 2]
    plain = [p for p in model.parameters() if p.dim() != 2]
    opt = torch.optim.AdamW([{"params": decay, "weight_decay": 0.1},
                             {"params": plain, "weight_decay": 0.0}], lr=1e-3, betas=(0.9, 0.95),
                            eps=1e-8)
    losses, norms = [], []
    for step in range(STEPS):
        for group in opt.param_groups:
            group["lr"] = 1e-3 * min(1.0, (step + 1) / 3)
        opt.zero_grad()
        loss = loss_of(model, ids, mask)[2]
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
        losses.append(loss.item())
        opt.step()
    return losses, norms


def greedy(model, ids):
    seq, margin = ids[:, :PROMPT], math.inf
    with torch.no_grad():
        for _ in range(GREEDY):
            top = model(seq).logits[:, -1].topk(2, -1)
            margin = min(margin, (top.values[:, 0] - top.values[:, 1]).min().item())
            seq = torch.cat([seq, top.indices[:, :1]], 1)
    return seq[:, PROMPT:], margin


def main(root):
    for number, (name, (kind, dtype, shards, v5, changes)) in enumerate(CASES.items()):
        gen = torch.Generator().manual_seed(1000 + number)
        model, keys, theta, rope = build(kind, changes)
        fill(model, dtype, gen)
        folder = os.path.join(root, name)
        os.makedirs(folder, exist_ok=True)
        write_config(folder, kind, dtype, v5, keys, theta, rope)
        write_weights(folder, model, dtype, shards)
        ids = torch.randint(3, keys["vocab_size"], (B, T), generator=gen)
        mask = (torch.rand((B, T), generator=gen) < 0.7).double()
        logits, logp, loss = loss_of(model, ids, mask)
        loss.backward()
        out = {"input_ids": ids.int(), "mask": mask.float(), "logits": logits.detach().float(),
               "logprobs": logp.detach().float(), "loss": loss.detach()[None].float()}
        for n, p in model.named_parameters():
            out["grad." + n] = p.grad.float()
        out["greedy"], margin = greedy(model, ids)
        out["greedy"] = out["greedy"].int()
        losses, norms = train(model, ids, mask)
        out["train.loss"] = torch.tensor(losses)
        out["train.grad_norm"] = torch.tensor(norms)
        for n, p in model.named_parameters():
            out["after." + n] = p.detach().float()
        save_file({n: t.contiguous() for n, t in out.items()},
                  os.path.join(folder, "golden.safetensors"))
        print(f"{name}: loss {loss.item():.6f}, greedy margin {margin:.2e}, "
              f"train {losses[0]:.4f} -> {losses[-1]:.4f}")


if __name__ == "__main__":
    main(sys.argv[1])
