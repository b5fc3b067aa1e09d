/* The scanner; see scan.h.  Its words are in words.c. */
#include "reward/math/scanner.h"

#include "reward/math/signs_table.h"
#include "reward/math/units.h"

#include <string.h>

static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

static int is_alpha(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int digit_at(const r1_scan *s, size_t i) {
    return i < s->t.n && is_digit(s->t.s[i]);
}

/* ---- numbers ---- */

static size_t separator(const r1_scan *s, size_t i, int *ret_plain) {
    static const char *const tex[] = {"{,}", ",\\!", "\\,"};

    *ret_plain = 0;
    for (size_t k = 0; k < 3; k++)
        if (r1_scan_at(s, i, tex[k])) {
            size_t n = strlen(tex[k]);
            return n + (i + n < s->t.n && s->t.s[i + n] == ' ');
        }
    *ret_plain = 1;
    if (s->brackets == 0 && i < s->t.n && (s->t.s[i] == ',' || s->t.s[i] == ' '))
        return s->t.s[i] == ',' && s->reading->no_groups ? 0 : 1;
    return 0;
}

/* Thousands behind the digits that began at `start`; the end. */
static size_t scan_groups(r1_scan *s, size_t start, size_t i) {
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

/* The digits of an argument: {123}, or one without braces; 0 if there are none. */
static size_t digits_of(const r1_scan *s, size_t i, r1_text *ret) {
    int braced = i < s->t.n && s->t.s[i] == '{';
    size_t first = i + (size_t)braced, end = first;

    while (digit_at(s, end) && (braced || end == first))
        end++;
    *ret = (r1_text){s->t.s + first, end - first};
    if (end == first || (braced && !r1_scan_at(s, end, "}")))
        return 0;
    return end + (size_t)braced;
}

/* \overline{16}, \bar6, \dot{1}4285\dot{7} at i: the digits that repeat and the end; 0 if none. */
static size_t repeating(const r1_scan *s, size_t i, r1_text *ret) {
    static const char *const bars[] = {"\\overline", "\\bar"};
    r1_text first, between, end;
    size_t j;

    for (size_t k = 0; k < 2; k++)
        if (r1_scan_at(s, i, bars[k]))
            return digits_of(s, i + strlen(bars[k]), ret);
    if (!r1_scan_at(s, i, "\\dot") || !(i = digits_of(s, i + 4, &first)))
        return 0;
    for (j = i; digit_at(s, j);)
        j++;
    between = (r1_text){s->t.s + i, j - i};
    *ret = first;
    if (!r1_scan_at(s, j, "\\dot"))
        return between.n ? 0 : i;
    j = digits_of(s, j + 4, &end);
    *ret = r1_mctx_format(s->c, "%.*s%.*s%.*s", (int)first.n, first.s, (int)between.n, between.s,
                          (int)end.n, end.s);
    return j;
}

/* e-3 at i: its end and the exponent; 0 if it is none. */
static size_t exponent(const r1_scan *s, size_t i, int *ret) {
    int sign = 1, e = 0;

    if (i >= s->t.n || (s->t.s[i] != 'e' && s->t.s[i] != 'E'))
        return 0;
    size_t j = i + 1;
    if (j < s->t.n && (s->t.s[j] == '-' || s->t.s[j] == '+'))
        sign = s->t.s[j++] == '-' ? -1 : 1;
    size_t first = j;
    for (; digit_at(s, j); j++)
        e = e > 9999 ? e : e * 10 + (s->t.s[j] - '0');
    *ret = sign * e;
    return j > first ? j : 0;
}

static int scan_number(r1_scan *s) {
    size_t start = s->i, i = start, end;
    r1_tok *k = r1_scan_put(s, R1_T_NUM, 0);

    if (!k)
        return 0;
    while (digit_at(s, i))
        i++;
    i = scan_groups(s, start, i);
    if (r1_scan_at(s, i, ".") && (digit_at(s, i + 1) || repeating(s, i + 1, &k->rep))) {
        i++;
        while (digit_at(s, i))
            i++;
        k->text = (r1_text){s->t.s + start, i - start};
        if ((s->i = repeating(s, i, &k->rep)) > 0)
            return k->text.n + k->rep.n <= R1_MATH_DIGITS;
        k->rep = (r1_text){0};
    }
    k->text = (r1_text){s->t.s + start, i - start};
    if ((end = exponent(s, i, &k->code)) > 0)
        i = end;
    else
        k->code = 0;
    s->i = i;
    return i - start <= R1_MATH_DIGITS && k->code <= 9999 && k->code >= -9999;
}

/* ---- commands ---- */

static void skip_space(r1_scan *s) {
    while (s->i < s->t.n && strchr(" \t\r\n", s->t.s[s->i]) && s->t.s[s->i])
        s->i++;
}

/* The span of a braced argument at i; the scan goes on behind it. */
static int braced(r1_scan *s, r1_text *ret) {
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
static int scan_text(r1_scan *s) {
    size_t before = s->i;
    r1_text w;
    int letters = 0;

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
    if (r1_text_is(w, ",") || r1_text_is(w, ";"))
        return r1_scan_put(s, R1_T_OP, w.s[0]) != NULL;
    if (r1_text_is(w, "\\$"))
        return r1_scan_put(s, R1_T_UNIT, '$') != NULL;
    if (letters == 0 || is_digit(w.s[0]) || memchr(w.s, '\\', w.n) || memchr(w.s, '$', w.n)) {
        s->i = before; /* a number or more mathematics: as if the command were not there */
        return 1;
    }
    if (w.n == 1 && (!r1_scan_behind_operand(s) || strchr("eid", w.s[0])))
        return r1_scan_letter(s, w.s);
    return r1_scan_phrase(s, w);
}

/* \left( \right. \big|: only bars keep the side. */
static int scan_side(r1_scan *s, int right) {
    skip_space(s);
    if (s->i < s->t.n && s->t.s[s->i] == '.') {
        s->i++;
        return 1;
    }
    if (s->i < s->t.n && (s->t.s[s->i] == '{' || s->t.s[s->i] == '}'))
        return r1_scan_put(s, R1_T_OP, s->t.s[s->i++] == '{' ? 'L' : 'R') != NULL;
    s->side = right ? 'r' : 'l';
    return 1;
}

static int letter_style(r1_scan *s) {
    r1_text w;

    skip_space(s);
    if (s->i < s->t.n && is_alpha(s->t.s[s->i]))
        w = (r1_text){s->t.s + s->i++, 1};
    else if (!braced(s, &w))
        return 0;
    w = trim(w);
    if (w.n == 1 && strchr("RZNQC", w.s[0]))
        return r1_scan_put(s, R1_T_SET, w.s[0]) != NULL;
    r1_tok *k = r1_scan_put(s, R1_T_SYM, 0);
    if (k)
        k->text = w;
    return k != NULL && w.n > 0;
}

static int put_command(r1_scan *s, const struct r1_command *d, r1_text name) {
    r1_text skipped;

    if (d->kind != R1_T_END) {
        int code = d->code;
        if (d->kind == R1_T_OP && code == '|' && s->side)
            code = s->side == 'r' ? 'Z' : 'A';
        if (d->kind == R1_T_OP && code == '.')
            return 0; /* an ellipsis leaves out what must be compared */
        int unit = d->kind == R1_T_FRAC ? r1_scan_unit_fraction(s) : -1;
        if (unit >= 0)
            return unit;
        r1_tok *k = r1_scan_put(s, d->kind, code);
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
        return r1_scan_put(s, R1_T_UNIT, 'd') != NULL;
    default:
        s->space = 1;
        return 1;
    }
}

static int is_blank(const struct r1_command *d) {
    return d->kind == R1_T_END && d->code == ' ';
}

/* \\frac for \frac, as in JSON that was escaped twice: the second backslash, of a known command.
 * A row that begins with such a word would have a blank or a backslash of its own. */
static int doubled(const r1_scan *s, size_t second) {
    size_t first = second + 1, i = first;

    while (i < s->t.n && is_alpha(s->t.s[i]))
        i++;
    return i - first >= 2 && r1_scan_command(s->t.s + first, i - first);
}

static int scan_command(r1_scan *s) {
    size_t start = s->i + 1, i = start;
    char next = start < s->t.n ? s->t.s[start] : '\0';

    if (start == s->t.n) { /* a blank that was trimmed */
        s->i = start;
        return 1;
    }
    if (next == '\\' && doubled(s, start))
        next = s->t.s[i = ++start];
    if (!is_alpha(next)) {
        s->i = start + 1;
        s->space |= strchr(",;: !", next) != NULL && next;
        return next == '\0'   ? 0
               : next == '{'  ? r1_scan_put(s, R1_T_OP, 'L') != NULL
               : next == '}'  ? r1_scan_put(s, R1_T_OP, 'R') != NULL
               : next == '%'  ? r1_scan_put(s, R1_T_UNIT, '%') != NULL
               : next == '$'  ? r1_scan_put(s, R1_T_UNIT, '$') != NULL
               : next == '|'  ? r1_scan_put(s, R1_T_OP,
                                           s->side == 'r' ? 'Z'
                                            : s->side      ? 'A'
                                                           : '|') != NULL
               : next == '\\' ? r1_scan_put(s, R1_T_ROW, 0) != NULL
                              : strchr(",;: !()[]\n\t-", next) != NULL;
    }
    while (i < s->t.n && is_alpha(s->t.s[i]))
        i++;
    for (size_t n = i - start; n >= 2 || n == i - start; n--) {
        const struct r1_command *d = r1_scan_command(s->t.s + start, n);
        /* \lvertx, \cdotx, \quadx: a longer name that begins with one that needs no blank. */
        if (d && (n == i - start || (n >= 4 && (d->kind == R1_T_OP || is_blank(d))))) {
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
static int scan_raised(r1_scan *s) {
    char digits[16];
    size_t n = 0;

    for (int k = 0; k < 11 && n < sizeof digits; k++)
        if (r1_scan_at(s, s->i, r1_raised[k])) {
            digits[n++] = k == 10 ? '-' : (char)('0' + k);
            s->i += strlen(r1_raised[k]);
            k = -1;
        }
    if (n == 0)
        return -1;
    int negative = digits[0] == '-';
    if (!r1_scan_put(s, R1_T_OP, '^') || (negative && (n == 1 || !r1_scan_put(s, R1_T_OP, '-'))))
        return 0;
    r1_tok *k = r1_scan_put(s, R1_T_NUM, 0);
    if (k)
        k->text = r1_mctx_format(s->c, "%.*s", (int)n - negative, digits + negative);
    return k != NULL && !memchr(digits + 1, '-', n - 1);
}

static int scan_all(r1_scan *s);

static int scan_unicode(r1_scan *s) {
    for (size_t k = 0; k < sizeof r1_halves / sizeof *r1_halves; k++)
        if (r1_scan_at(s, s->i, r1_halves[k].utf8)) {
            s->i += strlen(r1_halves[k].utf8);
            return r1_scan_put(s, R1_T_HALF, r1_halves[k].code) != NULL;
        }
    for (size_t k = 0; k < sizeof r1_money / sizeof *r1_money; k++)
        if (r1_scan_at(s, s->i, r1_money[k].utf8)) {
            s->i += strlen(r1_money[k].utf8);
            return r1_scan_put(s, R1_T_UNIT, r1_money[k].code) != NULL;
        }
    int done = scan_raised(s);
    if (done >= 0)
        return done;
    for (size_t k = 0; k < sizeof r1_signs / sizeof *r1_signs; k++)
        if (r1_scan_at(s, s->i, r1_signs[k].utf8)) {
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

/* Nothing but ends of groups and formulas from i on, or the end of an environment? */
static int only_closes(const r1_scan *s, size_t i) {
    while (i < s->t.n && s->t.s[i] && strchr("}$) ", s->t.s[i]))
        i++;
    return i == s->t.n || r1_scan_at(s, i, "\\end{");
}

static int scan_sign(r1_scan *s) {
    static const struct {
        const char *sign;
        r1_tok_kind kind;
        int code;
    } two[] = {{"**", R1_T_OP, '^'},  {"<=", R1_T_REL, 'l'}, {">=", R1_T_REL, 'g'},
               {"!=", R1_T_REL, '!'}, {"==", R1_T_REL, '='}, {"=>", R1_T_REL, 't'},
               {"->", R1_T_REL, 't'}, {"''", R1_T_OP, '"'}};
    char c = s->t.s[s->i];

    for (size_t k = 0; k < sizeof two / sizeof *two; k++)
        if (r1_scan_at(s, s->i, two[k].sign)) {
            s->i += 2;
            return r1_scan_put(s, two[k].kind, two[k].code) != NULL;
        }
    if (c == '.') {
        r1_text rep;
        if (digit_at(s, s->i + 1) || repeating(s, s->i + 1, &rep))
            return scan_number(s);
        return only_closes(s, ++s->i); /* the full stop behind an answer */
    }
    s->i++;
    if (c == '=' || c == '<' || c == '>')
        return r1_scan_put(s, R1_T_REL, c) != NULL;
    if (c == '%')
        return r1_scan_put(s, R1_T_UNIT, '%') != NULL;
    if (c == '$')
        return !s->money || r1_scan_put(s, R1_T_UNIT, '$') != NULL;
    if (c == '|')
        return r1_scan_put(s, R1_T_OP, s->side == 'r' ? 'Z' : s->side ? 'A' : '|') != NULL;
    return c && strchr("+-*/^_!'&,;:()[]{}", c) ? r1_scan_put(s, R1_T_OP, c) != NULL : 0;
}

static int scan_all(r1_scan *s) {
    int ok = 1;

    while (ok && s->i < s->t.n) {
        char c = s->t.s[s->i];
        if (c == ' ' || c == '~' || (c >= '\t' && c <= '\r')) {
            s->space = 1;
            s->i++;
        } else if (is_digit(c)) {
            ok = scan_number(s);
        } else if (is_alpha(c)) {
            ok = r1_scan_letters(s);
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
    r1_scan s = {.c = c, .t = t, .reading = reading};

    for (size_t i = 0; i < t.n; i++)
        s.money ^= t.s[i] == '$' && (i == 0 || t.s[i - 1] != '\\');
    s.out.t = r1_mctx_take(c, (most + 1) * sizeof *s.out.t);
    int ok = scan_all(&s);
    s.out.t[s.out.n] = (r1_tok){.kind = R1_T_END};
    reading->words = s.words;
    *ret = s.out;
    return ok;
}
