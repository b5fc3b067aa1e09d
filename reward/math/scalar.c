/* Equality of two expressions.
 *
 * Rules kept here:
 *  - exact against exact is exact: no tolerance, 0 equals only 0;
 *  - a prediction with d >= 6 digits behind the point stands for an exact value that is not such a
 *    decimal itself if it is off by at most half of 10^-6, absolutely and relative to it;
 *  - a reference with at least 10 decimals stands for an exact value that rounds to it;
 *  - sums of square roots are decided exactly;
 *  - other constants: intervals of 64, 256, 1024 (4096) bits that are apart prove a difference.  If
 *    they still overlap at 1024, they are called equal only if the expressions are small, their
 *    literals too, and every subterm lies within 2^-256 .. 2^256;
 *  - expressions with names: rational functions are decided by residues, others by probes
 *    (probe.c). */
#include "reward/math/ball.h"
#include "reward/math/calc.h"
#include "reward/math/compare.h"
#include "reward/math/exact.h"

#include <string.h>

#define SMALL_NODES 64

r1_math_kind r1_compare_end(r1_mcmp *m, r1_math_kind kind, r1_math_how how, r1_math_why why) {
    m->how = how;
    m->why = kind == R1_MATH_UNKNOWN ? why : R1_MATH_WHY_NOTHING;
    return kind;
}

#define END(kind, how) r1_compare_end(m, R1_MATH_##kind, R1_MATH_HOW_##how, R1_MATH_WHY_NOTHING)
#define UNKNOWN(why)   r1_compare_end(m, R1_MATH_UNKNOWN, R1_MATH_HOW_NONE, R1_MATH_WHY_##why)

/* ---- decimals ---- */

static const r1_node *decimal_literal(const r1_node *a) {
    return a->kind == R1_N_NUM && a->places > 0 ? a : NULL;
}

/* |x - literal| <= half a unit of its last place, for exact x. */
static int rounds_to(r1_mctx *c, mpq_srcptr x, const r1_node *literal) {
    mpq_ptr d = r1_mctx_number(c), half = r1_mctx_number(c);

    mpq_sub(d, x, literal->q);
    mpq_abs(d, d);
    mpz_ui_pow_ui(mpq_denref(half), 10, (unsigned long)literal->places);
    mpz_mul_ui(mpq_denref(half), mpq_denref(half), 2);
    mpz_set_ui(mpq_numref(half), 1);
    return mpq_cmp(d, half) <= 0;
}

/* |x - q| <= 0.5e-6 and, relative to x, <= 1e-6. */
static int close_enough(r1_mctx *c, mpq_srcptr x, mpq_srcptr q) {
    mpq_ptr d = r1_mctx_number(c), most = r1_mctx_number(c);

    mpq_sub(d, x, q);
    mpq_abs(d, d);
    mpq_set_si(most, 1, 2000000);
    if (mpq_sgn(x) == 0 || mpq_cmp(d, most) > 0)
        return 0;
    mpq_abs(most, x);
    mpz_mul_ui(mpq_denref(most), mpq_denref(most), 1000000);
    mpq_canonicalize(most);
    return mpq_cmp(d, most) <= 0;
}

static int terminates(r1_mctx *c, mpq_srcptr q) {
    mpz_ptr d = mpq_numref(r1_mctx_number(c));

    mpz_set(d, mpq_denref(q));
    while (mpz_divisible_ui_p(d, 2))
        mpz_divexact_ui(d, d, 2);
    while (mpz_divisible_ui_p(d, 5))
        mpz_divexact_ui(d, d, 5);
    return mpz_cmp_ui(d, 1) == 0;
}

/* The rules for decimals, with the exact side as a rational or a close rational of it. */
static int decimals_agree(r1_mctx *c, const r1_node *gold, mpq_srcptr g, const r1_node *pred,
                          mpq_srcptr p, int gold_terminates) {
    const r1_node *dg = decimal_literal(gold), *dp = decimal_literal(pred);

    if (dg && dg->places >= 10 && !dp && rounds_to(c, p, dg))
        return 1;
    return dp && !dg && dp->places >= 6 && !gold_terminates && close_enough(c, g, p);
}

