#include "tests/kernels/bench.h"

#include "common/base/clock.h"
#include "common/base/cpu.h"
#include "common/base/mem.h"
#include "common/kernels/kernels.h"
#include "tests/bench/peak.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct bench {
    r1_ops *ops;
    double peak_gflops, read_gbs;
    const char *only; /* a part of the name and shape; NULL: all */
    r1_slab memory;
    r1_arena arena;
} bench;

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef void bench_fn(bench *b, void *ctx, int rep);

/* Median of up to 200 calls within about 0.2 s (at least 5), and a line of the table. */
static void line(bench *b, const char *name, const char *shape, double flop, double bytes,
                 bench_fn *fn, void *ctx) {
    double t[200], end;
    char label[128];
    int n = 0;

    snprintf(label, sizeof label, "%s %s", name, shape);
    if (b->only && !strstr(label, b->only))
        return;
    fn(b, ctx, n);
    end = r1_now_s() + 0.2;
    while (n < 200 && (n < 5 || r1_now_s() < end)) {
        double from = r1_now_s();
        fn(b, ctx, n);
        t[n++] = r1_now_s() - from;
    }
    qsort(t, (size_t)n, sizeof *t, by_value);
    double s = t[n / 2], gflops = flop / s * 1e-9, gbs = bytes / s * 1e-9;
    printf("%-14s %-28s %10.1f us", name, shape, s * 1e6);
    if (flop > 0)
        printf(" %8.1f GFLOP/s", gflops);
    if (flop > 0 && b->peak_gflops > 0)
        printf(" %5.1f %%", 100 * gflops / b->peak_gflops);
    if (bytes > 0)
        printf(" %7.1f GB/s %5.1f %%", gbs, 100 * gbs / b->read_gbs);
    printf("\n");
    fflush(stdout);
}

/* ---- matrix products ---- */

typedef struct mm_bench {
    int m, n, k, copies; /* weights are rotated so that they come from memory, as in a model */
    uint8_t *w;
    void *x;
    float *y, *dx, *dw;
} mm_bench;

static void run_matmul(bench *b, void *ctx, int rep) {
    mm_bench *c = ctx;
    r1_mm job = {.w = c->w + (size_t)(rep % c->copies) * r1_packed_bytes(b->ops->dtype, c->n, c->k),
                 .n = c->n,
                 .y = c->y,
                 .ldy = c->n};

    b->ops->matmul(b->ops, c->x, c->k, c->m, c->k, &job, 1);
}

static void run_bwd(bench *b, mm_bench *c, float *dx, float *dw) {
    r1_mm_grad job = {.w = c->w, .n = c->n, .dy = c->y, .lddy = c->n, .dw = dw};

    b->ops->matmul_bwd(b->ops, c->x, c->k, c->m, c->k, &job, 1, dx, c->k, 0);
}

static void run_dx(bench *b, void *ctx, int rep) {
    run_bwd(b, ctx, ((mm_bench *)ctx)->dx, NULL);
}

static void run_dw(bench *b, void *ctx, int rep) {
    run_bwd(b, ctx, NULL, ((mm_bench *)ctx)->dw);
}

/* Valid small numbers of T (or of fp32) everywhere. */
static void *numbers(bench *b, size_t n, r1_dtype t) {
    void *p = r1_arena_take(&b->arena, n * r1_dtype_bytes(t));

    for (size_t i = 0; i < n; i++) {
        float x = (float)((int)((i * 2654435761u) >> 8 & 255) - 128) * 0.005f;
        if (t == R1_F32)
            ((float *)p)[i] = x;
        else
            ((uint16_t *)p)[i] = r1_f32_to_bf16(x);
    }
    return p;
}

