import sys
words = sys.stdin.read().split()
print("\n".join(words[2::2]))
