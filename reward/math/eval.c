/* Trees as balls; see ball.h. */
#include "reward/math/ball.h"
#include "reward/math/value.h"

#include <string.h>

static int integer_power(r1_eval *e, r1_ball *r, const r1_ball *a, long n) {
    unsigned long m = n < 0 ? -(unsigned long)n : (unsigned long)n;
    r1_ball square, one;

    if (n == 0 && r1_ball_has_zero(a))
        return 0;
    r1_ball_init(e, &square);
    r1_ball_init(e, &one);
    mpfr_set_ui(one.re.lo, 1, MPFR_RNDD);
    mpfr_set_ui(one.re.hi, 1, MPFR_RNDU);
    r1_ball_add(e, &square, a, &square);
    r1_ball_init(e, r);
    r1_ball_add(e, r, r, &one);
    for (; m; m >>= 1) {
        if (m & 1)
            r1_ball_mul(e, r, r, &square);
        if (m > 1)
            r1_ball_mul(e, &square, &square, &square);
    }
    if (!r1_ival_bounded(&r->re) || !r1_ival_bounded(&r->im))
        return 0;
    return n >= 0 || r1_ball_div(e, r, &one, r);
}

#define ROOT_MAX 64 /* degrees and powers up to here are taken as such, others by logarithms */

static int is_small_power(mpq_srcptr x) {
    return mpz_cmp_ui(mpq_denref(x), ROOT_MAX) <= 0 && mpz_cmpabs_ui(mpq_numref(x), ROOT_MAX) <= 0;
}

/* a^(p/q) for real a > 0. */
static int root_power(r1_eval *e, r1_ball *r, const r1_ball *a, mpq_srcptr x) {
    unsigned long degree = mpz_get_ui(mpq_denref(x));
    r1_ball root;

    r1_mctx_burn(e->c, 20 * (1 + e->prec / 256));
    r1_ball_init(e, &root);
    mpfr_rootn_ui(root.re.lo, a->re.lo, degree, MPFR_RNDD);
    mpfr_rootn_ui(root.re.hi, a->re.hi, degree, MPFR_RNDU);
    return integer_power(e, r, &root, mpz_get_si(mpq_numref(x)));
}

/* a^(p/q): real for odd q, and for negative a with the sign that the odd root has. */
static int rational_power(r1_eval *e, r1_ball *r, const r1_ball *a, mpq_srcptr x) {
    r1_ball log, exponent, base;
    int odd = mpz_odd_p(mpq_denref(x)), sign = a->real ? r1_ival_sign(&a->re) : 0;

    if (mpz_cmp_ui(mpq_denref(x), 1) == 0 && mpz_sizeinbase(mpq_numref(x), 2) < 40)
        return integer_power(e, r, a, mpz_get_si(mpq_numref(x)));
    if (mpq_cmp_si(x, 1, 2) == 0)
        return r1_ball_sqrt(e, r, a);
    r1_ball_init(e, &log);
    r1_ball_init(e, &exponent);
    r1_ball_init(e, &base);
    if (mpz_cmp_ui(mpq_denref(x), 2) == 0 && is_small_power(x))
        return r1_ball_sqrt(e, &base, a) && integer_power(e, r, &base, mpz_get_si(mpq_numref(x)));
    r1_ival_set_q(&exponent.re, x);
    int flip = odd && sign < 0;
    if (flip)
        r1_ball_sub(e, &base, &base, a);
    else
        r1_ball_add(e, &base, &base, a);
    if ((sign > 0 || flip) && is_small_power(x)) {
        if (!root_power(e, r, &base, x))
            return 0;
    } else {
        if (!r1_ball_log(e, &log, &base))
            return 0;
        r1_ball_mul(e, &log, &log, &exponent);
        if (!r1_ball_exp(e, r, &log))
            return 0;
    }
    if (flip && mpz_odd_p(mpq_numref(x)))
        r1_ival_neg(e, &r->re, &r->re);
    return 1;
}

