import sys
it = iter(map(int, sys.stdin.read().split()))
for _ in range(next(it)):
    n, r = next(it), next(it)
    xs = sorted({next(it) for _ in range(n)}, reverse=True)
    print(sum(x > i * r for i, x in enumerate(xs)))
