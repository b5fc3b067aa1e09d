import sys
words = sys.stdin.read().split()
print("\n".join(words[1::2]))
