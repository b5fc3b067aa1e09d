/* Comparing outputs; see compare.h. */
#include "reward/judge/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_BYTES_MAX 400

int r1_compare_parse(const char *text, r1_compare *ret) {
    static const char *const names[] = {"tokens", "lines", "exact", "checker"};
    static const char prefix[] = "tokens+float";
    char *end;

    *ret = (r1_compare){.mode = R1_COMPARE_TOKENS, .error = 1e-9};
    if (!text)
        return 1;
    for (int i = 0; i < 4; i++)
        if (strcmp(text, names[i]) == 0) {
            *ret = (r1_compare){.mode = (r1_compare_mode)i, .error = -1};
            return 1;
        }
    if (strncmp(text, prefix, sizeof prefix - 1) != 0)
        return 0;
    ret->error = strtod(text + sizeof prefix - 1, &end);
    return end != text + sizeof prefix - 1 && *end == '\0' && ret->error >= 0 && ret->error < 1;
}

static int is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static r1_text next_token(r1_text t, size_t *at) {
    while (*at < t.n && is_space(t.s[*at]))
        (*at)++;
    size_t first = *at;
    while (*at < t.n && !is_space(t.s[*at]))
        (*at)++;
    return (r1_text){t.s + first, *at - first};
}

/* Digits with at most one point, then perhaps an exponent.  *ret_real: it has one of these. */
static int read_number(r1_text t, double *ret, int *ret_real) {
    char text[NUMBER_BYTES_MAX];
    size_t i = 0, digits = 0, points = 0;

    if (t.n == 0 || t.n >= sizeof text)
        return 0;
    i += t.s[0] == '-' || t.s[0] == '+';
    for (; i < t.n && ((t.s[i] >= '0' && t.s[i] <= '9') || t.s[i] == '.'); i++)
        *(t.s[i] == '.' ? &points : &digits) += 1;
    *ret_real = points == 1;
    if (digits == 0 || points > 1)
        return 0;
    if (i < t.n && (t.s[i] == 'e' || t.s[i] == 'E')) {
        *ret_real = 1;
        i++;
        i += i < t.n && (t.s[i] == '-' || t.s[i] == '+');
        size_t first = i;
        while (i < t.n && t.s[i] >= '0' && t.s[i] <= '9')
            i++;
        if (i == first)
            return 0;
    }
    memcpy(text, t.s, t.n);
    text[t.n] = '\0';
    *ret = strtod(text, NULL); /* no program of the project sets a locale */
    return i == t.n && isfinite(*ret);
}

static int same_bytes(r1_text a, r1_text b) {
    return a.n == b.n && (a.n == 0 || memcmp(a.s, b.s, a.n) == 0);
}

static int same_token(double error, r1_text expected, r1_text printed) {
    int real, ignored;
    double x, y;

    if (same_bytes(expected, printed))
        return 1;
    if (error < 0 || !read_number(expected, &x, &real) || !real ||
        !read_number(printed, &y, &ignored))
        return 0;
    double apart = fabs(x - y);
    return apart <= error || apart <= error * fabs(x);
}

static int same_tokens(double error, r1_text expected, r1_text printed) {
    size_t at = 0, at_printed = 0;

    for (;;) {
        r1_text e = next_token(expected, &at), p = next_token(printed, &at_printed);
        if (e.n == 0 || p.n == 0)
            return e.n == p.n;
        if (!same_token(error, e, p))
            return 0;
    }
}

/* The line at *at without white space at its end; 0 when there is none.  A newline ends a line, and
 * what follows the last one is a line if it is not empty. */
static int next_line(r1_text t, size_t *at, r1_text *ret) {
    if (*at >= t.n)
        return 0;
    const char *nl = memchr(t.s + *at, '\n', t.n - *at);
    size_t end = nl ? (size_t)(nl - t.s) : t.n;
    *ret = (r1_text){t.s + *at, end - *at};
    while (ret->n && is_space(ret->s[ret->n - 1]))
        ret->n--;
    *at = end + 1;
    return 1;
}

static int same_lines(r1_text expected, r1_text printed) {
    size_t at = 0, at_printed = 0;
    r1_text e, p;

    for (;;) {
        int more = next_line(expected, &at, &e);
        if (more != next_line(printed, &at_printed, &p))
            return 0;
        if (!more)
            return 1;
        if (!same_bytes(e, p))
            return 0;
    }
}

int r1_compare_equal(const r1_compare *c, r1_text expected, r1_text printed) {
    R1_ASSERT(c->mode != R1_COMPARE_CHECKER);
    if (c->mode == R1_COMPARE_EXACT)
        return same_bytes(expected, printed);
    if (c->mode == R1_COMPARE_LINES)
        return same_lines(expected, printed);
    return same_tokens(c->error, expected, printed);
}
