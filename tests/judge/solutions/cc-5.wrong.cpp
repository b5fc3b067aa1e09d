#include <cstdio>
#include <vector>
// Components of a forest = vertices - edges, in expectation.
int main() {
    int n, q;
    if (scanf("%d", &n) != 1) return 1;
    std::vector<double> up(n), below(n);
    std::vector<int> parent(n, -1), order;
    std::vector<std::vector<int>> next(n);
    for (double &x : up) {
        if (scanf("%lf", &x) != 1) return 1;
        x = 1 - x;
    }
    for (int i = 1, a, b; i < n; i++) {
        if (scanf("%d %d", &a, &b) != 2) return 1;
        next[a].push_back(b);
        next[b].push_back(a);
    }
    order.push_back(0);
    double sum = up[0];
    for (int i = 0; i < (int)order.size(); i++)
        for (int c : next[order[i]])
            if (c != parent[order[i]]) {
                parent[c] = order[i];
                order.push_back(c);
                below[order[i]] += up[c];
                sum += up[c] - up[c] * up[order[i]];
            }
    if (scanf("%d", &q) != 1) return 1;
    below.assign(n, 0);
    while (q--) {
        int v;
        double p;
        if (scanf("%d %lf", &v, &p) != 2) return 1;
        double d = 1 - p - up[v];
        sum += d - d * below[v];
        if (parent[v] >= 0) {
            sum -= d * up[parent[v]];
            below[parent[v]] += d;
        }
        up[v] += d;
        printf("%.6f\n", sum);
    }
}
