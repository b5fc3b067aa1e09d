/* Exact rationals; see value.h. */
#include "reward/math/value.h"

#include <string.h>

static size_t bits(mpq_srcptr q) {
    return mpz_sizeinbase(mpq_numref(q), 2) + mpz_sizeinbase(mpq_denref(q), 2);
}

static int is_integer(mpq_srcptr q) {
    return mpz_cmp_ui(mpq_denref(q), 1) == 0;
}

/* What an operation on numbers of this size costs. */
static int fits(r1_mctx *c, mpq_srcptr q) {
    size_t n = bits(q);
    r1_mctx_burn(c, 1 + (long)(n / 512));
    return n <= R1_MATH_BITS;
}

/* ---- small ones ---- */

#define SMALL ((int64_t)1 << 31)

/* num / den, den > 0, both below 2^31 and without a common divisor. */
typedef struct ratio {
    int64_t num, den;
} ratio;

static int set_ratio(ratio *r, int64_t num, int64_t den) {
    int64_t a = num < 0 ? -num : num, b = den;

    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    *r = (ratio){num / a, den / a};
    return r->num > -SMALL && r->num < SMALL && r->den < SMALL;
}

static int small(const r1_node *a, ratio *ret, int *io_steps);

static int small_power(const r1_node *a, ratio *ret, int *io_steps) {
    ratio base, e;
    int b = small(a->kid[0], &base, io_steps), k = small(a->kid[1], &e, io_steps);

    if (b < 0 || k < 0)
        return -1;
    if (b == 0 || k == 0 || e.den != 1 || e.num < -32 || e.num > 32 || base.num == 0)
        return 0;
    if (e.num < 0)
        base = base.num < 0 ? (ratio){-base.den, -base.num} : (ratio){base.den, base.num};
    *ret = (ratio){1, 1};
    for (int64_t n = e.num < 0 ? -e.num : e.num; n > 0; n--)
        if (!set_ratio(ret, ret->num * base.num, ret->den * base.den))
            return 0;
    return 1;
}

/* Most values are small: 1 and the value; -1 if there is none, certainly; 0 for the long way. */
static int small(const r1_node *a, ratio *ret, int *io_steps) {
    int known = 1;

    ++*io_steps;
    switch (a->kind) {
    case R1_N_NUM:
        if (!mpz_fits_sint_p(mpq_numref(a->q)) || !mpz_fits_sint_p(mpq_denref(a->q)))
            return 0;
        *ret = (ratio){mpz_get_si(mpq_numref(a->q)), mpz_get_si(mpq_denref(a->q))};
        return ret->num > -SMALL;
    case R1_N_ADD:
    case R1_N_MUL:
        *ret = (ratio){a->kind == R1_N_MUL, 1};
        for (int i = 0; i < a->n; i++) {
            ratio x;
            int k = small(a->kid[i], &x, io_steps);
            if (k < 0)
                return -1;
            known = known && k &&
                    (a->kind == R1_N_MUL
                         ? set_ratio(ret, ret->num * x.num, ret->den * x.den)
                         : set_ratio(ret, ret->num * x.den + x.num * ret->den, ret->den * x.den));
        }
        return known;
    case R1_N_POW:
        return small_power(a, ret, io_steps);
    case R1_N_FN:
    case R1_N_BIG:
    case R1_N_UNIT:
        return 0;
    default:
        return -1;
    }
}

/* ---- all others ---- */

static int rational(r1_mctx *c, const r1_node *a, mpq_ptr ret);

int r1_value_rational(r1_mctx *c, const r1_node *a, mpq_ptr ret) {
    int steps = 0;
    ratio r;
    int known = small(a, &r, &steps);

    r1_mctx_burn(c, 1 + steps / 4);
    if (known > 0)
        mpq_set_si(ret, r.num, (unsigned long)r.den);
    return known ? known > 0 : rational(c, a, ret);
}

int r1_value_integer(r1_mctx *c, const r1_node *a, long *ret) {
    mpq_ptr q = r1_mctx_number(c);

    if (!r1_value_rational(c, a, q) || !is_integer(q) || !mpz_fits_slong_p(mpq_numref(q)))
        return 0;
    *ret = mpz_get_si(mpq_numref(q));
    return 1;
}