static void bench_products(bench *b) {
    static const int nk[][2] = {{1536, 576}, {576, 1536}, {128, 128}, {384, 128}, {49152, 576}};
    static const int ms[] = {1, 8, 64, 128, 512};
    char shape[64];

    for (size_t i = 0; i < sizeof nk / sizeof *nk; i++) {
        for (size_t j = 0; j < sizeof ms / sizeof *ms; j++) {
            int n = nk[i][0], k = nk[i][1], m = ms[j];
            size_t one = r1_packed_bytes(b->ops->dtype, n, k);
            int copies = one > ((size_t)64 << 20) ? 1 : (int)(((size_t)96 << 20) / one);
            size_t mark = r1_arena_mark(&b->arena);
            if (n > 10000 && m > 128)
                continue;
            mm_bench c = {.m = m, .n = n, .k = k, .copies = copies > 64 ? 64 : copies};
            c.w = numbers(b, one / r1_dtype_bytes(b->ops->dtype) * (size_t)c.copies, b->ops->dtype);
            c.x = numbers(b, (size_t)m * (size_t)k, b->ops->dtype);
            c.y = numbers(b, (size_t)m * (size_t)n, R1_F32);
            c.dx = numbers(b, (size_t)m * (size_t)k, R1_F32);
            c.dw = numbers(b, (size_t)n * (size_t)k, R1_F32);
            double flop = 2.0 * m * n * k;
            snprintf(shape, sizeof shape, "m %d n %d k %d", m, n, k);
            line(b, "matmul", shape, flop, m < 64 ? (double)one : 0, run_matmul, &c);
            if (m >= 64)
                line(b, "dx", shape, flop, 0, run_dx, &c);
            if (m >= 64)
                line(b, "dw", shape, flop, 0, run_dw, &c);
            r1_arena_release(&b->arena, mark);
        }
    }
}

/* ---- attention ---- */

enum {
    MAX_SEQS = 512
};

typedef struct attn_bench {
    r1_attn a;
    r1_span spans[MAX_SEQS];
    r1_attn_seq seqs[MAX_SEQS];
    int group_start[MAX_SEQS + 1];
    const int32_t *tables[MAX_SEQS];
    int rows;
    float *q, *k, *v, *lse, *d_o, *dq, *dk, *dv;
    void *o;
} attn_bench;

static void run_attention(bench *b, void *ctx, int rep) {
    attn_bench *c = ctx;

    b->ops->attention(b->ops, &c->a, c->q, c->o, c->lse);
}

static void run_attention_bwd(bench *b, void *ctx, int rep) {
    attn_bench *c = ctx;

    b->ops->attention_bwd(b->ops, &c->a, c->q, c->o, c->lse, c->d_o, c->dq, c->dk, c->dv);
}

/* seqs sequences of len positions; the last `n` of each are rows of the batch. */
static void bench_attention_case(bench *b, int seqs, int len, int n, const int dims[3]) {
    attn_bench *c = r1_arena_take(&b->arena, sizeof *c);
    int blocks = (len + R1_KV_BLOCK - 1) / R1_KV_BLOCK, heads = dims[0], kv = dims[1], hd = dims[2];
    int32_t *table = r1_arena_take(&b->arena, sizeof *table * (size_t)(seqs * blocks));
    size_t all = (size_t)(seqs * blocks * kv * hd) * R1_KV_BLOCK, rows = (size_t)(seqs * n);
    char shape[64];

    memset(c, 0, sizeof *c);
    c->a = (r1_attn){.heads = heads,
                     .kv_heads = kv,
                     .head_dim = hd,
                     .n_spans = seqs,
                     .scale = 1.0f / sqrtf((float)hd),
                     .spans = c->spans,
                     .tables = c->tables,
                     .k = numbers(b, all, b->ops->dtype),
                     .v = numbers(b, all, b->ops->dtype),
                     .n_groups = seqs,
                     .group_start = c->group_start,
                     .seqs = c->seqs};
    for (int s = 0; s < seqs; s++) {
        c->spans[s] = (r1_span){s * n, n, len - n, s};
        c->seqs[s] = (r1_attn_seq){0, 0, s * n, n};
        c->group_start[s + 1] = s + 1;
        c->tables[s] = table + s * blocks;
        for (int i = 0; i < blocks; i++)
            table[s * blocks + i] = s * blocks + i;
    }
    size_t nq = rows * (size_t)(heads * hd), nk = rows * (size_t)(kv * hd);
    c->q = numbers(b, nq, R1_F32), c->d_o = numbers(b, nq, R1_F32), c->dq = numbers(b, nq, R1_F32);
    c->dk = numbers(b, nk, R1_F32), c->dv = numbers(b, nk, R1_F32);
    c->o = numbers(b, nq, b->ops->dtype);
    c->lse = numbers(b, rows * (size_t)heads, R1_F32);
    double pairs = (double)seqs * n * (len - n + (n + 1) * 0.5) * heads * hd;
    snprintf(shape, sizeof shape, "%dx%d of %d, %d/%d x %d", seqs, n, len, heads, kv, hd);
    line(b, "attention", shape, 4 * pairs,
         n == 1 ? (double)all * 2 * (double)r1_dtype_bytes(b->ops->dtype) : 0, run_attention, c);
    if (n == len)
        line(b, "attention_bwd", shape, 10 * pairs, 0, run_attention_bwd, c);
}

