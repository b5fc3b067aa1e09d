#!/usr/bin/env python3
"""Rows for golden_rewards: shaping functions with the values that they must have.

The reference is Python's own arithmetic and string methods, so it shares nothing with reward/.
Usage: make_shaping.py > shaping.jsonl"""
import json
import math
import random
from fractions import Fraction

rng = random.Random(7)


def row(function, params, value, expected, tolerance=1e-9):
    print(json.dumps({"function": function, "params": params, "input": value, "expected": expected,
                      "tolerance": tolerance}, ensure_ascii=False))


def cosine(p, correct, length):
    progress = length / p["max_len"]
    progress = min(progress, 1) if p["clamp"] else progress
    low, high = ((p["min_value_correct"], p["max_value_correct"]) if correct else
                 (p["max_value_wrong"], p["min_value_wrong"]))
    return low + 0.5 * (high - low) * (1 + math.cos(math.pi * progress))


def repetition(items, n, penalty):
    grams = [tuple(items[i:i + n]) for i in range(len(items) - n + 1)]
    return penalty * (1 - len(set(grams)) / len(grams)) if grams else 0


def pass_at_k(n, c, k):
    return float(1 - Fraction(math.comb(n - c, k), math.comb(n, k)))


for clamp in (True, False):
    for correct in (True, False):
        for length in (0, 1, 40, 99, 100, 130):
            p = {"min_value_wrong": -2.0, "max_value_wrong": -0.25, "min_value_correct": 0.1,
                 "max_value_correct": 3.0, "max_len": 100, "clamp": clamp}
            row("cosine_length", p, {"correct": correct, "length": length},
                cosine(p, correct, length))
for _ in range(6):
    n = rng.randint(2, 8)
    correct = [rng.random() < 0.5 for _ in range(n)]
    length = [rng.randint(1, 50) for _ in range(n)]
    low, high = min(length), max(length)
    value = [0.5 - (x - low) / (high - low) if high > low else 0.0 for x in length]
    row("kimi_length_group", {}, {"correct": correct, "length": length},
        [v if c else min(0.0, v) for c, v in zip(correct, value)])
row("kimi_length_group", {}, {"correct": [True, False], "length": [7, 7]}, [0.0, 0.0])
for length in (0, 80, 81, 85.5, 100, 101):
    row("soft_overlong", {"max_len": 100, "cache": 20}, {"length": length},
        0 if length <= 80 else max(-1, (80 - length) / 20))
for _ in range(10):
    ids = [rng.randint(0, 3) for _ in range(rng.randint(0, 40))]
    n = rng.randint(1, 5)
    row("repetition_tokens", {"ngram": n, "max_penalty": -0.7}, ids, repetition(ids, n, -0.7))
for text in ("To be or not to be", "Über über ÜBER  über\tüber", "", "one\u00a0two one\ntwo", "а б А Б а б"):
    row("repetition_words", {"ngram": 2, "max_penalty": -1.0}, text,
        repetition(text.lower().split(), 2, -1.0))
for n, c, k in ((1, 0, 1), (1, 1, 1), (10, 10, 3), (10, 1, 10), (64, 3, 16), (1000, 7, 100)):
    row("pass_at_k", {"n": n, "k": k}, {"correct": c}, pass_at_k(n, c, k))
tags = {"<think>\\n": 0.25, "\\n</think>\\n": 0.25, "\\n<answer>\\n": 0.25, "\\n</answer>": 0.25}
whole = "<think>\na\n</think>\n<answer>\nb\n</answer>"
for text in (whole, whole + whole, whole.replace("\n", ""), whole[:-5], "x" + whole):
    row("tag_count", {"weights": tags}, text,
        sum(w for t, w in tags.items() if text.count(t.replace("\\n", "\n")) == 1))
for text, ok in ((whole, 1), (whole + "\n", 1), (whole + "x", 0), ("x" + whole, 0),
                 (whole.replace("\n", ""), 0), (whole.replace("\na\n", "\n \n"), 0),
                 (whole.replace("a", "<think>"), 0), (whole.replace("b", "</answer>"), 0)):
    row("format_think_answer_strict", {}, text, ok)
