#include <stdio.h>
int main(void) {
    long long t1, t2, x1, x2, t0, best = 0, of = 0, y1, y2, b1 = 0, b2 = 0;
    if (scanf("%lld %lld %lld %lld %lld", &t1, &t2, &x1, &x2, &t0) != 5)
        return 1;
    if (t1 == t0 && t2 == t0) {
        b1 = x1;
        b2 = x2;
    } else if (t1 == t0) {
        b1 = x1;
    } else if (t2 == t0) {
        b2 = x2;
    } else {
        for (y1 = x1, y2 = x2; y1 >= 0 && y2 >= 0 && y1 + y2 > 0;) {
            long long heat = t1 * y1 + t2 * y2, sum = y1 + y2;
            if (heat < t0 * sum) {
                y1--;
                continue;
            }
            if (of == 0 || heat * of < best * sum) {
                best = heat;
                of = sum;
                b1 = y1;
                b2 = y2;
            }
            y2--;
        }
    }
    printf("%lld %lld\n", b1, b2);
    return 0;
}