/* The exact k-th root, if it is rational; odd roots of negatives are real. */
static int exact_root(mpq_ptr q, unsigned long k) {
    if (k == 0 || (mpq_sgn(q) < 0 && k % 2 == 0))
        return 0;
    return mpz_root(mpq_numref(q), mpq_numref(q), k) != 0 &&
           mpz_root(mpq_denref(q), mpq_denref(q), k) != 0;
}

static int integer_power(r1_mctx *c, mpq_ptr base, mpz_srcptr e) {
    int one = mpq_cmp_si(base, 1, 1) == 0, minus = mpq_cmp_si(base, -1, 1) == 0;

    if (mpq_sgn(base) == 0)
        return mpz_sgn(e) > 0; /* 0^0 and 1/0 are nothing */
    if (one || (minus && mpz_even_p(e))) {
        mpq_set_si(base, 1, 1);
        return 1;
    }
    if (minus)
        return 1;
    if (!mpz_fits_slong_p(e))
        return 0;
    long n = mpz_get_si(e);
    unsigned long m = n < 0 ? -(unsigned long)n : (unsigned long)n;
    if (m > R1_MATH_BITS || bits(base) * m > R1_MATH_BITS)
        return 0;
    mpz_pow_ui(mpq_numref(base), mpq_numref(base), m);
    mpz_pow_ui(mpq_denref(base), mpq_denref(base), m);
    if (n < 0)
        mpq_inv(base, base);
    return fits(c, base);
}

static int power(r1_mctx *c, const r1_node *a, mpq_ptr ret) {
    mpq_ptr e = r1_mctx_number(c);

    if (!rational(c, a->kid[1], e) || !rational(c, a->kid[0], ret))
        return 0;
    if (!is_integer(e)) {
        if (!mpz_fits_ulong_p(mpq_denref(e)) || mpz_cmp_ui(mpq_denref(e), 64) > 0 ||
            !exact_root(ret, mpz_get_ui(mpq_denref(e))))
            return 0;
    }
    return integer_power(c, ret, mpq_numref(e));
}

/* ---- functions of integers ---- */

static int factorial(r1_mctx *c, mpq_ptr q, int twice) {
    if (!is_integer(q) || mpq_sgn(q) < 0 || mpz_cmp_ui(mpq_numref(q), twice ? 8000 : 4500) > 0)
        return 0;
    unsigned long n = mpz_get_ui(mpq_numref(q));
    r1_mctx_burn(c, (long)n / 8);
    if (twice)
        mpz_2fac_ui(mpq_numref(q), n);
    else
        mpz_fac_ui(mpq_numref(q), n);
    return fits(c, q);
}

static int binomial(r1_mctx *c, mpq_ptr n, mpq_srcptr k) {
    if (!is_integer(n) || !is_integer(k) || mpq_sgn(k) < 0 || mpz_cmp_ui(mpq_numref(k), 4000) > 0 ||
        mpz_sizeinbase(mpq_numref(n), 2) * mpz_get_ui(mpq_numref(k)) > R1_MATH_BITS)
        return 0;
    r1_mctx_burn(c, (long)mpz_get_ui(mpq_numref(k)));
    mpz_bin_ui(mpq_numref(n), mpq_numref(n), mpz_get_ui(mpq_numref(k)));
    return fits(c, n);
}

static void floor_of(mpq_ptr q, int up) {
    if (up)
        mpz_cdiv_q(mpq_numref(q), mpq_numref(q), mpq_denref(q));
    else
        mpz_fdiv_q(mpq_numref(q), mpq_numref(q), mpq_denref(q));
    mpz_set_ui(mpq_denref(q), 1);
}

/* gcd and lcm of rationals: the largest number that divides both, the smallest multiple; >= 0. */
static void common(mpq_ptr a, mpq_srcptr b, int lcm) {
    mpz_ptr n = mpq_numref(a), d = mpq_denref(a);

    if (lcm) {
        mpz_lcm(n, n, mpq_numref(b));
        mpz_gcd(d, d, mpq_denref(b));
    } else {
        mpz_gcd(n, n, mpq_numref(b));
        mpz_lcm(d, d, mpq_denref(b));
    }
    mpq_canonicalize(a);
}