static void bench_attention(bench *b) {
    static const int small[3] = {9, 3, 64}, tiny[3] = {4, 2, 32}, big[3] = {12, 2, 128};
    static const int mha[3] = {8, 8, 64};
    size_t mark = r1_arena_mark(&b->arena);
    struct {
        int seqs, len, n;
        const int *dims;
    } cases[] = {{192, 512, 1, (const int[]){3, 1, 64}},
                 {192, 512, 1, (const int[]){3, 1, 128}},
                 {1, 512, 1, small},
                 {64, 128, 1, small},
                 {64, 512, 1, small},
                 {64, 512, 1, big},
                 {64, 512, 1, mha},
                 {512, 40, 1, tiny},
                 {512, 40, 40, tiny},
                 {4, 256, 256, small},
                 {1, 512, 512, small},
                 {2, 512, 512, big},
                 {4, 256, 256, mha}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bench_attention_case(b, cases[i].seqs, cases[i].len, cases[i].n, cases[i].dims);
        r1_arena_release(&b->arena, mark);
    }
}

/* ---- the rest: one pass over memory each ---- */

typedef struct row_bench {
    int m, n;
    float *x, *y, *z, *g, *w, *lse, *ent;
    int32_t *ids;
    uint8_t *packed;
    void *t;
} row_bench;

static void run_lse(bench *b, void *ctx, int rep) {
    row_bench *c = ctx;
    b->ops->logsumexp(b->ops, c->x, c->n, c->m, c->n, 1, c->lse, c->ent, NULL, NULL);
}
static void run_logits_bwd(bench *b, void *ctx, int rep) {
    row_bench *c = ctx;
    b->ops->logits_bwd(b->ops, c->x, c->n, c->m, c->n, 1, c->ids, c->lse, c->ent, c->lse, c->ent);
}
static void run_argmax(bench *b, void *ctx, int rep) {
    row_bench *c = ctx;
    for (int r = 0; r < c->m; r++)
        c->ids[r] = b->ops->argmax(b->ops, c->x + (size_t)r * (size_t)c->n, c->n) & 31;
}
static void run_swiglu(bench *b, void *ctx, int rep) {
    row_bench *c = ctx;
    b->ops->swiglu(b->ops, c->x, c->y, c->m, c->n, c->t);
}
static void run_swiglu_bwd(bench *b, void *ctx, int rep) {
    row_bench *c = ctx;
    b->ops->swiglu_bwd(b->ops, c->x, c->y, c->z, c->m, c->n, c->g, c->w);
}
static void run_rmsnorm(bench *b, void *ctx, int rep) {
    row_bench *c = ctx;
    b->ops->rmsnorm(b->ops, c->x, c->n, c->m, c->n, c->w, 1e-5f, c->t, 0, c->lse);
}
static void run_rmsnorm_bwd(bench *b, void *ctx, int rep) {
    row_bench *c = ctx;
    b->ops->rmsnorm_bwd(b->ops, c->x, c->w, c->lse, c->y, c->m, c->n, c->z, c->g);
}
static void run_embed(bench *b, void *ctx, int rep) {
    row_bench *c = ctx;
    b->ops->embed(b->ops, c->packed, c->n, c->ids, c->m, c->y);
}
static void run_pack(bench *b, void *ctx, int rep) {
    row_bench *c = ctx;
    for (int r = 0; r + R1_PANEL <= c->m; r += R1_PANEL)
        b->ops->pack(b->ops, c->x + (size_t)r * (size_t)c->n, R1_PANEL, c->n,
                     c->packed + (size_t)(r / R1_PANEL) * r1_panel_bytes(b->ops->dtype, c->n));
}
static void run_convert(bench *b, void *ctx, int rep) {
    row_bench *c = ctx;
    b->ops->convert(b->ops, c->x, (size_t)c->m * (size_t)c->n, c->t);
}
static void run_adamw(bench *b, void *ctx, int rep) {
    row_bench *c = ctx;
    r1_adamw p = {1e-3f, 0.9f, 0.95f, 1e-8f, 0.1f, 0.1f, 0.05f, 0.5f};
    b->ops->adamw(b->ops, c->x, c->y, c->z, c->g, (size_t)c->m * (size_t)c->n, &p);
}
static void run_sumsq(bench *b, void *ctx, int rep) {
    row_bench *c = ctx;
    c->lse[0] = (float)b->ops->sumsq(b->ops, c->x, (size_t)c->m * (size_t)c->n);
}

