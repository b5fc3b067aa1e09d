/* Operators, loosest first: lists, relations, set operators, ratios, sums, products, powers.
 *
 * Rules kept here:
 *  - 3 1/2 and 3\frac12 are mixed numbers when the fraction is proper and of plain digits, else a
 *    product; two numbers side by side mean nothing;
 *  - juxtaposition multiplies; 1/2x is 1/(2x), and the other reading is tried too;
 *  - a percent sign stands behind a number only; words behind a product are its unit;
 *  - unary minus binds tighter than a product and looser than a power. */
#include "reward/math/parse.h"
#include "reward/math/units.h"

#include <string.h>

static int enter(r1_parse *p) {
    r1_mctx_burn(p->c, 2);
    return ++p->depth <= R1_MATH_DEPTH;
}

static const r1_node *leave(r1_parse *p, const r1_node *a) {
    p->depth--;
    return a;
}

/* ---- lists ---- */

/* Nodes in a row until their number is known: a few on the stack, more in the context. */
typedef struct items {
    const r1_node *few[4], **kid;
    int n, room;
} items;

/* 0 when there is nothing to add or too much of it. */
static int add(r1_parse *p, items *it, const r1_node *a) {
    if (!a || it->n >= 1024)
        return 0;
    if (it->n == 0)
        it->kid = it->few, it->room = 4;
    if (it->n == it->room) {
        const r1_node **more = r1_mctx_take(p->c, 2 * (size_t)it->room * sizeof *more);
        memcpy(more, it->kid, (size_t)it->n * sizeof *more);
        it->kid = more;
        it->room *= 2;
    }
    it->kid[it->n++] = a;
    return 1;
}

static r1_node *as_node(r1_parse *p, r1_node_kind kind, const items *it, int op) {
    r1_node *a = r1_node_new(p->c, kind, op, it->n);
    memcpy(a->kid, it->kid, (size_t)it->n * sizeof *a->kid);
    return a;
}

/* 2 hours 30 minutes in the second unit; NULL if they do not measure the same. */
static const r1_node *join_units(r1_parse *p, const r1_node *a, const r1_node *b) {
    long num, den;

    if (a->kind != R1_N_UNIT || !b || b->kind != R1_N_UNIT || a->op != 'u' || b->op != 'u' ||
        !r1_unit_ratio(a->text, b->text, &num, &den) || num <= den)
        return NULL;
    r1_node *ratio = r1_node_int(p->c, 0);
    mpq_set_si(ratio->q, num, (unsigned long)den);
    mpq_canonicalize(ratio->q);
    const r1_node *sum =
        r1_node_2(p->c, R1_N_ADD, 0, r1_node_2(p->c, R1_N_MUL, 0, ratio, a->kid[0]), b->kid[0]);
    r1_node *u = r1_node_1(p->c, R1_N_UNIT, 'u', sum);
    u->text = b->text;
    return u;
}

const r1_node *r1_parse_items(r1_parse *p) {
    items it = {.n = 0};
    int op = ',', saved = p->bars;

    for (int bare_and = 0;;) {
        p->bars = saved;
        const r1_node *a = r1_parse_rel(p);
        const r1_node *both = bare_and ? join_units(p, it.kid[it.n - 1], a) : NULL;
        if (both)
            it.kid[it.n - 1] = both;
        else if (!add(p, &it, a))
            return NULL;
        int comma = r1_parse_eat(p, R1_T_OP, ',');
        const r1_tok *k = r1_parse_peek(p);
        int join = k->kind == R1_T_JOIN && (k->code == 'a' || k->code == 'o') ? k->code : 0;
        bare_and = !comma && join == 'a';
        op = join && op != 'o' ? join : op;
        p->i += join != 0;
        if (!comma && !join)
            return it.n == 1 ? it.kid[0] : as_node(p, R1_N_LIST, &it, op);
        int line = k->kind == R1_T_ROW || k->kind == R1_T_ENDENV;
        if (k->kind == R1_T_END || line) /* a comma behind the answer, or a line of it */
            return (line || p->depth == 1) && it.n == 1 ? it.kid[0] : NULL;
    }
}

const r1_node *r1_parse_list(r1_parse *p) {
    if (!enter(p))
        return NULL;
    const r1_node *first = r1_parse_items(p);
    if (!first || !(r1_parse_is(p, R1_T_OP, ';') || r1_parse_peek(p)->kind == R1_T_ROW))
        return leave(p, first);
    items it = {.n = 0};
    int ok = add(p, &it, first);
    while (ok && (r1_parse_eat(p, R1_T_OP, ';') || r1_parse_eat(p, R1_T_ROW, 0)))
        ok = add(p, &it, r1_parse_items(p));
    return leave(p, ok ? as_node(p, R1_N_LIST, &it, ';') : NULL);
}

