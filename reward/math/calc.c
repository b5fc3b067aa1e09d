/* Calculus; see calc.h. */
#include "reward/math/calc.h"

#include "reward/math/value.h"

#include <string.h>

static const r1_node *num(r1_mctx *c, long v) {
    return r1_node_int(c, v);
}

static const r1_node *plus(r1_mctx *c, const r1_node *a, const r1_node *b) {
    return r1_node_2(c, R1_N_ADD, 0, a, b);
}

static const r1_node *times(r1_mctx *c, const r1_node *a, const r1_node *b) {
    return r1_node_2(c, R1_N_MUL, 0, a, b);
}

static const r1_node *over(r1_mctx *c, const r1_node *a, const r1_node *b) {
    return r1_node_quotient(c, a, b);
}

static const r1_node *power(r1_mctx *c, const r1_node *a, const r1_node *b) {
    return r1_node_2(c, R1_N_POW, 0, a, b);
}

static const r1_node *apply(r1_mctx *c, int fn, const r1_node *a) {
    return r1_node_1(c, R1_N_FN, fn, a);
}

static int depends(const r1_node *a, r1_text x) {
    if (a->kind == R1_N_SYM)
        return r1_text_same(a->text, x);
    for (int i = 0; i < a->n; i++)
        if (depends(a->kid[i], x))
            return 1;
    return 0;
}

/* ---- derivatives ---- */

static const r1_node *derivative(r1_mctx *c, const r1_node *a, r1_text x);

/* f' of an elementary function, at its argument. */
static const r1_node *outer_derivative(r1_mctx *c, int fn, const r1_node *u) {
    const r1_node *two = num(c, 2), *one = num(c, 1);

    switch (fn) {
    case R1_FN_SIN:
        return apply(c, R1_FN_COS, u);
    case R1_FN_COS:
        return times(c, num(c, -1), apply(c, R1_FN_SIN, u));
    case R1_FN_TAN:
        return power(c, apply(c, R1_FN_COS, u), num(c, -2));
    case R1_FN_LN:
        return over(c, one, u);
    case R1_FN_EXP:
        return apply(c, R1_FN_EXP, u);
    case R1_FN_ATAN:
        return over(c, one, plus(c, one, power(c, u, two)));
    case R1_FN_SINH:
        return apply(c, R1_FN_COSH, u);
    case R1_FN_COSH:
        return apply(c, R1_FN_SINH, u);
    default:
        return NULL;
    }
}

static const r1_node *of_power(r1_mctx *c, const r1_node *a, r1_text x) {
    const r1_node *u = a->kid[0], *n = a->kid[1], *d;

    if (!depends(n, x)) { /* n u^(n-1) u' */
        if (!(d = derivative(c, u, x)))
            return NULL;
        return times(c, times(c, n, power(c, u, r1_node_minus(c, n, num(c, 1)))), d);
    }
    if (depends(u, x) || !(d = derivative(c, n, x)))
        return NULL;
    return times(c, times(c, a, apply(c, R1_FN_LN, u)), d); /* u^n ln(u) n' */
}

/* NULL where no rule fits. */
static const r1_node *derivative(r1_mctx *c, const r1_node *a, r1_text x) {
    const r1_node *sum = NULL, *d;

    r1_mctx_burn(c, 2);
    if (!depends(a, x))
        return num(c, 0);
    switch (a->kind) {
    case R1_N_SYM:
        return num(c, 1);
    case R1_N_ADD:
    case R1_N_MUL:
        for (int i = 0; i < a->n; i++) {
            if (!(d = derivative(c, a->kid[i], x)))
                return NULL;
            for (int j = 0; a->kind == R1_N_MUL && j < a->n; j++)
                d = j == i ? d : times(c, d, a->kid[j]);
            sum = sum ? plus(c, sum, d) : d;
        }
        return sum;
    case R1_N_POW:
        return of_power(c, a, x);
    case R1_N_FN:
        if (a->op == R1_FN_ROOT && !depends(a->kid[1], x))
            return of_power(c, power(c, a->kid[0], over(c, num(c, 1), a->kid[1])), x);
        if (a->n != 1 || !(sum = outer_derivative(c, a->op, a->kid[0])) ||
            !(d = derivative(c, a->kid[0], x)))
            return NULL;
        return times(c, sum, d);
    default:
        return NULL;
    }
}

/* ---- integrals ---- */

/* The slope of a linear expression in x; NULL if it is none. */
static const r1_node *slope(r1_mctx *c, const r1_node *a, r1_text x) {
    const r1_node *d = derivative(c, a, x), *dd = d ? derivative(c, d, x) : NULL;

    return d && dd && r1_value_vanishes(c, dd, 1) == 1 ? r1_node_replace(c, d, x, num(c, 0)) : NULL;
}

