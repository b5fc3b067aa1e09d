/* Equations and inequalities in several names: lhs - rhs over a common denominator, up to a factor
 * that is not 0 (positive, for inequalities). */
#include "reward/math/ball.h"
#include "reward/math/compare.h"

#include <string.h>

#define END(kind, how) r1_compare_end(m, R1_MATH_##kind, R1_MATH_HOW_##how, R1_MATH_WHY_NOTHING)
#define UNKNOWN(why)   r1_compare_end(m, R1_MATH_UNKNOWN, R1_MATH_HOW_NONE, R1_MATH_WHY_##why)

/* a = num / den; den NULL for 1. */
typedef struct quotient {
    const r1_node *num, *den;
} quotient;

static const r1_node *times(r1_mctx *c, const r1_node *a, const r1_node *b) {
    return !a ? b : !b ? a : r1_node_2(c, R1_N_MUL, 0, a, b);
}

static quotient split(r1_mctx *c, const r1_node *a) {
    quotient q = {a, NULL};

    r1_mctx_burn(c, 1);
    if (a->kind == R1_N_MUL) {
        q.num = NULL;
        for (int i = 0; i < a->n; i++) {
            quotient k = split(c, a->kid[i]);
            q.num = times(c, q.num, k.num);
            q.den = times(c, q.den, k.den);
        }
    } else if (a->kind == R1_N_POW && a->kid[1]->kind == R1_N_NUM && mpq_sgn(a->kid[1]->q) < 0) {
        quotient k = split(c, a->kid[0]);
        const r1_node *e = r1_node_negate(c, a->kid[1]);
        q.num = k.den ? r1_node_2(c, R1_N_POW, 0, k.den, e) : r1_node_int(c, 1);
        q.den = r1_node_2(c, R1_N_POW, 0, k.num, e);
    } else if (a->kind == R1_N_ADD) {
        q = split(c, a->kid[0]);
        for (int i = 1; i < a->n; i++) { /* n/d + m/f = (n f + m d) / (d f) */
            quotient k = split(c, a->kid[i]);
            q.num = r1_node_2(c, R1_N_ADD, 0, times(c, q.num, k.den), times(c, k.num, q.den));
            q.den = times(c, q.den, k.den);
        }
    }
    return q;
}

/* Both at a point: their signs, 0 if one of them is not known to differ from 0 or not real. */
static int signs_at(r1_mcmp *m, const r1_node *a, const r1_node *b, int *ret_a, int *ret_b) {
    r1_eval e = {.c = m->c, .prec = 128};
    r1_ball x, y;

    r1_ball_init(&e, &x);
    r1_ball_init(&e, &y);
    if (!r1_ball_eval(&e, a, &x) || !r1_ball_eval(&e, b, &y) || !x.real || !y.real)
        return 0;
    *ret_a = r1_ival_sign(&x.re);
    *ret_b = r1_ival_sign(&y.re);
    return *ret_a && *ret_b;
}

static const r1_node *at_point(r1_mctx *c, const r1_node *a, const r1_text *names, int n, int k) {
    for (int j = 0; j < n; j++)
        a = r1_node_replace(c, a, names[j], r1_node_int(c, 2 + 5 * k + 7 * j + (j * j + k) % 3));
    return a;
}

/* f = 0 and g = 0 say the same if f g(x0) = g f(x0) everywhere, at an x0 where neither is 0. */
static r1_math_kind proportional(r1_mcmp *m, const r1_node *f, const r1_node *g, int positive) {
    r1_text names[8];
    int n = r1_node_names(f, names, 0, 8), sign_f, sign_g;

    n = n < 0 ? n : r1_node_names(g, names, n, 8);
    if (n < 0)
        return UNKNOWN(FUEL);
    for (int k = 0; k < 4; k++) {
        const r1_node *f0 = at_point(m->c, f, names, n, k), *g0 = at_point(m->c, g, names, n, k);
        if (!signs_at(m, f0, g0, &sign_f, &sign_g))
            continue;
        if (positive && sign_f != sign_g)
            return END(NOT_EQUAL, EQUATION);
        r1_math_kind r = r1_compare_scalars(m, r1_node_2(m->c, R1_N_MUL, 0, f, g0),
                                            r1_node_2(m->c, R1_N_MUL, 0, g, f0));
        return r == R1_MATH_UNKNOWN ? r : r1_compare_end(m, r, R1_MATH_HOW_EQUATION, 0);
    }
    return UNKNOWN(TYPE);
}

/* a < b, a > b, a <= b ...: the difference that is positive (or not negative). */
static const r1_node *difference(r1_mctx *c, const r1_node *rel, int i, char *ret_op) {
    const r1_node *a = rel->kid[i], *b = rel->kid[i + 1];
    char op = rel->text.s[i];

    *ret_op = op == '<' ? '>' : op == 'l' ? 'g' : op;
    return op == '<' || op == 'l' ? r1_node_minus(c, b, a) : r1_node_minus(c, a, b);
}

r1_math_kind r1_compare_equations(r1_mcmp *m, const r1_node *gold, const r1_node *pred) {
    r1_math_kind all = R1_MATH_EQUAL;

    for (int i = 0; i + 1 < gold->n; i++) {
        char op_g, op_p;
        const r1_node *f = difference(m->c, gold, i, &op_g), *g = difference(m->c, pred, i, &op_p);
        if (op_g != op_p || !strchr("=!>g", op_g))
            return END(NOT_EQUAL, TYPE);
        int equation = op_g == '=' || op_g == '!';
        if (equation) { /* an inequality's sign may hang on the denominator */
            f = split(m->c, f).num;
            g = split(m->c, g).num;
        }
        r1_math_kind k = proportional(m, f, g, !equation);
        if (k == R1_MATH_NOT_EQUAL)
            return k;
        all = k == R1_MATH_UNKNOWN ? k : all;
    }
    return all == R1_MATH_EQUAL ? END(EQUAL, EQUATION) : UNKNOWN(FUEL);
}
