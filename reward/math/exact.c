/* Constants as elements of fields that Calcium knows; see exact.h.  The only file that knows FLINT.
 *
 * Two passes.  `admit` copies a tree: rational subtrees become numbers, and what is too large or
 * unknown here is refused.  It may jump out (r1_mctx_burn), so it runs before the library holds
 * anything.  `evaluate` follows; it reads the copies and takes nothing from the context.
 *
 * What a tree means is said by eval.c, and this file follows it: odd roots of negative reals are
 * real, all else is the principal branch. */
#include "reward/math/exact.h"

#if __has_include(<flint/ca.h>) /* FLINT 3; before it Calcium was a library of its own */
#include <flint/ca.h>
#else
#include <calcium/ca.h>
#endif

/* Of one side.  43,000 random pairs within these bounds took 14 ms at most, and the process 20 MiB;
 * without them a small one can take a second (log cos(pi/60) asks for relations in a field of
 * degree 32). */
#define MAX_NODES     32
#define MAX_BITS      4096 /* of a rational */
#define MAX_ROUGH     64   /* of what its numerator and denominator are beside primes below 32 */
#define MAX_FREE      4    /* things that are not algebraic */
#define MAX_DEGREE    16   /* product of the degrees of all roots */
#define MAX_PARTS     36   /* a half turn is cut into at most so many */
#define MAX_POWER     16
#define MAX_SUM_POWER 6
/* What a root or a function is taken of. */
#define MAX_INNER_DEGREE 4
#define MAX_INNER_FREE   2
#define MAX_INNER_BITS   64

/* ---- what goes into it ---- */

static const r1_node *reduce(r1_mctx *c, const r1_node *a);

/* The same kind of node over reduced operands. */
static const r1_node *reduce_all(r1_mctx *c, const r1_node *a) {
    r1_node *copy = r1_node_new(c, a->kind, a->op, a->n);

    for (int i = 0; i < a->n; i++)
        if (!(copy->kid[i] = reduce(c, a->kid[i])))
            return NULL;
    return copy;
}

static const r1_node *reduce_unit(r1_mctx *c, const r1_node *a) {
    r1_node *part = r1_node_int(c, 0), *pi = r1_node_new(c, R1_N_CONST, 'p', 0);

    if (a->op != 'd' && a->op != '%')
        return reduce(c, a->kid[0]);
    mpq_set_ui(part->q, 1, a->op == 'd' ? 180 : 100);
    const r1_node *scaled = reduce(c, r1_node_2(c, R1_N_MUL, 0, part, a->kid[0]));
    return !scaled || a->op == '%' ? scaled : r1_node_2(c, R1_N_MUL, 0, scaled, pi);
}

static const r1_node *reduce_function(r1_mctx *c, const r1_node *a) {
    if (a->op == R1_FN_ROOT)
        return reduce(c, r1_node_2(c, R1_N_POW, 0, a->kid[0],
                                   r1_node_quotient(c, r1_node_int(c, 1), a->kid[1])));
    return a->op <= R1_FN_CEIL || a->op == R1_FN_CONJ ? reduce_all(c, a) : NULL;
}

/* A copy in which every rational subtree is a number; NULL if there is more in it than constants
 * and functions that the library knows. */
static const r1_node *reduce(r1_mctx *c, const r1_node *a) {
    mpq_ptr q = r1_mctx_number(c);

    if (r1_value_rational(c, a, q)) {
        r1_node *number = r1_node_int(c, 0);
        mpq_set(number->q, q);
        return number;
    }
    switch (a->kind) {
    case R1_N_CONST:
        return a->op == 'o' ? NULL : a;
    case R1_N_POW:
        if (a->kid[0]->kind == R1_N_CONST && a->kid[0]->op == 'e')
            return reduce_all(c, r1_node_1(c, R1_N_FN, R1_FN_EXP, a->kid[1]));
        return reduce_all(c, a);
    case R1_N_ADD:
    case R1_N_MUL:
        return reduce_all(c, a);
    case R1_N_FN:
        return reduce_function(c, a);
    case R1_N_UNIT:
        return reduce_unit(c, a);
    default:
        return NULL;
    }
}

/* ---- how much of it is allowed ---- */

typedef struct extent {
    int nodes, free;
    long degree, parts; /* parts: of a half turn, for sines and their like */
    size_t bits;        /* of the longest rational */
} extent;

static int measure(const r1_node *a, extent *x);

static long lcm(long a, long b) {
    long x = a, y = b;

    while (y) {
        long r = x % y;
        x = y;
        y = r;
    }
    return a / x * b;
}

static size_t bits(mpq_srcptr q) {
    return mpz_sizeinbase(mpq_numref(q), 2) + mpz_sizeinbase(mpq_denref(q), 2);
}

