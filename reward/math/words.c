/* Words in mathematics: names and functions, connectives, units, things that are counted.
 *
 * Rules kept here:
 *  - behind a number a known unit, or a plain word of four letters and more, says what is counted;
 *    m/s and the like are units too, other single letters only where the reference has a unit;
 *  - a word that changes the number (thousand, squared, more, half, ...) is never a unit: dozen,
 *    hundred, thousand, ... multiply, the others have no meaning there;
 *  - x before a power of ten multiplies, U between intervals joins them. */
#include "reward/extract.h"
#include "reward/math/scanner.h"
#include "reward/math/units.h"

#include <string.h>
#include <strings.h>

static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

static int is_alpha(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int r1_scan_at(const r1_scan *s, size_t i, const char *what) {
    size_t n = strlen(what);
    return i <= s->t.n && s->t.n - i >= n && memcmp(s->t.s + i, what, n) == 0;
}

r1_tok *r1_scan_put(r1_scan *s, r1_tok_kind kind, int code) {
    if (s->out.n >= R1_MATH_TOKENS)
        return NULL;
    r1_tok *k = &s->out.t[s->out.n++];
    *k = (r1_tok){.kind = kind, .code = code, .space = s->space};
    s->space = 0;
    s->side = 0;
    if (kind == R1_T_OP && strchr("([L", code))
        s->brackets++;
    if (kind == R1_T_OP && strchr(")]R", code))
        s->brackets--;
    return k;
}

static const r1_tok *last(const r1_scan *s, int back) {
    static const r1_tok none = {.kind = R1_T_END};
    return s->out.n > back ? &s->out.t[s->out.n - 1 - back] : &none;
}

int r1_scan_behind_operand(const r1_scan *s) {
    const r1_tok *k = last(s, 0);
    return k->kind == R1_T_NUM || k->kind == R1_T_HALF || k->kind == R1_T_WORD ||
           k->kind == R1_T_UNIT || (k->kind == R1_T_CONST && k->code == 'p') ||
           (k->kind == R1_T_OP && strchr(")]}R", k->code));
}

/* ---- tokens of words ---- */

const struct r1_command *r1_scan_command(const char *name, size_t n) {
    size_t lo = 0, hi = sizeof r1_commands / sizeof *r1_commands;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        size_t len = strlen(r1_commands[mid].name); /* a NUL is a byte of the text like any other */
        int d = memcmp(name, r1_commands[mid].name, n < len ? n : len);
        if (d == 0)
            d = n < len ? -1 : n > len;
        if (d == 0)
            return &r1_commands[mid];
        if (d < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

int r1_scan_letter(r1_scan *s, const char *letter) {
    r1_tok *k;

    if (*letter == 'e' || *letter == 'i')
        return (k = r1_scan_put(s, R1_T_CONST, *letter)) ? (k->text = (r1_text){letter, 1}, 1) : 0;
    k = r1_scan_put(s, R1_T_SYM, 0);
    if (k)
        k->text = (r1_text){letter, 1};
    return k != NULL;
}

static int put_word(r1_scan *s, r1_text t) {
    r1_tok *k = r1_scan_put(s, R1_T_WORD, 0);

    if (k)
        k->text = t;
    return k != NULL;
}

static int put_times(r1_scan *s, const char *digits) {
    r1_tok *k = r1_scan_put(s, R1_T_OP, '*') ? r1_scan_put(s, R1_T_NUM, 0) : NULL;

    if (k)
        k->text = r1_text_of(digits);
    return k != NULL;
}

/* ---- what words mean ---- */

static int same_word(r1_text w, const char *word) {
    return w.n == strlen(word) && strncasecmp(w.s, word, w.n) == 0;
}

/* Does it say another number than the one before it, or more than one thing?  (A unit may end in
 * squared or cubed.) */
static int changes(r1_text w) {
    static const char *const words[] = {
        "or",       "and",     "not",      "no",      "more",     "less",       "fewer",
        "than",     "least",   "most",     "over",    "under",    "times",      "plus",
        "minus",    "squared", "cubed",    "half",    "halves",   "third",      "thirds",
        "quarter",  "fourths", "quarters", "fifth",   "fifths",   "sixths",     "sevenths",
        "eighth",   "eighths", "ninths",   "tenth",   "tenths",   "hundredths", "thousandths",
        "percent",  "pct",     "mod",      "modulo",  "base",     "divided",    "choose",
        "to",       "through", "root",     "power",   "raised",   "infinity",   "except",
        "if",       "is",      "but",      "then",    "dozens",   "hundreds",   "thousands",
        "millions", "billion", "billions", "million", "thousand", "hundred",    "dozen",
        "trillion", "tens",    "score",    "gross",   "lakh",     "lakhs",      "crore",
        "crores",   "double",  "twice",    "triple",  "negative", "remainder",  "factorial"};

    for (size_t i = 0; i < w.n;) {
        size_t first = i;
        while (i < w.n && is_alpha(w.s[i]))
            i++;
        r1_text one = {w.s + first, i - first};
        int power = first > 0 && (same_word(one, "squared") || same_word(one, "cubed"));
        for (size_t k = 0; !power && i > first && k < sizeof words / sizeof *words; k++)
            if (same_word(one, words[k]))
                return 1;
        i += i == first;
    }
    return 0;
}

/* minus, plus, times; 3 to 4 is a ratio: the sign's code, or 0. */
static int operator(const r1_scan *s, r1_text w) {
    size_t next = s->i;

    if (r1_text_is(w, "minus") || r1_text_is(w, "negative"))
        return '-';
    if (!r1_scan_behind_operand(s))
        return 0;
    while (next < s->t.n && s->t.s[next] == ' ')
        next++;
    if (r1_text_is(w, "to") && last(s, 0)->kind == R1_T_NUM)
        return next < s->t.n && is_digit(s->t.s[next]) ? ':' : 0;
    return r1_text_is(w, "plus") ? '+' : r1_text_is(w, "times") ? '*' : 0;
}

/* Is there something that "min" or "sec" could be of? */
static int has_argument(const r1_scan *s) {
    size_t i = s->i;

    while (i < s->t.n && s->t.s[i] == ' ')
        i++;
    return i < s->t.n && !strchr(".,;)$", s->t.s[i]);
}

/* A word with a meaning of its own; 0 if it has none.  The scan stands behind it. */
static int known_word(r1_scan *s, r1_text w, int *ret_ok) {
    const struct r1_command *d = w.n >= 2 ? r1_scan_command(w.s, w.n) : NULL;
    const r1_unit *u;
    const char *digits;
    int behind = r1_scan_behind_operand(s), op;

    *ret_ok = 1;
    if (r1_text_is(w, "and") || r1_text_is(w, "or")) {
        *ret_ok = r1_scan_put(s, R1_T_JOIN, w.s[0]) != NULL;
        return 1;
    }
    if ((op = operator(s, w))) {
        *ret_ok = r1_scan_put(s, R1_T_OP, op) != NULL;
        return 1;
    }
    if (behind && last(s, 0)->kind != R1_T_WORD && (digits = r1_unit_magnitude(w))) {
        *ret_ok = put_times(s, digits);
        return 1;
    }
    if (behind && w.n >= 2 && (u = r1_unit_find(w)) &&
        !(d && d->kind == R1_T_FN && has_argument(s))) {
        *ret_ok = u->measures == '%'   ? r1_scan_put(s, R1_T_UNIT, '%') != NULL
                  : u->measures == 'a' ? r1_scan_put(s, R1_T_UNIT, 'd') != NULL
                                       : put_word(s, w);
        return 1;
    }
    if (s->out.n == 0 && (same_word(w, "about") || same_word(w, "approximately"))) {
        *ret_ok = r1_scan_put(s, R1_T_REL, '~') != NULL;
        return 1;
    }
    if (r1_text_is(w, "if") || r1_text_is(w, "when") || r1_text_is(w, "for") ||
        r1_text_is(w, "otherwise")) { /* in cases */
        *ret_ok = r1_scan_put(s, R1_T_JOIN, w.s[0] == 'o' ? 'e' : 'i') != NULL;
        return 1;
    }
    if (!d ||
        (d->kind != R1_T_FN && d->kind != R1_T_SYM && d->kind != R1_T_CONST &&
         d->kind != R1_T_SQRT && d->kind != R1_T_BINOM && d->kind != R1_T_MOD) ||
        r1_text_is(w, "tg") || r1_text_is(w, "ell") || r1_text_is(w, "root"))
        return 0;
    r1_tok *k = r1_scan_put(s, d->kind, d->code);
    if (k)
        k->text = w;
    *ret_ok = k != NULL;
    return 1;
}

int r1_scan_phrase(r1_scan *s, r1_text w) {
    const char *digits;
    int ok;

    for (;;) { /* million dollars */
        size_t n = 0;
        while (n < w.n && is_alpha(w.s[n]))
            n++;
        if (n == 0 || n == w.n || !r1_scan_behind_operand(s) ||
            !(digits = r1_unit_magnitude((r1_text){w.s, n})))
            break;
        if (!put_times(s, digits))
            return 0;
        w = r1_text_trim((r1_text){w.s + n, w.n - n});
    }
    if (known_word(s, w, &ok))
        return ok;
    return !(r1_scan_behind_operand(s) && changes(w)) && put_word(s, w);
}

/* ---- plain letters ---- */

/* Two letters that are a word rather than a product. */
static int is_short_word(r1_text w) {
    static const char words[] = " is so it to of we be by at as no on an my if ";

    if (w.n != 2)
        return 0;
    const char padded[] = {' ', w.s[0], w.s[1], ' ', '\0'};
    return strstr(words, padded) != NULL;
}

/* 12 students, 12 square units, 60 miles per hour */
static int counts(const r1_scan *s, r1_text w) {
    const r1_tok *k = last(s, 0);
    int vowels = 0;

    if (k->kind == R1_T_WORD && (same_word(w, "squared") || same_word(w, "cubed")))
        return 1; /* meters per second squared */
    if (!s->space || changes(w))
        return 0;
    if (k->kind == R1_T_WORD)
        return w.n >= 2;
    for (size_t i = 0; i < w.n; i++) {
        vowels += strchr("aeiouy", w.s[i]) != NULL;
        if (w.s[i] < 'a' || w.s[i] > 'z')
            return 0;
    }
    return w.n >= 4 && vowels && (k->kind == R1_T_NUM || k->kind == R1_T_HALF);
}

/* What degrees of temperature are of. */
static int is_scale(r1_text w) {
    return r1_text_is(w, "C") || r1_text_is(w, "F") || same_word(w, "celsius") ||
           same_word(w, "fahrenheit");
}

/* The C of 20 degrees C, the m of 5 m/s, the s of it, and a lone letter where the reference has a
 * unit. */
static int unit_letter(const r1_scan *s, r1_text w) {
    const r1_tok *k = last(s, 0);
    size_t i = s->i + (s->i < s->t.n && s->t.s[s->i] == '/'), end = i;

    if (k->kind == R1_T_UNIT && k->code == 'd' && is_scale(w))
        return 1;
    if (!r1_unit_find(w))
        return 0;
    if (k->kind == R1_T_OP && k->code == '/' && last(s, 1)->kind == R1_T_WORD)
        return 1;
    if (w.n > 1 || (k->kind != R1_T_NUM && k->kind != R1_T_CONST))
        return 0;
    while (end < s->t.n && is_alpha(s->t.s[end]))
        end++;
    if (i > s->i && end > i)
        return r1_unit_find((r1_text){s->t.s + i, end - i}) != NULL;
    return s->reading->units && s->space && end == i;
}

/* a.m. and p.m. behind a time, AM and PM as well; the length, 0 if it is none. */
static size_t half_of_day(const r1_scan *s, size_t i) {
    static const char *const all[] = {"a.m.", "p.m.", "a.m", "p.m", "am", "pm"};

    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        size_t n = strlen(all[k]);
        if (s->t.n - i >= n && strncasecmp(s->t.s + i, all[k], n) == 0 &&
            !(i + n < s->t.n && is_alpha(s->t.s[i + n])))
            return n;
    }
    return 0;
}

/* x in 1.5 x 10^3, U in (0,1) U (2,3): the code of the token, 0 if it is a name. */
static int letter_sign(const r1_scan *s, r1_text w, size_t i) {
    const r1_tok *k = last(s, 0);

    while (i < s->t.n && s->t.s[i] == ' ')
        i++;
    if (r1_text_is(w, "x") && k->kind == R1_T_NUM)
        return r1_scan_at(s, i, "10^") || r1_scan_at(s, i, "10**") ? '*' : 0;
    if (r1_text_is(w, "U") && k->kind == R1_T_OP && strchr(")]R", k->code) && s->space)
        return r1_scan_at(s, i, "(") || r1_scan_at(s, i, "[") || r1_scan_at(s, i, "\\{") ||
                       r1_scan_at(s, i, "\\left")
                   ? 'u'
                   : 0;
    return 0;
}

/* "per cent": where it ends, 0 if it does not stand at i. */
static size_t per_cent(const r1_scan *s, size_t i) {
    return r1_scan_at(s, i, "per cent") && r1_scan_behind_operand(s) &&
                   !(i + 8 < s->t.n && is_alpha(s->t.s[i + 8]))
               ? i + 8
               : 0;
}

int r1_scan_letters(r1_scan *s) {
    size_t start = s->i, i = start, n;
    int ok, sign;

    while (i < s->t.n && is_alpha(s->t.s[i]))
        i++;
    r1_text w = {s->t.s + start, i - start};
    if (r1_scan_behind_operand(s) && (n = half_of_day(s, start))) {
        s->i = start + n;
        return put_word(s, (r1_text){w.s, n});
    }
    if ((n = per_cent(s, start))) {
        s->i = n;
        return r1_scan_put(s, R1_T_UNIT, '%') != NULL;
    }
    s->i = i;
    if ((sign = letter_sign(s, w, i)))
        return r1_scan_put(s, sign == 'u' ? R1_T_SETOP : R1_T_OP, sign) != NULL;
    if (unit_letter(s, w))
        return put_word(s, w);
    if (known_word(s, w, &ok))
        return ok;
    if (counts(s, w))
        return put_word(s, w);
    if (w.n == 4 && known_word(s, (r1_text){w.s, 3}, &ok)) /* sinx */
        return ok && r1_scan_letter(s, w.s + 3);
    int length = is_short_word(w) ? 3 : (int)w.n;
    if (length > s->words)
        s->words = length;
    for (size_t k = 0; k < w.n; k++)
        if (!r1_scan_letter(s, w.s + k))
            return 0;
    return 1;
}

/* {\text{m}} at *io_i: the word in it. */
static int unit_argument(const r1_scan *s, size_t *io_i, r1_text *ret) {
    static const char *const opens[] = {"{\\text{", "{\\mathrm{", "{\\textrm{"};

    for (size_t k = 0; k < sizeof opens / sizeof *opens; k++) {
        if (!r1_scan_at(s, *io_i, opens[k]))
            continue;
        size_t first = *io_i + strlen(opens[k]), end = first;
        while (end < s->t.n && (is_alpha(s->t.s[end]) || s->t.s[end] == ' '))
            end++;
        *ret = r1_text_trim((r1_text){s->t.s + first, end - first});
        *io_i = end + 2;
        return ret->n && r1_scan_at(s, end, "}}");
    }
    return 0;
}

int r1_scan_unit_fraction(r1_scan *s) {
    size_t i = s->i;
    r1_text a, b;

    if (!r1_scan_behind_operand(s) || !unit_argument(s, &i, &a) || !unit_argument(s, &i, &b))
        return -1;
    s->i = i;
    return put_word(s, a) && r1_scan_put(s, R1_T_OP, '/') && put_word(s, b);
}
