/* Rational functions at random points of prime fields (Schwartz and Zippel); see value.h.
 *
 * For names x, y, ... the functions x, e^(x/12), e^(ix/12), 2^(x/12), 3^(x/12), 5^(x/12), ... and
 * those of y, ... are algebraically independent (Ax; 1, i, ln 2, ln 3, ... are linearly
 * independent), so each is a variable of its own.  That covers powers whose exponents are sums of
 * names with rational coefficients, sines and their like, and decides their identities. */
#include "reward/math/value.h"

#define UNITS      12 /* of an exponent are an integer, or it is left to others */
#define MOST_UNITS ((long)1 << 20)
#define MOST_BASE  10000

/* Primes of 61 and 62 bits, 1 modulo 4: a square root of -1 is in their fields. */
static const struct {
    uint64_t p, root;
} fields[] = {{UINT64_C(2305843009213693921), UINT64_C(583529827753931384)},
              {UINT64_C(4611686018427387817), UINT64_C(4490822397581186023)}};

typedef struct field {
    r1_mctx *c;
    uint64_t p, root; /* root^2 = -1 */
    uint64_t seed;
    int constants; /* pi or e were met */
} field;

static uint64_t mul(const field *f, uint64_t a, uint64_t b) {
    return (uint64_t)((unsigned __int128)a * b % f->p);
}

static uint64_t power(const field *f, uint64_t a, uint64_t e) {
    uint64_t r = 1;

    for (; e; e >>= 1, a = mul(f, a, a))
        if (e & 1)
            r = mul(f, r, a);
    return r;
}

