#!/usr/bin/env python3
"""Rows for golden_rewards: answers with the verdict that they must get.

The reference is Python's own arithmetic (fractions, and ast for the shape of an expression), so
it shares nothing with reward/.  Usage: make_rewards.py > rewards.jsonl"""
import ast
import json
import random
from fractions import Fraction

rng = random.Random(20240607)


def value(node):
    """Value of an expression of + - * / over literals; None where it has none."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return Fraction(node.value)
    if not isinstance(node, ast.BinOp):
        return None
    a, b = value(node.left), value(node.right)
    if a is None or b is None:
        return None
    if isinstance(node.op, ast.Div):
        return a / b if b else None
    ops = {ast.Add: a.__add__, ast.Sub: a.__sub__, ast.Mult: a.__mul__}
    return ops[type(node.op)](b) if type(node.op) in ops else None


def countdown_verdict(nums, target, text):
    left, _, said = text.partition("=")
    if not left.strip():
        return "no_answer"
    try:
        tree = ast.parse(left.strip(), mode="eval").body
        claim = int(said) if said else target
    except (SyntaxError, ValueError):
        return "wrong"
    used = sorted(n.value for n in ast.walk(tree) if isinstance(n, ast.Constant))
    right = used == sorted(nums) and value(tree) == target and claim == target
    return "correct" if right else "wrong"


def expression(nums):
    if len(nums) == 1:
        return str(nums[0])
    cut = rng.randrange(1, len(nums))
    space = rng.choice(["", " "])
    text = expression(nums[:cut]) + space + rng.choice("+-*/") + space + expression(nums[cut:])
    return "(" + text + ")" if rng.random() < 0.5 else text


def countdown_row():
    while True:
        nums = [rng.randint(1, 25) for _ in range(rng.randint(2, 5))]
        text = expression(nums)
        v = value(ast.parse(text, mode="eval").body)
        if v is not None and v.denominator == 1 and abs(v) < 1000:
            break
    target, kind = int(v), rng.randrange(8)
    rng.shuffle(nums)
    if kind == 0:
        target += rng.choice([-1, 1])
    elif kind == 1:
        nums[0] += 1
    elif kind == 2:
        text = text + " = %d" % target
    elif kind == 3:
        text = text + "=%d" % (target + 1)
    elif kind == 4:
        text = text.replace("+", "**", 1)
    elif kind == 5:
        nums.append(1)
    return {"kind": "countdown", "nums": nums, "target": target, "answer": text,
            "expected": countdown_verdict(nums, target, text)}


def spelled(x):
    """A way to write the fraction x, all of them exact."""
    forms = []
    if x.denominator == 1:
        n = int(x)
        forms = [str(n), "%d.00" % n, format(n, ","), "%de0" % n, "$%d." % n if n >= 0 else str(n)]
    else:
        forms = ["%d/%d" % (x.numerator, x.denominator),
                 "%s\\frac{%d}{%d}" % ("-" if x < 0 else "", abs(x.numerator), x.denominator)]
        d = x.denominator
        while d % 2 == 0:
            d //= 2
        while d % 5 == 0:
            d //= 5
        if d == 1:
            forms.append(format(float(x), ".10f").rstrip("0"))
    return rng.choice(forms)


def number_row():
    den = rng.choice([1, 1, 1, 2, 3, 4, 5, 8, 20])
    gold = Fraction(rng.randint(-3000, 300000), den)
    pred = gold if rng.random() < 0.6 else gold + Fraction(rng.randint(1, 9), rng.choice([1, 10, 7]))
    frame = rng.choice(["the result is %s", "\\boxed{%s}", "first 17, then <answer>%s</answer>",
                        "2+2=4\n#### %s", "<think>12 or 13</think>%s", "%s<|im_end|>99"])
    return {"kind": "number", "gold": spelled(gold), "pred": frame % spelled(pred),
            "expected": "correct" if pred == gold else "wrong"}


def number_rows():
    """By hand: what stands beside a number decides whether it is one."""
    boxed = [("- 5", -5), ("-(5)", None), ("-\\left(\\frac{3}{4}\\right)", None), ("\\sqrt{5}", None),
             ("5!", None), ("5\\pi", None), ("x^2", None), ("\\pi/2", None), ("\\ne 5", None), ("5+0", None),
             ("3 / 4", Fraction(3, 4)), ("12 345", 12345), ("\u2013 5", -5), ("x = - 5", -5), ("5\\text{ cm}", 5),
             ("5 million", None), ("5 or 5", None), ("**5**", 5), ("$-5$", -5), ("5 square feet", 5)]
    for text, means in boxed:
        for gold in sorted({5, -5, 2, Fraction(3, 4), Fraction(means or 0), 345}):
            yield {"kind": "number", "gold": str(gold), "pred": "\\boxed{%s}" % text,
                   "expected": "correct" if means == gold else "wrong"}
    for text in ["\\sqrt{5}", "2\\pi", "\\frac{\\pi}{2}", "x+1", "2^x", "A3", "y = x+7", "[5, \\infty)",
                 "1001_{2}", "5!", "3 or 4", "", "none"]:
        yield {"kind": "number", "gold": text, "pred": "5", "expected": "unparseable_gold"}
    for text, means in [("it is -(5)", None), ("so 10 - 5", None), ("so 10 - 5 = 5", 5), ("the side is \\sqrt{5}", None),
                        ("he has 5 apples left.", 5), ("it is x^5", None), ("costs $5.", 5), ("x = - 5", -5)]:
        for gold in (5, -5):
            yield {"kind": "number", "gold": str(gold), "pred": text,
                   "expected": "correct" if means == gold else "wrong"}


rows = [countdown_row() if i % 2 else number_row() for i in range(120)] + list(number_rows())
for i, row in enumerate(rows):
    print(json.dumps({"id": i + 1, **row}))
