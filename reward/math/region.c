/* Sets of reals.
 *
 * All ends that occur in the two sets are sorted; between and at them lie 2 k + 1 cells (open
 * intervals and points), and a set is the list of cells that it has.  Union, intersection and
 * difference are those of lists, and equal sets have equal lists.
 *
 * Rules kept here: an end at infinity is open; a bracket that closes it, or ends in the wrong
 * order, make no interval.  An inequality, or what it bounds in bars (|x - 1| < 2), must be linear
 * in one name; x < infinity bounds nothing. */
#include "reward/math/ball.h"
#include "reward/math/compare.h"

#include <string.h>

#define MAX_ENDS  64
#define MAX_CELLS (2 * MAX_ENDS + 1)

typedef struct region {
    r1_mcmp *m;
    const r1_node *ends[MAX_ENDS];
    int n;
    r1_text name; /* of inequalities */
    int unknown;  /* the order of two ends could not be decided */
} region;

typedef struct cells {
    unsigned char in[MAX_CELLS];
} cells;

/* -1, 1 for an infinity with its sign, else 0. */
static int infinity(const r1_node *a) {
    if (a->kind == R1_N_CONST && a->op == 'o')
        return 1;
    if (a->kind == R1_N_MUL && a->n == 2 && a->kid[1]->kind == R1_N_CONST && a->kid[1]->op == 'o' &&
        a->kid[0]->kind == R1_N_NUM)
        return mpq_sgn(a->kid[0]->q);
    return 0;
}

/* The order of two real constants: -1, 0, 1; 2 if it is not known. */
static int order(r1_mcmp *m, const r1_node *a, const r1_node *b) {
    static const mpfr_prec_t precs[] = {64, 256, 1024};
    mpq_ptr x = r1_mctx_number(m->c), y = r1_mctx_number(m->c);

    if (r1_value_rational(m->c, a, x) && r1_value_rational(m->c, b, y))
        return mpq_cmp(x, y) < 0 ? -1 : mpq_cmp(x, y) > 0;
    for (size_t k = 0; k < 3; k++) {
        r1_eval e = {.c = m->c, .prec = precs[k]};
        r1_ball u, v, d;
        r1_ball_init(&e, &u);
        r1_ball_init(&e, &v);
        r1_ball_init(&e, &d);
        if (!r1_ball_eval(&e, a, &u) || !r1_ball_eval(&e, b, &v) || !u.real || !v.real)
            return 2;
        r1_ball_sub(&e, &d, &u, &v);
        if (r1_ival_sign(&d.re))
            return r1_ival_sign(&d.re);
    }
    return r1_compare_scalars(m, a, b) == R1_MATH_EQUAL ? 0 : 2;
}

/* Put an end in its place; 0 if it is no real constant. */
static int add_end(region *r, const r1_node *a) {
    int at = 0;

    for (; at < r->n; at++) {
        int o = order(r->m, a, r->ends[at]);
        if (o == 2)
            return r->unknown = 1, 0;
        if (o == 0)
            return 1;
        if (o < 0)
            break;
    }
    if (r->n == 0 && order(r->m, a, a) == 2)
        return 0;
    if (r->n == MAX_ENDS)
        return 0;
    memmove(&r->ends[at + 1], &r->ends[at], (size_t)(r->n - at) * sizeof *r->ends);
    r->ends[at] = a;
    r->n++;
    return 1;
}

static int cell_of(region *r, const r1_node *a) {
    for (int i = 0; i < r->n; i++)
        if (order(r->m, a, r->ends[i]) == 0)
            return 2 * i + 1;
    return -1;
}

/* A tree is walked twice: to collect ends (out NULL), then to fill cells. */
static int walk(region *r, const r1_node *a, cells *out);

static int interval(region *r, const r1_node *lo, const r1_node *hi, int closed_lo, int closed_hi,
                    cells *out) {
    int inf_lo = infinity(lo), inf_hi = infinity(hi);

    if (inf_lo > 0 || inf_hi < 0 || (inf_lo && closed_lo) || (inf_hi && closed_hi))
        return 0;
    if (!out)
        return (inf_lo || add_end(r, lo)) && (inf_hi || add_end(r, hi));
    int from = inf_lo ? 0 : cell_of(r, lo), to = inf_hi ? 2 * r->n : cell_of(r, hi);
    if (from < 0 || to < 0 ||
        (!inf_lo && !inf_hi && from >= to && !(from == to && closed_lo && closed_hi)))
        return 0;
    from += !inf_lo && !closed_lo;
    to -= !inf_hi && !closed_hi;
    for (int k = from; k <= to; k++)
        out->in[k] = 1;
    return 1;
}