static int power(r1_eval *e, const r1_ball *a, const r1_node *exponent, r1_ball *r) {
    mpq_ptr x = r1_mctx_number(e->c);
    r1_ball b, log;

    if (r1_value_rational(e->c, exponent, x))
        return rational_power(e, r, a, x);
    r1_ball_init(e, &b);
    r1_ball_init(e, &log);
    if (!r1_ball_eval(e, exponent, &b) || !r1_ball_log(e, &log, a))
        return 0;
    r1_ball_mul(e, &log, &log, &b);
    return r1_ball_exp(e, r, &log);
}

static void set_long(r1_ball *r, long v) {
    mpfr_set_si(r->re.lo, v, MPFR_RNDD);
    mpfr_set_si(r->re.hi, v, MPFR_RNDU);
}

static void times_i(r1_eval *e, r1_ball *r, int minus) {
    r1_ival t = r->re;

    r->re = r->im;
    r->im = t;
    r1_ival_neg(e, minus ? &r->im : &r->re, minus ? &r->im : &r->re);
    r->real = 0;
}

/* sin and cos by exponentials where the argument is not real; sinh and cosh always. */
static int wave(r1_eval *e, r1_ball *r, const r1_ball *a, int cosine, int hyperbolic) {
    r1_ball z, minus, up, down;

    if (a->real && !hyperbolic) {
        r->real = 1;
        return r1_ival_sin(e, &r->re, &a->re, cosine);
    }
    r1_ball_init(e, &z);
    r1_ball_init(e, &minus);
    r1_ball_init(e, &up);
    r1_ball_init(e, &down);
    r1_ball_add(e, &z, &z, a);
    if (!hyperbolic)
        times_i(e, &z, 0);
    r1_ball_sub(e, &minus, &minus, &z);
    if (!r1_ball_exp(e, &up, &z) || !r1_ball_exp(e, &down, &minus))
        return 0;
    if (cosine)
        r1_ball_add(e, r, &up, &down);
    else
        r1_ball_sub(e, r, &up, &down);
    r1_ball_init(e, &z);
    set_long(&z, 2);
    if (!r1_ball_div(e, r, r, &z))
        return 0;
    if (!cosine && !hyperbolic)
        times_i(e, r, 1);
    return 1;
}

/* asin of a real in [-1, 1] by its ends; a bit beyond them belongs to rounding. */
static int real_arcsine(r1_eval *e, r1_ball *r, const r1_ball *a, int cosine) {
    r1_ival ends;
    mpfr_ptr lo = ends.lo, hi = ends.hi;
    int over;

    if (!a->real || mpfr_cmp_si(a->re.lo, 1) > 0 || mpfr_cmp_si(a->re.hi, -1) < 0)
        return -1;
    r1_ival_init(e, &ends);
    mpfr_set(lo, a->re.lo, MPFR_RNDD);
    mpfr_set(hi, a->re.hi, MPFR_RNDU);
    over = mpfr_cmp_si(lo, -1) < 0 || mpfr_cmp_si(hi, 1) > 0;
    if (mpfr_cmp_si(lo, -1) < 0)
        mpfr_set_si(lo, -1, MPFR_RNDD);
    if (mpfr_cmp_si(hi, 1) > 0)
        mpfr_set_si(hi, 1, MPFR_RNDU);
    e->c->caches = 1;
    r1_mctx_burn(e->c, 80 * (1 + e->prec / 256));
    if (cosine) {
        mpfr_acos(r->re.lo, hi, MPFR_RNDD);
        mpfr_acos(r->re.hi, lo, MPFR_RNDU);
    } else {
        mpfr_asin(r->re.lo, lo, MPFR_RNDD);
        mpfr_asin(r->re.hi, hi, MPFR_RNDU);
    }
    r->real = 1;
    if (over) { /* |Im asin(1 + d)| <= sqrt(2 d) (1 + d) for small d */
        mpfr_sub(hi, a->re.hi, a->re.lo, MPFR_RNDU);
        mpfr_mul_ui(hi, hi, 4, MPFR_RNDU);
        mpfr_sqrt(r->im.hi, hi, MPFR_RNDU);
        mpfr_neg(r->im.lo, r->im.hi, MPFR_RNDD);
        r->real = 0;
        return mpfr_cmp_d(hi, 0.25) < 0;
    }
    return 1;
}

