"""Makes tests/golden/tokenizer/: a small byte-level BPE trained on this repository's README, and
cases with the ids and texts that Hugging Face's tokenizers gives for them.  Not part of the build.
    python3 tests/golden/make_tokenizer.py       (needs: pip install tokenizers)
"""
import json
import os
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, "tokenizer")
qwen = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
        r"|\s+(?!\S)|\s+")

random.seed(7)
t = Tokenizer(models.BPE())
t.normalizer = normalizers.NFC()
t.pre_tokenizer = pre_tokenizers.Sequence(
    [pre_tokenizers.Split(Regex(qwen), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
t.decoder = decoders.ByteLevel()
with open(os.path.join(here, "..", "..", "README.md")) as f:
    lines = f.read().split("\n")
t.train_from_iterator(lines, trainers.BpeTrainer(
    vocab_size=700, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
t.add_special_tokens([AddedToken("<|end|>", special=True), AddedToken("<|im_start|>", special=True)])
t.add_tokens([AddedToken("<think>", normalized=False), AddedToken("</think>", normalized=False)])
t.save(os.path.join(out, "tokenizer.json"), pretty=False)

pieces = ["the ", "rank", " weights", "Gradient", "don't", " we'll", "I'M", "x", " ", "  ", "\n", "\r\n", "\t", "\n\n ",
          "0", "12", "1234567", "3.14", "-", "--", "===", "/*", "é", "e\u0301", "ﬁ", "ß", "日本", "語は", "한국", "привет",
          "🙂", "👩‍👩‍👧", "\u200b", "\u00a0", "\u3000", "٣٤", "½", "<think>", "</think>", "<|end|>", "<|im_start|>",
          "<|im_", "\u0000", "\u007f", "A\u030a", "ā̈", "'S", "’s", "__", "\\frac{1}{2}", "$x^2$"]
texts = [""] + pieces + ["".join(random.choice(pieces) for _ in range(random.randint(2, 14))) for _ in range(220)]
with open(os.path.join(out, "cases.jsonl"), "w") as f:
    for text in texts:
        ids = t.encode(text).ids
        f.write(json.dumps({"text": text, "ids": ids, "decoded": t.decode(ids, skip_special_tokens=False)}) + "\n")
