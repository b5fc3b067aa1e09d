/* Rational functions at random points of prime fields (Schwartz and Zippel); see value.h. */
#include "reward/math/value.h"

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

static uint64_t named(const field *f, r1_text name) {
    uint64_t h = f->seed;

    for (size_t i = 0; i < name.n; i++)
        h = mix(h ^ (unsigned char)name.s[i]);
    return mix(h) % f->p;
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

/* Exponents stay far below the order of the group, or x^(p-1) would be 1. */
static int raise(field *f, const r1_node *a, uint64_t *ret) {
    mpq_ptr e = r1_mctx_number(f->c);
    uint64_t base;
    long n;

    if (!r1_value_rational(f->c, a->kid[1], e) || mpz_cmp_ui(mpq_denref(e), 1) != 0 ||
        mpz_sizeinbase(mpq_numref(e), 2) > 32 || !evaluate(f, a->kid[0], &base) || base == 0)
        return 0;
    n = mpz_get_si(mpq_numref(e));
    r1_mctx_burn(f->c, 4);
    *ret = power(f, base, (uint64_t)(n < 0 ? -n : n));
    return n >= 0 || inverse(f, *ret, ret);
}

static int evaluate(field *f, const r1_node *a, uint64_t *ret) {
    uint64_t x;

    r1_mctx_burn(f->c, 1);
    switch (a->kind) {
    case R1_N_NUM:
        return of_rational(f, a->q, ret);
    case R1_N_SYM:
        *ret = named(f, a->text);
        return 1;
    case R1_N_CONST:
        f->constants |= a->op != 'i';
        *ret = a->op == 'i' ? f->root : named(f, r1_text_of(a->op == 'p' ? "\\pi" : "\\e"));
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
