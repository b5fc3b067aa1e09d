/* Every operation on every numeric path of this machine: against the reference, and against itself
 * with other numbers of rows, threads and spans, where the bits must not change. */
#include "tests/kernels/bench.h"
#include "tests/unit/unit.h"

#include "common/base/cpu.h"
#include "common/base/mem.h"
#include "common/base/rng.h"
#include "common/kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const path_names[] = {"ref", "avx2", "avx512", "avx512_bf16", "amx_bf16"};

static void *take(size_t bytes) {
    void *p = NULL;
    assert_int_equal(posix_memalign(&p, 64, r1_align_up(bytes + 64, 64)), 0);
    memset(p, 0, bytes + 64);
    return p;
}

/* n normal numbers, the same for the same id. */
static float *normals(size_t n, uint64_t id, float scale) {
    r1_rng_key key = {.seed = 7, .index = id, .purpose = R1_RNG_INIT};
    float *x = take(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = scale * (float)r1_rng_normal(&key, (uint32_t)i);
    return x;
}

static r1_ops *open_path(const char *path, r1_dtype t, int threads) {
    r1_err err;
    r1_ops *ops = NULL;
    return r1_ops_open(&ops, t, path, threads, &err) == R1_OK ? ops : NULL;
}

/* Each (path, dtype) that this CPU has, with its reference, through `check`. */
static void each_path(void (*check)(r1_ops *ops, r1_ops *ref)) {
    for (int t = R1_F32; t <= R1_BF16; t++) {
        r1_ops *ref = open_path("ref", (r1_dtype)t, 1);
        assert_non_null(ref);
        for (size_t p = 0; p < sizeof path_names / sizeof *path_names; p++) {
            for (int threads = 1; threads <= 3; threads += 2) {
                r1_ops *ops = open_path(path_names[p], (r1_dtype)t, threads);
                if (ops)
                    check(ops, ref);
                r1_ops_close(ops);
            }
        }
        r1_ops_close(ref);
    }
}

static void *packed(const r1_ops *ops, const float *w, int n, int k) {
    uint8_t *p = take(r1_packed_bytes(ops->dtype, n, k));
    for (int r = 0; r < n; r += R1_PANEL)
        ops->pack(ops, w + (size_t)r * (size_t)k, n - r < R1_PANEL ? n - r : R1_PANEL, k,
                  p + (size_t)(r / R1_PANEL) * r1_panel_bytes(ops->dtype, k));
    return p;
}

static void *converted(const r1_ops *ops, const float *x, size_t n) {
    void *y = take(n * 4);
    ops->convert(ops, x, n, y);
    return y;
}

/* |a - b| <= tol * (max |b| + tiny), everywhere. */
static void close_to(const char *what, const r1_ops *ops, const float *a, const float *b, size_t n,
                     float tol) {
    float top = 1e-20f;
    for (size_t i = 0; i < n; i++)
        top = fmaxf(top, fabsf(b[i]));
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(a[i] - b[i]) <= tol * top))
            fail_msg("%s, path %s, %s, element %zu of %zu: %g instead of %g", what, ops->path,
                     r1_dtype_name(ops->dtype), i, n, (double)a[i], (double)b[i]);
}

static void same_bits(const char *what, const r1_ops *ops, const void *a, const void *b, size_t n) {
    if (memcmp(a, b, n) != 0)
        fail_msg("%s, path %s, %s: the bits depend on rows, threads or spans", what, ops->path,
                 r1_dtype_name(ops->dtype));
}

