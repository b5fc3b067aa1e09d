/* Numbers; see number.h. */
#include "reward/number.h"

#include <string.h>

#define MAX_DIGITS   1000
#define MAX_EXPONENT 1000

static int is_digit(r1_text t, size_t i) {
    return i < t.n && t.s[i] >= '0' && t.s[i] <= '9';
}

static int is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Digits collected without separators; value = digits * 10^(exponent - fraction digits). */
typedef struct decimal {
    char digits[MAX_DIGITS + 1];
    int n, fraction, too_long;
    long exponent;
} decimal;

static void put_digit(decimal *d, char c) {
    if (d->n < MAX_DIGITS)
        d->digits[d->n++] = c;
    else
        d->too_long = 1;
}

/* Integer part with thousands: groups of exactly three behind a first one of 1 to 3 digits. */
static size_t scan_integer(r1_text t, size_t i, decimal *d) {
    size_t start = i;

    while (is_digit(t, i))
        put_digit(d, t.s[i++]);
    if (i == start || i - start > 3)
        return i;
    while (i < t.n && t.s[i] == ',' && is_digit(t, i + 1) && is_digit(t, i + 2) &&
           is_digit(t, i + 3) && !is_digit(t, i + 4)) {
        put_digit(d, t.s[i + 1]);
        put_digit(d, t.s[i + 2]);
        put_digit(d, t.s[i + 3]);
        i += 4;
    }
    return i;
}

static size_t scan_exponent(r1_text t, size_t i, decimal *d) {
    size_t j = i + 1;
    int negative = 0;
    long e = 0;

    if (i >= t.n || (t.s[i] != 'e' && t.s[i] != 'E'))
        return i;
    if (j < t.n && (t.s[j] == '-' || t.s[j] == '+'))
        negative = t.s[j++] == '-';
    if (!is_digit(t, j))
        return i;
    while (is_digit(t, j)) {
        e = e > MAX_EXPONENT ? e : e * 10 + (t.s[j] - '0');
        j++;
    }
    if (j < t.n && is_word(t.s[j]))
        return i; /* part of a word, as in 3e4x */
    d->too_long |= e > MAX_EXPONENT;
    d->exponent = negative ? -e : e;
    return j;
}

static void to_rational(decimal *d, mpq_t ret) {
    long shift = d->exponent - d->fraction;
    mpz_t power;

    d->digits[d->n] = '\0';
    mpq_set_ui(ret, 0, 1);
    mpz_set_str(mpq_numref(ret), d->digits, 10);
    mpz_init(power);
    mpz_ui_pow_ui(power, 10, (unsigned long)(shift < 0 ? -shift : shift));
    if (shift >= 0)
        mpz_mul(mpq_numref(ret), mpq_numref(ret), power);
    else
        mpz_set(mpq_denref(ret), power);
    mpq_canonicalize(ret);
    mpz_clear(power);
}

/* An unsigned number at i; returns the end, or i when there is none. */
static size_t scan_unsigned(r1_text t, size_t i, mpq_t ret, int *ret_ok, int *ret_integer) {
    decimal d = {.n = 0};
    size_t end = scan_integer(t, i, &d);

    *ret_integer = 1;
    if (end < t.n && t.s[end] == '.' && is_digit(t, end + 1)) {
        *ret_integer = 0;
        for (end++; is_digit(t, end); end++) {
            put_digit(&d, t.s[end]);
            d.fraction++;
        }
    }
    if (end == i)
        return i;
    size_t behind = scan_exponent(t, end, &d);
    *ret_integer &= behind == end;
    *ret_ok = !d.too_long;
    if (*ret_ok)
        to_rational(&d, ret);
    return behind;
}

/* A minus sign that ends right before i and is no subtraction: 1, else 0. */
static int minus_before(r1_text t, size_t i) {
    size_t width = 0;

    if (i >= 1 && t.s[i - 1] == '-')
        width = 1;
    else if (i >= 3 && memcmp(t.s + i - 3, "\xe2\x88\x92", 3) == 0)
        width = 3;
    if (width == 0)
        return 0;
    if (i == width)
        return 1;
    char before = t.s[i - width - 1];
    return !(is_word(before) || (before >= '0' && before <= '9') || before == ')' || before == ']');
}

int r1_number_next(r1_text t, size_t *pos, mpq_t ret) {
    size_t i = *pos;

    for (;;) {
        int point =
            i < t.n && t.s[i] == '.' && is_digit(t, i + 1) && (i == 0 || !is_digit(t, i - 1));
        if (i >= t.n)
            return 0;
        if (!is_digit(t, i) && !point) {
            i++;
            continue;
        }
        int negative = minus_before(t, i), ok = 1, integer, ok2 = 1, integer2;
        size_t end = scan_unsigned(t, i, ret, &ok, &integer);
        if (ok && integer && end < t.n && t.s[end] == '/' && is_digit(t, end + 1)) {
            mpq_t below;
            mpq_init(below);
            size_t end2 = scan_unsigned(t, end + 1, below, &ok2, &integer2);
            int chain = end2 < t.n && t.s[end2] == '/' && is_digit(t, end2 + 1); /* a date */
            if (ok2 && integer2 && !chain && mpq_sgn(below) != 0) {
                mpq_div(ret, ret, below);
                end = end2;
            }
            mpq_clear(below);
        }
        *pos = i = end;
        if (!ok)
            continue; /* too long to be a number: look behind it */
        if (negative)
            mpq_neg(ret, ret);
        return 1;
    }
}

int r1_number_last(r1_text t, mpq_t ret) {
    size_t pos = 0;
    int found = 0;
    mpq_t x;

    mpq_init(x);
    while (r1_number_next(t, &pos, x)) {
        mpq_swap(ret, x);
        found = 1;
    }
    mpq_clear(x);
    return found;
}

int r1_number_only(r1_text t, mpq_t ret) {
    size_t pos = 0;
    mpq_t more;

    if (!r1_number_next(t, &pos, ret))
        return 0;
    mpq_init(more);
    int second = r1_number_next(t, &pos, more);
    mpq_clear(more);
    return second ? -1 : 1;
}
