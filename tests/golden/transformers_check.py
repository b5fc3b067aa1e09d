"""Called by transformers_check.sh: load converted models with transformers, compare logits with ours.

    transformers_check.py DUMP_LOGITS TOKENIZE SCRATCH SOURCE DIRECTORY [SOURCE DIRECTORY ...]

For each pair, what r1 computes from SOURCE and what transformers computes from the DIRECTORY that
r1-convert made of it: largest difference over the largest logit, at most 2e-5, in fp32.  Where there is a
tokenizer, its ids must be ours and the sequences are those texts; else they are random ids.  (Random ids
are no fair question to a trained model: at one position in some hundreds transformers' own fp32 is more
than 2e-5 away from its float64.)  Prints one JSON line a model."""
import json
import os
import subprocess
import sys

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

BOUND = 2e-5
TEXTS = ["1 2 3 4 5 6 7 8 9 10 11", "The capital of France is", "def f(x):\n    return x ** 2\n",
         "Ünïcode: 你好, мир! 🙂  two  spaces\t\ttabs",
         "<|im_start|>user\nWhat is 17 + 25?<|im_end|>\n"
         "<|im_start|>assistant\n17 + 25 = 42<|im_end|>\n",
         "A farmer has 12 sheep and buys 7 more every spring. " * 8 + "How many sheep are there after ten years?"]


def our_ids(tokenize, directory, scratch):
    path = os.path.join(scratch, "texts.jsonl")
    with open(path, "w") as f:
        f.writelines(json.dumps({"text": t}) + "\n" for t in TEXTS)
    out = subprocess.run([tokenize, "--model", directory, path], check=True, capture_output=True, text=True)
    return [json.loads(line)["ids"] for line in out.stdout.splitlines()]


def our_logits(dump, source, ids, vocab, scratch):
    np.array(ids, np.int32).tofile(f"{scratch}/ids.bin")
    subprocess.run([dump, source, f"{scratch}/ids.bin", f"{scratch}/logits.bin"], check=True,
                   capture_output=True)
    return np.fromfile(f"{scratch}/logits.bin", np.float32).reshape(len(ids), vocab)


def check(dump, tokenize, scratch, source, directory):
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
    vocab = model.config.vocab_size
    tokens_equal = None
    if os.path.exists(f"{directory}/tokenizer.json"):
        theirs = AutoTokenizer.from_pretrained(directory)
        ours = our_ids(tokenize, directory, scratch)
        tokens_equal = ours == [theirs(t, add_special_tokens=False)["input_ids"] for t in TEXTS]
        sequences = ours
    else:
        sequences = [np.random.default_rng(n).integers(0, vocab, n).tolist() for n in (1, 33, 100)]
    worst = 0.0
    for ids in sequences:
        with torch.no_grad():
            want = model(torch.tensor([ids])).logits[0].numpy()
        have = our_logits(dump, source, ids, vocab, scratch)
        worst = max(worst, float(np.abs(have - want).max() / np.abs(want).max()))
    good = worst <= BOUND and tokens_equal is not False
    print(json.dumps({"model": os.path.basename(source), "sequences": len(sequences),
                      "logits_rel_max": worst, "allowed": BOUND, "tokens_equal": tokens_equal,
                      "ok": good}), flush=True)
    return good


def main():
    dump, tokenize, scratch = sys.argv[1:4]
    pairs = sys.argv[4:]
    results = [check(dump, tokenize, scratch, *pairs[i:i + 2]) for i in range(0, len(pairs), 2)]
    sys.exit(0 if results and all(results) else 1)


main()