/* Where a = b for a - b = at0 + slope x, and the slope's sign; NULL if it is not linear in x. */
static const r1_node *solve(region *r, const r1_node *a, const r1_node *b, r1_text name,
                            int *ret_sign) {
    r1_mctx *c = r->m->c;
    const r1_node *other = a->kind == R1_N_SYM ? b : a;

    *ret_sign = other == b ? 1 : -1;
    if ((a->kind == R1_N_SYM || b->kind == R1_N_SYM) && !r1_node_has(other, R1_N_SYM, -1))
        return other;
    /* f(x) = f(0) + (f(1) - f(0)) x, to be proven */
    const r1_node *f = r1_node_minus(c, a, b),
                  *at0 = r1_node_replace(c, f, name, r1_node_int(c, 0)),
                  *at1 = r1_node_replace(c, f, name, r1_node_int(c, 1));
    r1_node *x = r1_node_new(c, R1_N_SYM, 0, 0);
    x->text = name;
    const r1_node *slope = r1_node_minus(c, at1, at0);
    const r1_node *line = r1_node_2(c, R1_N_ADD, 0, at0, r1_node_2(c, R1_N_MUL, 0, slope, x));
    *ret_sign = order(r->m, slope, r1_node_int(c, 0));
    if (*ret_sign == 0 || *ret_sign == 2 || r1_compare_scalars(r->m, f, line) != R1_MATH_EQUAL)
        return NULL;
    return r1_node_negate(c, r1_node_quotient(c, at0, slope));
}

/* a < b as an interval of the one name that it is linear in. */
static int inequality(region *r, const r1_node *a, int op, const r1_node *b, cells *out) {
    r1_mctx *c = r->m->c;
    mpq_ptr exact = r1_mctx_number(c);
    r1_text names[2];
    int sign, n = r1_node_names(a, names, 0, 2);

    n = n < 0 ? n : r1_node_names(b, names, n, 2);
    if (n != 1 || (r->name.n && !r1_text_same(r->name, names[0])))
        return 0;
    r->name = names[0];
    const r1_node *end = solve(r, a, b, names[0], &sign);
    if (!end)
        return 0;
    if (r1_value_rational(c, end, exact)) {
        r1_node *number = r1_node_int(c, 0);
        mpq_set(number->q, exact);
        end = number;
    }
    if (op == '!') {
        if (!out)
            return add_end(r, end);
        memset(out->in, 1, (size_t)(2 * r->n + 1));
        int k = cell_of(r, end);
        if (k >= 0)
            out->in[k] = 0;
        return k >= 0;
    }
    int below = (op == '<' || op == 'l') == (sign > 0), closed = op == 'l' || op == 'g';
    const r1_node *inf = r1_node_new(c, R1_N_CONST, 'o', 0), *minus = r1_node_negate(c, inf);
    return below ? interval(r, minus, end, 0, closed, out) : interval(r, end, inf, closed, 0, out);
}

/* |u| < b is u < b and -b < u; |u| > b is u > b or u < -b. */
static int modulus(region *r, const r1_node *u, int op, const r1_node *b, cells *out) {
    cells x = {{0}}, y = {{0}};
    int inside = op == '<' || op == 'l', other = op == '<'   ? '>'
                                                 : op == 'l' ? 'g'
                                                 : op == 'g' ? 'l'
                                                             : '<';

    if (!inequality(r, u, op, b, out ? &x : NULL) ||
        !inequality(r, u, other, r1_node_negate(r->m->c, b), out ? &y : NULL))
        return 0;
    for (int k = 0; out && k <= 2 * r->n; k++)
        out->in[k] = inside ? x.in[k] & y.in[k] : x.in[k] | y.in[k];
    return 1;
}

static int is_modulus(const r1_node *a) {
    return a->kind == R1_N_FN && a->op == R1_FN_ABS;
}

/* One relation of a chain. */
static int step(region *r, const r1_node *a, int op, const r1_node *b, cells *out) {
    int below = infinity(b) > 0 || infinity(a) < 0, above = infinity(b) < 0 || infinity(a) > 0;
    if ((below && op == '<') || (above && op == '>')) { /* x < infinity bounds nothing */
        const r1_node *x = infinity(a) ? b : a;
        if (x->kind != R1_N_SYM || (r->name.n && !r1_text_same(r->name, x->text)))
            return 0;
        r->name = x->text;
        if (out)
            memset(out->in, 1, sizeof out->in);
        return 1;
    }
    int turned = op == '<' ? '>' : op == '>' ? '<' : op == 'l' ? 'g' : op == 'g' ? 'l' : op;

    if (op != '!' && is_modulus(a) && !r1_node_has(b, R1_N_SYM, -1))
        return modulus(r, a->kid[0], op, b, out);
    if (op != '!' && is_modulus(b) && !r1_node_has(a, R1_N_SYM, -1))
        return modulus(r, b->kid[0], turned, a, out);
    return inequality(r, a, op, b, out);
}

static int both(region *r, const r1_node *a, const r1_node *b, int op, cells *out) {
    cells x = {{0}}, y = {{0}};

    if (!walk(r, a, out ? &x : NULL) || !walk(r, b, out ? &y : NULL))
        return 0;
    for (int k = 0; out && k <= 2 * r->n; k++)
        out->in[k] = op == 'u'   ? x.in[k] | y.in[k]
                     : op == 'n' ? x.in[k] & y.in[k]
                                 : x.in[k] & !y.in[k];
    return 1;
}