static void check_matmul(r1_ops *ops, r1_ops *ref) {
    static const int shapes[][3] = {{1, 64, 64},    {7, 96, 32},  {13, 70, 34},
                                    {130, 352, 64}, {65, 40, 96}, {100, 192, 2112},
                                    {16, 129, 66},  {17, 64, 30}, {49, 65, 158}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        int m = shapes[s][0], n = shapes[s][1], k = shapes[s][2], n2 = n / 2 + 1;
        float *xf = normals((size_t)(m * k), 1, 1), *w = normals((size_t)(n * k), 2, 1);
        float *bias = normals((size_t)n, 3, 1);
        float *y = normals((size_t)(m * n), 4, 1), *z = normals((size_t)(m * n), 4, 1);
        float *y2 = take((size_t)(m * n2) * 4), *z2 = take((size_t)(m * n2) * 4);
        void *x = converted(ops, xf, (size_t)(m * k));
        void *pw = packed(ops, w, n, k), *pw2 = packed(ops, w + k / 2, n2, k);
        r1_mm jobs[2] = {{pw, n, bias, y, n, 1}, {pw2, n2, NULL, y2, n2, 0}};
        r1_mm want[2] = {{pw, n, bias, z, n, 1}, {pw2, n2, NULL, z2, n2, 0}};

        ops->matmul(ops, x, k, m, k, jobs, 2);
        ref->matmul(ref, x, k, m, k, want, 2);
        close_to("matmul", ops, y, z, (size_t)(m * n), 4e-6f);
        close_to("matmul", ops, y2, z2, (size_t)(m * n2), 4e-6f);
        for (int r = 0; r < m; r += 3) { /* one row alone gives the same bits */
            float *row = normals((size_t)(m * n), 4, 1);
            r1_mm one = {pw, n, bias, row + (size_t)r * (size_t)n, n, 1};
            ops->matmul(ops, (uint8_t *)x + (size_t)(r * k) * r1_dtype_bytes(ops->dtype), k, 1, k,
                        &one, 1);
            same_bits("matmul", ops, row + (size_t)r * (size_t)n, y + (size_t)r * (size_t)n,
                      (size_t)n * 4);
            free(row);
        }
        void *owned[] = {xf, w, bias, y, z, y2, z2, x, pw, pw2};
        for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
            free(owned[i]);
    }
}

static void check_matmul_bwd(r1_ops *ops, r1_ops *ref) {
    static const int shapes[][3] = {{5, 64, 64}, {13, 70, 34}, {131, 352, 96}, {600, 40, 66}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        int m = shapes[s][0], n = shapes[s][1], k = shapes[s][2], n2 = n / 2 + 1;
        float *xf = normals((size_t)(m * k), 1, 1), *w = normals((size_t)(n * k), 2, 1);
        float *dy = normals((size_t)(m * n), 3, 1), *dy2 = normals((size_t)(m * n2), 4, 1);
        void *x = converted(ops, xf, (size_t)(m * k)), *pw = packed(ops, w, n, k);
        void *pw2 = packed(ops, w + k / 2, n2, k);
        float *got[3][4]; /* this path, the reference, this path with one thread */
        r1_ops *one = open_path(ops->path, ops->dtype, 1);
        r1_ops *who[3] = {ops, ref, one};

        if (!one) {
            fail_msg("path %s does not open with one thread", ops->path);
            return;
        }
        for (int i = 0; i < 3; i++) {
            got[i][0] = normals((size_t)(m * k), 5, 1);
            got[i][1] = normals((size_t)(n * k), 6, 1);
            got[i][2] = normals((size_t)(n2 * k), 6, 1);
            got[i][3] = normals((size_t)n, 7, 1);
            r1_mm_grad jobs[2] = {{pw, n, dy, n, got[i][1], got[i][3]},
                                  {pw2, n2, dy2, n2, got[i][2], NULL}};
            who[i]->matmul_bwd(who[i], x, k, m, k, jobs, 2, got[i][0], k, s % 2);
        }
        size_t sizes[4] = {(size_t)(m * k), (size_t)(n * k), (size_t)(n2 * k), (size_t)n};
        for (int j = 0; j < 4; j++) {
            close_to("matmul_bwd", ops, got[0][j], got[1][j], sizes[j], 6e-6f);
            same_bits("matmul_bwd", ops, got[0][j], got[2][j], sizes[j] * 4);
            for (int i = 0; i < 3; i++)
                free(got[i][j]);
        }
        r1_ops_close(one);
        void *owned[] = {xf, w, dy, dy2, x, pw, pw2};
        for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
            free(owned[i]);
    }
}

/* Three sequences: a prompt of 45, two members that share its first block, and a sequence alone. */
typedef struct attn_case {
    r1_attn a;
    r1_span spans[64];
    int32_t t0[3], t1[4], t2[4], t3[3];
    const int32_t *tables[4];
    r1_attn_seq seqs[4];
    int group_start[3];
    int rows, hd, heads, kv;
    float *q, *k, *v;
} attn_case;

