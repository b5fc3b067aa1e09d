/* Operands: groups, functions, fractions, roots, and what stands behind them. */
#include "reward/math/parse.h"

#include <string.h>

#define TRY(x)           \
    do {                 \
        if (!(x))        \
            return NULL; \
    } while (0)

/* ---- groups ---- */

static int has_over(r1_parse *p) {
    int depth = 0;

    for (int i = p->i; p->t[i].kind != R1_T_END; i++) {
        if (p->t[i].kind == R1_T_OP)
            depth += p->t[i].code == '{' ? 1 : p->t[i].code == '}' ? -1 : 0;
        if (depth < 0)
            return 0;
        if (depth == 0 && p->t[i].kind == R1_T_OVER)
            return 1;
    }
    return 0;
}

/* Does the bracket that was just opened end with [, as in [0, 1[ ? */
static int ends_open(const r1_parse *p) {
    int depth = 0, comma = 0;

    for (int i = p->i; p->t[i].kind != R1_T_END; i++) {
        if (p->t[i].kind != R1_T_OP)
            continue;
        int code = p->t[i].code;
        if (code == '[' && depth == 0 && comma) {
            r1_parse behind = *p;
            behind.i = i + 1;
            return !r1_parse_starts_operand(&behind);
        }
        comma |= code == ',' && depth == 0;
        depth += strchr("([{L", code) ? 1 : strchr(")]}R", code) ? -1 : 0;
        if (depth < 0)
            return 0;
    }
    return 0;
}

/* Behind the opening bracket, to its end: one item is itself, several a group. */
static const r1_node *bracketed(r1_parse *p, char open) {
    int no_bar = p->no_bar, reversed = p->reversed, bars = p->bars;

    p->no_bar = open == 'L';
    p->reversed = open == ']' || ((open == '[' || open == '(') && ends_open(p));
    p->bars = 0;
    const r1_node *a = NULL;
    if (!(open == 'L' && r1_parse_is(p, R1_T_OP, 'R')))
        TRY(a = r1_parse_list(p));
    if (open == 'L' && a && (r1_parse_eat(p, R1_T_OP, '|') || r1_parse_eat(p, R1_T_OP, ':'))) {
        p->no_bar = 0; /* such that: the condition is the answer if the left is one name */
        const r1_node *condition = r1_parse_list(p);
        TRY(condition && r1_parse_eat(p, R1_T_OP, 'R'));
        TRY(a->kind == R1_N_SYM || (a->kind == R1_N_REL && r1_text_is(a->text, "i")));
        p->no_bar = no_bar, p->reversed = reversed, p->bars = bars;
        return condition;
    }
    p->no_bar = no_bar, p->reversed = reversed, p->bars = bars;
    int close = r1_parse_peek(p)->kind == R1_T_OP ? r1_parse_peek(p)->code : 0;
    p->i++;
    TRY(((open == '(' || open == '[') && (close == ')' || close == ']' || close == '[')) ||
        (open == 'L' && close == 'R') || (open == '<' && close == '>') ||
        (open == ']' && (close == '[' || close == ']')));
    if (a && a->kind != R1_N_LIST && open != 'L' &&
        ((open == '(' && close == ')') || (open == '[' && close == ']')))
        return a;
    int n = !a ? 0 : a->kind == R1_N_LIST ? a->n : 1;
    TRY(n > 1 || open == 'L');
    r1_node *g = r1_node_new(p->c, R1_N_GROUP, 0, n);
    g->open = open == 'L' ? '{' : open == ']' || open == '<' ? '(' : open;
    g->close = open == 'L' ? '}' : close == '[' || close == '>' ? ')' : (char)close;
    for (int i = 0; i < n; i++)
        g->kid[i] = a->kind == R1_N_LIST ? a->kid[i] : a;
    return g;
}

/* {...} of TeX: a group, two numbers around \over, or a set when it has commas. */
static const r1_node *braces(r1_parse *p) {
    int over = has_over(p), bars = p->bars, no_bar = p->no_bar;

    p->bars = p->no_bar = 0;
    const r1_node *a = over ? r1_parse_sum(p) : r1_parse_list(p);
    TRY(a);
    if (over) {
        int code = r1_parse_peek(p)->code;
        TRY(r1_parse_peek(p)->kind == R1_T_OVER);
        p->i++;
        const r1_node *b = r1_parse_sum(p);
        TRY(b);
        a = code == 'c' ? r1_node_2(p->c, R1_N_FN, R1_FN_BINOM, a, b)
                        : r1_node_quotient(p->c, a, b);
    }
    p->bars = bars, p->no_bar = no_bar;
    TRY(r1_parse_eat(p, R1_T_OP, '}'));
    if (a->kind != R1_N_LIST || a->op != ',')
        return a;
    r1_node *g = r1_node_new(p->c, R1_N_GROUP, 0, a->n);
    g->open = '{', g->close = '}';
    g->kid = a->kid;
    return g;
}