/* The library factors what roots and logarithms are taken of. */
static int is_smooth(mpz_srcptr z) {
    static const unsigned char primes[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31};
    mpz_t rest, p;

    mpz_init_set(rest, z);
    mpz_init(p);
    for (size_t i = 0; i < sizeof primes; i++) {
        mpz_set_ui(p, primes[i]);
        mpz_remove(rest, rest, p);
    }
    int smooth = mpz_sizeinbase(rest, 2) <= MAX_ROUGH;
    mpz_clear(rest);
    mpz_clear(p);
    return smooth;
}

/* pi k / n: the n; 0 for any other. */
static long part_of_turn(const r1_node *a) {
    const r1_node *q = a->kind == R1_N_MUL && a->n == 2 ? a->kid[0] : NULL, *pi = q ? a->kid[1] : a;

    if (q && q->kind != R1_N_NUM) {
        q = a->kid[1];
        pi = a->kid[0];
    }
    if (pi->kind != R1_N_CONST || pi->op != 'p' || (q && q->kind != R1_N_NUM))
        return 0;
    if (!q)
        return 1;
    return mpz_cmp_ui(mpq_denref(q->q), MAX_PARTS) > 0 ? 0 : mpz_get_si(mpq_denref(q->q));
}

/* May a root or a function be taken of it? */
static int is_inner(const extent *x) {
    return x->degree <= MAX_INNER_DEGREE && x->free <= MAX_INNER_FREE && x->parts == 1 &&
           x->bits <= MAX_INNER_BITS;
}

static int measure_power(const r1_node *a, extent *x) {
    const r1_node *base = a->kid[0], *e = a->kid[1];

    if (e->kind != R1_N_NUM) {
        x->free++;
        return is_inner(x);
    }
    if (mpz_cmp_ui(mpq_denref(e->q), MAX_DEGREE) > 0 ||
        mpz_cmpabs_ui(mpq_numref(e->q), MAX_BITS) > 0)
        return 0;
    long root = mpz_get_si(mpq_denref(e->q)), n = mpz_get_si(mpq_numref(e->q));
    n = n < 0 ? -n : n;
    if (base->kind == R1_N_NUM) {
        x->degree *= root;
        return n * (long)bits(base->q) <= MAX_BITS * root;
    }
    if (root != 1) {
        if (!is_inner(x) || (x->free && base->kind != R1_N_CONST))
            return 0;
        x->degree *= root;
    }
    return base->kind == R1_N_ADD ? n <= MAX_SUM_POWER && x->bits <= MAX_INNER_BITS
                                  : n <= MAX_POWER;
}

static int measure_function(const r1_node *a, extent *x) {
    long part = a->op <= R1_FN_CSC ? part_of_turn(a->kid[0]) : 0;

    if (part) {
        x->parts = lcm(x->parts, part);
        x->free = 0;
        return 1;
    }
    if (a->op <= R1_FN_EXP)
        x->free++;
    return a->kid[0]->kind == R1_N_NUM || is_inner(x);
}

/* 0: more than the bounds allow. */
static int measure(const r1_node *a, extent *x) {
    *x = (extent){.nodes = 1, .degree = 1, .parts = 1};
    for (int i = 0; i < a->n; i++) {
        extent k;
        if (!measure(a->kid[i], &k))
            return 0;
        x->nodes += k.nodes;
        x->free += k.free;
        x->degree *= k.degree;
        x->parts = lcm(x->parts, k.parts);
        x->bits = k.bits > x->bits ? k.bits : x->bits;
        if (x->degree > MAX_DEGREE || x->parts > MAX_PARTS || x->nodes > MAX_NODES ||
            x->free > MAX_FREE)
            return 0;
    }
    switch (a->kind) {
    case R1_N_NUM:
        x->bits = bits(a->q);
        return x->bits <= MAX_BITS && (x->bits <= MAX_ROUGH || (is_smooth(mpq_numref(a->q)) &&
                                                                is_smooth(mpq_denref(a->q))));
    case R1_N_CONST:
        if (a->op == 'i')
            x->degree = 2;
        else
            x->free = 1;
        return 1;
    case R1_N_POW:
        return measure_power(a, x) && x->degree <= MAX_DEGREE;
    case R1_N_FN:
        return measure_function(a, x);
    default:
        return 1;
    }
}

static const r1_node *admit(r1_mctx *c, const r1_node *a) {
    extent x;

    a = r1_node_count(a) <= 2 * MAX_NODES ? reduce(c, a) : NULL;
    return a && measure(a, &x) ? a : NULL;
}

/* ---- in the library ---- */

static int evaluate(ca_t r, const r1_node *a, ca_ctx_t k);