/* asin z = -i log(i z + sqrt(1 - z^2)), acos z = pi/2 - asin z. */
static int arcsine(r1_eval *e, r1_ball *r, const r1_ball *a, int cosine) {
    r1_ball z, w, one;
    int done = real_arcsine(e, r, a, cosine);

    if (done >= 0)
        return done;
    r1_ball_init(e, &z);
    r1_ball_init(e, &w);
    r1_ball_init(e, &one);
    set_long(&one, 1);
    r1_ball_mul(e, &z, a, a);
    r1_ball_sub(e, &w, &one, &z);
    if (!r1_ball_sqrt(e, &z, &w))
        return 0;
    r1_ball_init(e, &w);
    r1_ball_add(e, &w, &w, a);
    times_i(e, &w, 0);
    r1_ball_add(e, &w, &w, &z);
    if (!r1_ball_log(e, r, &w))
        return 0;
    times_i(e, r, 1);
    if (cosine) {
        r1_ball_init(e, &w);
        r1_ball_init(e, &z);
        r1_ball_add(e, &z, &z, r);
        r1_ival_pi(e, &w.re, 1, 2);
        r1_ball_sub(e, r, &w, &z);
    }
    return 1;
}

/* asinh x = log(x + sqrt(x^2 + 1)), acosh x = log(x + sqrt(x - 1) sqrt(x + 1)),
 * atanh x = log((1 + x) / (1 - x)) / 2. */
static int area(r1_eval *e, r1_ball *r, const r1_ball *a, int fn) {
    r1_ball one, x, y, z;

    r1_ball_init(e, &one);
    r1_ball_init(e, &x);
    r1_ball_init(e, &y);
    r1_ball_init(e, &z);
    set_long(&one, 1);
    if (fn == R1_FN_ATANH) {
        r1_ball_add(e, &x, &one, a);
        r1_ball_sub(e, &y, &one, a);
        if (!r1_ball_div(e, &z, &x, &y) || !r1_ball_log(e, &x, &z))
            return 0;
        set_long(&one, 2);
        return r1_ball_div(e, r, &x, &one);
    }
    if (fn == R1_FN_ASINH) {
        r1_ball_mul(e, &x, a, a);
        r1_ball_add(e, &x, &x, &one);
        if (!r1_ball_sqrt(e, &z, &x))
            return 0;
    } else {
        r1_ball_sub(e, &x, a, &one);
        if (!r1_ball_sqrt(e, &y, &x))
            return 0;
        r1_ball_add(e, &x, a, &one);
        if (!r1_ball_sqrt(e, &z, &x))
            return 0;
        r1_ball_mul(e, &z, &z, &y);
    }
    r1_ball_add(e, &z, &z, a);
    return r1_ball_log(e, r, &z);
}

static int arctangent(r1_eval *e, r1_ball *r, const r1_ball *a) {
    r1_ball z;

    if (a->real) {
        r->real = 1;
        return r1_ival_atan(e, &r->re, &a->re);
    }
    r1_ball_init(e, &z);
    r1_ball_add(e, &z, &z, a);
    times_i(e, &z, 0);
    if (!area(e, r, &z, R1_FN_ATANH))
        return 0;
    times_i(e, r, 1);
    return 1;
}

/* An unknown function is a fixed one with its name in it: equal arguments give equal values
 * however they are written, and two names differ. */