static int relation(region *r, const r1_node *a, cells *out) {
    cells all, one;

    if (a->n == 2 && a->text.s[0] == 'i') {
        if (a->kid[0]->kind != R1_N_SYM || (r->name.n && !r1_text_same(r->name, a->kid[0]->text)))
            return 0;
        r->name = a->kid[0]->text;
        return walk(r, a->kid[1], out);
    }
    memset(&all, 1, sizeof all);
    for (int i = 0; i + 1 < a->n; i++) {
        memset(&one, 0, sizeof one);
        if (!strchr("<>lg!", a->text.s[i]) ||
            !step(r, a->kid[i], a->text.s[i], a->kid[i + 1], out ? &one : NULL))
            return 0;
        for (int k = 0; k < MAX_CELLS; k++)
            all.in[k] &= one.in[k];
    }
    if (out)
        *out = all;
    return 1;
}

/* "x < 1 or x > 3" joins; "and" and a comma mean both, a comma that would leave nothing joins. */
static int list(region *r, const r1_node *a, cells *out) {
    cells meet, join = {{0}}, one;
    int any = 0;

    memset(&meet, 1, sizeof meet);
    for (int i = 0; i < a->n; i++) {
        if (a->kid[i]->kind != R1_N_REL && a->kid[i]->kind != R1_N_SETOP &&
            a->kid[i]->kind != R1_N_GROUP)
            return 0;
        memset(&one, 0, sizeof one);
        if (!walk(r, a->kid[i], out ? &one : NULL))
            return 0;
        for (int k = 0; out && k <= 2 * r->n; k++) {
            meet.in[k] &= one.in[k];
            join.in[k] |= one.in[k];
        }
    }
    if (!out)
        return 1;
    for (int k = 0; k <= 2 * r->n; k++)
        any |= meet.in[k];
    *out = a->op == 'o' || (a->op == ',' && !any) ? join : meet;
    return 1;
}

static int points(region *r, const r1_node *a, cells *out) {
    for (int i = 0; i < a->n; i++) {
        if (infinity(a->kid[i]) || r1_node_has(a->kid[i], R1_N_SYM, -1))
            return 0;
        if (!out && !add_end(r, a->kid[i]))
            return 0;
        int k = out ? cell_of(r, a->kid[i]) : 0;
        if (k < 0)
            return 0;
        if (out)
            out->in[k] = 1;
    }
    return 1;
}

static int walk(region *r, const r1_node *a, cells *out) {
    r1_mctx_burn(r->m->c, 2);
    switch (a->kind) {
    case R1_N_GROUP:
        if (a->open == '{')
            return points(r, a, out);
        return a->n == 2 && interval(r, a->kid[0], a->kid[1], a->open == '[', a->close == ']', out);
    case R1_N_SETOP:
        return both(r, a->kid[0], a->kid[1], a->op, out);
    case R1_N_REL:
        return relation(r, a, out);
    case R1_N_LIST:
        return list(r, a, out);
    case R1_N_SET:
        if (a->op && a->op != 'R')
            return 0;
        for (int k = 0; out && a->op && k <= 2 * r->n; k++)
            out->in[k] = 1;
        return 1;
    default:
        return 0;
    }
}

r1_math_kind r1_compare_regions(r1_mcmp *m, const r1_node *gold, const r1_node *pred) {
    region r = {.m = m};
    cells g = {{0}}, p = {{0}};

    if (!walk(&r, gold, NULL))
        return r1_compare_end(m, R1_MATH_UNKNOWN, R1_MATH_HOW_NONE,
                              r.unknown ? R1_MATH_WHY_FUEL : R1_MATH_WHY_TYPE);
    r1_text name = r.name;
    r.name = (r1_text){0};
    if (!walk(&r, pred, NULL))
        return r.unknown ? r1_compare_end(m, R1_MATH_UNKNOWN, R1_MATH_HOW_NONE, R1_MATH_WHY_FUEL)
                         : r1_compare_end(m, R1_MATH_NOT_EQUAL, R1_MATH_HOW_TYPE, 0);
    if (name.n && r.name.n && !r1_text_same(name, r.name))
        return r1_compare_end(m, R1_MATH_NOT_EQUAL, R1_MATH_HOW_SET, 0);
    r.name = name;
    if (!walk(&r, gold, &g))
        return r1_compare_end(m, R1_MATH_UNKNOWN, R1_MATH_HOW_NONE, R1_MATH_WHY_TYPE);
    r.name = (r1_text){0};
    if (!walk(&r, pred, &p))
        return r1_compare_end(m, R1_MATH_NOT_EQUAL, R1_MATH_HOW_TYPE, 0);
    return r1_compare_end(m,
                          memcmp(&g, &p, (size_t)(2 * r.n + 1)) ? R1_MATH_NOT_EQUAL : R1_MATH_EQUAL,
                          R1_MATH_HOW_SET, 0);
}
