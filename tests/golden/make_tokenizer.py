"""Makes tests/golden/tokenizer/: small byte-level BPEs trained on this repository's README, one for each
expression that models cut text by and one for the flags of added tokens, and cases with the ids and texts
that Hugging Face's tokenizers gives for them.  Not part of the build.
    python3 tests/golden/make_tokenizer.py [NAME...]       (needs: pip install tokenizers)
"""
import json
import os
import random
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, "tokenizer")
qwen = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
        r"|\s+(?!\S)|\s+")
llama = qwen.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
v3_cjk = "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"
v3_text = (r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
           r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
# DeepSeek LLM and V2.  Written as numbers: U+1F7D, 1FBE, 1FD3, 1FDB, 2126 and 212A do not survive NFC.
letters = """41-5a 61-7a b5 c0-d6 d8-f6 f8-1ba 1bc-1bf 1c4-293 295-2af 370-373 376 377 37b-37d 37f 386 388-38a 38c
38e-3a1 3a3-3f5 3f7-481 48a-52f 531-556 10a0-10c5 13a0-13f5 13f8-13fd 1c90-1cba 1cbd-1cbf 1d00-1d2b 1d6b-1d77
1d79-1d9a 1e00-1f15 1f18-1f1d 1f20-1f45 1f48-1f4d 1f50-1f57 1f59 1f5b 1f5d 1f5f-1f7d 1f80-1fb4 1fb6-1fbc 1fbe
1fc2-1fc4 1fc6-1fcc 1fd0-1fd3 1fd6-1fdb 1fe0-1fec 1ff2-1ff4 1ff6-1ffc 2102 2107 210a-2113 2115 2119-211d 2124 2126
2128 212a-212d 212f-2134 2139 213c-213f 2145-2149 214e 2183 2184 2c00-2c7b 2c7e-2ce4 2ceb-2cee 2cf2 2cf3 a640-a66d
a680-a69b a722-a76f a771-a787 a78b-a78e ab70-abbf fb00-fb06 fb13-fb17 ff21-ff3a ff41-ff5a 10400-1044f 104b0-104d3
104d8-104fb 10c80-10cb2 10cc0-10cf2 118a0-118df 1e900-1e943"""
llm_letters = r"\s?[%s]+" % "".join("-".join(chr(int(x, 16)) for x in r.split("-")) for r in letters.split())
llm_signs = "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+"
llm_cjk = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"


def split(expression):
    return pre_tokenizers.Split(Regex(expression), "isolated")


def byte_level(**options):
    return pre_tokenizers.ByteLevel(**{"add_prefix_space": False, "use_regex": False, **options})


def digits():
    return pre_tokenizers.Digits(individual_digits=True)


plain_added = [AddedToken("<|end|>", special=True), AddedToken("<|im_start|>", special=True),
               AddedToken("<think>", normalized=False), AddedToken("</think>", normalized=False)]
flags_added = [AddedToken("<|a|>", special=True), AddedToken("<b>", lstrip=True, normalized=False),
               AddedToken("<c>", rstrip=True, normalized=False), AddedToken("word", single_word=True, normalized=False),
               AddedToken("é", normalized=True), AddedToken("<|a|><b>", normalized=False),
               AddedToken("two words", normalized=True, single_word=True, lstrip=True),
               AddedToken("   ", normalized=False, rstrip=True)]
# name: steps, NFC, ignore_merges, added tokens
kinds = {
    "tokenizer": ([split(qwen), byte_level()], True, False, plain_added),
    "llama3": ([split(llama), byte_level()], False, True, plain_added),
    "smollm": ([digits(), byte_level(use_regex=True)], False, False, plain_added),
    "gpt2_prefix": ([byte_level(use_regex=True, add_prefix_space=True)], False, False, plain_added),
    "deepseek_v3": ([split(r"\p{N}{1,3}"), split(v3_cjk), split(v3_text), byte_level()], False, False, plain_added),
    "deepseek_llm": ([split("[\r\n]"), split(llm_letters), split(llm_signs), split(r"\s+$"), split(llm_cjk), digits(),
                      byte_level()], False, False, plain_added),
    "deepseek_coder": ([split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split(llm_cjk), digits(),
                        byte_level()], False, False, plain_added),
    "flags": ([split(qwen), byte_level()], True, False, flags_added),
}
pieces = ["the ", "rank", " weights", "Gradient", "don't", " we'll", "I'M", "x", " ", "  ", "\n", "\r\n", "\t", "\n\n ",
          "0", "12", "1234567", "3.14", "-", "--", "===", "/*", "é", "e\u0301", "ﬁ", "ß", "日本", "語は", "한국", "привет",
          "🙂", "👩‍👩‍👧", "\u200b", "\u00a0", "\u3000", "٣٤", "½", "<think>", "</think>", "<|end|>", "<|im_start|>",
          "<|im_", "\u0000", "\u007f", "A\u030a", "ā̈", "'S", "’s", "__", "\\frac{1}{2}", "$x^2$"]
greek = ["\u1f7d", "\u1fd3", "\u1fdb", "\u1fbe", "\u2126", "\u212a", "\u1f5e", "\u03ce", "\u0390", "\u0561", "\ud7ff",
         "\u0800", "\uff01", "\u2018", "\u3001", "\u2122", "\u1c90", "\U0001e943"]
flag_pieces = [t.content for t in flags_added] + ["words", "e\u0301", "_", "\u200d", "    ", "sword", "a"]


def make(name, n_texts):
    steps, nfc, ignore_merges, added = kinds[name]
    t = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if nfc:
        t.normalizer = normalizers.NFC()
    t.pre_tokenizer = pre_tokenizers.Sequence(steps) if len(steps) > 1 else steps[0]
    t.decoder = decoders.ByteLevel()
    with open(os.path.join(here, "..", "..", "README.md")) as f:
        lines = f.read().split("\n")
    t.train_from_iterator(lines + ["1234 5678 日本 語は Ωμέγα"] * 3, trainers.BpeTrainer(
        vocab_size=700 if name == "tokenizer" else 420, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    for a in added:
        t.add_special_tokens([a]) if a.special else t.add_tokens([a])
    t.save(os.path.join(out, name + ".json"), pretty=False)
    use = pieces + greek * (name.startswith("deepseek")) + flag_pieces * 3 * (name == "flags")
    texts = [""] + use + ["".join(random.choice(use) for _ in range(random.randint(2, 14))) for _ in range(n_texts)]
    cases = "cases" if name == "tokenizer" else name
    with open(os.path.join(out, cases + ".jsonl"), "w") as f:
        for text in texts:
            ids = t.encode(text).ids
            f.write(json.dumps({"text": text, "ids": ids, "decoded": t.decode(ids, skip_special_tokens=False)}) + "\n")


random.seed(7)
for name in sys.argv[1:] or kinds:
    make(name, 220 if name == "tokenizer" else 60)
