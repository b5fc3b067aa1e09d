/* Numbers as text and back; see number.h. */
#include "common/config/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *r1_number_text(double x, char buf[static R1_NUMBER_TEXT]) {
    char digits[R1_NUMBER_TEXT];

    if (isnan(x) || isinf(x)) {
        snprintf(buf, R1_NUMBER_TEXT, "%s", isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
        return buf;
    }
    if (x == rint(x) && fabs(x) < 1e15) {
        snprintf(buf, R1_NUMBER_TEXT, signbit(x) ? "-%.0f" : "%.0f", fabs(x));
        return buf;
    }
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, x);
        if (strtod(digits, NULL) == x)
            break;
    }
    /* YAML 1.1 readers take 3e-06 for a text, so the mantissa gets a point. */
    char *e = strchr(digits, 'e');
    if (e)
        snprintf(buf, R1_NUMBER_TEXT, "%.*s%se%ld", (int)(e - digits), digits,
                 memchr(digits, '.', (size_t)(e - digits)) ? "" : ".0", strtol(e + 1, NULL, 10));
    else
        snprintf(buf, R1_NUMBER_TEXT, "%s", digits);
    return buf;
}

int r1_number_parse(const char *text, double *ret) {
    size_t n = strspn(text, "+-.0123456789eE");
    char *end;

    if (!n || text[n])
        return 0;
    double x = strtod(text, &end);
    if (*end || end == text || !isfinite(x))
        return 0;
    *ret = x;
    return 1;
}
