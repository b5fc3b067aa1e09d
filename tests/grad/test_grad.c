/* The formulas of the backward operations against central differences, both in double.
 *
 * The reference operations (common/kernels/ref.inc) are compiled here with REAL = double on plain
 * row-major arrays.  For an operation y = f(x) and fixed random weights c the scalar
 * L(x) = sum_i c_i y_i has the gradient that the backward operation gives for dy = c; every element
 * of it is compared with (L(x + h) - L(x - h)) / 2h.  tests/kernels then compares the vector paths
 * with the same source compiled in fp32. */
#include "tests/unit/unit.h"

#include "common/base/rng.h"
#include "common/kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define R1_REF_MAX_HEAD_DIM 512

typedef double REAL;
#define EXP  exp
#define LOG  log
#define SQRT sqrt

#define ELEM(p, i, t)                      (((const double *)(p))[i])
#define PUT(p, i, t, x)                    (((double *)(p))[i] = (x))
#define ROUND(x, t)                        (x)
#define WEIGHT(w, t, k, n, i)              (((const double *)(w))[(size_t)(n) * (size_t)(k) + (size_t)(i)])
#define SLOT(hd, unit, j, d)               (((unit)*R1_KV_BLOCK + (size_t)(j)) * (size_t)(hd) + (size_t)(d))
#define KEY(b, t, hd, unit, d, j)          (((const double *)(b))[SLOT(hd, unit, j, d)])
#define VALUE(b, t, hd, unit, j, d)        KEY(b, t, hd, unit, d, j)
#define PUT_KEY(b, t, hd, unit, d, j, x)   (((double *)(b))[SLOT(hd, unit, j, d)] = (x))
#define PUT_VALUE(b, t, hd, unit, j, d, x) PUT_KEY(b, t, hd, unit, d, j, x)

#include "common/kernels/ref.inc"

#define T 0 /* the compute dtype, which the accessors above ignore */

/* n normal numbers, the same for the same id. */
static double *normals(int n, uint64_t id) {
    r1_rng_key key = {.seed = 11, .index = id, .purpose = R1_RNG_INIT};
    double *x = calloc((size_t)n, sizeof *x);

    assert_non_null(x);
    for (int i = 0; i < n; i++)
        x[i] = r1_rng_normal(&key, (uint32_t)i);
    return x;
}

static double *zeros(int n) {
    double *x = calloc((size_t)n, sizeof *x);

    assert_non_null(x);
    return x;
}

