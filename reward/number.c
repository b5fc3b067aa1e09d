/* Numbers; see number.h. */
#include "reward/number.h"

#include <string.h>

#define MAX_DIGITS       1000
#define MAX_EXPONENT     1000
#define MAX_MIXED_DIGITS 9

static int is_digit(r1_text t, size_t i) {
    return i < t.n && t.s[i] >= '0' && t.s[i] <= '9';
}

static int is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int starts_with(r1_text t, size_t i, const char *what) {
    size_t n = strlen(what);
    return i <= t.n && t.n - i >= n && memcmp(t.s + i, what, n) == 0;
}

static r1_text span(r1_text t, size_t from, size_t to) {
    return (r1_text){t.s + from, to - from};
}

/* What a literal looks like; value = digits * 10^(exponent - fraction). */
typedef struct literal {
    long digits, fraction, exponent;
    int integer; /* neither point nor exponent */
    int too_long;
} literal;

static size_t group_separator(r1_text t, size_t i) {
    static const char *const separators[] = {",\\!", ",", "{,}", "\\,"};

    for (size_t k = 0; k < sizeof separators / sizeof *separators; k++)
        if (starts_with(t, i, separators[k]))
            return strlen(separators[k]);
    return 0;
}

/* Integer part with thousands: groups of exactly three behind a first one of 1 to 3 digits that
 * does not begin with 0. */
static size_t scan_integer(r1_text t, size_t i, literal *d) {
    size_t start = i, width;

    while (is_digit(t, i))
        i++;
    d->digits = (long)(i - start);
    if (i == start || i - start > 3 || t.s[start] == '0')
        return i;
    while ((width = group_separator(t, i)) > 0) {
        size_t j = i + width;
        if (!is_digit(t, j) || !is_digit(t, j + 1) || !is_digit(t, j + 2) || is_digit(t, j + 3))
            break;
        d->digits += 3;
        i = j + 3;
    }
    return i;
}

static size_t scan_exponent(r1_text t, size_t i, literal *d) {
    size_t j = i + 1;
    int negative = 0;
    long e = 0;

    if (i >= t.n || (t.s[i] != 'e' && t.s[i] != 'E'))
        return i;
    if (j < t.n && (t.s[j] == '-' || t.s[j] == '+'))
        negative = t.s[j++] == '-';
    if (!is_digit(t, j))
        return i;
    for (; is_digit(t, j); j++)
        e = e > MAX_EXPONENT ? e : e * 10 + (t.s[j] - '0');
    if (j < t.n && is_word(t.s[j]))
        return i; /* part of a word, as in 3e4x */
    d->too_long |= e > MAX_EXPONENT;
    d->exponent = negative ? -e : e;
    return j;
}

/* An unsigned literal at i; returns its end, or i when there is none. */
static size_t scan_literal(r1_text t, size_t i, literal *d) {
    *d = (literal){.integer = 1};
    size_t end = scan_integer(t, i, d);

    if (end < t.n && t.s[end] == '.' && is_digit(t, end + 1)) {
        d->integer = 0;
        size_t first = ++end;
        while (is_digit(t, end))
            end++;
        d->fraction = (long)(end - first);
        d->digits += d->fraction;
    }
    if (end == i)
        return i;
    size_t behind = scan_exponent(t, end, d);
    d->integer &= behind == end;
    d->too_long |= d->digits > MAX_DIGITS;
    return behind;
}

static void literal_value(r1_text t, mpq_t ret) {
    char digits[MAX_DIGITS + 1];
    size_t n = 0;
    literal d;
    mpz_t power;

    scan_literal(t, 0, &d);
    for (size_t i = 0; i < t.n && t.s[i] != 'e' && t.s[i] != 'E'; i++)
        if (is_digit(t, i) && n < MAX_DIGITS)
            digits[n++] = t.s[i];
    digits[n] = '\0';
    long shift = d.exponent - d.fraction;
    mpq_set_ui(ret, 0, 1);
    mpz_set_str(mpq_numref(ret), digits, 10);
    mpz_init(power);
    mpz_ui_pow_ui(power, 10, (unsigned long)(shift < 0 ? -shift : shift));
    if (shift >= 0)
        mpz_mul(mpq_numref(ret), mpq_numref(ret), power);
    else
        mpz_set(mpq_denref(ret), power);
    mpq_canonicalize(ret);
    mpz_clear(power);
}

static int all_zero(r1_text t) {
    for (size_t i = 0; i < t.n; i++)
        if (t.s[i] >= '1' && t.s[i] <= '9')
            return 0;
    return 1;
}

/* A short run of digits as a number; -1 when it is anything else. */
static long small_value(r1_text t) {
    long v = 0;

    if (t.n == 0 || t.n > MAX_MIXED_DIGITS)
        return -1;
    for (size_t i = 0; i < t.n; i++) {
        if (!is_digit(t, i))
            return -1;
        v = v * 10 + (t.s[i] - '0');
    }
    return v;
}

/* a/b of two integers at i, no third one behind another slash (a date) and b not 0: its end, else
 * i. */
static size_t scan_ratio(r1_text t, size_t i, r1_number *ret) {
    literal top, below;
    size_t end = scan_literal(t, i, &top), end2;

    if (end == i || !top.integer || top.too_long || end >= t.n || t.s[end] != '/' ||
        (i > 0 && t.s[i - 1] == '/'))
        return i;
    end2 = scan_literal(t, end + 1, &below);
    if (end2 == end + 1 || !below.integer || below.too_long)
        return i;
    if (end2 < t.n && t.s[end2] == '/' && is_digit(t, end2 + 1))
        return i;
    ret->top = span(t, i, end);
    ret->below = span(t, end + 1, end2);
    return all_zero(ret->below) ? i : end2;
}

