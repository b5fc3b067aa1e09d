#include <iostream>
#include <vector>
int main() {
    int t;
    std::cin >> t;
    while (t--) {
        long long a, b, l, r;
        int q;
        std::cin >> a >> b >> q;
        std::vector<long long> n(a * b + 1);
        for (long long x = 0; x < a * b; x++) n[x + 1] = n[x] + (x % a % b != x % b % a);
        auto below = [&](long long x) { return x / (a * b) * n[a * b] + n[x % (a * b)]; };
        while (q--) {
            std::cin >> l >> r;
            std::cout << below(r + 1) - below(l) << ' ';
        }
        std::cout << '\n';
    }
}