static int unknown_call(r1_eval *e, const r1_node *a, r1_ball *r) {
    r1_ball x, k;
    unsigned h = 2166136261u;

    for (size_t i = 0; i < a->text.n; i++)
        h = (h ^ (unsigned char)a->text.s[i]) * 16777619u;
    for (int i = 0; i < a->n; i++) {
        r1_ball_init(e, &x);
        r1_ball_init(e, &k);
        if (!r1_ball_eval(e, a->kid[i], &x))
            return 0;
        set_long(&k, (long)(h % 7) + 2 + i);
        r1_ball_mul(e, &x, &x, &k);
        set_long(&k, (long)(h % 1009) + i);
        k.real = 1;
        r1_ball_add(e, &x, &x, &k);
        if (!wave(e, &k, &x, 0, 0))
            return 0;
        r1_ball_add(e, r, r, &k);
    }
    return 1;
}

/* ---- functions of real values: order, integer parts ---- */

static int extremum(r1_eval *e, const r1_node *a, r1_ball *r) {
    r1_ball x;
    int most = a->op == R1_FN_MAX;

    for (int i = 0; i < a->n; i++) {
        r1_ball_init(e, &x);
        if (!r1_ball_eval(e, a->kid[i], i ? &x : r) || !(i ? x.real : r->real))
            return 0;
        if (i == 0)
            continue;
        if (most ? mpfr_greater_p(x.re.lo, r->re.lo) : mpfr_less_p(x.re.lo, r->re.lo))
            mpfr_set(r->re.lo, x.re.lo, MPFR_RNDD);
        if (most ? mpfr_greater_p(x.re.hi, r->re.hi) : mpfr_less_p(x.re.hi, r->re.hi))
            mpfr_set(r->re.hi, x.re.hi, MPFR_RNDU);
    }
    return a->n > 0;
}

static int integer_part(r1_ball *r, const r1_ball *a, int up) {
    if (!a->real)
        return 0;
    r->real = 1;
    if (up) {
        mpfr_ceil(r->re.lo, a->re.lo);
        mpfr_ceil(r->re.hi, a->re.hi);
    } else {
        mpfr_floor(r->re.lo, a->re.lo);
        mpfr_floor(r->re.hi, a->re.hi);
    }
    return mpfr_equal_p(r->re.lo, r->re.hi);
}

static int modulo(r1_eval *e, r1_ball *r, const r1_ball *a, const r1_ball *m) {
    r1_ball q, k;

    r1_ball_init(e, &q);
    r1_ball_init(e, &k);
    if (!r1_ball_div(e, &q, a, m) || !integer_part(&k, &q, 0))
        return 0;
    r1_ball_mul(e, &q, &k, m);
    r1_ball_sub(e, r, a, &q);
    return 1;
}

static int logarithm(r1_eval *e, const r1_node *a, const r1_ball *x, r1_ball *r) {
    r1_ball base, top, bottom;

    if (a->op == R1_FN_LN)
        return r1_ball_log(e, r, x);
    r1_ball_init(e, &base);
    r1_ball_init(e, &top);
    r1_ball_init(e, &bottom);
    set_long(&base, 10);
    if (a->n == 2 && !r1_ball_eval(e, a->kid[1], &base))
        return 0;
    return r1_ball_log(e, &top, x) && r1_ball_log(e, &bottom, &base) &&
           r1_ball_div(e, r, &top, &bottom);
}

/* cot, sec, csc and tan as quotients. */
static int ratio(r1_eval *e, r1_ball *r, const r1_ball *x, int fn) {
    r1_ball top, bottom;
    int hyperbolic = fn == R1_FN_TANH;

    r1_ball_init(e, &top);
    r1_ball_init(e, &bottom);
    set_long(&top, 1);
    if (fn == R1_FN_TAN || fn == R1_FN_TANH)
        if (!wave(e, &top, x, 0, hyperbolic))
            return 0;
    if (fn == R1_FN_COT && !wave(e, &top, x, 1, 0))
        return 0;
    return wave(e, &bottom, x, fn == R1_FN_TAN || fn == R1_FN_TANH || fn == R1_FN_SEC,
                hyperbolic) &&
           r1_ball_div(e, r, &top, &bottom);
}