/* |x|, floor, ceiling: `close` is the code of the other end. */
static const r1_node *fenced(r1_parse *p, int fn, int close) {
    int bars = p->bars;

    p->bars = close == '|' ? bars + 1 : 0;
    const r1_node *a = r1_parse_sum(p);
    p->bars = bars;
    TRY(a && (r1_parse_eat(p, R1_T_OP, close) || (close == 'Z' && r1_parse_eat(p, R1_T_OP, '|'))));
    return r1_node_1(p->c, R1_N_FN, fn, a);
}

/* ---- functions, fractions, roots ---- */

static int arity_fits(int fn, int n) {
    switch (fn) {
    case R1_FN_GCD:
    case R1_FN_LCM:
    case R1_FN_MAX:
    case R1_FN_MIN:
        return n >= 1;
    default:
        return n == 1;
    }
}

static int inverse_of(int fn) {
    switch (fn) {
    case R1_FN_SIN:
        return R1_FN_ASIN;
    case R1_FN_COS:
        return R1_FN_ACOS;
    case R1_FN_TAN:
        return R1_FN_ATAN;
    case R1_FN_SINH:
        return R1_FN_ASINH;
    case R1_FN_COSH:
        return R1_FN_ACOSH;
    case R1_FN_TANH:
        return R1_FN_ATANH;
    default:
        return -1;
    }
}

/* An argument without brackets: factors up to the next operator or function. */
static const r1_node *bare_argument(r1_parse *p) {
    int minus = r1_parse_eat(p, R1_T_OP, '-');
    const r1_node *a = r1_parse_power(p);

    TRY(a);
    while (r1_parse_starts_operand(p) && r1_parse_peek(p)->kind != R1_T_FN &&
           r1_parse_peek(p)->kind != R1_T_BIG) {
        const r1_node *b = r1_parse_power(p);
        TRY(b);
        a = r1_node_2(p->c, R1_N_MUL, 0, a, b);
    }
    if (r1_parse_is(p, R1_T_UNIT, 'd')) {
        p->i++;
        a = r1_node_1(p->c, R1_N_UNIT, 'd', a);
    }
    if (r1_parse_is(p, R1_T_OP, '/') && p->t[p->i + 1].kind == R1_T_NUM) {
        p->reading->ambiguous = 1;
        if (!p->reading->other_slash) {
            p->i++;
            const r1_node *b = r1_parse_operand(p);
            TRY(b);
            a = r1_node_quotient(p->c, a, b);
        }
    }
    return minus ? r1_node_negate(p->c, a) : a;
}

static const r1_node *function(r1_parse *p, int fn) {
    const r1_node *power = NULL, *base = NULL, *args;

    for (int k = 0; k < 2; k++) {
        if (r1_parse_eat(p, R1_T_OP, '^'))
            TRY(power = r1_parse_script(p));
        if (r1_parse_eat(p, R1_T_OP, '_'))
            TRY(base = r1_parse_script(p));
    }
    TRY(!base || fn == R1_FN_LOG);
    if (power && power->kind == R1_N_NUM && mpq_cmp_si(power->q, -1, 1) == 0 &&
        inverse_of(fn) >= 0) {
        fn = inverse_of(fn);
        power = NULL;
    }
    const r1_tok *k = r1_parse_peek(p);
    int group = k->kind == R1_T_OP && strchr("([L{", k->code);
    TRY(args = group ? r1_parse_operand(p) : bare_argument(p));
    int several = args->kind == R1_N_GROUP, n = several ? args->n : 1;
    TRY(arity_fits(fn, n));
    r1_node *a = r1_node_new(p->c, R1_N_FN, fn, n + (base != NULL));
    for (int i = 0; i < n; i++)
        a->kid[i] = several ? args->kid[i] : args;
    if (base)
        a->kid[n] = base;
    if (fn == R1_FN_CIS) {
        TRY(!power);
        return r1_node_2(p->c, R1_N_ADD, 0, r1_node_1(p->c, R1_N_FN, R1_FN_COS, args),
                         r1_node_2(p->c, R1_N_MUL, 0, r1_node_new(p->c, R1_N_CONST, 'i', 0),
                                   r1_node_1(p->c, R1_N_FN, R1_FN_SIN, args)));
    }
    return power ? r1_node_2(p->c, R1_N_POW, 0, a, power) : a;
}