static const r1_node *of_linear(r1_mctx *c, const r1_node *a, r1_text x) {
    const r1_node *u = a->kid[0], *k, *n, *f = NULL;
    mpq_ptr q = r1_mctx_number(c);

    if (a->kind == R1_N_POW && !depends(a->kid[1], x)) {
        n = plus(c, a->kid[1], num(c, 1));
        if (!(k = slope(c, u, x)))
            return NULL;
        if (r1_value_rational(c, n, q) && mpq_sgn(q) == 0)
            return over(c, apply(c, R1_FN_LN, u), k);
        return over(c, power(c, u, n), times(c, n, k));
    }
    if (a->kind == R1_N_POW && u->kind == R1_N_CONST && u->op == 'e')
        return (k = slope(c, a->kid[1], x)) ? over(c, a, k) : NULL;
    if (a->kind != R1_N_FN || a->n < 1 || !(k = slope(c, u, x)))
        return NULL;
    if (a->op == R1_FN_SIN)
        f = times(c, num(c, -1), apply(c, R1_FN_COS, u));
    else if (a->op == R1_FN_COS)
        f = apply(c, R1_FN_SIN, u);
    else if (a->op == R1_FN_EXP)
        f = a;
    return f ? over(c, f, k) : NULL;
}

static const r1_node *integral(r1_mctx *c, const r1_node *a, r1_node *x) {
    const r1_node *sum = NULL, *f, *constant = NULL, *rest = NULL;

    r1_mctx_burn(c, 2);
    if (!depends(a, x->text))
        return times(c, a, x);
    if (a->kind == R1_N_SYM)
        return over(c, power(c, x, num(c, 2)), num(c, 2));
    if (a->kind == R1_N_ADD) {
        for (int i = 0; i < a->n; i++) {
            if (!(f = integral(c, a->kid[i], x)))
                return NULL;
            sum = sum ? plus(c, sum, f) : f;
        }
        return sum;
    }
    if (a->kind != R1_N_MUL)
        return of_linear(c, a, x->text);
    for (int i = 0; i < a->n; i++) { /* constants go before the sign; one factor may depend on x */
        const r1_node **part = depends(a->kid[i], x->text) ? &rest : &constant;
        if (part == &rest && rest)
            return NULL;
        *part = *part ? times(c, *part, a->kid[i]) : a->kid[i];
    }
    f = integral(c, rest, x);
    return f && constant ? times(c, constant, f) : f;
}

static const r1_node *big_integral(r1_mctx *c, const r1_node *a) {
    r1_node *x = r1_node_new(c, R1_N_SYM, 0, 0);

    x->text = a->kid[1]->text;
    const r1_node *f = integral(c, a->kid[0], x);
    if (!f || a->n == 2)
        return f;
    return r1_node_minus(c, r1_node_replace(c, f, x->text, a->kid[3]),
                         r1_node_replace(c, f, x->text, a->kid[2]));
}

/* ---- limits, sums ---- */

/* x^-n times constants goes to 0 at infinity; elsewhere the value is inserted where the body has
 * no quotient or root that could be undefined there. */
static const r1_node *limit(r1_mctx *c, const r1_node *a) {
    const r1_node *body = a->kid[0], *to = a->kid[2];
    r1_text x = a->kid[1]->text;
    int vanishing = 0;

    if (!depends(body, x))
        return body;
    if (to->kind != R1_N_CONST || to->op != 'o') {
        mpq_ptr q = r1_mctx_number(c);
        const r1_node *at = r1_node_replace(c, body, x, to);
        return r1_value_rational(c, at, q) ? at : NULL;
    }
    if (body->kind != R1_N_MUL)
        return NULL;
    for (int i = 0; i < body->n; i++) {
        const r1_node *k = body->kid[i];
        if (!depends(k, x))
            continue;
        if (k->kind != R1_N_POW || k->kid[0]->kind != R1_N_SYM || k->kid[1]->kind != R1_N_NUM ||
            mpq_sgn(k->kid[1]->q) >= 0)
            return NULL;
        vanishing = 1;
    }
    return vanishing ? num(c, 0) : NULL;
}

static const r1_node *big(r1_mctx *c, const r1_node *a) {
    switch (a->op) {
    case 'd':
        return derivative(c, a->kid[0], a->kid[1]->text);
    case 'i':
        return big_integral(c, a);
    case 'l':
        return limit(c, a);
    default:
        break;
    }
    if (depends(a->kid[0], a->kid[1]->text))
        return NULL;
    const r1_node *n = plus(c, r1_node_minus(c, a->kid[3], a->kid[2]), num(c, 1));
    return a->op == 's' ? times(c, n, a->kid[0]) : power(c, a->kid[0], n);
}

