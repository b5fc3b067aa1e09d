n, m = input().strip(), input().strip()
print("OK" if sorted(n) == sorted(m) and m[0] != "0" else "WRONG_ANSWER")