static void bench_rows(bench *b) {
    static const struct {
        const char *name;
        int m, n;
        double bytes; /* fp32 arrays read and written */
        bench_fn *fn;
    } cases[] = {{"logsumexp", 128, 49152, 2, run_lse},
                 {"logsumexp", 1, 151936, 2, run_lse},
                 {"logits_bwd", 128, 49152, 2, run_logits_bwd},
                 {"argmax", 64, 49152, 1, run_argmax},
                 {"swiglu", 512, 1536, 2.5, run_swiglu},
                 {"swiglu_bwd", 512, 1536, 5, run_swiglu_bwd},
                 {"rmsnorm", 64, 576, 1.5, run_rmsnorm},
                 {"rmsnorm", 1024, 576, 1.5, run_rmsnorm},
                 {"rmsnorm_bwd", 1024, 576, 4, run_rmsnorm_bwd},
                 {"embed", 64, 576, 1, run_embed},
                 {"pack", 4096, 1536, 2, run_pack},
                 {"convert", 4096, 1536, 1.5, run_convert},
                 {"adamw", 8192, 1536, 7, run_adamw},
                 {"sumsq", 8192, 1536, 1, run_sumsq}};
    char shape[64];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t mark = r1_arena_mark(&b->arena), n = (size_t)cases[i].m * (size_t)cases[i].n;
        row_bench c = {.m = cases[i].m, .n = cases[i].n};
        c.x = numbers(b, n, R1_F32), c.y = numbers(b, n, R1_F32), c.z = numbers(b, n, R1_F32);
        c.g = numbers(b, n, R1_F32), c.w = numbers(b, n, R1_F32), c.t = numbers(b, n, R1_F32);
        c.lse = numbers(b, 4096, R1_F32), c.ent = numbers(b, 4096, R1_F32);
        c.packed = numbers(b, r1_packed_bytes(R1_F32, c.m, c.n) / 4, R1_F32);
        c.ids = r1_arena_take(&b->arena, 4096 * sizeof *c.ids);
        for (int r = 0; r < 4096; r++)
            c.ids[r] = r * 37 % c.m;
        for (size_t j = 0; j < n; j++)
            c.z[j] = fabsf(c.z[j]);
        snprintf(shape, sizeof shape, "%d x %d", c.m, c.n);
        line(b, cases[i].name, shape, 0, cases[i].bytes * (double)n * 4, cases[i].fn, &c);
        r1_arena_release(&b->arena, mark);
    }
}

int bench_ops(int argc, char **argv) {
    const char *path = argc > 0 ? argv[0] : "auto";
    r1_dtype t = argc > 1 && strcmp(argv[1], "bf16") == 0 ? R1_BF16 : R1_F32;
    int threads = argc > 2 ? atoi(argv[2]) : r1_cpu_cores();
    bench b = {.only = argc > 3 ? argv[3] : NULL};
    r1_err err;

    r1_threads_pin(0, 1, threads);
    if (r1_ops_open(&b.ops, t, path, threads, &err) != R1_OK ||
        r1_slab_open(&b.memory, (size_t)2 << 30, "bench", &err) != R1_OK) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    memset(b.memory.base, 0, (size_t)1 << 30);
    r1_arena_init(&b.arena, b.memory.base, b.memory.bytes);
    b.peak_gflops = bench_peak_gflops(b.ops);
    b.read_gbs = bench_read_gbs(b.ops->threads, b.memory.base);
    printf("%s, path %s, %s, %d threads: multiply-add peak %.0f GFLOP/s, memory read %.1f GB/s\n",
           r1_cpu_name(), b.ops->path, r1_dtype_name(t), b.ops->threads, b.peak_gflops, b.read_gbs);
    bench_products(&b);
    bench_attention(&b);
    bench_rows(&b);
    r1_slab_close(&b.memory);
    r1_ops_close(b.ops);
    return 0;
}