/* ---- gcd and lcm of monomials, integer parts ---- */

#define MAX_NAMES 8

typedef struct monomial {
    mpq_ptr factor;
    r1_text name[MAX_NAMES];
    long exponent[MAX_NAMES];
    int n;
} monomial;

static int monomial_of(r1_mctx *c, const r1_node *a, long times_e, monomial *m) {
    long e;

    if (a->kind == R1_N_MUL) {
        for (int i = 0; i < a->n; i++)
            if (!monomial_of(c, a->kid[i], times_e, m))
                return 0;
        return 1;
    }
    if (a->kind == R1_N_POW && a->kid[0]->kind == R1_N_SYM)
        return r1_value_integer(c, a->kid[1], &e) && e > 0 && e < 1000 &&
               monomial_of(c, a->kid[0], times_e * e, m);
    if (a->kind == R1_N_SYM) {
        int i = 0;
        while (i < m->n && !r1_text_same(m->name[i], a->text))
            i++;
        if (i == MAX_NAMES)
            return 0;
        m->n = i == m->n ? i + 1 : m->n;
        m->name[i] = a->text;
        m->exponent[i] += times_e;
        return 1;
    }
    mpq_ptr q = r1_mctx_number(c);
    if (!r1_value_rational(c, a, q))
        return 0;
    mpq_mul(m->factor, m->factor, q);
    return 1;
}

static long exponent_of(const monomial *m, r1_text name) {
    for (int i = 0; i < m->n; i++)
        if (r1_text_same(m->name[i], name))
            return m->exponent[i];
    return 0;
}

static const r1_node *common(r1_mctx *c, const r1_node *a) {
    monomial *m = r1_mctx_take(c, (size_t)a->n * sizeof *m);
    r1_node *factor = r1_node_new(c, R1_N_FN, a->op, a->n);
    const r1_node *result = factor;
    int lcm = a->op == R1_FN_LCM, names = 0;

    for (int i = 0; i < a->n; i++) {
        r1_node *q = r1_node_int(c, 1);
        m[i].factor = q->q;
        if (!monomial_of(c, a->kid[i], 1, &m[i]))
            return NULL;
        factor->kid[i] = q;
        names += m[i].n;
    }
    if (names == 0)
        return NULL;
    for (int i = 0; i < a->n; i++)
        for (int k = 0; k < m[i].n; k++) {
            long e = m[i].exponent[k];
            int first = 1;
            for (int j = 0; j < a->n; j++) {
                long other = exponent_of(&m[j], m[i].name[k]);
                first &= j >= i || other == 0;
                e = lcm ? (other > e ? other : e) : (other < e ? other : e);
            }
            if (!first || e == 0)
                continue;
            r1_node *x = r1_node_new(c, R1_N_SYM, 0, 0);
            x->text = m[i].name[k];
            result = times(c, result, power(c, x, num(c, e)));
        }
    return result;
}

/* floor(2y - y - y): the argument's value where it has one after all. */
static const r1_node *constant_argument(r1_mctx *c, const r1_node *a) {
    r1_text names[MAX_NAMES];
    const r1_node *u = a->kid[0], *at = u;
    int n = r1_node_names(u, names, 0, MAX_NAMES);

    if (n <= 0)
        return NULL;
    for (int i = 0; i < n; i++)
        at = r1_node_replace(c, at, names[i], num(c, 1));
    return r1_value_vanishes(c, r1_node_minus(c, u, at), 1) == 1 ? apply(c, a->op, at) : NULL;
}

static int has_rule(const r1_node *a) {
    return a->kind == R1_N_BIG ||
           (a->kind == R1_N_FN && (a->op == R1_FN_GCD || a->op == R1_FN_LCM ||
                                   a->op == R1_FN_FLOOR || a->op == R1_FN_CEIL));
}

static int needs_rule(const r1_node *a) {
    if (has_rule(a))
        return 1;
    for (int i = 0; i < a->n; i++)
        if (needs_rule(a->kid[i]))
            return 1;
    return 0;
}

const r1_node *r1_calc_reduce(r1_mctx *c, const r1_node *a) {
    const r1_node *better = NULL;

    if (!needs_rule(a))
        return a;
    r1_node *r = r1_node_new(c, a->kind, a->op, a->n);
    const r1_node **kid = r->kid;
    *r = *a;
    r->kid = kid;
    for (int i = 0; i < a->n; i++)
        kid[i] = r1_calc_reduce(c, a->kid[i]);
    if (a->kind == R1_N_BIG)
        better = big(c, r);
    else if (has_rule(a))
        better = a->op == R1_FN_GCD || a->op == R1_FN_LCM ? common(c, r) : constant_argument(c, r);
    return better ? better : r;
}