static void set_rational(ca_t r, mpq_srcptr q, ca_ctx_t k) {
    fmpq_t x;

    fmpq_init(x);
    fmpq_set_mpq(x, q);
    ca_set_fmpq(r, x, k);
    fmpq_clear(x);
}

/* a^(p/q): for odd q and negative a minus or plus the real root.  0^0 is nothing here. */
static int rational_power(ca_t r, mpq_srcptr e, ca_ctx_t k) {
    int root = mpz_cmp_ui(mpq_denref(e), 1) != 0, flip = 0;
    fmpq_t x;

    if (mpq_sgn(e) <= 0 && ca_check_is_zero(r, k) != T_FALSE)
        return 0;
    if (root && mpz_odd_p(mpq_denref(e))) {
        truth_t negative = ca_check_is_negative_real(r, k);
        if (negative == T_UNKNOWN)
            return 0;
        flip = negative == T_TRUE;
    }
    if (flip)
        ca_neg(r, r, k);
    fmpq_init(x);
    fmpq_set_mpq(x, e);
    ca_pow_fmpq(r, r, x, k);
    fmpq_clear(x);
    if (flip && mpz_odd_p(mpq_numref(e)))
        ca_neg(r, r, k);
    return 1;
}

static int power(ca_t r, const r1_node *a, ca_ctx_t k) {
    int known = evaluate(r, a->kid[0], k);
    ca_t e;

    if (!known)
        return 0;
    if (a->kid[1]->kind == R1_N_NUM)
        return rational_power(r, a->kid[1]->q, k);
    ca_init(e, k);
    known = evaluate(e, a->kid[1], k) && ca_check_is_zero(r, k) == T_FALSE;
    if (known)
        ca_pow(r, r, e, k);
    ca_clear(e, k);
    return known;
}

static int many(ca_t r, const r1_node *a, ca_ctx_t k) {
    int known = 1;
    ca_t x;

    ca_init(x, k);
    ca_set_ui(r, a->kind == R1_N_MUL, k);
    for (int i = 0; known && i < a->n; i++) {
        known = evaluate(x, a->kid[i], k);
        if (known && a->kind == R1_N_MUL)
            ca_mul(r, r, x, k);
        else if (known)
            ca_add(r, r, x, k);
    }
    ca_clear(x, k);
    return known;
}

/* sinh, cosh and tanh by exponentials. */
static void hyperbolic(ca_t r, int fn, ca_ctx_t k) {
    ca_t up, down;

    ca_init(up, k);
    ca_init(down, k);
    ca_exp(up, r, k);
    ca_inv(down, up, k);
    ca_sub(r, up, down, k);
    ca_add(up, up, down, k);
    if (fn == R1_FN_SINH)
        ca_div_ui(r, r, 2, k);
    else if (fn == R1_FN_COSH)
        ca_div_ui(r, up, 2, k);
    else
        ca_div(r, r, up, k);
    ca_clear(up, k);
    ca_clear(down, k);
}

/* Their inverses, as in eval.c. */
static void area(ca_t r, int fn, ca_ctx_t k) {
    ca_t x, y;

    ca_init(x, k);
    ca_init(y, k);
    ca_add_ui(x, r, 1, k);
    if (fn == R1_FN_ATANH) {
        ca_ui_sub(y, 1, r, k);
        ca_div(x, x, y, k);
        ca_log(r, x, k);
        ca_div_ui(r, r, 2, k);
    } else {
        if (fn == R1_FN_ASINH) {
            ca_mul(x, r, r, k);
            ca_add_ui(x, x, 1, k);
            ca_sqrt(x, x, k);
        } else {
            ca_sub_ui(y, r, 1, k);
            ca_sqrt(x, x, k);
            ca_sqrt(y, y, k);
            ca_mul(x, x, y, k);
        }
        ca_add(x, x, r, k);
        ca_log(r, x, k);
    }
    ca_clear(x, k);
    ca_clear(y, k);
}

/* Of multiples of 30 and 45 degrees they are short algebraic numbers (up to 30 times as fast), else
 * made of exponentials, which prove more. */
static void circular(ca_t r, const r1_node *a, ca_ctx_t k) {
    long part = part_of_turn(a->kid[0]);
    ca_t sine, cosine;

    ca_init(sine, k);
    ca_init(cosine, k);
    if (part && part <= 6 && 12 % part == 0)
        ca_sin_cos_direct(sine, cosine, r, k);
    else
        ca_sin_cos_exponential(sine, cosine, r, k);
    switch (a->op) {
    case R1_FN_SIN:
        ca_set(r, sine, k);
        break;
    case R1_FN_COS:
        ca_set(r, cosine, k);
        break;
    case R1_FN_TAN:
        ca_div(r, sine, cosine, k);
        break;
    case R1_FN_COT:
        ca_div(r, cosine, sine, k);
        break;
    default:
        ca_inv(r, a->op == R1_FN_SEC ? cosine : sine, k);
    }
    ca_clear(sine, k);
    ca_clear(cosine, k);
}