code = "<think>\na\n</think>\n<answer>\nso\n```python\nx = 1\n```\n</answer>"
for text, ok in ((code, 1), (code.replace("python", "c"), 0), (code.replace("\n```\n<", "\n<"), 0),
                 (code.replace("python", "pythonic"), 0), (code.replace("so\n", ""), 1)):
    row("format_code", {"language": "python"}, text, ok)
for text, ok in (("<think>a</think>b", 1), ("<think></think>", 1), (" <think>a</think>b", 0),
                 ("<think>a</think></think>", 0), ("<think>a", 0), ("a</think>", 0)):
    row("format_think_loose", {}, text, ok)
for text, value in (("<think>a</think>", 0.25), ("<answer>b</answer>", 0.75), ("</think><think>", 0),
                    ("<answer>b</answer> <think>a</think>", 1)):
    row("format_tags_weighted", {}, text, value)
for gold, text, ok in (("Test 123", "<answer>test-123!</answer>", 1), ("a", "a", 0), ("a", "<answer>b</answer>", 0),
                       ("É", "<answer>é</answer>", 1), ("ab", "<answer>a</answer>", 0)):
    row("exact_alphanumeric", {"gold": gold}, text, ok)
for text, steps in (("Step 1: a\nStep 22: b\nStep x: c", 2), ("1. a\n2. b\n- c\n* d", 4), ("- a", 0),
                    ("First, a Second, b Next, c Finally, d", 4), ("at 1. or Step 3", 0)):
    row("reasoning_steps", {"min_steps": 5}, text, steps / 5)
row("weighted_sum", {"gold": "b", "parts": [["exact_alphanumeric", 0.7], ["format_tags_weighted", 0.3]]},
    "<think>a</think><answer>c</answer>", 0.3)
row("weighted_sum", {"parts": [["reasoning_steps", 2, {"min_steps": 1}], ["format_think_loose", -1]]},
    "<think>First, a</think>", 1)
for answers, gold, tie, value in ((["1/2", "0.5", "2"], "\\frac{1}{2}", "first", 1), (["1", "2"], "2", "first", 0),
                                  (["1", "2"], "2", "expected", 0.5), ([None, None, "3"], "3", "first", 1),
                                  ([None], "3", "first", 0), (["2", "x+1", "1+x"], "1+x", "first", 1),
                                  (["50\\%", "1/2", "3", "3"], "0.5", "expected", 0.5),
                                  (["(1,2)", "(2,1)", "(2, 1)"], "(1,2)", "first", 0)):
    row("majority_vote", {"tie": tie, "by": "mathematical equality"}, {"answers": answers, "gold": gold}, value)
row("majority_vote", {"tie": "first"}, {"answers": ["0.5", "1/2", "1/2"], "gold": "0.5"}, 0)
for target, text, value in (
        ("en", "Das ist die Summe von zwei und drei.", 0), ("de", "Das ist die Summe von zwei und drei.", 1),
        ("en", "The sum is 5. Das ist die Summe von zwei.", 3 / 9),
        ("fr", "Nous avons donc deux plus trois, ce qui donne cinq.", 1),
        ("es", "Entonces sumamos los números y la respuesta es cinco.", 1),
        ("pt", "Entonces sumamos los números y la respuesta es cinco.", 0),
        ("it", "Allora abbiamo due più tre, quindi la risposta è cinque.", 1),
        ("en", "```python\nfür = alle + Zahlen\n```\nThe result is `hola que tal` five.", 1),
        ("en", "Let $x = \\text{Wurzel aus zwei}$ and \\boxed{fünf}.", 1),
        ("en", "It costs $5 and then $6 or 六 more", 6 / 7), ("zh", "我们先计算, 然后 x 等于 3", 1),
        ("zh", "答案 the 答案", 2 / 3), ("en", "a3f9c2deadbeef 0x1f x_1 42", 1), ("ru", "Пусть x равно 3", 1),
        ("en", "see https://example.org/über/alles/für/dich", 1), ("ja", "これは答えです", 1),
        ("en", "\\( unclosed und das ist die Summe von drei", 0)):
    row("language_consistency", {"target": target}, text, value)
