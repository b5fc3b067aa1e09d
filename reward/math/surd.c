/* Exact arithmetic with square roots: sums of q sqrt(n) and q i sqrt(n) for squarefree n.  Such
 * roots are linearly independent over the rationals, so a sum is zero only if it has no terms:
 * equal and different are both proven.  Roots of anything but
 * rationals are left to the intervals. */
#include "reward/math/value.h"

#include <stdlib.h>

#define MAX_TERMS 16

/* q sqrt(n), or q i sqrt(-n) for negative n. */
typedef struct term {
    long n;
    mpq_ptr q;
} term;

typedef struct surd {
    term t[MAX_TERMS];
    int n;
} surd;

static int add_term(r1_mctx *c, surd *s, long n, mpq_srcptr q) {
    int i = 0;

    while (i < s->n && s->t[i].n != n)
        i++;
    if (i == MAX_TERMS)
        return 0;
    if (i == s->n)
        s->t[s->n++] = (term){n, r1_mctx_number(c)};
    mpq_add(s->t[i].q, s->t[i].q, q);
    r1_mctx_burn(c, 1 + (long)(mpz_sizeinbase(mpq_numref(q), 2) / 512));
    if (mpq_sgn(s->t[i].q) == 0)
        s->t[i] = s->t[--s->n];
    return 1;
}

static int add(r1_mctx *c, surd *s, const surd *a) {
    for (int i = 0; i < a->n; i++)
        if (!add_term(c, s, a->t[i].n, a->t[i].q))
            return 0;
    return 1;
}

static unsigned long common_divisor(unsigned long a, unsigned long b) {
    while (b) {
        unsigned long r = a % b;
        a = b;
        b = r;
    }
    return a;
}

/* sqrt(a) sqrt(b) = g sqrt(ab / g^2); i i = -1. */
static int multiply(r1_mctx *c, surd *ret, const surd *a, const surd *b) {
    surd r = {.n = 0};

    for (int i = 0; i < a->n; i++)
        for (int j = 0; j < b->n; j++) {
            long x = labs(a->t[i].n), y = labs(b->t[j].n), n;
            long g = (long)common_divisor((unsigned long)x, (unsigned long)y);
            int minus_a = a->t[i].n < 0, minus_b = b->t[j].n < 0;
            mpq_ptr q = r1_mctx_number(c);
            if (__builtin_mul_overflow(x / g, y / g, &n))
                return 0;
            mpq_set_si(q, minus_a && minus_b ? -g : g, 1);
            mpq_mul(q, q, a->t[i].q);
            mpq_mul(q, q, b->t[j].q);
            if (mpz_sizeinbase(mpq_numref(q), 2) > R1_MATH_BITS ||
                !add_term(c, &r, minus_a != minus_b ? -n : n, q))
                return 0;
        }
    *ret = r;
    return 1;
}

/* Something that a root is of: -1 for i, else a prime. */
static long generator(const surd *s) {
    for (int i = 0; i < s->n; i++)
        if (s->t[i].n < 0)
            return -1;
    for (int i = 0; i < s->n; i++)
        if (s->t[i].n > 1) {
            long d = 2;
            while (d * d <= s->t[i].n && s->t[i].n % d)
                d++;
            return d * d <= s->t[i].n ? d : s->t[i].n;
        }
    return 0;
}

static int of_generator(long n, long g) {
    return g == -1 ? n < 0 : n % g == 0;
}

/* 1/s: multiplied with its conjugates, one generator after the other, s becomes rational. */
static int invert(r1_mctx *c, surd *s) {
    surd acc = {.n = 0};
    mpq_ptr one = r1_mctx_number(c);
    long g;

    mpq_set_si(one, 1, 1);
    if (s->n == 0 || !add_term(c, &acc, 1, one))
        return 0;
    for (int round = 0; (g = generator(s)) != 0; round++) {
        surd conj = *s;
        if (round == 8)
            return 0;
        for (int i = 0; i < conj.n; i++)
            if (of_generator(conj.t[i].n, g)) {
                conj.t[i].q = r1_mctx_number(c);
                mpq_neg(conj.t[i].q, s->t[i].q);
            }
        r1_mctx_burn(c, 8);
        if (!multiply(c, &acc, &acc, &conj) || !multiply(c, s, s, &conj) || s->n == 0)
            return 0;
    }
    for (int i = 0; i < acc.n; i++)
        mpq_div(acc.t[i].q, acc.t[i].q, s->t[0].q);
    *s = acc;
    return 1;
}