/* a - m floor(a / m), so that the sign is m's. */
static int modulo(r1_mctx *c, mpq_ptr a, mpq_srcptr m) {
    mpq_ptr k = r1_mctx_number(c);

    if (mpq_sgn(m) == 0)
        return 0;
    mpq_div(k, a, m);
    floor_of(k, 0);
    mpq_mul(k, k, m);
    mpq_sub(a, a, k);
    return fits(c, a);
}

/* An integer modulo m where it may itself be too large to write: powers by squaring, exponents as
 * trees of powers modulo a multiple of the order are left out, so the exponent must fit. */
static int residue(r1_mctx *c, const r1_node *a, mpz_srcptr m, mpz_ptr ret) {
    mpq_ptr q = r1_mctx_number(c);

    if (rational(c, a, q)) {
        mpz_mod(ret, mpq_numref(q), m);
        return is_integer(q);
    }
    if (a->kind != R1_N_POW || !rational(c, a->kid[1], q) || !is_integer(q) || mpq_sgn(q) < 0 ||
        mpz_sizeinbase(mpq_numref(q), 2) > 4096 || !residue(c, a->kid[0], m, ret))
        return 0;
    long limbs = (long)mpz_size(m); /* a squaring for each bit of the exponent */
    r1_mctx_burn(c, (long)mpz_sizeinbase(mpq_numref(q), 2) * (1 + limbs * limbs / 64));
    mpz_powm(ret, ret, mpq_numref(q), m);
    return 1;
}

static int mod_function(r1_mctx *c, const r1_node *a, mpq_ptr ret) {
    mpq_ptr m = r1_mctx_number(c);

    if (!rational(c, a->kid[1], m))
        return 0;
    if (is_integer(m) && mpq_sgn(m) > 0 && mpz_sizeinbase(mpq_numref(m), 2) <= 4096 &&
        a->kid[0]->kind == R1_N_POW)
        return residue(c, a->kid[0], mpq_numref(m), mpq_numref(ret));
    return rational(c, a->kid[0], ret) && modulo(c, ret, m);
}

static int determinant(r1_mctx *c, const r1_node *m, mpq_ptr ret) {
    int n = m->cols;
    mpq_ptr *e, f = r1_mctx_number(c);

    if (m->kind != R1_N_MATRIX || n * n != m->n || n > 16)
        return 0;
    e = r1_mctx_take(c, (size_t)m->n * sizeof *e);
    for (int i = 0; i < m->n; i++)
        if (!rational(c, m->kid[i], e[i] = r1_mctx_number(c)))
            return 0;
    mpq_set_si(ret, 1, 1);
    for (int k = 0; k < n; k++) {
        int pivot = k;
        while (pivot < n && mpq_sgn(e[pivot * n + k]) == 0)
            pivot++;
        if (pivot == n) {
            mpq_set_si(ret, 0, 1);
            return 1;
        }
        if (pivot != k)
            mpq_neg(ret, ret);
        for (int j = 0; j < n; j++) {
            mpq_ptr t = e[k * n + j];
            e[k * n + j] = e[pivot * n + j];
            e[pivot * n + j] = t;
        }
        mpq_mul(ret, ret, e[k * n + k]);
        for (int i = k + 1; i < n; i++) {
            mpq_div(f, e[i * n + k], e[k * n + k]);
            for (int j = k; j < n; j++) {
                mpq_ptr t = r1_mctx_number(c);
                mpq_mul(t, f, e[k * n + j]);
                mpq_sub(e[i * n + j], e[i * n + j], t);
            }
        }
        if (!fits(c, ret))
            return 0;
    }
    return 1;
}

/* gcd, lcm, max, min over all arguments. */
static int fold(r1_mctx *c, const r1_node *a, mpq_ptr ret) {
    mpq_ptr q = r1_mctx_number(c);

    for (int i = 0; i < a->n; i++) {
        if (!rational(c, a->kid[i], i ? q : ret))
            return 0;
        if (a->op == R1_FN_GCD || a->op == R1_FN_LCM)
            common(ret, i ? q : ret, a->op == R1_FN_LCM);
        else if (i && (mpq_cmp(q, ret) > 0) == (a->op == R1_FN_MAX))
            mpq_set(ret, q);
    }
    return fits(c, ret);
}