/* Without a base: that of 10. */
static int logarithm(ca_t r, const r1_node *a, ca_ctx_t k) {
    int known = 1;
    ca_t base;

    ca_log(r, r, k);
    if (a->op == R1_FN_LN)
        return 1;
    ca_init(base, k);
    ca_set_ui(base, 10, k);
    if (a->n == 2)
        known = evaluate(base, a->kid[1], k);
    if (known) {
        ca_log(base, base, k);
        ca_div(r, r, base, k);
    }
    ca_clear(base, k);
    return known;
}

static int is_between(const ca_t x, long lo, long hi, ca_ctx_t k) {
    ca_t end;

    ca_init(end, k);
    ca_set_si(end, lo, k);
    int inside = ca_check_ge(x, end, k) == T_TRUE;
    ca_set_si(end, hi, k);
    inside = inside && ca_check_le(x, end, k) == T_TRUE;
    ca_clear(end, k);
    return inside;
}

static int function(ca_t r, const r1_node *a, ca_ctx_t k) {
    if (!evaluate(r, a->kid[0], k))
        return 0;
    /* beside the reals libraries differ in what lies on a cut */
    int is_real = ca_check_is_real(r, k) == T_TRUE;
    switch (a->op) {
    case R1_FN_ASIN:
    case R1_FN_ACOS:
        if (!is_between(r, -1, 1, k))
            return 0;
        if (a->op == R1_FN_ASIN)
            ca_asin(r, r, k);
        else
            ca_acos(r, r, k);
        return 1;
    case R1_FN_ATAN:
        ca_atan(r, r, k);
        return is_real;
    case R1_FN_SINH:
    case R1_FN_COSH:
    case R1_FN_TANH:
        hyperbolic(r, a->op, k);
        return 1;
    case R1_FN_ASINH:
    case R1_FN_ACOSH:
    case R1_FN_ATANH:
        area(r, a->op, k);
        return is_real;
    case R1_FN_LOG:
    case R1_FN_LN:
        return logarithm(r, a, k);
    case R1_FN_EXP:
        ca_exp(r, r, k);
        return 1;
    case R1_FN_ABS:
        ca_abs(r, r, k);
        return 1;
    case R1_FN_CONJ:
        ca_conj(r, r, k);
        return 1;
    case R1_FN_FLOOR:
        ca_floor(r, r, k);
        return is_real;
    case R1_FN_CEIL:
        ca_ceil(r, r, k);
        return is_real;
    default:
        circular(r, a, k);
        return 1;
    }
}

static int value(ca_t r, const r1_node *a, ca_ctx_t k) {
    switch (a->kind) {
    case R1_N_NUM:
        set_rational(r, a->q, k);
        return 1;
    case R1_N_CONST:
        if (a->op == 'p') {
            ca_pi(r, k);
        } else if (a->op == 'i') {
            ca_i(r, k);
        } else {
            ca_one(r, k);
            ca_exp(r, r, k);
        }
        return 1;
    case R1_N_POW:
        return power(r, a, k);
    case R1_N_FN:
        return function(r, a, k);
    default:
        return many(r, a, k);
    }
}

/* 0: it cannot be said which number this is.  Infinities are none, nor what is made of them. */
static int evaluate(ca_t r, const r1_node *a, ca_ctx_t k) {
    return value(r, a, k) && ca_check_is_number(r, k) == T_TRUE;
}

int r1_exact_compare(r1_mctx *c, const r1_node *a, const r1_node *b) {
    truth_t same = T_UNKNOWN;
    ca_ctx_t k;
    ca_t x, y;

    if (c->proofs == R1_EXACT_PROOFS || !(a = admit(c, a)) || !(b = admit(c, b)))
        return 0;
    c->proofs++;
    ca_ctx_init(k);
    ca_ctx_set_option(k, CA_OPT_PREC_LIMIT, 1024);
    ca_ctx_set_option(k, CA_OPT_QQBAR_DEG_LIMIT, 32);
    ca_init(x, k);
    ca_init(y, k);
    if (evaluate(x, a, k) && evaluate(y, b, k))
        same = ca_check_equal(x, y, k);
    ca_clear(x, k);
    ca_clear(y, k);
    ca_ctx_clear(k);
    flint_cleanup(); /* what it keeps for this thread */
    return same == T_TRUE ? 1 : same == T_FALSE ? -1 : 0;
}
