/* Expressions with names at points.
 *
 * Points lie in (0, 1), (1, 2), (2, 9), among negatives, on both sides of every constant of either
 * expression (and of its negative), and beyond all of them.  Where a function has pieces (|x|,
 * floor, max, ...) quotients of constants count as constants too, and expressions with more
 * constants than there is room for, or with huge ones, are never called equal: a piece could hide
 * behind them.  One difference refutes.  At least 6 agreements at 1024 bits, and none missing, are
 * equality if the expressions are small. */
#include "reward/math/ball.h"
#include "reward/math/compare.h"

#include <string.h>

#define MAX_POINTS    192
#define MIN_POINTS    6
#define MAX_CONSTANTS 6
#define EXACT_POINTS  8 /* that are evaluated at 1024 bits */

#define END(kind, how) r1_compare_end(m, R1_MATH_##kind, R1_MATH_HOW_##how, R1_MATH_WHY_NOTHING)
#define UNKNOWN(why)   r1_compare_end(m, R1_MATH_UNKNOWN, R1_MATH_HOW_NONE, R1_MATH_WHY_##why)

/* Name j is from + width * (a fraction of its own), with the other sign for odd j if `mixed`. */
typedef struct point {
    mpq_ptr from, width;
    int mixed;
} point;

typedef struct plan {
    r1_mctx *c;
    point p[MAX_POINTS];
    int n;
    mpq_ptr constants[MAX_CONSTANTS];
    int n_constants, overflow;
    int pieces, integers;
} plan;

static void add_point(plan *x, mpq_srcptr from, int sign, long width, unsigned long den,
                      int mixed) {
    if (x->n == MAX_POINTS) {
        x->overflow = 1;
        return;
    }
    point *p = &x->p[x->n++];
    p->from = r1_mctx_number(x->c);
    p->width = r1_mctx_number(x->c);
    mpq_set(p->from, from);
    if (sign < 0)
        mpq_neg(p->from, p->from);
    mpq_set_si(p->width, width, den);
    p->mixed = mixed;
}

static void add_both_sides(plan *x, mpq_srcptr at) {
    for (int k = 0; k < 4; k++)
        add_point(x, at, k < 2 ? 1 : -1, k % 2 ? 1 : -1, 8, 0);
}

/* Constants that differ, without their signs: subtrees that have a rational value. */
static void collect(plan *x, const r1_node *a) {
    mpq_ptr q = r1_mctx_number(x->c);

    if (r1_value_rational(x->c, a, q)) {
        mpq_abs(q, q);
        for (int i = 0; i < x->n_constants; i++)
            if (mpq_equal(x->constants[i], q))
                return;
        if (x->n_constants == MAX_CONSTANTS)
            x->overflow = 1;
        else
            x->constants[x->n_constants++] = q;
        return;
    }
    for (int i = 0; i < a->n; i++)
        collect(x, a->kid[i]);
}

static int has_pieces(const r1_node *a) {
    static const int fns[] = {R1_FN_ABS, R1_FN_FLOOR, R1_FN_CEIL, R1_FN_MAX, R1_FN_MIN, R1_FN_MOD};

    for (size_t k = 0; k < sizeof fns / sizeof *fns; k++)
        if (r1_node_has(a, R1_N_FN, fns[k]))
            return 1;
    return 0;
}

/* Do names stand where only integers mean something? */
static int wants_integers(const r1_node *a) {
    static const int fns[] = {R1_FN_FACT, R1_FN_FACT2, R1_FN_BINOM, R1_FN_GCD, R1_FN_LCM};

    for (size_t k = 0; k < sizeof fns / sizeof *fns; k++)
        if (r1_node_has(a, R1_N_FN, fns[k]))
            return 1;
    return r1_node_has(a, R1_N_BIG, -1);
}

/* Further out than any constant, quotient or product of them. */
static void add_beyond(plan *x) {
    mpq_ptr bound = r1_mctx_number(x->c), q = r1_mctx_number(x->c);

    mpq_set_si(bound, 2, 1);
    for (int i = 0; i < x->n_constants; i++) {
        mpq_set(q, x->constants[i]);
        if (mpq_sgn(q) == 0)
            continue;
        if (mpq_cmp_si(q, 1, 1) < 0)
            mpq_inv(q, q);
        mpq_mul(bound, bound, q);
    }
    x->overflow |= mpz_sizeinbase(mpq_numref(bound), 2) > 200;
    if (!x->overflow)
        for (int k = 0; k < 4; k++)
            add_point(x, bound, k < 2 ? 1 : -1, k < 2 ? 10 : -10, 1, k % 2);
}

