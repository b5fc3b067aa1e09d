"""PyTorch: tokens/s of forward, backward and AdamW of a 135M Llama, 4 x 256 tokens.

Usage: peers_torch.py THREADS fp32|bf16.  bf16 is what PyTorch's users do: fp32 weights, autocast."""
import statistics
import sys
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM

torch.set_num_threads(int(sys.argv[1]))
torch.manual_seed(0)
model = LlamaForCausalLM(
    LlamaConfig(vocab_size=49152, hidden_size=576, num_hidden_layers=30, num_attention_heads=9,
                num_key_value_heads=3, intermediate_size=1536, max_position_embeddings=8192,
                tie_word_embeddings=True)).float()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, betas=(0.9, 0.95))
ids = torch.randint(0, 49152, (4, 257))
rates = []
for step in range(4):
    start = time.perf_counter()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=sys.argv[2] == "bf16"):
        logits = model(ids[:, :-1]).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten())
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    if step:
        rates.append(4 * 256 / (time.perf_counter() - start))
print(statistics.median(rates))