static size_t skip_blanks(r1_text t, size_t i) {
    while (i < t.n && t.s[i] == ' ')
        i++;
    return i;
}

/* {12}, {-12} or a single digit, as LaTeX reads arguments: its end, else i. */
static size_t scan_argument(r1_text t, size_t i, r1_text *ret, int *negative) {
    size_t j = skip_blanks(t, i), end;
    literal d;

    if (is_digit(t, j)) {
        *ret = span(t, j, j + 1);
        return j + 1;
    }
    if (j >= t.n || t.s[j] != '{')
        return i;
    j = skip_blanks(t, j + 1);
    if (j < t.n && t.s[j] == '-') {
        *negative = !*negative;
        j++;
    }
    end = scan_literal(t, j, &d);
    if (end == j || !d.integer || d.too_long)
        return i;
    *ret = span(t, j, end);
    end = skip_blanks(t, end);
    return end < t.n && t.s[end] == '}' ? end + 1 : i;
}

/* \frac{a}{b} of two integers: its end, else i. */
static size_t scan_latex_ratio(r1_text t, size_t i, r1_number *ret) {
    r1_number x = {.negative = 0};
    size_t j = i + 1;

    if (i >= t.n || t.s[i] != '\\')
        return i;
    if (j < t.n && (t.s[j] == 'd' || t.s[j] == 't' || t.s[j] == 'c'))
        j++;
    if (!starts_with(t, j, "frac"))
        return i;
    size_t top = scan_argument(t, j + 4, &x.top, &x.negative);
    if (top == j + 4)
        return i;
    size_t below = scan_argument(t, top, &x.below, &x.negative);
    if (below == top || all_zero(x.below))
        return i;
    *ret = x;
    return below;
}

/* The rest of a mixed number whose integer ends at `end`: \frac{1}{2}, or 1/2 behind one blank. */
static size_t scan_mixed(r1_text t, size_t end, r1_number *ret) {
    r1_number part = {.negative = 0};
    size_t blank = end < t.n && t.s[end] == ' ', behind;

    behind = scan_latex_ratio(t, end + blank, &part);
    if (behind == end + blank && blank)
        behind = scan_ratio(t, end + 1, &part);
    long a = small_value(part.top), b = small_value(part.below);
    if (behind == end + blank || part.negative || a <= 0 || b <= a)
        return end; /* an improper fraction is another number */
    ret->whole = ret->top;
    ret->top = part.top;
    ret->below = part.below;
    return behind;
}

/* A minus sign that ends right before i, or before a $ there, and is no subtraction. */
static int minus_before(r1_text t, size_t i) {
    size_t width = 0;

    if (i >= 1 && t.s[i - 1] == '$')
        i -= i >= 2 && t.s[i - 2] == '\\' ? 2 : 1;
    if (i >= 1 && t.s[i - 1] == '-')
        width = 1;
    else if (i >= 3 && memcmp(t.s + i - 3, "\xe2\x88\x92", 3) == 0)
        width = 3;
    if (width == 0)
        return 0;
    if (i == width)
        return 1;
    char before = t.s[i - width - 1];
    return !(is_word(before) || (before >= '0' && before <= '9') || before == ')' ||
             before == ']' || before == '}');
}

int r1_number_next(r1_text t, size_t *pos, r1_number *ret) {
    for (size_t i = *pos, end; i < t.n; i = end) {
        int point = t.s[i] == '.' && is_digit(t, i + 1) && (i == 0 || !is_digit(t, i - 1));
        literal d = {.integer = 0};

        *ret = (r1_number){.negative = 0};
        end = scan_latex_ratio(t, i, ret);
        if (end == i && (is_digit(t, i) || point))
            end = scan_ratio(t, i, ret);
        if (end == i && (is_digit(t, i) || point)) {
            end = scan_literal(t, i, &d);
            ret->top = span(t, i, end);
            ret->below = span(t, end, end);
            if (d.integer)
                end = scan_mixed(t, end, ret);
        }
        if (end == i)
            end = i + 1;
        else if (!d.too_long) { /* a longer one is no number: look behind it */
            ret->negative ^= minus_before(t, i);
            *pos = end;
            return 1;
        }
    }
    *pos = t.n;
    return 0;
}

void r1_number_value(const r1_number *x, mpq_t ret) {
    mpq_t part;

    literal_value(x->top, ret);
    mpq_init(part);
    if (x->below.n) {
        literal_value(x->below, part);
        mpq_div(ret, ret, part);
    }
    if (x->whole.n) {
        literal_value(x->whole, part);
        mpq_add(ret, ret, part);
    }
    if (x->negative)
        mpq_neg(ret, ret);
    mpq_clear(part);
}

int r1_number_last(r1_text t, mpq_t ret) {
    r1_number last, x;
    size_t pos = 0;
    int found = 0;

    while (r1_number_next(t, &pos, &x)) {
        last = x;
        found = 1;
    }
    if (found)
        r1_number_value(&last, ret);
    return found;
}

int r1_number_only(r1_text t, mpq_t ret) {
    r1_number first, more;
    size_t pos = 0;

    if (!r1_number_next(t, &pos, &first))
        return 0;
    if (r1_number_next(t, &pos, &more))
        return -1;
    r1_number_value(&first, ret);
    return 1;
}