static void attn_setup(attn_case *c, const r1_ops *ops, int hd, int heads, int kv) {
    static const int len[4] = {45, 33, 7, 70}; /* own rows */
    int row = 0;

    *c = (attn_case){.hd = hd, .heads = heads, .kv = kv};
    for (int i = 0; i < 4; i++) {
        c->t0[i % 3] = i % 3;
        c->t1[i] = i == 0 ? 0 : 2 + i;
        c->t2[i] = i == 0 ? 0 : 5 + i;
        c->t3[i % 3] = 9 + i % 3;
    }
    c->tables[0] = c->t0, c->tables[1] = c->t1, c->tables[2] = c->t2, c->tables[3] = c->t3;
    for (int i = 0; i < 4; i++) {
        int prefix = i == 1 || i == 2 ? 45 : 0;
        c->seqs[i] =
            (r1_attn_seq){.prefix_row = 0, .prefix_len = prefix, .row = row, .len = len[i]};
        c->spans[i] = (r1_span){.row = row, .n = len[i], .pos = prefix, .seq = i};
        row += len[i];
    }
    c->rows = row;
    c->group_start[1] = 3, c->group_start[2] = 4;
    c->q = normals((size_t)(row * heads * hd), 1, 1);
    c->k = normals((size_t)(row * kv * hd), 2, 1);
    c->v = normals((size_t)(row * kv * hd), 3, 1);
    size_t bytes = (size_t)12 * (size_t)kv * R1_KV_BLOCK * (size_t)hd * 4;
    c->a = (r1_attn){.heads = heads,
                     .kv_heads = kv,
                     .head_dim = hd,
                     .n_spans = 4,
                     .scale = 1.0f / sqrtf((float)hd),
                     .spans = c->spans,
                     .tables = c->tables,
                     .k = take(bytes),
                     .v = take(bytes),
                     .n_groups = 2,
                     .group_start = c->group_start,
                     .seqs = c->seqs};
    memset(c->a.k, 0xff, bytes); /* NaN wherever nothing was written */
    memset(c->a.v, 0xff, bytes);
    ops->kv_write(ops, &c->a, c->k, c->v);
    for (int i = 1; i <= 2; i++) { /* the members' copies of the prompt's last 13 positions */
        r1_span tail = {.row = 32, .n = 13, .pos = 32, .seq = i};
        r1_attn copy = c->a;
        copy.n_spans = 1;
        copy.spans = &tail;
        ops->kv_write(ops, &copy, c->k, c->v);
    }
}

static void attn_done(attn_case *c) {
    free(c->q), free(c->k), free(c->v), free(c->a.k), free(c->a.v);
}