/* An argument of \frac or \sqrt: a group, a name, or digits; \frac12 takes one digit each. */
static const r1_node *argument(r1_parse *p, int one_digit) {
    const r1_tok *k = r1_parse_peek(p);

    if (one_digit && k->kind == R1_T_NUM && k->text.n > 1 && !k->rep.n && !k->code) {
        union { /* the token is the parser's own: its other digits are read next */
            const r1_tok *in;
            r1_tok *out;
        } u = {k};
        r1_tok digit = *k;
        TRY(k->text.s[0] >= '0' && k->text.s[0] <= '9');
        digit.text.n = 1;
        u.out->text = (r1_text){k->text.s + 1, k->text.n - 1};
        u.out->space = 0;
        return r1_parse_number(p, &digit);
    }
    if (k->kind == R1_T_OP && k->code == '-' && !one_digit)
        return NULL;
    return r1_parse_operand(p);
}

static int is_symbol(const r1_node *a, const char *name) {
    return a->kind == R1_N_SYM && r1_text_is(a->text, name);
}

static const r1_node *fraction(r1_parse *p) {
    const r1_node *a = argument(p, 1), *b;

    TRY(a && (b = argument(p, 1)));
    if (is_symbol(a, "d") && b->kind == R1_N_MUL && b->n == 2 && is_symbol(b->kid[0], "d") &&
        b->kid[1]->kind == R1_N_SYM) { /* d/dx of what follows */
        const r1_node *f = r1_parse_product(p);
        return f ? r1_node_2(p->c, R1_N_BIG, 'd', f, b->kid[1]) : NULL;
    }
    return r1_node_quotient(p->c, a, b);
}

static const r1_node *root(r1_parse *p) {
    const r1_node *degree = NULL, *a;

    if (r1_parse_is(p, R1_T_OP, '[')) {
        p->i++;
        TRY((degree = r1_parse_sum(p)) && r1_parse_eat(p, R1_T_OP, ']'));
    }
    TRY(a = argument(p, 0));
    return r1_node_2(p->c, R1_N_FN, R1_FN_ROOT, a, degree ? degree : r1_node_int(p->c, 2));
}

static const r1_node *binomial(r1_parse *p) {
    const r1_node *a = argument(p, 1), *b;

    TRY(a && (b = argument(p, 1)));
    return r1_node_2(p->c, R1_N_FN, R1_FN_BINOM, a, b);
}

/* ---- operands ---- */

int r1_parse_starts_operand(const r1_parse *p) {
    const r1_tok *k = r1_parse_peek(p);

    switch (k->kind) {
    case R1_T_NUM:
    case R1_T_HALF:
    case R1_T_CONST:
    case R1_T_FN:
    case R1_T_FRAC:
    case R1_T_SQRT:
    case R1_T_BINOM:
    case R1_T_BAR:
    case R1_T_BIG:
    case R1_T_BEGIN:
    case R1_T_SYM:
        return 1;
    case R1_T_OP:
        if (k->code == '|')
            return p->bars == 0 && !p->no_bar;
        if (k->code == '[')
            return !p->reversed;
        if (k->code == '(' && k[1].kind == R1_T_MOD) /* 2 (mod 5) */
            return 0;
        return strchr("({LAFC", k->code) != NULL;
    default:
        return 0;
    }
}

static const r1_node *open_bracket(r1_parse *p, int code) {
    switch (code) {
    case '(':
    case '[':
    case 'L':
    case '<':
    case ']':
        return bracketed(p, (char)code);
    case '{':
        return braces(p);
    case '|':
        return fenced(p, R1_FN_ABS, '|');
    case 'A':
        return fenced(p, R1_FN_ABS, 'Z');
    case 'F':
        return fenced(p, R1_FN_FLOOR, 'f');
    case 'C':
        return fenced(p, R1_FN_CEIL, 'c');
    default:
        return NULL;
    }
}

static const r1_node *leaf(r1_parse *p, const r1_tok *k) {
    const r1_node *number;
    r1_node *a;

    switch (k->kind) {
    case R1_T_NUM:
        number = r1_parse_number(p, k);
        if (!number || p->script || !r1_parse_eat(p, R1_T_OP, '_'))
            return number;
        return r1_parse_based(p, number);
    case R1_T_HALF:
        a = r1_node_int(p->c, 0);
        mpq_set_si(a->q, k->code / 10, (unsigned long)(k->code % 10));
        mpq_canonicalize(a->q);
        a->op = 'h';
        return a;
    case R1_T_CONST:
        if (r1_text_same(k->text, p->bound) || r1_parse_is(p, R1_T_OP, '_') ||
            r1_parse_is(p, R1_T_OP, '\''))
            return r1_parse_named(p, k, k->text);
        return r1_node_new(p->c, R1_N_CONST, k->code, 0);
    case R1_T_SYM:
        if (p->integral && r1_text_is(k->text, "d") && r1_parse_peek(p)->kind == R1_T_SYM) {
            if (p->differential.n) /* one integral has one */
                return NULL;
            p->differential = r1_parse_peek(p)->text;
            p->i++;
            return r1_node_int(p->c, 1);
        }
        return r1_parse_named(p, k, k->text);
    case R1_T_SET:
        return r1_node_new(p->c, R1_N_SET, k->code, 0);
    default:
        a = r1_node_new(p->c, R1_N_TEXT, 0, 0);
        a->text = k->text;
        return a;
    }
}

