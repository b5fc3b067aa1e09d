#include <cstdio>
#include <vector>
// rising[v]: ends in v above its left neighbour, so it needs a right one; done[v]: it needs none.
int main() {
    const long long mod = 998244353;
    int n, a;
    if (scanf("%d", &n) != 1) return 1;
    std::vector<long long> rising(202), done(202), r(202), d(202);
    for (int i = 0; i < n; i++) {
        if (scanf("%d", &a) != 1) return 1;
        long long smaller = 0, larger = 0;
        for (int v = 200; v >= 1; v--) {
            d[v] = (larger + rising[v] + done[v]) % mod;
            larger = (larger + done[v]) % mod;
        }
        for (int v = 1; v <= 200; v++) {
            r[v] = i == 0 ? 1 : smaller;
            smaller = (smaller + rising[v] + done[v]) % mod;
        }
        for (int v = 1; v <= 200; v++) {
            rising[v] = a == -1 || a == v ? r[v] : 0;
            done[v] = a == -1 || a == v ? d[v] : 0;
        }
    }
    long long sum = 0;
    for (long long x : done) sum += x;
    printf("%lld\n", sum % mod);
}