static void check_attention(r1_ops *ops, r1_ops *ref) {
    static const int shapes[][3] = {{64, 9, 3}, {16, 4, 2}, {32, 3, 1},
                                    {8, 8, 1},  {96, 5, 5}, {128, 12, 2}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        attn_case c;
        attn_setup(&c, ops, shapes[s][0], shapes[s][1], shapes[s][2]);
        size_t n = (size_t)(c.rows * c.heads * c.hd), nl = (size_t)(c.rows * c.heads);
        void *o = take(n * 4), *o_ref = take(n * 4), *o_cut = take(n * 4);
        float *lse = take(nl * 4), *lse_ref = take(nl * 4), *lse_cut = take(nl * 4);
        size_t t = r1_dtype_bytes(ops->dtype);

        ops->attention(ops, &c.a, c.q, o, lse);
        ref->attention(ref, &c.a, c.q, o_ref, lse_ref);
        close_to("attention lse", ops, lse, lse_ref, nl, 4e-6f);
        if (ops->dtype == R1_F32)
            close_to("attention", ops, o, o_ref, n, 4e-6f);
        r1_attn cut = c.a; /* the same rows in ragged pieces, the spans in another order */
        r1_span pieces[64];
        cut.n_spans = 0;
        cut.spans = pieces;
        for (int i = 3; i >= 0; i--)
            for (int r = 0, step; r < c.spans[i].n; r += step) {
                step = 1 + (r * 7 + i) % 11;
                step = step < c.spans[i].n - r ? step : c.spans[i].n - r;
                pieces[cut.n_spans++] = (r1_span){c.spans[i].row + r, step, c.spans[i].pos + r, i};
            }
        ops->attention(ops, &cut, c.q, o_cut, lse_cut);
        same_bits("attention", ops, o, o_cut, n * t);
        same_bits("attention lse", ops, lse, lse_cut, nl * 4);

        size_t nk = (size_t)(c.rows * c.kv * c.hd);
        float *d_o = normals(n, 9, 1), *g[3][3];
        r1_ops *one = open_path(ops->path, ops->dtype, 1), *who[3] = {ops, ref, one};
        for (int i = 0; i < 3; i++) {
            g[i][0] = take(n * 4), g[i][1] = take(nk * 4), g[i][2] = take(nk * 4);
            who[i]->attention_bwd(who[i], &c.a, c.q, o, lse, d_o, g[i][0], g[i][1], g[i][2]);
        }
        for (int j = 0; j < 3; j++) {
            close_to("attention_bwd", ops, g[0][j], g[1][j], j ? nk : n, 1e-5f);
            same_bits("attention_bwd", ops, g[0][j], g[2][j], (j ? nk : n) * 4);
            for (int i = 0; i < 3; i++)
                free(g[i][j]);
        }
        r1_ops_close(one);
        void *owned[] = {o, o_ref, o_cut, lse, lse_ref, lse_cut, d_o};
        for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
            free(owned[i]);
        attn_done(&c);
    }
}

