n, m = input().strip(), input().strip()
d = sorted(n)
for i, c in enumerate(d):
    if c != "0":
        d[0], d[i] = c, d[0]
        break
print("OK" if "".join(d) == m else "WRONG_ANSWER")