/* ---- options ---- */

static int parse_tolerance(r1_mctx *c, const char *text, mpq_ptr ret) {
    r1_reading reading = {0};
    const r1_node *a = r1_math_read(c, r1_text_of(text), &reading);

    return a && r1_value_rational(c, a, ret);
}

static void round_to(mpq_ptr q, int places) {
    mpz_t power;

    mpz_init(power);
    mpz_ui_pow_ui(power, 10, (unsigned long)places);
    mpz_mul(mpq_numref(q), mpq_numref(q), power);
    mpz_mul_2exp(mpq_numref(q), mpq_numref(q), 1); /* floor(2 q + 1) / 2, halves up */
    mpz_add(mpq_numref(q), mpq_numref(q), mpq_denref(q));
    mpz_mul_2exp(mpq_denref(q), mpq_denref(q), 1);
    mpz_fdiv_q(mpq_numref(q), mpq_numref(q), mpq_denref(q));
    mpz_set_ui(mpq_denref(q), 1);
    mpz_clear(power);
}

/* The middle of a real value at 256 bits. */
static int near(r1_mcmp *m, const r1_node *a, mpq_ptr ret) {
    r1_eval e = {.c = m->c, .prec = 256};
    r1_ball v;

    if (r1_value_rational(m->c, a, ret))
        return 1;
    r1_ball_init(&e, &v);
    if (!r1_ball_eval(&e, a, &v) || !v.real || e.extreme)
        return 0;
    mpfr_get_q(ret, v.re.lo);
    return 1;
}

static int tolerances_agree(r1_mcmp *m, const r1_node *gold, const r1_node *pred) {
    mpq_ptr g = r1_mctx_number(m->c), p = r1_mctx_number(m->c), d = r1_mctx_number(m->c),
            tol = r1_mctx_number(m->c);

    if ((m->o->precision < 0 && !m->o->n_abs_tol) || !near(m, gold, g) || !near(m, pred, p))
        return 0;
    if (m->o->n_abs_tol) {
        int k = m->o->n_abs_tol == 1 ? 0 : m->element;
        mpq_sub(d, g, p);
        mpq_abs(d, d);
        if (k < m->o->n_abs_tol && parse_tolerance(m->c, m->o->abs_tol[k], tol) &&
            mpq_cmp(d, tol) <= 0)
            return 1;
    }
    if (m->o->precision < 0)
        return 0;
    round_to(g, m->o->precision);
    round_to(p, m->o->precision);
    return mpq_equal(g, p);
}

/* ---- constants ---- */

static int literals_are_small(const r1_node *a) {
    if (a->kind == R1_N_NUM &&
        mpz_sizeinbase(mpq_numref(a->q), 2) + mpz_sizeinbase(mpq_denref(a->q), 2) > 256)
        return 0;
    for (int i = 0; i < a->n; i++)
        if (!literals_are_small(a->kid[i]))
            return 0;
    return 1;
}

int r1_compare_is_small(const r1_node *a, const r1_node *b) {
    return r1_node_count(a) + r1_node_count(b) <= 2 * SMALL_NODES && literals_are_small(a) &&
           literals_are_small(b);
}

/* Is an interval that holds 0 as narrow as its precision lets one expect? */
static int narrow(const r1_ival *d, mpfr_prec_t prec) {
    return (mpfr_zero_p(d->lo) || mpfr_get_exp(d->lo) < -(long)prec / 2) &&
           (mpfr_zero_p(d->hi) || mpfr_get_exp(d->hi) < -(long)prec / 2);
}