static int function(r1_mctx *c, const r1_node *a, mpq_ptr ret) {
    mpq_ptr q = r1_mctx_number(c);
    long k;

    switch (a->op) {
    case R1_FN_GCD:
    case R1_FN_LCM:
    case R1_FN_MAX:
    case R1_FN_MIN:
        return fold(c, a, ret);
    case R1_FN_MOD:
        return mod_function(c, a, ret);
    case R1_FN_DET:
        return determinant(c, a->kid[0], ret);
    case R1_FN_ROOT:
        return r1_value_integer(c, a->kid[1], &k) && k > 0 && k <= 64 &&
               rational(c, a->kid[0], ret) && exact_root(ret, (unsigned long)k);
    case R1_FN_BINOM:
        return rational(c, a->kid[0], ret) && rational(c, a->kid[1], q) && binomial(c, ret, q);
    case R1_FN_ABS:
    case R1_FN_FLOOR:
    case R1_FN_CEIL:
    case R1_FN_FACT:
    case R1_FN_FACT2:
    case R1_FN_CONJ:
        if (!rational(c, a->kid[0], ret))
            return 0;
        if (a->op == R1_FN_ABS)
            mpq_abs(ret, ret);
        if (a->op == R1_FN_FLOOR || a->op == R1_FN_CEIL)
            floor_of(ret, a->op == R1_FN_CEIL);
        return a->op == R1_FN_FACT || a->op == R1_FN_FACT2 ? factorial(c, ret, a->op == R1_FN_FACT2)
                                                           : 1;
    default:
        return 0;
    }
}

/* ---- sums ---- */

long r1_value_terms(r1_mctx *c, const r1_node *big, mpz_ptr ret_first) {
    mpq_ptr from = r1_mctx_number(c), to = r1_mctx_number(c);

    if (!rational(c, big->kid[2], from) || !rational(c, big->kid[3], to) || !is_integer(from) ||
        !is_integer(to))
        return -1;
    mpz_set(ret_first, mpq_numref(from));
    mpq_sub(to, to, from);
    if (mpq_sgn(to) < 0)
        return 0;
    return mpq_cmp_si(to, 999, 1) > 0 ? -1 : mpz_get_si(mpq_numref(to)) + 1;
}

static int big(r1_mctx *c, const r1_node *a, mpq_ptr ret) {
    r1_node *value = r1_node_int(c, 0);
    mpq_ptr term = r1_mctx_number(c);

    if (a->op != 's' && a->op != 'p')
        return 0;
    long n = r1_value_terms(c, a, mpq_numref(value->q));
    if (n < 0)
        return 0;
    mpq_set_si(ret, a->op == 'p', 1);
    for (long k = 0; k < n; k++) {
        if (!rational(c, r1_node_replace(c, a->kid[0], a->kid[1]->text, value), term))
            return 0;
        if (a->op == 'p')
            mpq_mul(ret, ret, term);
        else
            mpq_add(ret, ret, term);
        mpz_add_ui(mpq_numref(value->q), mpq_numref(value->q), 1);
        if (!fits(c, ret))
            return 0;
    }
    return 1;
}

static int add_or_multiply(r1_mctx *c, const r1_node *a, mpq_ptr ret) {
    mpq_ptr q = r1_mctx_number(c);

    mpq_set_si(ret, a->kind == R1_N_MUL, 1);
    for (int i = 0; i < a->n; i++) {
        if (!rational(c, a->kid[i], q))
            return 0;
        if (a->kind == R1_N_MUL)
            mpq_mul(ret, ret, q);
        else
            mpq_add(ret, ret, q);
        if (!fits(c, ret))
            return 0;
    }
    return 1;
}

static int rational(r1_mctx *c, const r1_node *a, mpq_ptr ret) {
    r1_mctx_burn(c, 1);
    switch (a->kind) {
    case R1_N_NUM:
        mpq_set(ret, a->q);
        return fits(c, ret);
    case R1_N_ADD:
    case R1_N_MUL:
        return add_or_multiply(c, a, ret);
    case R1_N_POW:
        return power(c, a, ret);
    case R1_N_FN:
        return function(c, a, ret);
    case R1_N_BIG:
        return big(c, a, ret);
    case R1_N_UNIT:
        if (a->op == 'd' || !rational(c, a->kid[0], ret))
            return 0;
        if (a->op == '%')
            mpz_mul_ui(mpq_denref(ret), mpq_denref(ret), 100);
        mpq_canonicalize(ret);
        return 1;
    default:
        return 0;
    }
}