/* ---- relations, set operators, ratios ---- */

static int closing_brace(const r1_parse *p) {
    int depth = 0, i = p->i;

    for (; p->t[i].kind != R1_T_END; i++)
        if (p->t[i].kind == R1_T_OP) {
            depth += p->t[i].code == '{' ? 1 : p->t[i].code == '}' ? -1 : 0;
            if (depth == 0)
                break;
        }
    return i;
}

/* {2} beside a set operator is a set, elsewhere a group. */
static const r1_node *set_operand(r1_parse *p, int beside) {
    if (!r1_parse_is(p, R1_T_OP, '{'))
        return r1_parse_sum(p);
    int end = closing_brace(p);
    if (!(beside || p->t[end + (p->t[end].kind != R1_T_END)].kind == R1_T_SETOP))
        return r1_parse_sum(p);
    p->i++;
    const r1_node *a = r1_parse_list(p);
    if (!a || !r1_parse_eat(p, R1_T_OP, '}'))
        return NULL;
    r1_node *g = r1_node_new(p->c, R1_N_GROUP, 0, a->kind == R1_N_LIST ? a->n : 1);
    g->open = '{';
    g->close = '}';
    if (a->kind == R1_N_LIST)
        g->kid = a->kid;
    else
        g->kid[0] = a;
    return g;
}

static const r1_node *set_expression(r1_parse *p) {
    const r1_node *a = set_operand(p, 0);

    while (a && r1_parse_peek(p)->kind == R1_T_SETOP) {
        int op = r1_parse_peek(p)->code;
        p->i++;
        const r1_node *b = set_operand(p, 1);
        a = b ? r1_node_2(p->c, R1_N_SETOP, op, a, b) : NULL;
    }
    return a;
}

static const r1_node *ratio(r1_parse *p) {
    const r1_node *a = set_expression(p);

    if (!a || p->no_bar || !r1_parse_is(p, R1_T_OP, ':'))
        return a;
    items it = {.n = 0};
    int ok = add(p, &it, a);
    while (ok && r1_parse_eat(p, R1_T_OP, ':'))
        ok = add(p, &it, r1_parse_sum(p));
    return ok ? as_node(p, R1_N_COLON, &it, 0) : NULL;
}

const r1_node *r1_parse_rel(r1_parse *p) {
    char ops[64];
    int n = 0;

    if (!enter(p))
        return NULL;
    if (r1_parse_is(p, R1_T_REL, '~') || r1_parse_is(p, R1_T_REL, '='))
        p->i++; /* "= 5", "about 3.14": nothing precedes */
    items it = {.n = 0};
    if (!add(p, &it, ratio(p)))
        return NULL;
    for (;;) {
        if (r1_parse_is(p, R1_T_OP, '&') && p->t[p->i + 1].kind == R1_T_REL)
            p->i++; /* alignment */
        if (r1_parse_peek(p)->kind != R1_T_REL)
            break;
        ops[n++] = (char)r1_parse_peek(p)->code;
        p->i++;
        r1_parse_eat(p, R1_T_OP, '&');
        if (n == 63 || !add(p, &it, ratio(p)))
            return NULL;
    }
    int round = r1_parse_is(p, R1_T_OP, '(') && p->t[p->i + 1].kind == R1_T_MOD;
    p->i += round;
    if (r1_parse_eat(p, R1_T_MOD, 'p') || (round && r1_parse_eat(p, R1_T_MOD, 'b'))) {
        ops[n++] = 'm'; /* a = b (mod m) keeps m as a last member */
        if (!add(p, &it, r1_parse_operand(p)) || (round && !r1_parse_eat(p, R1_T_OP, ')')))
            return NULL;
    }
    if (n == 0)
        return leave(p, it.kid[0]);
    r1_node *r = as_node(p, R1_N_REL, &it, 0);
    r->text = r1_mctx_format(p->c, "%.*s", n, ops);
    return leave(p, r);
}

/* ---- sums ---- */

static int is_set(const r1_node *a) {
    return a->kind == R1_N_SET || a->kind == R1_N_SETOP ||
           (a->kind == R1_N_GROUP && a->open == '{');
}

/* R - {2}: braces of TeX are those of a set there. */
static const r1_node *as_set(r1_parse *p, const r1_node *a) {
    if (is_set(a) || a->kind == R1_N_GROUP)
        return a;
    r1_node *g = r1_node_1(p->c, R1_N_GROUP, 0, a);
    g->open = '{';
    g->close = '}';
    return g;
}