static double dot(const double *a, const double *b, int n) {
    double sum = 0;

    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void free_all(double **owned, int n) {
    for (int i = 0; i < n; i++)
        free(owned[i]);
}

/* grad [n] against central differences of loss(ctx) in x [n].  The truncation error is of the order
 * h^2 = 1e-10, the rounding error 1e-16 / h = 1e-11, both relative to values of order 1. */
static void check_gradient(const char *what, double (*loss)(void *ctx), void *ctx, double *x, int n,
                           const double *grad) {
    const double h = 1e-5;
    double top = 0;

    for (int i = 0; i < n; i++)
        top = fmax(top, fabs(grad[i]));
    assert_true(top > 1e-3);
    for (int i = 0; i < n; i++) {
        double kept = x[i];
        x[i] = kept + h;
        double up = loss(ctx);
        x[i] = kept - h;
        double down = loss(ctx);
        x[i] = kept;
        double slope = (up - down) / (2 * h);
        if (!(fabs(slope - grad[i]) <= 1e-7 * (1 + top)))
            fail_msg("%s, element %d of %d: gradient %.12g, difference quotient %.12g", what, i, n,
                     grad[i], slope);
    }
}

/* ---- y = x W^T + b ---- */

typedef struct mm_case {
    int m, n, k;
    double *x, *w, *b, *c, *y;
} mm_case;

static double matmul_loss(void *ctx) {
    mm_case *s = ctx;
    ref_mm job = {s->w, s->n, s->b, s->y, s->n, 0};

    ref_matmul(T, s->x, s->k, s->m, s->k, &job);
    return dot(s->c, s->y, s->m * s->n);
}

static void matmul(void **state) {
    mm_case s = {.m = 5, .n = 7, .k = 6};
    int nx = s.m * s.k, nw = s.n * s.k, ny = s.m * s.n;

    s.x = normals(nx, 1), s.w = normals(nw, 2), s.b = normals(s.n, 3), s.c = normals(ny, 4);
    s.y = zeros(ny);
    double *dx = zeros(nx), *dw = zeros(nw), *db = zeros(s.n);
    ref_mm_grad job = {s.w, s.n, s.c, s.n, dw, db};
    ref_matmul_dx(T, s.m, s.k, &job, dx, s.k);
    ref_matmul_dw(T, s.x, s.k, s.m, s.k, &job);
    check_gradient("matmul dx", matmul_loss, &s, s.x, nx, dx);
    check_gradient("matmul dw", matmul_loss, &s, s.w, nw, dw);
    check_gradient("matmul dbias", matmul_loss, &s, s.b, s.n, db);
    free_all((double *[]){s.x, s.w, s.b, s.c, s.y, dx, dw, db}, 8);
}

/* ---- root mean square norm ---- */

typedef struct norm_case {
    int m, d;
    double *x, *w, *c, *y, *rstd;
} norm_case;

static double rmsnorm_loss(void *ctx) {
    norm_case *s = ctx;

    ref_rmsnorm(T, s->x, s->d, s->m, s->d, s->w, 1e-2, s->y, 1, s->rstd);
    return dot(s->c, s->y, s->m * s->d);
}

static void rmsnorm(void **state) {
    norm_case s = {.m = 4, .d = 9};
    int n = s.m * s.d;

    s.x = normals(n, 1), s.w = normals(s.d, 2), s.c = normals(n, 3), s.y = zeros(n);
    s.rstd = zeros(s.m);
    double *dx = zeros(n), *dw = zeros(s.d);
    rmsnorm_loss(&s);
    ref_rmsnorm_bwd(s.x, s.w, s.rstd, s.c, s.m, s.d, dx, dw);
    check_gradient("rmsnorm dx", rmsnorm_loss, &s, s.x, n, dx);
    check_gradient("rmsnorm dw", rmsnorm_loss, &s, s.w, s.d, dw);
    free_all((double *[]){s.x, s.w, s.c, s.y, s.rstd, dx, dw}, 7);
}

/* ---- rotary embedding: the inverse rotation is the backward one ---- */

enum {
    ROPE_M = 3,
    ROPE_HEADS = 2,
    ROPE_HD = 6,
    ROPE_N = ROPE_M * ROPE_HEADS * ROPE_HD
};

typedef struct rope_case {
    double *x, *c, *y, *cos_sin;
} rope_case;

static const int32_t rope_pos[ROPE_M] = {4, 0, 7};

static double rope_loss(void *ctx) {
    rope_case *s = ctx;

    memcpy(s->y, s->x, ROPE_N * sizeof *s->y);
    ref_rope(s->y, ROPE_HEADS * ROPE_HD, ROPE_M, ROPE_HEADS, ROPE_HD, rope_pos, s->cos_sin, 1);
    return dot(s->c, s->y, ROPE_N);
}

static void rope(void **state) {
    rope_case s = {normals(ROPE_N, 1), normals(ROPE_N, 2), zeros(ROPE_N), zeros(8 * ROPE_HD)};
    double *dx = zeros(ROPE_N);

    for (int p = 0; p < 8; p++) {
        for (int i = 0; i < ROPE_HD / 2; i++) {
            double angle = p * pow(100.0, -2.0 * i / ROPE_HD);
            s.cos_sin[p * ROPE_HD + i] = cos(angle);
            s.cos_sin[p * ROPE_HD + ROPE_HD / 2 + i] = sin(angle);
        }
    }
    memcpy(dx, s.c, ROPE_N * sizeof *dx);
    ref_rope(dx, ROPE_HEADS * ROPE_HD, ROPE_M, ROPE_HEADS, ROPE_HD, rope_pos, s.cos_sin, -1);
    check_gradient("rope", rope_loss, &s, s.x, ROPE_N, dx);
    free_all((double *[]){s.x, s.c, s.y, s.cos_sin, dx}, 5);
}

/* ---- attention: a prompt of 34 positions with two members (they share its first block and hold
 * copies of its last two positions), and a sequence alone; grouped query heads ---- */

enum {
    HEADS = 6,
    KV_HEADS = 2,
    HD = 4,
    PROMPT = 34,
    SEQS = 4
};

typedef struct attn_case {
    r1_attn a, tails;
    r1_span spans[SEQS], tail_spans[2];
    r1_attn_seq seqs[SEQS];
    int rows;
    double *q, *k, *v, *c, *o, *lse;
} attn_case;

static double attention_loss(void *ctx) {
    attn_case *s = ctx;

    ref_kv_write(T, &s->a, s->k, s->v);
    ref_kv_write(T, &s->tails, s->k, s->v);
    ref_attention(T, &s->a, s->q, s->o, s->lse);
    return dot(s->c, s->o, s->rows * HEADS * HD);
}

static void attention_case(attn_case *s) {
    static const int32_t t0[] = {0, 1}, t1[] = {0, 2}, t2[] = {0, 3}, t3[] = {4};
    static const int32_t *const tables[] = {t0, t1, t2, t3};
    static const int group_start[] = {0, 3, 4}, len[SEQS] = {PROMPT, 5, 2, 6};

    for (int i = 0; i < SEQS; i++) {
        int prefix = i == 1 || i == 2 ? PROMPT : 0;
        s->seqs[i] = (r1_attn_seq){0, prefix, s->rows, len[i]};
        s->spans[i] = (r1_span){s->rows, len[i], prefix, i};
        s->rows += len[i];
    }
    for (int i = 0; i < 2; i++)
        s->tail_spans[i] = (r1_span){32, PROMPT - 32, 32, i + 1};
    int nq = s->rows * HEADS * HD, nk = s->rows * KV_HEADS * HD;
    s->q = normals(nq, 1), s->k = normals(nk, 2), s->v = normals(nk, 3), s->c = normals(nq, 4);
    s->o = zeros(nq), s->lse = zeros(s->rows * HEADS);
    s->a = (r1_attn){.heads = HEADS,
                     .kv_heads = KV_HEADS,
                     .head_dim = HD,
                     .scale = 0.5f,
                     .n_spans = SEQS,
                     .spans = s->spans,
                     .tables = tables,
                     .k = zeros(5 * KV_HEADS * R1_KV_BLOCK * HD),
                     .v = zeros(5 * KV_HEADS * R1_KV_BLOCK * HD),
                     .n_groups = 2,
                     .group_start = group_start,
                     .seqs = s->seqs};
    s->tails = s->a;
    s->tails.n_spans = 2;
    s->tails.spans = s->tail_spans;
}

static void attention(void **state) {
    attn_case s = {.rows = 0};

    attention_case(&s);
    int nq = s.rows * HEADS * HD, nk = s.rows * KV_HEADS * HD;
    double *dq = normals(nq, 5), *dk = normals(nk, 6), *dv = normals(nk, 7); /* overwritten */
    attention_loss(&s);
    ref_attention_bwd(T, &s.a, s.q, s.o, s.lse, s.c, dq, dk, dv);
    check_gradient("attention dq", attention_loss, &s, s.q, nq, dq);
    check_gradient("attention dk", attention_loss, &s, s.k, nk, dk);
    check_gradient("attention dv", attention_loss, &s, s.v, nk, dv);
    free_all((double *[]){s.q, s.k, s.v, s.c, s.o, s.lse, s.a.k, s.a.v, dq, dk, dv}, 11);
}

/* ---- silu(g) u ---- */

enum {
    GLU_N = 23
};

typedef struct glu_case {
    double *g, *u, *c, *a;
} glu_case;

static double swiglu_loss(void *ctx) {
    glu_case *s = ctx;

    ref_swiglu(T, s->g, s->u, GLU_N, s->a);
    return dot(s->c, s->a, GLU_N);
}

static void swiglu(void **state) {
    glu_case s = {normals(GLU_N, 1), normals(GLU_N, 2), normals(GLU_N, 3), zeros(GLU_N)};
    double *dg = zeros(GLU_N), *du = zeros(GLU_N);

    ref_swiglu_bwd(s.g, s.u, s.c, GLU_N, dg, du);
    check_gradient("swiglu dg", swiglu_loss, &s, s.g, GLU_N, dg);
    check_gradient("swiglu du", swiglu_loss, &s, s.u, GLU_N, du);
    free_all((double *[]){s.g, s.u, s.c, s.a, dg, du}, 6);
}

/* ---- log-probability of the target and entropy at temperature 1 / inv_t ---- */

typedef struct softmax_case {
    int vocab, target;
    double inv_t, dlogp, dent, *z;
} softmax_case;

static double softmax_loss(void *ctx) {
    softmax_case *s = ctx;
    double lse, entropy;

    ref_logsumexp(s->z, s->vocab, s->inv_t, &lse, &entropy);
    return s->dlogp * (s->z[s->target] * s->inv_t - lse) + s->dent * entropy;
}

static void softmax(void **state) {
    static const double weights[][2] = {{1.5, 0}, {0, -0.7}, {-0.4, 0.9}};

    for (int i = 0; i < 3; i++) {
        softmax_case s = {37, 5, 1.3, weights[i][0], weights[i][1], normals(37, (uint64_t)i)};
        double lse, entropy, *grad = zeros(s.vocab);
        ref_logsumexp(s.z, s.vocab, s.inv_t, &lse, &entropy);
        memcpy(grad, s.z, (size_t)s.vocab * sizeof *grad);
        ref_logits_bwd(grad, s.vocab, s.inv_t, s.target, lse, entropy, s.dlogp, s.dent);
        check_gradient("logits", softmax_loss, &s, s.z, s.vocab, grad);
        free_all((double *[]){s.z, grad}, 2);
    }
}

/* ---- embedding: a selection of rows, so <embed(W), c> = <W, embed_bwd(c)>; in small integers fp32
 * is exact.  Rows 1 and 4 are the same token. ---- */

static void embedding(void **state) {
    enum {
        VOCAB = 70,
        D = 6,
        M = 5
    };
    static const int32_t ids[M] = {69, 3, 0, 64, 3};
    float w[VOCAB * D], panels[2 * R1_PANEL * D], x[M * D], c[M * D], dw[VOCAB * D] = {0};
    float forward = 0, backward = 0;
    r1_err err;
    r1_ops *ops;

    ASSERT_OK(r1_ops_open(&ops, R1_F32, "auto", 1, &err), &err);
    for (int i = 0; i < VOCAB * D; i++)
        w[i] = (float)(i * 7 % 23 - 11);
    for (int i = 0; i < M * D; i++)
        c[i] = (float)(i * 5 % 13 - 6);
    ops->pack(ops, w, R1_PANEL, D, panels);
    ops->pack(ops, w + R1_PANEL * D, VOCAB - R1_PANEL, D, panels + R1_PANEL * D);
    ops->embed(ops, panels, D, ids, M, x);
    ops->embed_bwd(ops, c, D, ids, M, dw);
    for (int i = 0; i < M * D; i++)
        forward += x[i] * c[i];
    for (int i = 0; i < VOCAB * D; i++)
        backward += dw[i] * w[i];
    for (int i = 0; i < D; i++)
        assert_true(dw[3 * D + i] == c[D + i] + c[4 * D + i]);
    assert_true(forward == backward && forward != 0.0f);
    r1_ops_close(ops);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matmul),    cmocka_unit_test(rmsnorm), cmocka_unit_test(rope),
        cmocka_unit_test(attention), cmocka_unit_test(swiglu),  cmocka_unit_test(softmax),
        cmocka_unit_test(embedding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
