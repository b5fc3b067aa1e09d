/* The scanner; see scan.h. */
#include "reward/math/scan.h"

#include "reward/math/commands_table.h"
#include "reward/math/signs_table.h"
#include "reward/math/units.h"

#include <string.h>

typedef struct scan {
    r1_mctx *c;
    r1_text t;
    size_t i;
    r1_toks out;
    r1_reading *reading;
    int brackets;    /* open ( [ \{ */
    int space, side; /* white space, \left or \right was seen before the next token */
    int money;       /* an odd number of $: they are no delimiters */
    int words;
} scan;

static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

static int is_alpha(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int at(const scan *s, size_t i, const char *what) {
    size_t n = strlen(what);
    return i <= s->t.n && s->t.n - i >= n && memcmp(s->t.s + i, what, n) == 0;
}

static int digit_at(const scan *s, size_t i) {
    return i < s->t.n && is_digit(s->t.s[i]);
}

static r1_tok *put(scan *s, r1_tok_kind kind, int code) {
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

/* Does the last token end an operand, so that a word behind it can be its unit? */
static int behind_operand(const scan *s) {
    if (s->out.n == 0)
        return 0;
    const r1_tok *k = &s->out.t[s->out.n - 1];
    return k->kind == R1_T_NUM || k->kind == R1_T_HALF || k->kind == R1_T_WORD ||
           k->kind == R1_T_UNIT || (k->kind == R1_T_OP && strchr(")]}R", k->code));
}

/* ---- numbers ---- */

static size_t separator(const scan *s, size_t i, int *ret_plain) {
    static const char *const tex[] = {"{,}", ",\\!", "\\,"};

    *ret_plain = 0;
    for (size_t k = 0; k < 3; k++)
        if (at(s, i, tex[k])) {
            size_t n = strlen(tex[k]);
            return n + (i + n < s->t.n && s->t.s[i + n] == ' ');
        }
    *ret_plain = 1;
    if (s->brackets == 0 && i < s->t.n && (s->t.s[i] == ',' || s->t.s[i] == ' '))
        return s->t.s[i] == ',' && s->reading->no_groups ? 0 : 1;
    return 0;
}

/* Thousands behind the digits that began at `start`; the end. */
static size_t scan_groups(scan *s, size_t start, size_t i) {
    size_t width;
    int plain;

    if (i - start > 3 || i == start || s->t.s[start] == '0')
        return i;
    while ((width = separator(s, i, &plain)) > 0) {
        size_t j = i + width;
        if (!digit_at(s, j) || !digit_at(s, j + 1) || !digit_at(s, j + 2) || digit_at(s, j + 3))
            break;
        s->reading->grouped |= plain;
        i = j + 3;
    }
    return i;
}

static int scan_number(scan *s) {
    size_t start = s->i, i = start;
    r1_tok *k = put(s, R1_T_NUM, 0);

    if (!k)
        return 0;
    while (digit_at(s, i))
        i++;
    i = scan_groups(s, start, i);
    if (i < s->t.n && s->t.s[i] == '.' &&
        (digit_at(s, i + 1) || at(s, i + 1, "\\overline{") || at(s, i + 1, "\\dot{"))) {
        i++;
        while (digit_at(s, i))
            i++;
        size_t j = at(s, i, "\\overline{") ? i + 10 : at(s, i, "\\dot{") ? i + 5 : 0, e = j;
        while (j && digit_at(s, e))
            e++;
        if (j && e > j && e < s->t.n && s->t.s[e] == '}') {
            k->rep = (r1_text){s->t.s + j, e - j};
            k->text = (r1_text){s->t.s + start, i - start};
            s->i = e + 1;
            return k->text.n + k->rep.n <= R1_MATH_DIGITS;
        }
    }
    k->text = (r1_text){s->t.s + start, i - start};
    if (i < s->t.n && (s->t.s[i] == 'e' || s->t.s[i] == 'E')) {
        size_t j = i + 1;
        int sign = 1, e = 0;
        if (j < s->t.n && (s->t.s[j] == '-' || s->t.s[j] == '+'))
            sign = s->t.s[j++] == '-' ? -1 : 1;
        size_t first = j;
        for (; digit_at(s, j); j++)
            e = e > 9999 ? e : e * 10 + (s->t.s[j] - '0');
        if (j > first) {
            k->code = sign * e;
            i = j;
        }
    }
    s->i = i;
    return i - start <= R1_MATH_DIGITS && k->code <= 9999 && k->code >= -9999;
}

/* ---- words ---- */

static const struct r1_command *find_command(const char *name, size_t n) {
    size_t lo = 0, hi = sizeof r1_commands / sizeof *r1_commands;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int d = strncmp(name, r1_commands[mid].name, n);
        if (d == 0 && r1_commands[mid].name[n])
            d = -1;
        if (d == 0)
            return &r1_commands[mid];
        if (d < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

static int put_letter(scan *s, const char *at_s) {
    r1_tok *k;

    if (*at_s == 'e' || *at_s == 'i')
        return (k = put(s, R1_T_CONST, *at_s)) ? (k->text = (r1_text){at_s, 1}, 1) : 0;
    k = put(s, R1_T_SYM, 0);
    if (k)
        k->text = (r1_text){at_s, 1};
    return k != NULL;
}

static int put_word(scan *s, r1_text t) {
    r1_tok *k = put(s, R1_T_WORD, 0);

    if (k)
        k->text = t;
    return k != NULL;
}

/* A word with a meaning of its own; 0 if it has none. */
static int plain_word(scan *s, r1_text w, int *ret_ok) {
    const struct r1_command *d = w.n >= 2 ? find_command(w.s, w.n) : NULL;
    const r1_unit *u;

    *ret_ok = 1;
    if (r1_text_is(w, "and") || r1_text_is(w, "or")) {
        *ret_ok = put(s, R1_T_JOIN, w.s[0]) != NULL;
        return 1;
    }
    if (behind_operand(s) && w.n >= 2 && (u = r1_unit_find(w)) && !(d && d->kind == R1_T_FN)) {
        *ret_ok = u->measures == '%'   ? put(s, R1_T_UNIT, '%') != NULL
                  : u->measures == 'a' ? put(s, R1_T_UNIT, 'd') != NULL
                                       : put_word(s, w);
        return 1;
    }
    if (!d ||
        (d->kind != R1_T_FN && d->kind != R1_T_SYM && d->kind != R1_T_CONST &&
         d->kind != R1_T_SQRT && d->kind != R1_T_BINOM && d->kind != R1_T_MOD) ||
        r1_text_is(w, "tg") || r1_text_is(w, "ell") || r1_text_is(w, "root"))
        return 0;
    r1_tok *k = put(s, d->kind, d->code);
    if (k)
        k->text = w;
    *ret_ok = k != NULL;
    return 1;
}

/* Two letters that are a word rather than a product. */
static int is_short_word(r1_text w) {
    static const char words[] = " is so it to of we be by at as no on an my if ";

    if (w.n != 2)
        return 0;
    const char padded[] = {' ', w.s[0], w.s[1], ' ', '\0'};
    return strstr(words, padded) != NULL;
}

static int scan_letters(scan *s) {
    size_t start = s->i, i = start;
    int ok;

    while (i < s->t.n && is_alpha(s->t.s[i]))
        i++;
    r1_text w = {s->t.s + start, i - start};
    s->i = i;
    if (plain_word(s, w, &ok))
        return ok;
    if (w.n == 4 && plain_word(s, (r1_text){w.s, 3}, &ok)) /* sinx */
        return ok && put_letter(s, w.s + 3);
    int length = is_short_word(w) ? 3 : (int)w.n;
    if (length > s->words)
        s->words = length;
    for (size_t k = 0; k < w.n; k++)
        if (!put_letter(s, w.s + k))
            return 0;
    return 1;
}

/* ---- commands ---- */

static void skip_space(scan *s) {
    while (s->i < s->t.n && strchr(" \t\r\n", s->t.s[s->i]) && s->t.s[s->i])
        s->i++;
}

/* The span of a braced argument at i; the scan goes on behind it. */
static int braced(scan *s, r1_text *ret) {
    int depth = 1;

    skip_space(s);
    if (s->i >= s->t.n || s->t.s[s->i] != '{')
        return 0;
    size_t start = ++s->i;
    for (; s->i < s->t.n && depth; s->i++)
        depth += s->t.s[s->i] == '{' ? 1 : s->t.s[s->i] == '}' ? -1 : 0;
    *ret = (r1_text){s->t.s + start, s->i - start - 1};
    return depth == 0;
}

static r1_text trim(r1_text t) {
    while (t.n && (t.s[0] == ' ' || t.s[0] == '~' || t.s[0] == '\n'))
        t.s++, t.n--;
    while (t.n && (t.s[t.n - 1] == ' ' || t.s[t.n - 1] == '~' || t.s[t.n - 1] == '\n'))
        t.n--;
    return t;
}

/* \text{..}, \mathrm{..}, \textbf{..}: what is in it decides. */
static int scan_text(scan *s) {
    size_t before = s->i;
    r1_text w;
    int letters = 0, ok;

    skip_space(s);
    if (s->i < s->t.n && s->t.s[s->i] != '{') /* \mathbf n */
        return 1;
    if (!braced(s, &w))
        return 0;
    w = trim(w);
    for (size_t k = 0; k < w.n; k++)
        letters += is_alpha(w.s[k]) || (unsigned char)w.s[k] >= 0x80;
    if (w.n == 0)
        return 1;
    if (letters == 0 || memchr(w.s, '\\', w.n) || memchr(w.s, '$', w.n)) {
        s->i = before; /* a number or more mathematics: as if the command were not there */
        return 1;
    }
    if (w.n == 1 && (!behind_operand(s) || strchr("eid", w.s[0])))
        return put_letter(s, w.s);
    return plain_word(s, w, &ok) ? ok : put_word(s, w);
}

/* \left( \right. \big|: only bars keep the side. */
static int scan_side(scan *s, int right) {
    skip_space(s);
    if (s->i < s->t.n && s->t.s[s->i] == '.') {
        s->i++;
        return 1;
    }
    if (s->i < s->t.n && (s->t.s[s->i] == '{' || s->t.s[s->i] == '}'))
        return put(s, R1_T_OP, s->t.s[s->i++] == '{' ? 'L' : 'R') != NULL;
    s->side = right ? 'r' : 'l';
    return 1;
}

static int letter_style(scan *s) {
    r1_text w;

    skip_space(s);
    if (s->i < s->t.n && is_alpha(s->t.s[s->i]))
        w = (r1_text){s->t.s + s->i++, 1};
    else if (!braced(s, &w))
        return 0;
    w = trim(w);
    if (w.n == 1 && strchr("RZNQC", w.s[0]))
        return put(s, R1_T_SET, w.s[0]) != NULL;
    r1_tok *k = put(s, R1_T_SYM, 0);
    if (k)
        k->text = w;
    return k != NULL && w.n > 0;
}

static int put_command(scan *s, const struct r1_command *d, r1_text name) {
    r1_text skipped;

    if (d->kind != R1_T_END) {
        int code = d->code;
        if (d->kind == R1_T_OP && code == '|' && s->side)
            code = s->side == 'r' ? 'Z' : 'A';
        if (d->kind == R1_T_OP && code == '.')
            return 0; /* an ellipsis leaves out what must be compared */
        r1_tok *k = put(s, d->kind, code);
        if (k)
            k->text = name;
        if (k && (d->kind == R1_T_BEGIN || d->kind == R1_T_ENDENV))
            return braced(s, &k->text);
        return k != NULL;
    }
    switch (d->code) {
    case 's':
        return scan_side(s, strstr(d->name, "right") != NULL);
    case 'c':
        return braced(s, &skipped);
    case 't':
        return scan_text(s);
    case 'B':
        return letter_style(s);
    case '^':
        return put(s, R1_T_UNIT, 'd') != NULL;
    default:
        s->space = 1;
        return 1;
    }
}

static int scan_command(scan *s) {
    size_t start = s->i + 1, i = start;
    char next = start < s->t.n ? s->t.s[start] : '\0';

    if (!is_alpha(next)) {
        s->i = start + 1;
        s->space |= strchr(",;: !", next) != NULL && next;
        return next == '\0'   ? 0
               : next == '{'  ? put(s, R1_T_OP, 'L') != NULL
               : next == '}'  ? put(s, R1_T_OP, 'R') != NULL
               : next == '%'  ? put(s, R1_T_UNIT, '%') != NULL
               : next == '$'  ? put(s, R1_T_UNIT, '$') != NULL
               : next == '|'  ? put(s, R1_T_OP,
                                   s->side == 'r' ? 'Z'
                                    : s->side      ? 'A'
                                                   : '|') != NULL
               : next == '\\' ? put(s, R1_T_ROW, 0) != NULL
                              : strchr(",;: !()[]\n\t-", next) != NULL;
    }
    while (i < s->t.n && is_alpha(s->t.s[i]))
        i++;
    for (size_t n = i - start; n >= 2 || n == i - start; n--) {
        const struct r1_command *d = find_command(s->t.s + start, n);
        /* \lvertx, \cdotx: a longer name that begins with a bracket's or operator's. */
        if (d && (n == i - start || (d->kind == R1_T_OP && n >= 4))) {
            s->i = start + n;
            return put_command(s, d, (r1_text){s->t.s + start, n});
        }
        if (n == 1)
            break;
    }
    return 0;
}

/* ---- one character ---- */

/* A run of raised digits: ^{digits}. */
static int scan_raised(scan *s) {
    char digits[16];
    size_t n = 0;

    for (int k = 0; k < 11 && n < sizeof digits; k++)
        if (at(s, s->i, r1_raised[k])) {
            digits[n++] = k == 10 ? '-' : (char)('0' + k);
            s->i += strlen(r1_raised[k]);
            k = -1;
        }
    if (n == 0)
        return -1;
    int negative = digits[0] == '-';
    if (!put(s, R1_T_OP, '^') || (negative && (n == 1 || !put(s, R1_T_OP, '-'))))
        return 0;
    r1_tok *k = put(s, R1_T_NUM, 0);
    if (k)
        k->text = r1_mctx_format(s->c, "%.*s", (int)n - negative, digits + negative);
    return k != NULL && !memchr(digits + 1, '-', n - 1);
}

static int scan_all(scan *s);

static int scan_unicode(scan *s) {
    for (size_t k = 0; k < sizeof r1_halves / sizeof *r1_halves; k++)
        if (at(s, s->i, r1_halves[k].utf8)) {
            s->i += strlen(r1_halves[k].utf8);
            return put(s, R1_T_HALF, r1_halves[k].code) != NULL;
        }
    if (at(s, s->i, "£") || at(s, s->i, "€") || at(s, s->i, "¥")) {
        r1_tok *k = put(s, R1_T_UNIT, '$');
        s->i += at(s, s->i, "€") ? 3 : 2;
        return k != NULL;
    }
    int done = scan_raised(s);
    if (done >= 0)
        return done;
    for (size_t k = 0; k < sizeof r1_signs / sizeof *r1_signs; k++)
        if (at(s, s->i, r1_signs[k].utf8)) {
            r1_text whole = s->t;
            size_t behind = s->i + strlen(r1_signs[k].utf8);
            s->t = r1_text_of(r1_signs[k].as);
            s->i = 0;
            int ok = scan_all(s);
            s->t = whole;
            s->i = behind;
            return ok;
        }
    return 0;
}

static int scan_sign(scan *s) {
    static const struct {
        const char *sign;
        r1_tok_kind kind;
        int code;
    } two[] = {{"**", R1_T_OP, '^'},  {"<=", R1_T_REL, 'l'}, {">=", R1_T_REL, 'g'},
               {"!=", R1_T_REL, '!'}, {"==", R1_T_REL, '='}, {"=>", R1_T_REL, 't'},
               {"->", R1_T_REL, 't'}, {"''", R1_T_OP, '"'}};
    char c = s->t.s[s->i];

    for (size_t k = 0; k < sizeof two / sizeof *two; k++)
        if (at(s, s->i, two[k].sign)) {
            s->i += 2;
            return put(s, two[k].kind, two[k].code) != NULL;
        }
    if (c == '.' && s->i + 1 == s->t.n) { /* the full stop behind an answer */
        s->i++;
        return 1;
    }
    if (c == '.')
        return digit_at(s, s->i + 1) ? scan_number(s) : 0;
    s->i++;
    if (c == '=' || c == '<' || c == '>')
        return put(s, R1_T_REL, c) != NULL;
    if (c == '%')
        return put(s, R1_T_UNIT, '%') != NULL;
    if (c == '$')
        return !s->money || put(s, R1_T_UNIT, '$') != NULL;
    if (c == '|')
        return put(s, R1_T_OP, s->side == 'r' ? 'Z' : s->side ? 'A' : '|') != NULL;
    return c && strchr("+-*/^_!'&,;:()[]{}", c) ? put(s, R1_T_OP, c) != NULL : 0;
}

static int scan_all(scan *s) {
    int ok = 1;

    while (ok && s->i < s->t.n) {
        char c = s->t.s[s->i];
        if (c == ' ' || c == '~' || (c >= '\t' && c <= '\r')) {
            s->space = 1;
            s->i++;
        } else if (is_digit(c)) {
            ok = scan_number(s);
        } else if (is_alpha(c)) {
            ok = scan_letters(s);
        } else if (c == '\\') {
            ok = scan_command(s);
        } else if ((unsigned char)c >= 0x80) {
            ok = scan_unicode(s);
        } else {
            ok = scan_sign(s);
        }
        r1_mctx_burn(s->c, 1);
    }
    return ok;
}

int r1_math_scan(r1_mctx *c, r1_text t, r1_reading *reading, r1_toks *ret) {
    size_t most = t.n < R1_MATH_TOKENS ? t.n + 1 : R1_MATH_TOKENS;
    scan s = {.c = c, .t = t, .reading = reading};

    for (size_t i = 0; i < t.n; i++)
        s.money ^= t.s[i] == '$' && (i == 0 || t.s[i - 1] != '\\');
    s.out.t = r1_mctx_take(c, (most + 1) * sizeof *s.out.t);
    int ok = scan_all(&s);
    s.out.t[s.out.n] = (r1_tok){.kind = R1_T_END};
    reading->words = s.words;
    *ret = s.out;
    return ok;
}