const r1_node *r1_parse_sum(r1_parse *p) {
    if (!enter(p))
        return NULL;
    items it = {.n = 0};
    if (!add(p, &it, r1_parse_product(p)))
        return NULL;
    for (;;) {
        const r1_tok *k = r1_parse_peek(p);
        if (r1_parse_is(p, R1_T_OP, '&')) /* alignment, as in x &+ 1 */
            break;
        if (!(k->kind == R1_T_PM || (k->kind == R1_T_OP && (k->code == '+' || k->code == '-'))))
            break;
        p->i++;
        const r1_node *a = r1_parse_product(p);
        if (a && k->kind == R1_T_PM)
            a = r1_node_1(p->c, R1_N_PM, k->code, a);
        else if (a && k->code == '-' && it.n == 1 && is_set(it.kid[0]) &&
                 (is_set(a) || it.kid[0]->kind == R1_N_SET)) {
            it.kid[0] = r1_node_2(p->c, R1_N_SETOP, '\\', it.kid[0], as_set(p, a));
            continue;
        } else if (a && k->code == '-')
            a = r1_node_negate(p->c, a);
        if (!add(p, &it, a))
            return NULL;
    }
    return leave(p, it.n == 1 ? it.kid[0] : as_node(p, R1_N_ADD, &it, 0));
}

/* ---- products ---- */

static int is_digits(const r1_node *a) {
    return a->kind == R1_N_NUM && a->places < 0 && a->op == 'd';
}

/* The fraction of a mixed number: proper, of digits; NULL if `a` is none. */
static const r1_node *proper(const r1_node *a) {
    if (a->kind == R1_N_NUM && a->op == 'h')
        return a;
    if (a->kind != R1_N_MUL || a->op != '/' || a->n != 2 || !is_digits(a->kid[0]))
        return NULL;
    const r1_node *den = a->kid[1]->kid[0];
    return is_digits(den) && mpq_sgn(a->kid[0]->q) > 0 && mpq_cmp(a->kid[0]->q, den->q) < 0 ? a
                                                                                            : NULL;
}

static const r1_node *unary(r1_parse *p) {
    const r1_tok *k = r1_parse_peek(p);
    const r1_node *a;

    if (k->kind == R1_T_OP && (k->code == '-' || k->code == '+')) {
        p->i++;
        if (!enter(p))
            return NULL;
        a = unary(p);
        return leave(p, a && k->code == '-' ? r1_node_negate(p->c, a) : a);
    }
    if (k->kind == R1_T_PM) {
        p->i++;
        a = r1_parse_product(p);
        return a ? r1_node_1(p->c, R1_N_PM, k->code, a) : NULL;
    }
    return r1_parse_power(p);
}

/* 3 1/2: the number, blank, digits / digits and nothing more to it. */
static const r1_node *mixed_slash(r1_parse *p, const r1_node *whole) {
    const r1_tok *k = r1_parse_peek(p);
    int minus = mpq_sgn(whole->q) < 0;

    if (!(whole->places < 0 && whole->op != 'h' && k->kind == R1_T_NUM && k->space &&
          k[1].kind == R1_T_OP && k[1].code == '/' && k[2].kind == R1_T_NUM))
        return NULL;
    const r1_node *a = r1_parse_operand(p);
    p->i++;
    const r1_node *b = r1_parse_operand(p);
    if (!a || !b || mpq_sgn(b->q) == 0)
        return NULL;
    const r1_node *f = proper(r1_node_quotient(p->c, a, b));
    if (!f)
        return NULL;
    f = r1_node_2(p->c, R1_N_ADD, 'm', minus ? r1_node_negate(p->c, whole) : whole, f);
    return minus ? r1_node_negate(p->c, f) : f;
}

/* What a slash divides by: 2x in 1/2x, unless the other reading is asked for. */
static const r1_node *divisor(r1_parse *p) {
    const r1_tok *k = r1_parse_peek(p);
    const r1_node *a = unary(p);

    int plain = k->kind == R1_T_NUM || k->kind == R1_T_SYM;
    while (a && plain && r1_parse_starts_operand(p)) {
        const r1_tok *next = r1_parse_peek(p);
        int symbol = next->kind == R1_T_SYM || next->kind == R1_T_CONST || next->kind == R1_T_SQRT;
        int group = next->kind == R1_T_OP && next->code == '(';
        if (!symbol && !group)
            break;
        p->reading->ambiguous = 1;
        if (symbol == p->reading->other_slash)
            break;
        const r1_node *b = r1_parse_power(p);
        a = b ? r1_node_2(p->c, R1_N_MUL, 0, a, b) : NULL;
    }
    return a;
}