const r1_node *r1_parse_operand(r1_parse *p) {
    const r1_tok *k = r1_parse_peek(p);
    const r1_node *a;

    r1_mctx_burn(p->c, 1);
    if (++p->depth > R1_MATH_DEPTH)
        return NULL;
    p->i += k->kind != R1_T_END;
    switch (k->kind) {
    case R1_T_NUM:
    case R1_T_HALF:
    case R1_T_CONST:
    case R1_T_SYM:
    case R1_T_SET:
    case R1_T_WORD:
        a = leaf(p, k);
        break;
    case R1_T_FN:
        a = function(p, k->code);
        break;
    case R1_T_OP:
        a = open_bracket(p, k->code);
        break;
    case R1_T_FRAC:
        a = fraction(p);
        break;
    case R1_T_SQRT:
        a = root(p);
        break;
    case R1_T_BINOM:
        a = binomial(p);
        break;
    case R1_T_BAR:
        a = r1_parse_barred(p, k);
        break;
    case R1_T_BIG:
        a = k->code == 'd' ? NULL : r1_parse_big(p);
        break;
    case R1_T_BEGIN:
        a = r1_parse_environment(p);
        break;
    case R1_T_UNIT: /* money before the number */
        a = r1_parse_is_money(k->code) ? r1_parse_power(p) : NULL;
        a = a ? r1_node_1(p->c, R1_N_UNIT, k->code, a) : NULL;
        break;
    default:
        a = NULL;
    }
    p->depth--;
    return a;
}

/* ---- powers and what else stands behind an operand ---- */

const r1_node *r1_parse_script(r1_parse *p) {
    int minus = r1_parse_eat(p, R1_T_OP, '-');
    const r1_node *a;

    if (!minus)
        r1_parse_eat(p, R1_T_OP, '+');
    int script = p->script;
    p->script = !r1_parse_is(p, R1_T_OP, '{');
    a = r1_parse_operand(p);
    p->script = script;
    TRY(a);
    return minus ? r1_node_negate(p->c, a) : a;
}

static int eat_ring(r1_parse *p) {
    if (p->t[p->i + 1].kind == R1_T_UNIT && p->t[p->i + 1].code == 'd') {
        p->i += 2;
        return 1;
    }
    if (p->t[p->i + 1].kind == R1_T_OP && p->t[p->i + 1].code == '{' &&
        p->t[p->i + 2].kind == R1_T_UNIT && p->t[p->i + 2].code == 'd' &&
        p->t[p->i + 3].kind == R1_T_OP && p->t[p->i + 3].code == '}') {
        p->i += 4;
        return 1;
    }
    return 0;
}

const r1_node *r1_parse_power(r1_parse *p) {
    const r1_node *a = r1_parse_operand(p), *b;

    while (a) {
        if (r1_parse_is(p, R1_T_OP, '^')) {
            if (eat_ring(p)) {
                a = r1_node_1(p->c, R1_N_UNIT, 'd', a);
                continue;
            }
            p->i++;
            TRY(b = r1_parse_script(p));
            if (r1_parse_is(p, R1_T_OP, '^')) { /* 2^3^4 from the right, as ** and books do */
                p->i++;
                const r1_node *e = r1_parse_script(p);
                TRY(e);
                b = r1_node_2(p->c, R1_N_POW, 0, b, e);
            }
            a = r1_node_2(p->c, R1_N_POW, 0, a, b);
        } else if (r1_parse_is(p, R1_T_OP, '!')) {
            p->i++;
            int twice = !r1_parse_peek(p)->space && r1_parse_eat(p, R1_T_OP, '!');
            a = r1_node_1(p->c, R1_N_FN, twice ? R1_FN_FACT2 : R1_FN_FACT, a);
        } else if (a->kind == R1_N_NUM && a->op == 'd' && !p->script &&
                   r1_parse_eat(p, R1_T_OP, '_')) { /* (1101)_2 */
            TRY(a = r1_parse_based(p, a));
        } else {
            break;
        }
    }
    return a;
}