static void check_rows(r1_ops *ops, r1_ops *ref) {
    int m = 37, d = 70, n = m * d;
    float *x = normals((size_t)n, 1, 1), *w = normals((size_t)d, 2, 1),
          *u = normals((size_t)n, 3, 1);
    float *dy = normals((size_t)n, 4, 1), *a[3], *b[3];
    int32_t pos[37], ids[37];
    float *cs = normals((size_t)(100 * d), 5, 1);
    void *table = packed(ops, u, m, d);
    for (int i = 0; i < m; i++) {
        pos[i] = (i * 13) % 100;
        ids[i] = (i * i) % m;
    }
    for (int i = 0; i < 3; i++)
        a[i] = normals((size_t)n, 6, 1), b[i] = normals((size_t)n, 6, 1);

    ops->rmsnorm(ops, x, d, m, d, w, 1e-5f, a[0], 1, a[1]);
    ref->rmsnorm(ref, x, d, m, d, w, 1e-5f, b[0], 1, b[1]);
    close_to("rmsnorm", ops, a[0], b[0], (size_t)n, 2e-6f);
    float *rstd = a[1];
    ops->rmsnorm_bwd(ops, x, w, rstd, dy, m, d, a[0], a[2]);
    ref->rmsnorm_bwd(ref, x, w, rstd, dy, m, d, b[0], b[2]);
    close_to("rmsnorm_bwd dx", ops, a[0], b[0], (size_t)n, 4e-6f);
    close_to("rmsnorm_bwd dw", ops, a[2], b[2], (size_t)d, 4e-6f);
    ops->rope(ops, a[0], d, m, 7, 10, pos, cs, 1);
    memcpy(b[0], a[0], (size_t)n * 4);
    ops->rope(ops, a[0], d, m, 7, 10, pos, cs, -1);
    ref->rope(ref, b[0], d, m, 7, 10, pos, cs, -1);
    close_to("rope", ops, a[0], b[0], (size_t)n, 2e-6f);
    ops->swiglu(ops, x, u, m, d, a[0]);
    ref->swiglu(ref, x, u, m, d, b[0]);
    if (ops->dtype == R1_F32)
        close_to("swiglu", ops, a[0], b[0], (size_t)n, 2e-6f);
    ops->swiglu_bwd(ops, x, u, dy, m, d, a[0], a[2]);
    ref->swiglu_bwd(ref, x, u, dy, m, d, b[0], b[2]);
    close_to("swiglu_bwd dg", ops, a[0], b[0], (size_t)n, 4e-6f);
    close_to("swiglu_bwd du", ops, a[2], b[2], (size_t)n, 4e-6f);
    static const float gates[] = {-88, -88.5f, -89.5f, -100, -1000, 87, 100, 1000};
    for (int i = 0; i < 8; i++) /* where exp leaves the range of fp32 */
        x[i * 9] = gates[i];
    ops->swiglu(ops, x, u, m, d, a[0]);
    ref->swiglu(ref, x, u, m, d, b[0]);
    for (int i = 0; i < 8; i++) {
        size_t at = (size_t)(i * 9);
        float got = ops->dtype == R1_F32 ? a[0][at] : r1_bf16_to_f32(((uint16_t *)a[0])[at]);
        float want = ops->dtype == R1_F32 ? b[0][at] : r1_bf16_to_f32(((uint16_t *)b[0])[at]);
        assert_true(fabsf(got - want) <= 1e-2f * fabsf(want) + 1e-30f);
    }
    ops->swiglu_bwd(ops, x, u, dy, m, d, a[0], a[2]);
    ref->swiglu_bwd(ref, x, u, dy, m, d, b[0], b[2]);
    for (int i = 0; i < 8; i++)
        assert_true(fabsf(a[0][i * 9] - b[0][i * 9]) <= 1e-5f * fabsf(b[0][i * 9]) + 1e-30f);
    ops->embed(ops, table, d, ids, m, a[0]);
    ref->embed(ref, table, d, ids, m, b[0]);
    same_bits("embed", ops, a[0], b[0], (size_t)n * 4);
    ops->embed_bwd(ops, dy, d, ids, m, a[0]);
    ref->embed_bwd(ref, dy, d, ids, m, b[0]);
    same_bits("embed_bwd", ops, a[0], b[0], (size_t)n * 4);
    r1_adamw p = {1e-3f, 0.9f, 0.95f, 1e-8f, 0.1f, 0.1f, 0.05f, 0.5f};
    memcpy(a[1], u, (size_t)n * 4), memcpy(b[1], u, (size_t)n * 4);
    for (int i = 0; i < n; i++)
        a[2][i] = b[2][i] = fabsf(dy[i]);
    ops->adamw(ops, a[0], a[1], a[2], x, (size_t)n, &p);
    ref->adamw(ref, b[0], b[1], b[2], x, (size_t)n, &p);
    for (int i = 0; i < 3; i++)
        close_to("adamw", ops, a[i], b[i], (size_t)n, 2e-6f);
    void *owned[] = {x, w, u, dy, cs, table, a[0], a[1], a[2], b[0], b[1], b[2]};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

static void check_softmax(r1_ops *ops, r1_ops *ref) {
    static const int vocabs[] = {3, 64, 352, 1024, 1025, 5000};
    for (size_t s = 0; s < sizeof vocabs / sizeof *vocabs; s++) {
        int m = 9, vocab = vocabs[s], ld = r1_panel_count(vocab) * R1_PANEL;
        int panels = r1_vocab_panels(vocab);
        float *z = normals((size_t)(m * ld), 1, 3);
        for (int r = 0; r < m; r++) /* what lies behind the vocabulary must not matter */
            for (int v = vocab; v < ld; v++)
                z[r * ld + v] = 1e30f;
        float lse[9], lse_ref[9], h[9], h_ref[9], lp[9], lp1[1], dlogp[9], dent[9];
        float *pm = take((size_t)(m * panels) * 4), *ps = take((size_t)(m * panels) * 4);
        int32_t targets[9];
        ops->logsumexp(ops, z, ld, m, vocab, 0.7f, lse, h, pm, ps);
        ref->logsumexp(ref, z, ld, m, vocab, 0.7f, lse_ref, h_ref, NULL, NULL);
        close_to("logsumexp", ops, lse, lse_ref, 9, 2e-6f);
        close_to("entropy", ops, h, h_ref, 9, 1e-5f);
        for (int r = 0; r < m; r++) {
            targets[r] = (r * 37) % vocab;
            dlogp[r] = 0.1f * (float)(r - 4);
            dent[r] = 0.01f * (float)r;
        }
        ops->gather_logp(ops, z, ld, m, 0.7f, targets, lse, lp);
        for (int r = 0; r < m; r++) { /* a row alone: the same bits */
            float l1, h1;
            ops->logsumexp(ops, z + r * ld, ld, 1, vocab, 0.7f, &l1, &h1, NULL, NULL);
            ops->gather_logp(ops, z + r * ld, ld, 1, 0.7f, targets + r, &l1, lp1);
            same_bits("logsumexp", ops, &l1, &lse[r], 4);
            same_bits("entropy", ops, &h1, &h[r], 4);
            same_bits("logp", ops, lp1, &lp[r], 4);
        }
        /* Sampling: the cell of the cumulated distribution that u falls into. */
        for (int r = 0; r < m; r++) {
            double sum = 0;
            int id = ops->sample(ops, z + r * ld, vocab, 0.7f, lse[r], pm + r * panels,
                                 ps + r * panels, 0.1f * (float)r);
            for (int v = 0; v < id; v++)
                sum += exp((double)z[r * ld + v] * (double)0.7f - (double)lse[r]);
            double p = exp((double)z[r * ld + id] * (double)0.7f - (double)lse[r]);
            double u = (double)(0.1f * (float)r);
            assert_true(id < vocab && sum <= u + 2e-6 && sum + p >= u - 2e-6);
        }
        float *z2 = take((size_t)(m * ld) * 4);
        memcpy(z2, z, (size_t)(m * ld) * 4);
        ops->logits_bwd(ops, z, ld, m, vocab, 0.7f, targets, lse, h, dlogp, dent);
        ref->logits_bwd(ref, z2, ld, m, vocab, 0.7f, targets, lse, h, dlogp, dent);
        for (int r = 0; r < m; r++)
            close_to("logits_bwd", ops, z + r * ld, z2 + r * ld, (size_t)vocab, 1e-5f);
        free(z), free(z2), free(pm), free(ps);
    }
}

static void check_pack(r1_ops *ops, r1_ops *ref) {
    static const int shapes[][2] = {{70, 34}, {1, 2}, {64, 128}, {33, 70}, {65, 48}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        int n = shapes[s][0], k = shapes[s][1], rows = n < R1_PANEL ? n : R1_PANEL;
        float *w = normals((size_t)(n * k), 1, 1), *back = take((size_t)(rows * k) * 4);
        void *p = packed(ops, w, n, k), *want = packed(ref, w, n, k);
        same_bits("pack", ops, p, want, r1_packed_bytes(ops->dtype, n, k));
        ops->unpack(ops, p, rows, k, back);
        for (int i = 0; i < rows * k; i++)
            assert_true(back[i] ==
                        (ops->dtype == R1_F32 ? w[i] : r1_bf16_to_f32(r1_f32_to_bf16(w[i]))));
        free(w), free(back), free(p), free(want);
    }
}

#define CASE(name)                   \
    static void name(void **state) { \
        each_path(check_##name);     \
    }
CASE(pack)
CASE(matmul)
CASE(matmul_bwd)
CASE(attention)
CASE(rows)
CASE(softmax)

static void paths_are_refused_by_name(void **state) {
    r1_err err;
    r1_ops *ops;

    ASSERT_FAILS(r1_ops_open(&ops, R1_F32, "fast", 1, &err), R1_USAGE, &err, "'fast'");
    setenv("R1_CPU_MASK", "0", 1);
    assert_string_equal(r1_ops_auto_path(R1_BF16), "ref");
    ASSERT_FAILS(r1_ops_open(&ops, R1_F32, "avx2", 1, &err), R1_USAGE, &err, "R1_CPU_MASK");
    setenv("R1_CPU_MASK", "7", 1); /* all but AMX */
    assert_string_not_equal(r1_ops_auto_path(R1_BF16), "amx_bf16");
    ASSERT_FAILS(r1_ops_open(&ops, R1_BF16, "amx_bf16", 1, &err), R1_USAGE, &err, "R1_CPU_MASK");
    unsetenv("R1_CPU_MASK");
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--bench") == 0)
        return bench_ops(argc - 2, argv + 2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pack),
        cmocka_unit_test(matmul),
        cmocka_unit_test(matmul_bwd),
        cmocka_unit_test(attention),
        cmocka_unit_test(rows),
        cmocka_unit_test(softmax),
        cmocka_unit_test(paths_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