static int root(r1_eval *e, const r1_node *a, const r1_ball *x, r1_ball *r) {
    r1_node *inverse = r1_node_2(e->c, R1_N_POW, 0, a->kid[1], r1_node_int(e->c, -1));

    return power(e, x, inverse, r);
}

static int of_argument(r1_eval *e, const r1_node *a, const r1_ball *x, r1_ball *r) {
    r1_ball y;

    switch (a->op) {
    case R1_FN_SIN:
    case R1_FN_COS:
        return wave(e, r, x, a->op == R1_FN_COS, 0);
    case R1_FN_SINH:
    case R1_FN_COSH:
        return wave(e, r, x, a->op == R1_FN_COSH, 1);
    case R1_FN_TAN:
    case R1_FN_COT:
    case R1_FN_SEC:
    case R1_FN_CSC:
    case R1_FN_TANH:
        return ratio(e, r, x, a->op);
    case R1_FN_ASIN:
    case R1_FN_ACOS:
        return arcsine(e, r, x, a->op == R1_FN_ACOS);
    case R1_FN_ATAN:
        return arctangent(e, r, x);
    case R1_FN_ASINH:
    case R1_FN_ACOSH:
    case R1_FN_ATANH:
        return area(e, r, x, a->op);
    case R1_FN_LOG:
    case R1_FN_LN:
        return logarithm(e, a, x, r);
    case R1_FN_EXP:
        return r1_ball_exp(e, r, x);
    case R1_FN_ABS:
        return r1_ball_abs(e, r, x);
    case R1_FN_FLOOR:
    case R1_FN_CEIL:
        return integer_part(r, x, a->op == R1_FN_CEIL);
    case R1_FN_CONJ:
        r1_ball_add(e, r, r, x);
        r1_ival_neg(e, &r->im, &r->im);
        return 1;
    case R1_FN_ROOT:
        return root(e, a, x, r);
    case R1_FN_MOD:
        r1_ball_init(e, &y);
        return r1_ball_eval(e, a->kid[1], &y) && modulo(e, r, x, &y);
    default:
        return 0;
    }
}

/* Integers where the tree needs them: n! and binomials at the values of their names. */
static const r1_node *bound_tree(r1_eval *e, const r1_node *a) {
    for (const r1_bind *b = e->binds; b; b = b->next) {
        r1_node *value = r1_node_int(e->c, 0);
        mpq_set(value->q, b->value);
        a = r1_node_replace(e->c, a, b->name, value);
    }
    return a;
}

static int function(r1_eval *e, const r1_node *a, r1_ball *r) {
    r1_ball x;

    if (a->op == R1_FN_CALL)
        return unknown_call(e, a, r);
    if (a->op == R1_FN_MAX || a->op == R1_FN_MIN)
        return extremum(e, a, r);
    if (a->op == R1_FN_FACT || a->op == R1_FN_FACT2 || a->op == R1_FN_BINOM || a->op == R1_FN_GCD ||
        a->op == R1_FN_LCM || a->op == R1_FN_DET) {
        mpq_ptr q = r1_mctx_number(e->c);
        if (!r1_value_rational(e->c, bound_tree(e, a), q))
            return 0;
        r1_ival_set_q(&r->re, q);
        return 1;
    }
    r1_ball_init(e, &x);
    return r1_ball_eval(e, a->kid[0], &x) && of_argument(e, a, &x, r);
}

static int constant(r1_eval *e, int op, r1_ball *r) {
    r1_ival one;

    switch (op) {
    case 'p':
        r1_ival_pi(e, &r->re, 1, 1);
        return 1;
    case 'e':
        r1_ival_init(e, &one);
        mpfr_set_ui(one.lo, 1, MPFR_RNDD);
        mpfr_set_ui(one.hi, 1, MPFR_RNDU);
        return r1_ival_exp(e, &r->re, &one);
    case 'i':
        mpfr_set_ui(r->im.lo, 1, MPFR_RNDD);
        mpfr_set_ui(r->im.hi, 1, MPFR_RNDU);
        r->real = 0;
        return 1;
    default:
        return 0;
    }
}

