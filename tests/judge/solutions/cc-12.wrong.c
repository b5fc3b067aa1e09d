#include <stdio.h>
#include <stdlib.h>
static int a[400000], count[400000];
static int compare(const void *x, const void *y) {
    int p = *(const int *)x, q = *(const int *)y;
    return (p > q) - (p < q);
}
int main(void) {
    int n, disk, kinds = 0, window = 0, best = 0;
    if (scanf("%d %d", &n, &disk) != 2)
        return 1;
    for (int i = 0; i < n; i++)
        if (scanf("%d", &a[i]) != 1)
            return 1;
    qsort(a, n, sizeof *a, compare);
    for (int i = 0; i < n; i++) {
        if (i == 0 || a[i] != a[i - 1])
            kinds++;
        count[kinds - 1]++;
    }
    long long bits = disk / n;
    int most = bits > 20 ? 1 << 20 : 1 << bits;
    for (int i = 0; i < kinds; i++) {
        window += count[i];
        if (i >= most)
            window -= count[i - most];
        if (window > best)
            best = window;
    }
    printf("%d\n", n - best);
    return 0;
}