static uint64_t mix(uint64_t x) { /* splitmix64 */
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* What a name may be an exponent of, besides primes: they stand for themselves, shifted. */
enum {
    NAME_ITSELF,
    OF_E,
    OF_E_I, /* e^i */
    OF_2,   /* and so on: OF_2 + (p - 2) */
};

/* The value of a name, or of base^(name/12). */
static uint64_t named(const field *f, r1_text name, long base) {
    uint64_t h = f->seed ^ (uint64_t)base << 32;

    for (size_t i = 0; i < name.n; i++)
        h = mix(h ^ (unsigned char)name.s[i]);
    return mix(h) % f->p;
}

static uint64_t constant(const field *f, int op) {
    return named(f, r1_text_of(op == 'p' ? "\\pi" : "\\e"), NAME_ITSELF);
}

static uint64_t of_integer(const field *f, mpz_srcptr z) {
    return mpz_fdiv_ui(z, (unsigned long)f->p);
}

static int inverse(const field *f, uint64_t a, uint64_t *ret) {
    *ret = power(f, a, f->p - 2);
    return a != 0;
}

static int evaluate(field *f, const r1_node *a, uint64_t *ret);

static int of_rational(const field *f, mpq_srcptr q, uint64_t *ret) {
    uint64_t den;

    if (mpz_cmp_ui(mpq_denref(q), 1) == 0) {
        *ret = of_integer(f, mpq_numref(q));
        return 1;
    }
    if (!inverse(f, of_integer(f, mpq_denref(q)), &den))
        return 0;
    *ret = mul(f, of_integer(f, mpq_numref(q)), den);
    return 1;
}

/* ---- exponentials ---- */

static int signed_power(const field *f, uint64_t base, long n, uint64_t *ret) {
    *ret = power(f, base, (uint64_t)(n < 0 ? -n : n));
    return n >= 0 || inverse(f, *ret, ret);
}

static int exponential(field *f, const r1_node *a, long units, long base, uint64_t *ret);

/* Rational factors and i go into units and base; one factor may be left. */
static int exponential_of_product(field *f, const r1_node *a, long units, long base,
                                  uint64_t *ret) {
    mpq_ptr q = r1_mctx_number(f->c), factor = r1_mctx_number(f->c);
    const r1_node *rest = NULL;

    mpq_set_si(factor, units, 1);
    for (int i = 0; i < a->n; i++) {
        const r1_node *kid = a->kid[i];
        if (r1_value_rational(f->c, kid, q)) {
            mpq_mul(factor, factor, q);
        } else if (kid->kind == R1_N_CONST && kid->op == 'i' && base <= OF_E_I) {
            if (base == OF_E_I) /* i i = -1 */
                mpq_neg(factor, factor);
            base = base == OF_E ? OF_E_I : OF_E;
        } else if (rest) {
            return 0;
        } else {
            rest = kid;
        }
    }
    if (mpz_cmp_ui(mpq_denref(factor), 1) != 0 || mpz_cmpabs_ui(mpq_numref(factor), MOST_UNITS) > 0)
        return 0;
    units = mpz_get_si(mpq_numref(factor));
    return exponential(f, rest ? rest : r1_node_int(f->c, 1), units, base, ret);
}

/* base^(units q / 12) for a number. */
static int exponential_of_number(field *f, mpq_srcptr a, long units, long base, uint64_t *ret) {
    mpq_ptr q = r1_mctx_number(f->c);

    mpq_set_si(q, units, UNITS);
    mpq_canonicalize(q);
    mpq_mul(q, q, a);
    if (mpz_cmp_ui(mpq_denref(q), 1) != 0 || mpz_cmpabs_ui(mpq_numref(q), MOST_UNITS) > 0 ||
        (base == OF_E_I && mpq_sgn(q)))
        return 0;
    f->constants |= base == OF_E && mpq_sgn(q);
    uint64_t x = base >= OF_2 ? (uint64_t)(base - OF_2 + 2) : constant(f, 'e');
    return signed_power(f, x, mpz_get_si(mpq_numref(q)), ret);
}

/* base^(units a / 12) */
static int exponential(field *f, const r1_node *a, long units, long base, uint64_t *ret) {
    uint64_t x;

    r1_mctx_burn(f->c, 4);
    switch (a->kind) {
    case R1_N_SYM:
        return signed_power(f, named(f, a->text, base), units, ret);
    case R1_N_CONST: /* e^(i pi/2) = i */
        return a->op == 'p' && base == OF_E_I && units % (UNITS / 2) == 0 &&
               signed_power(f, f->root, units / (UNITS / 2), ret);
    case R1_N_NUM:
        return exponential_of_number(f, a->q, units, base, ret);
    case R1_N_ADD:
        *ret = 1;
        for (int i = 0; i < a->n; i++) {
            if (!exponential(f, a->kid[i], units, base, &x))
                return 0;
            *ret = mul(f, *ret, x);
        }
        return 1;
    case R1_N_MUL:
        return exponential_of_product(f, a, units, base, ret);
    default:
        return 0;
    }
}

/* n^a, or n^-a, for a small n > 0, prime by prime; into *io as a factor. */
static int times_power(field *f, long n, const r1_node *a, int inverted, uint64_t *io) {
    uint64_t x;

    for (long p = 2; n > 1; p += 1 + (p > 2)) {
        long count = 0;
        p = p * p > n ? n : p;
        for (; n % p == 0; n /= p)
            count++;
        if (count == 0)
            continue;
        if (!exponential(f, a, (inverted ? -UNITS : UNITS) * count, OF_2 + p - 2, &x))
            return 0;
        *io = mul(f, *io, x);
    }
    return 1;
}

/* Powers with names in the exponent: of e and of small positive rationals. */
static int name_power(field *f, const r1_node *a, uint64_t *ret) {
    mpq_ptr q = r1_mctx_number(f->c);

    if (a->kid[0]->kind == R1_N_CONST && a->kid[0]->op == 'e')
        return exponential(f, a->kid[1], UNITS, OF_E, ret);
    if (!r1_value_rational(f->c, a->kid[0], q) || mpq_sgn(q) <= 0 ||
        mpz_cmp_ui(mpq_numref(q), MOST_BASE) > 0 || mpz_cmp_ui(mpq_denref(q), MOST_BASE) > 0)
        return 0;
    *ret = 1;
    return times_power(f, mpz_get_si(mpq_numref(q)), a->kid[1], 0, ret) &&
           times_power(f, mpz_get_si(mpq_denref(q)), a->kid[1], 1, ret);
}

static int quotient(const field *f, uint64_t a, uint64_t b, uint64_t *ret) {
    if (!inverse(f, b, &b))
        return 0;
    *ret = mul(f, a, b);
    return 1;
}

/* By t = e^x or e^(ix): cos x = (t + 1/t) / 2, sin x = (t - 1/t) / (2 i). */
static int function(field *f, const r1_node *a, uint64_t *ret) {
    int turn = a->op <= R1_FN_CSC;
    uint64_t t, down, sine, cosine, half = (f->p + 1) / 2;

    if (a->op != R1_FN_EXP && !turn && a->op != R1_FN_SINH && a->op != R1_FN_COSH &&
        a->op != R1_FN_TANH)
        return 0;
    if (!exponential(f, a->kid[0], UNITS, turn ? OF_E_I : OF_E, &t) || !inverse(f, t, &down))
        return 0;
    cosine = mul(f, half, (t + down) % f->p);
    sine = mul(f, half, (t + f->p - down) % f->p);
    if (turn)
        sine = mul(f, sine, f->p - f->root);
    switch (a->op) {
    case R1_FN_EXP:
        *ret = t;
        return 1;
    case R1_FN_SIN:
    case R1_FN_SINH:
        *ret = sine;
        return 1;
    case R1_FN_COS:
    case R1_FN_COSH:
        *ret = cosine;
        return 1;
    case R1_FN_TAN:
    case R1_FN_TANH:
        return quotient(f, sine, cosine, ret);
    case R1_FN_COT:
        return quotient(f, cosine, sine, ret);
    default:
        return inverse(f, a->op == R1_FN_SEC ? cosine : sine, ret);
    }
}

/* ---- trees ---- */

/* Exponents stay far below the order of the group, or x^(p-1) would be 1. */
static int raise(field *f, const r1_node *a, uint64_t *ret) {
    mpq_ptr e = r1_mctx_number(f->c);
    uint64_t base;

    if (r1_node_has(a->kid[1], R1_N_SYM, -1))
        return name_power(f, a, ret);
    if (!r1_value_rational(f->c, a->kid[1], e) || mpz_cmp_ui(mpq_denref(e), 1) != 0 ||
        mpz_sizeinbase(mpq_numref(e), 2) > 32 || !evaluate(f, a->kid[0], &base) || base == 0)
        return 0;
    r1_mctx_burn(f->c, 4);
    return signed_power(f, base, mpz_get_si(mpq_numref(e)), ret);
}

static int evaluate(field *f, const r1_node *a, uint64_t *ret) {
    uint64_t x;

    r1_mctx_burn(f->c, 1);
    switch (a->kind) {
    case R1_N_NUM:
        return of_rational(f, a->q, ret);
    case R1_N_SYM:
        *ret = named(f, a->text, NAME_ITSELF);
        return 1;
    case R1_N_CONST:
        f->constants |= a->op != 'i';
        *ret = a->op == 'i' ? f->root : constant(f, a->op);
        return a->op != 'o';
    case R1_N_ADD:
    case R1_N_MUL:
        *ret = a->kind == R1_N_MUL;
        for (int i = 0; i < a->n; i++) {
            if (!evaluate(f, a->kid[i], &x))
                return 0;
            *ret = a->kind == R1_N_MUL ? mul(f, *ret, x) : (*ret + x) % f->p;
        }
        return 1;
    case R1_N_POW:
        return raise(f, a, ret);
    case R1_N_FN:
        return r1_node_has(a, R1_N_SYM, -1) && function(f, a, ret);
    case R1_N_UNIT:
        return a->op == '%' && evaluate(f, a->kid[0], &x) &&
               (*ret = mul(f, x, power(f, 100, f->p - 2)), 1);
    default:
        return 0;
    }
}

int r1_value_vanishes(r1_mctx *c, const r1_node *a, uint64_t seed) {
    int constants = 0;

    for (int k = 0; k < 2; k++) {
        field f = {.c = c, .p = fields[k].p, .root = fields[k].root};
        uint64_t value;
        for (uint64_t n = 0; n < 2; n++) {
            f.seed = mix(seed + n);
            if (!evaluate(&f, a, &value))
                return 0;
            constants |= f.constants;
            if (value != 0)
                return constants ? 0 : -1;
        }
    }
    return 1;
}
