/* Numbers; see number.h. */
#include "reward/number.h"

#include <string.h>
#include <strings.h>

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
    static const char *const separators[] = {",\\!", ",", "{,}", "\\,", " "};

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

static size_t skip_blanks(r1_text t, size_t i) {
    while (i < t.n && t.s[i] == ' ')
        i++;
    return i;
}

static size_t skip_blanks_back(r1_text t, size_t i) {
    while (i > 0 && t.s[i - 1] == ' ')
        i--;
    return i;
}

/* The character before i, blanks left out; 0 at the start. */
static char char_before(r1_text t, size_t i) {
    i = skip_blanks_back(t, i);
    return i > 0 ? t.s[i - 1] : '\0';
}

/* a/b of two integers at i, blanks allowed at the slash, no third one behind another slash (a date)
 * and b not 0: its end, else i. */
static size_t scan_ratio(r1_text t, size_t i, r1_number *ret) {
    literal top, below;
    size_t end = scan_literal(t, i, &top), slash = skip_blanks(t, end), first, end2, more;

    if (end == i || !top.integer || top.too_long || slash >= t.n || t.s[slash] != '/' ||
        char_before(t, i) == '/')
        return i;
    first = skip_blanks(t, slash + 1);
    end2 = scan_literal(t, first, &below);
    if (end2 == first || !below.integer || below.too_long)
        return i;
    more = skip_blanks(t, end2);
    if (more < t.n && t.s[more] == '/' && is_digit(t, skip_blanks(t, more + 1)))
        return i;
    ret->top = span(t, i, end);
    ret->below = span(t, first, end2);
    return all_zero(ret->below) ? i : end2;
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

/* Does this end an operand, so that a sign behind it joins two? */
static int is_operand(char c) {
    return is_word(c) || (c >= '0' && c <= '9') || c == ')' || c == ']' || c == '}';
}

/* Width of a minus sign that ends at i: ASCII, U+2212 or U+2013; 0 when there is none. */
static size_t minus_at(r1_text t, size_t i) {
    if (i >= 1 && t.s[i - 1] == '-')
        return 1;
    if (i >= 3 && (memcmp(t.s + i - 3, "\xe2\x88\x92", 3) == 0 ||
                   memcmp(t.s + i - 3, "\xe2\x80\x93", 3) == 0))
        return 3;
    return 0;
}

/* Where the minus sign of a number at i begins, if it has one that is no subtraction; else i.  With
 * blanks behind it, it may be a dash or a list's mark too: then no line end stands before it. */
static size_t sign_of(r1_text t, size_t i) {
    size_t at = i;

    if (at >= 1 && t.s[at - 1] == '$')
        at -= at >= 2 && t.s[at - 2] == '\\' ? 2 : 1;
    size_t behind = at;
    at = skip_blanks_back(t, at);
    size_t width = minus_at(t, at);
    if (width == 0)
        return i;
    int apart = at < behind;
    at -= width;
    char before = apart ? char_before(t, at) : at > 0 ? t.s[at - 1] : '\0';
    return is_operand(before) || (apart && before == '\n') ? i : at;
}

/* A number, without its sign, at i: its end, or i when there is none.  *ret_too_long: there is one
 * that counts as none. */
static size_t scan_number(r1_text t, size_t i, r1_number *ret, int *ret_too_long) {
    int point = t.s[i] == '.' && is_digit(t, i + 1) && (i == 0 || !is_digit(t, i - 1));
    literal d = {.integer = 0};
    size_t end;

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
    *ret_too_long = d.too_long;
    return end;
}

int r1_number_next(r1_text t, size_t *pos, r1_number *ret) {
    for (size_t i = *pos, end; i < t.n; i = end) {
        int too_long;
        end = scan_number(t, i, ret, &too_long);
        if (end == i) {
            end = i + 1;
        } else if (!too_long) { /* a longer one is no number: look behind it */
            size_t from = sign_of(t, i);
            ret->negative ^= from < i;
            ret->all = span(t, from, end);
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

/* ---- what may stand beside a number ---- */

static size_t skip_letters(r1_text t, size_t i) {
    while (i < t.n && is_word(t.s[i]) && t.s[i] != '_')
        i++;
    return i;
}

static int is_one_of(r1_text w, const char *const *words) {
    for (; *words; words++)
        if (w.n == strlen(*words) && strncasecmp(w.s, *words, w.n) == 0)
            return 1;
    return 0;
}

/* Words that make another number of the one before them. */
static int multiplies(r1_text w) {
    static const char *const words[] = {"hundred",   "thousand", "million", "billion",
                                        "trillion",  "dozen",    "squared", "cubed",
                                        "factorial", "pi",       NULL};
    return is_one_of(w, words);
}

/* Words behind which more of a number comes. */
static int joins(r1_text w) {
    static const char *const words[] = {"and",   "or",    "to",   "half",  "plus",
                                        "minus", "times", "over", "point", NULL};
    return is_one_of(w, words);
}

/* A word that can be a unit; single letters are names (5x, 5i) but for metre, gram, second, hour,
 * litre. */
static int is_unit(r1_text w) {
    return w.n > 1 ? !multiplies(w) && !joins(w) : w.n == 1 && memchr("mgshL", w.s[0], 5) != NULL;
}

/* A unit at i: "apples", "square metres", "dollars per hour"; its end, or i. */
static size_t scan_unit(r1_text t, size_t i) {
    size_t end = skip_letters(t, i), next, end2;
    r1_text first = span(t, i, end);

    if (!is_unit(first))
        return i;
    next = skip_blanks(t, end);
    end2 = skip_letters(t, next);
    if (end2 == next)
        return end;
    if ((first.n == 6 && memcmp(first.s, "square", 6) == 0) ||
        (first.n == 5 && memcmp(first.s, "cubic", 5) == 0))
        return is_unit(span(t, next, end2)) ? end2 : i;
    if (end2 - next == 3 && memcmp(t.s + next, "per", 3) == 0) {
        next = skip_blanks(t, end2);
        end2 = skip_letters(t, next);
        return is_unit(span(t, next, end2)) ? end2 : i;
    }
    return end;
}

/* \text{unit} and its kin at i: its end, or i. */
static size_t scan_text_unit(r1_text t, size_t i) {
    static const char *const commands[] = {"\\text{", "\\mathrm{", "\\textrm{", "\\mbox{"};

    for (size_t k = 0; k < sizeof commands / sizeof *commands; k++) {
        if (!starts_with(t, i, commands[k]))
            continue;
        size_t from = skip_blanks(t, i + strlen(commands[k])), end = scan_unit(t, from);
        size_t close = skip_blanks(t, end);
        return end > from && close < t.n && t.s[close] == '}' ? close + 1 : i;
    }
    return i;
}

/* Any number of these at i: white space, currency, signs of mathematics that begins or ends, bold;
 * their end. */
static size_t skip_marks(r1_text t, size_t i) {
    static const char *const marks[] = {" ",   "\t",  "\n",       "\r",           "$",   "\\$",
                                        "\\(", "\\)", "\xc2\xa3", "\xe2\x82\xac", "**",  "\\,",
                                        "\\ ", "\\[", "\\]",      "\xc2\xa5",     "\\;", "\\!"};
    size_t before;

    do {
        before = i;
        for (size_t k = 0; k < sizeof marks / sizeof *marks; k++)
            if (starts_with(t, i, marks[k]))
                i += strlen(marks[k]);
    } while (i > before);
    return i;
}

/* The end of what may follow a number that ends at i: %, or a unit, then marks and a full stop. */
static size_t skip_behind(r1_text t, size_t i) {
    size_t at = skip_marks(t, i), end = scan_text_unit(t, at);

    if (starts_with(t, at, "%") || starts_with(t, at, "\\%"))
        end = at + (t.s[at] == '%' ? 1 : 2);
    else if (end == at && at > i) /* a letter that touches the number is no unit */
        end = scan_unit(t, at);
    end = skip_marks(t, end);
    if (end < t.n && t.s[end] == '.')
        end = skip_marks(t, end + 1);
    return end;
}

/* The sign before a number at *at; moves *at behind it. */
static int skip_sign(r1_text t, size_t *at) {
    size_t width = minus_at(t, *at + 1);

    if (width != 1)
        width = *at + 3 <= t.n ? minus_at(t, *at + 3) : 0;
    if (width == 0 && *at < t.n && t.s[*at] == '+')
        (*at)++;
    *at = skip_marks(t, *at + width);
    return width > 0;
}

int r1_number_only(r1_text t, mpq_t ret) {
    size_t pos = 0, at = skip_marks(t, 0), end;
    r1_number x;
    int too_long;

    if (!r1_number_next(t, &pos, &x))
        return 0;
    int negative = skip_sign(t, &at);
    if (at == t.n)
        return -1;
    end = scan_number(t, at, &x, &too_long);
    if (end == at || too_long || skip_behind(t, end) != t.n)
        return -1;
    x.negative ^= negative;
    r1_number_value(&x, ret);
    return 1;
}

/* Is the number at from an operand of an expression that was not worked out: 10-5, x/2, y + 7? */
static int is_joined(r1_text t, size_t from) {
    from = skip_blanks_back(t, from);
    size_t width = minus_at(t, from);
    if (width == 0 && from > 0 && memchr("+*/", t.s[from - 1], 3))
        width = 1;
    if (width == 0)
        return 0;
    int dash = t.s[from - 1] != '+' && from > width && t.s[from - width - 1] == ' ';
    char before = char_before(t, from - width);
    return is_operand(before) && !(dash && is_word(before));
}

/* In braces that only mark a number, or in none? */
static int is_marked(r1_text t, size_t from) {
    static const char *const marks[] = {"\\boxed", "\\text", "\\mathbf", "\\textbf"};

    for (size_t k = 0; k < sizeof marks / sizeof *marks; k++) {
        size_t n = strlen(marks[k]);
        if (from > n && starts_with(t, from - n - 1, marks[k]))
            return 1;
    }
    return 0;
}

/* Is the span a part of something larger: an argument, an exponent, a factor?  Then its value is
 * not what the text says. */
static int is_part(r1_text t, size_t from, size_t to) {
    char before = from > 0 ? t.s[from - 1] : ' ', behind = to < t.n ? t.s[to] : ' ';
    int marked = before == '{' && is_marked(t, from);
    size_t letters = skip_letters(t, to), open = skip_blanks_back(t, from);

    if ((memchr("{}^_", before, 4) && !marked) || is_word(before) || is_joined(t, from))
        return 1;
    if (open > 0 && t.s[open - 1] == '(') { /* -(5), -\left(5\right) */
        open--;
        if (open >= 5 && starts_with(t, open - 5, "\\left"))
            open -= 5;
        if (minus_at(t, skip_blanks_back(t, open)))
            return 1;
    }
    if (memchr("{^_", behind, 3) || (behind == '}' && !marked))
        return 1;
    if (letters > to && !is_unit(span(t, to, letters)))
        return 1;
    if (behind == '\\' && skip_letters(t, to + 1) > to + 1)
        return scan_text_unit(t, to) == to;
    letters = skip_blanks(t, to);
    return multiplies(span(t, letters, skip_letters(t, letters)));
}

int r1_number_last(r1_text t, mpq_t ret) {
    r1_number last = {.negative = 0}, x;
    size_t pos = 0;
    int found = 0;

    while (r1_number_next(t, &pos, &x)) {
        last = x;
        found = 1;
    }
    if (!found)
        return 0;
    size_t from = (size_t)(last.all.s - t.s);
    if (is_part(t, from, from + last.all.n))
        return -1;
    r1_number_value(&last, ret);
    return 1;
}