int r1_compare_at_point(r1_mcmp *m, const r1_node *gold, const r1_node *pred,
                        const struct r1_bind *binds, long prec, int *io_extreme) {
    r1_eval e = {.c = m->c, .prec = prec, .binds = binds};
    size_t mark = r1_mctx_mark(m->c);
    r1_ball g, p, d;
    int result = 0;

    r1_ball_init(&e, &g);
    r1_ball_init(&e, &p);
    r1_ball_init(&e, &d);
    if (r1_ball_eval(&e, gold, &g) && r1_ball_eval(&e, pred, &p)) {
        r1_ball_sub(&e, &d, &g, &p);
        result = !r1_ball_has_zero(&d)                                    ? -1
                 : narrow(&d.re, prec) && (d.real || narrow(&d.im, prec)) ? 1
                                                                          : 0;
    }
    *io_extreme |= e.extreme;
    r1_mctx_release(m->c, mark);
    return result;
}

static r1_math_kind constants(r1_mcmp *m, const r1_node *gold, const r1_node *pred) {
    static const mpfr_prec_t precs[] = {64, 256, 1024, 4096};
    int extreme = 0, together = 0, known = 0, proof, small = r1_compare_is_small(gold, pred);

    for (size_t k = 0; k < sizeof precs / sizeof *precs; k++) {
        if (k == 3 && (!extreme || !small))
            break;
        together = r1_compare_at_point(m, gold, pred, NULL, precs[k], &extreme);
        if (together < 0)
            return END(NOT_EQUAL, BALL);
        if (k == 2 && together && small && !extreme)
            return END(EQUAL, BALL);
        if (k == 1 && (proof = r1_exact_compare(m->c, gold, pred)) != 0)
            return proof > 0 ? END(EQUAL, EXACT) : END(NOT_EQUAL, EXACT);
        known |= together;
        if (k == 1 && !together && !small)
            break;
    }
    return known ? UNKNOWN(FUEL) : UNKNOWN(TYPE);
}

/* The decimal rules where the other side is irrational: its value to 256 bits is as good. */
static int decimals_of_values(r1_mcmp *m, const r1_node *gold, const r1_node *pred) {
    mpq_ptr g = r1_mctx_number(m->c), p = r1_mctx_number(m->c);

    if (!decimal_literal(gold) == !decimal_literal(pred))
        return 0;
    return near(m, gold, g) && near(m, pred, p) && decimals_agree(m->c, gold, g, pred, p, 0);
}

r1_math_kind r1_compare_scalars(r1_mcmp *m, const r1_node *gold, const r1_node *pred) {
    mpq_ptr g = r1_mctx_number(m->c), p = r1_mctx_number(m->c);
    r1_text names[R1_COMPARE_NAMES];

    if (r1_node_alike(m->c, gold, pred))
        return END(EQUAL, STRING);
    gold = r1_calc_reduce(m->c, gold);
    pred = r1_calc_reduce(m->c, pred);
    int exact_g = r1_value_rational(m->c, gold, g), exact_p = r1_value_rational(m->c, pred, p);
    if (exact_g && exact_p) {
        if (mpq_equal(g, p))
            return END(EQUAL, RATIONAL);
        if (decimals_agree(m->c, gold, g, pred, p, terminates(m->c, g)) ||
            tolerances_agree(m, gold, pred))
            return END(EQUAL, DECIMAL);
        return END(NOT_EQUAL, RATIONAL);
    }
    int n = r1_node_names(gold, names, 0, R1_COMPARE_NAMES);
    n = n < 0 ? n : r1_node_names(pred, names, n, R1_COMPARE_NAMES);
    if (n == 0 && (decimals_of_values(m, gold, pred) || tolerances_agree(m, gold, pred)))
        return END(EQUAL, DECIMAL);
    const r1_node *difference = r1_node_minus(m->c, gold, pred);
    int zero = r1_value_vanishes(m->c, difference, 1);
    if (zero)
        return zero > 0 ? END(EQUAL, RATFUN) : END(NOT_EQUAL, RATFUN);
    zero = n == 0 ? r1_value_surds(m->c, difference) : 0;
    if (zero)
        return zero > 0 ? END(EQUAL, SURD) : END(NOT_EQUAL, SURD);
    if (n < 0)
        return UNKNOWN(FUEL);
    return n == 0 ? constants(m, gold, pred) : r1_compare_probes(m, gold, pred, names, n);
}