/* m = k^2 r with r squarefree; 0 where that takes divisors beyond 2^16. */
static int split_square(r1_mctx *c, unsigned long m, unsigned long *ret_k, unsigned long *ret_r) {
    unsigned long k = 1, r = 1, d = 2;

    for (; d < 65536 && d * d <= m; d++) {
        if (d % 64 == 0)
            r1_mctx_burn(c, 4);
        while (m % (d * d) == 0) {
            m /= d * d;
            k *= d;
        }
        if (m % d == 0) {
            m /= d;
            r *= d;
        }
    }
    if (d * d <= m)
        return 0;
    *ret_k = k;
    *ret_r = r * m;
    return *ret_r <= (1ul << 40);
}

/* sqrt(p/q) = sqrt(p q) / q */
static int root_of(r1_mctx *c, mpq_srcptr q, surd *ret) {
    mpz_ptr product = mpq_numref(r1_mctx_number(c));
    mpq_ptr factor = r1_mctx_number(c);
    unsigned long k, r;

    mpz_mul(product, mpq_numref(q), mpq_denref(q));
    mpz_abs(product, product);
    if (!mpz_fits_slong_p(product) || !split_square(c, mpz_get_ui(product), &k, &r))
        return 0;
    if (mpz_sgn(product) == 0)
        return 1;
    mpz_set_ui(mpq_numref(factor), k);
    mpz_set(mpq_denref(factor), mpq_denref(q));
    mpq_canonicalize(factor);
    return add_term(c, ret, mpq_sgn(q) < 0 ? -(long)r : (long)r, factor);
}

static int surd_of(r1_mctx *c, const r1_node *a, surd *ret);

static int power(r1_mctx *c, const r1_node *a, surd *ret) {
    mpq_ptr e = r1_mctx_number(c), q = r1_mctx_number(c);
    surd base = {.n = 0};

    if (!r1_value_rational(c, a->kid[1], e) || mpz_cmp_ui(mpq_denref(e), 2) > 0 ||
        mpz_cmpabs_ui(mpq_numref(e), 64) > 0)
        return 0;
    if (mpz_cmp_ui(mpq_denref(e), 2) == 0) {
        if (!r1_value_rational(c, a->kid[0], q) || mpq_sgn(q) < 0 || !root_of(c, q, &base))
            return 0;
    } else if (!surd_of(c, a->kid[0], &base)) {
        return 0;
    }
    if (base.n == 0)
        return mpq_sgn(e) > 0;
    if (mpq_sgn(e) < 0 && !invert(c, &base))
        return 0;
    mpq_set_si(q, 1, 1);
    if (!add_term(c, ret, 1, q))
        return 0;
    for (long n = labs(mpz_get_si(mpq_numref(e))); n > 0; n--)
        if (!multiply(c, ret, ret, &base))
            return 0;
    return 1;
}

static int many(r1_mctx *c, const r1_node *a, surd *ret) {
    mpq_ptr one = r1_mctx_number(c);

    mpq_set_si(one, a->kind == R1_N_MUL, 1);
    if (a->kind == R1_N_MUL && !add_term(c, ret, 1, one))
        return 0;
    for (int i = 0; i < a->n; i++) {
        surd k = {.n = 0};
        if (!surd_of(c, a->kid[i], &k) ||
            !(a->kind == R1_N_MUL ? multiply(c, ret, ret, &k) : add(c, ret, &k)))
            return 0;
    }
    return 1;
}

/* Into an empty *ret; 0 if the tree is no such sum. */
static int surd_of(r1_mctx *c, const r1_node *a, surd *ret) {
    mpq_ptr q = r1_mctx_number(c);

    r1_mctx_burn(c, 1);
    if (r1_value_rational(c, a, q))
        return mpq_sgn(q) == 0 || add_term(c, ret, 1, q);
    switch (a->kind) {
    case R1_N_CONST:
        mpq_set_si(q, 1, 1);
        return a->op == 'i' && add_term(c, ret, -1, q);
    case R1_N_ADD:
    case R1_N_MUL:
        return many(c, a, ret);
    case R1_N_POW:
        return power(c, a, ret);
    case R1_N_FN:
        return a->op == R1_FN_ROOT && r1_value_rational(c, a->kid[1], q) &&
               mpq_cmp_si(q, 2, 1) == 0 && r1_value_rational(c, a->kid[0], q) && root_of(c, q, ret);
    default:
        return 0;
    }
}

int r1_value_surds(r1_mctx *c, const r1_node *a) {
    surd s = {.n = 0};

    return surd_of(c, a, &s) ? (s.n == 0 ? 1 : -1) : 0;
}