/* Units behind a product: %, degrees, money, words. */
static const r1_node *units(r1_parse *p, const r1_node *a) {
    for (;;) {
        const r1_tok *k = r1_parse_peek(p);
        if (k->kind == R1_T_UNIT) {
            if (r1_node_has(a, R1_N_SYM, -1) && k->code == '%')
                return NULL;
            p->i++;
            if (k->code == '%' && a->kind == R1_N_CONST)
                return NULL;
            a = r1_node_1(p->c, R1_N_UNIT, k->code, a);
            continue;
        }
        if (k->kind != R1_T_WORD)
            return a;
        if (a->kind == R1_N_UNIT && a->op == 'd') /* degrees of temperature */
            a = a->kid[0];
        r1_text name = k->text;
        for (p->i++;;) { /* square units, cm^2, m/s */
            const r1_tok *next = r1_parse_peek(p);
            if (next->kind == R1_T_WORD) {
                name = r1_mctx_format(p->c, "%.*s %.*s", (int)name.n, name.s, (int)next->text.n,
                                      next->text.s);
                p->i++;
            } else if (r1_parse_is(p, R1_T_OP, '^')) {
                p->i++;
                int braced = r1_parse_eat(p, R1_T_OP, '{');
                next = r1_parse_peek(p);
                if (next->kind != R1_T_NUM)
                    return NULL;
                name = r1_mctx_format(p->c, "%.*s^%.*s", (int)name.n, name.s, (int)next->text.n,
                                      next->text.s);
                p->i++;
                if (braced && !r1_parse_eat(p, R1_T_OP, '}'))
                    return NULL;
            } else if (r1_parse_is(p, R1_T_OP, '/') && next[1].kind == R1_T_WORD) {
                name = r1_mctx_format(p->c, "%.*s/%.*s", (int)name.n, name.s, (int)next[1].text.n,
                                      next[1].text.s);
                p->i += 2;
            } else {
                break;
            }
        }
        r1_node *u = r1_node_1(p->c, R1_N_UNIT, 'u', a);
        u->text = name;
        a = u;
    }
}

/* \{1 + 2\} beside a factor groups. */
static const r1_node *ungroup(const r1_node *a) {
    return a->kind == R1_N_GROUP && a->open == '{' && a->n == 1 ? a->kid[0] : a;
}

static const r1_node *times(r1_parse *p, const r1_node *a, const r1_node *b) {
    return b ? r1_node_2(p->c, R1_N_MUL, 0, ungroup(a), ungroup(b)) : NULL;
}

const r1_node *r1_parse_product(r1_parse *p) {
    if (!enter(p))
        return NULL;
    const r1_node *last = unary(p), *a = last, *b;
    while (a) {
        const r1_tok *k = r1_parse_peek(p);
        r1_mctx_burn(p->c, 1);
        if (k->kind == R1_T_OP && k->code == '*') {
            p->i++;
            last = unary(p);
            a = times(p, a, last);
        } else if (k->kind == R1_T_OP && k->code == '/') {
            p->i++;
            last = divisor(p);
            a = last ? r1_node_quotient(p->c, a, last) : NULL;
        } else if (k->kind == R1_T_MOD && k->code == 'b') {
            p->i++;
            last = unary(p);
            a = last ? r1_node_2(p->c, R1_N_FN, R1_FN_MOD, a, last) : NULL;
        } else if (k->kind == R1_T_UNIT || k->kind == R1_T_WORD) {
            last = a = units(p, a);
        } else if (!r1_parse_starts_operand(p)) {
            break;
        } else if (k->kind == R1_T_NUM && last->kind == R1_N_NUM) {
            a = last = a == last ? mixed_slash(p, a) : NULL;
        } else if (last->kind == R1_N_UNIT) { /* 2 hours 30 minutes is no product */
            b = k->kind == R1_T_NUM ? r1_parse_power(p) : NULL;
            last = a = b ? join_units(p, a, units(p, b)) : NULL;
        } else {
            int minus = last->kind == R1_N_NUM && mpq_sgn(last->q) < 0;
            b = r1_parse_power(p);
            const r1_node *whole = minus ? r1_node_negate(p->c, last) : last;
            int digits = last->kind == R1_N_NUM && last->places < 0 && a == last;
            if (b && digits && proper(b)) {
                b = r1_node_2(p->c, R1_N_ADD, 'm', whole, b);
                last = a = minus ? r1_node_negate(p->c, b) : b;
            } else {
                a = times(p, a, b);
                last = b;
            }
        }
    }
    return leave(p, a);
}

/* ---- the whole ---- */

const r1_node *r1_math_read(r1_mctx *c, r1_text t, r1_reading *reading) {
    r1_parse p = {.c = c, .reading = reading};
    r1_toks toks;

    if (!r1_math_scan(c, t, reading, &toks))
        return NULL;
    p.t = toks.t;
    const r1_node *a = toks.n ? r1_parse_list(&p) : NULL;
    return a && p.t[p.i].kind == R1_T_END ? a : NULL;
}