static void make_plan(plan *x, const r1_node *gold, const r1_node *pred) {
    static const struct {
        long from, width;
    } ranges[] = {{0, 1}, {1, 1}, {2, 7}, {-1, 1}, {-3, 2}, {-9, 6}, {0, 2}, {3, 5}};
    mpq_ptr q = r1_mctx_number(x->c);

    for (size_t k = 0; k < sizeof ranges / sizeof *ranges; k++) {
        mpq_set_si(q, ranges[k].from, 1);
        add_point(x, q, 1, ranges[k].width, 1, 0);
    }
    collect(x, gold);
    collect(x, pred);
    for (int i = 0; i < x->n_constants; i++)
        add_both_sides(x, x->constants[i]);
    for (int i = 0; x->pieces && i < x->n_constants; i++)
        for (int j = 0; j < x->n_constants; j++)
            if (i != j && mpq_sgn(x->constants[j])) {
                mpq_div(q, x->constants[i], x->constants[j]);
                add_both_sides(x, q);
            }
    add_beyond(x);
    for (int k = -2; x->pieces && k < 4; k++) { /* where floor and ceiling jump */
        mpq_set_si(q, k, 1);
        add_point(x, q, 1, 0, 1, k & 1);
    }
    for (int k = 0; k < 6; k++) { /* should negatives be undefined */
        mpq_set_si(q, k, 1);
        add_point(x, q, 1, 3, 1, 0);
    }
}

static uint64_t mix(uint64_t x) { /* splitmix64 */
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static void value_at(const plan *x, int k, int j, mpq_ptr ret) {
    uint64_t r = mix((uint64_t)k * 1000 + (uint64_t)j);

    if (x->integers) {
        long rank =
            k % 2 ? R1_COMPARE_NAMES - j : j; /* binomials want the one or the other larger */
        mpq_set_si(ret, 2 + k + 3 * rank + (long)(r % 5), 1);
        return;
    }
    mpq_set_si(ret, 1 + (long)(r % 996), 997); /* a prime: no pole lies at such a fraction */
    mpq_mul(ret, ret, x->p[k].width);
    mpq_add(ret, ret, x->p[k].from);
    if (x->p[k].mixed && j % 2)
        mpq_neg(ret, ret);
}

/* Both at point k: as r1_compare_at_point says. */
static int at(r1_mcmp *m, const plan *x, int k, const r1_node *gold, const r1_node *pred,
              const r1_text *names, int n, long prec, int *io_extreme) {
    size_t mark = r1_mctx_mark(m->c);
    r1_bind binds[R1_COMPARE_NAMES];

    for (int j = 0; j < n; j++) {
        mpq_ptr v = r1_mctx_number(m->c);
        value_at(x, k, j, v);
        binds[j] = (r1_bind){names[j], v, j + 1 < n ? &binds[j + 1] : NULL};
    }
    int result = r1_compare_at_point(m, gold, pred, binds, prec, io_extreme);
    r1_mctx_release(m->c, mark);
    return result;
}

r1_math_kind r1_compare_probes(r1_mcmp *m, const r1_node *gold, const r1_node *pred,
                               const r1_text *names, int n) {
    plan *x = r1_mctx_take(m->c, sizeof *x);
    int usable[MAX_POINTS], n_usable = 0, agree = 0, extreme = 0;

    x->c = m->c;
    x->pieces = has_pieces(gold) || has_pieces(pred);
    x->integers = wants_integers(gold) || wants_integers(pred);
    make_plan(x, gold, pred);
    int n_points = x->integers && x->n > 16 ? 16 : x->n;
    for (int k = 0; k < n_points; k++) {
        int t = at(m, x, k, gold, pred, names, n, 64, &extreme);
        if (t < 0)
            return END(NOT_EQUAL, PROBE);
        if (t > 0)
            usable[n_usable++] = k;
    }
    extreme = 0;
    int n_exact = n_usable < EXACT_POINTS ? n_usable : EXACT_POINTS;
    for (int i = 0; i < n_exact; i++) {
        int t = at(m, x, usable[i], gold, pred, names, n, 1024, &extreme);
        if (t < 0)
            return END(NOT_EQUAL, PROBE);
        agree += t > 0;
    }
    if (agree >= MIN_POINTS && agree == n_exact && r1_compare_is_small(gold, pred) && !extreme &&
        !(x->pieces && x->overflow))
        return END(EQUAL, PROBE);
    return n_usable ? UNKNOWN(FUEL) : UNKNOWN(TYPE);
}