static int name(r1_eval *e, r1_text text, r1_ball *r) {
    for (const r1_bind *b = e->binds; b; b = b->next)
        if (r1_text_same(b->name, text)) {
            r1_ival_set_q(&r->re, b->value);
            return 1;
        }
    return 0;
}

static int big(r1_eval *e, const r1_node *a, r1_ball *r) {
    r1_node *value = r1_node_int(e->c, 0);
    const r1_node *range = bound_tree(e, a);
    r1_ball term;

    if (a->op != 's' && a->op != 'p')
        return 0;
    long n = r1_value_terms(e->c, range, mpq_numref(value->q));
    if (n < 0)
        return 0;
    set_long(r, a->op == 'p');
    for (long k = 0; k < n; k++) {
        r1_ball_init(e, &term);
        if (!r1_ball_eval(e, r1_node_replace(e->c, a->kid[0], a->kid[1]->text, value), &term))
            return 0;
        if (a->op == 'p')
            r1_ball_mul(e, r, r, &term);
        else
            r1_ball_add(e, r, r, &term);
        mpz_add_ui(mpq_numref(value->q), mpq_numref(value->q), 1);
    }
    return 1;
}

static int many(r1_eval *e, const r1_node *a, r1_ball *r) {
    r1_ball x;

    set_long(r, a->kind == R1_N_MUL);
    for (int i = 0; i < a->n; i++) {
        r1_ball_init(e, &x);
        if (!r1_ball_eval(e, a->kid[i], &x))
            return 0;
        if (a->kind == R1_N_MUL)
            r1_ball_mul(e, r, r, &x);
        else
            r1_ball_add(e, r, r, &x);
    }
    return 1;
}

static int evaluate(r1_eval *e, const r1_node *a, r1_ball *r) {
    r1_ball x;

    switch (a->kind) {
    case R1_N_NUM:
        r1_ival_set_q(&r->re, a->q);
        return 1;
    case R1_N_SYM:
        return name(e, a->text, r);
    case R1_N_CONST:
        return constant(e, a->op, r);
    case R1_N_ADD:
    case R1_N_MUL:
        return many(e, a, r);
    case R1_N_POW:
        if (a->kid[0]->kind == R1_N_CONST && a->kid[0]->op == 'e') {
            r1_ball_init(e, &x);
            return r1_ball_eval(e, a->kid[1], &x) && r1_ball_exp(e, r, &x);
        }
        r1_ball_init(e, &x);
        return r1_ball_eval(e, a->kid[0], &x) && power(e, &x, a->kid[1], r);
    case R1_N_FN:
        return function(e, a, r);
    case R1_N_BIG:
        return big(e, a, r);
    case R1_N_UNIT:
        r1_ball_init(e, &x);
        if (!r1_ball_eval(e, a->kid[0], r))
            return 0;
        if (a->op == '%')
            set_long(&x, 100);
        else if (a->op == 'd')
            r1_ival_pi(e, &x.re, 1, 180);
        else
            return 1;
        if (a->op == 'd')
            r1_ball_mul(e, r, r, &x);
        return a->op == 'd' || r1_ball_div(e, r, r, &x);
    default:
        return 0;
    }
}

static int in_range(const r1_ival *v) {
    return mpfr_zero_p(v->lo) || mpfr_zero_p(v->hi) || mpfr_sgn(v->lo) != mpfr_sgn(v->hi) ||
           (mpfr_get_exp(v->lo) <= 256 && mpfr_get_exp(v->hi) <= 256 &&
            mpfr_get_exp(v->lo) >= -256 && mpfr_get_exp(v->hi) >= -256);
}

int r1_ball_eval(r1_eval *e, const r1_node *a, r1_ball *ret) {
    r1_mctx_burn(e->c, 1);
    if (!evaluate(e, a, ret) || !r1_ival_bounded(&ret->re) || !r1_ival_bounded(&ret->im))
        return 0;
    if (!in_range(&ret->re) || !in_range(&ret->im))
        e->extreme = 1;
    return 1;
}
