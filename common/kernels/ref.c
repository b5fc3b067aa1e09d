/* The "ref" path: the formulas of ref.inc in fp32 on the packed layouts, plus what has no gradient.
 * Slow and obvious; kept for ever as what the vector paths are compared with. */
#include "common/kernels/impl.h"

#include <math.h>
#include <string.h>

#define R1_REF_MAX_HEAD_DIM 512

typedef float REAL;
#define EXP  expf
#define LOG  logf
#define SQRT sqrtf

static float elem(const void *p, size_t i, int t) {
    return t == R1_F32 ? ((const float *)p)[i] : r1_bf16_to_f32(((const uint16_t *)p)[i]);
}

static void put(void *p, size_t i, int t, float x) {
    if (t == R1_F32)
        ((float *)p)[i] = x;
    else
        ((uint16_t *)p)[i] = r1_f32_to_bf16(x);
}

/* Element (n, i) inside packed panels of width 64 and depth k. */
static size_t panel_at(int t, int k, int n, int i) {
    size_t panel = (size_t)(n / R1_PANEL) * (size_t)k * R1_PANEL, col = (size_t)(n % R1_PANEL);

    if (t == R1_F32)
        return panel + (size_t)i * R1_PANEL + col;
    return panel + ((size_t)(i / 2) * R1_PANEL + col) * 2 + (size_t)(i % 2);
}

static size_t key_at(int t, int hd, size_t unit, int d, int j) {
    size_t base = unit * (size_t)hd * R1_KV_BLOCK;

    if (t == R1_F32)
        return base + (size_t)d * R1_KV_BLOCK + (size_t)j;
    return base + ((size_t)(d / 2) * R1_KV_BLOCK + (size_t)j) * 2 + (size_t)(d % 2);
}

static size_t value_at(int hd, size_t unit, int j, int d) {
    return (unit * R1_KV_BLOCK + (size_t)j) * (size_t)hd + (size_t)d;
}

static float round_to(float x, int t) {
    return t == R1_F32 ? x : r1_bf16_to_f32(r1_f32_to_bf16(x));
}

#define ELEM(p, i, t)                      elem((p), (i), (t))
#define PUT(p, i, t, x)                    put((p), (i), (t), (x))
#define ROUND(x, t)                        round_to((x), (t))
#define WEIGHT(w, t, k, n, i)              elem((w), panel_at((t), (k), (n), (i)), (t))
#define KEY(b, t, hd, unit, d, j)          elem((b), key_at((t), (hd), (unit), (d), (j)), (t))
#define VALUE(b, t, hd, unit, j, d)        elem((b), value_at((hd), (unit), (j), (d)), (t))
#define PUT_KEY(b, t, hd, unit, d, j, x)   put((b), key_at((t), (hd), (unit), (d), (j)), (t), (x))
#define PUT_VALUE(b, t, hd, unit, j, d, x) put((b), value_at((hd), (unit), (j), (d)), (t), (x))

#include "common/kernels/ref.inc"

static void op_pack(const r1_ops *ops, const float *w, int rows, int k, void *panel) {
    memset(panel, 0, r1_panel_bytes(ops->dtype, k));
    for (int n = 0; n < rows; n++)
        for (int i = 0; i < k; i++)
            put(panel, panel_at((int)ops->dtype, k, n, i), (int)ops->dtype,
                w[(size_t)n * (size_t)k + (size_t)i]);
}

static void op_unpack(const r1_ops *ops, const void *panel, int rows, int k, float *w) {
    for (int n = 0; n < rows; n++)
        for (int i = 0; i < k; i++)
            w[(size_t)n * (size_t)k + (size_t)i] = WEIGHT(panel, (int)ops->dtype, k, n, i);
}

static void op_convert(const r1_ops *ops, const float *x, size_t n, void *y) {
    for (size_t i = 0; i < n; i++)
        put(y, i, (int)ops->dtype, x[i]);
}

static void op_matmul(const r1_ops *ops, const void *x, int ldx, int m, int k, const r1_mm *jobs,
                      int n_jobs) {
    for (int j = 0; j < n_jobs; j++) {
        ref_mm job = {jobs[j].w, jobs[j].n,   jobs[j].bias,
                      jobs[j].y, jobs[j].ldy, jobs[j].accumulate};
        ref_matmul((int)ops->dtype, x, ldx, m, k, &job);
    }
}

static void op_matmul_bwd(const r1_ops *ops, const void *x, int ldx, int m, int k,
                          const r1_mm_grad *jobs, int n_jobs, float *dx, int lddx, int accumulate) {
    for (int r = 0; r < m && dx && !accumulate; r++)
        memset(dx + (size_t)r * (size_t)lddx, 0, (size_t)k * sizeof *dx);
    for (int j = 0; j < n_jobs; j++) {
        ref_mm_grad job = {jobs[j].w,    jobs[j].n,  jobs[j].dy,
                           jobs[j].lddy, jobs[j].dw, jobs[j].dbias};
        if (dx)
            ref_matmul_dx((int)ops->dtype, m, k, &job, dx, lddx);
        ref_matmul_dw((int)ops->dtype, x, ldx, m, k, &job);
    }
}

static void op_embed(const r1_ops *ops, const void *table, int d, const int32_t *ids, int m,
                     float *x) {
    for (int r = 0; r < m; r++)
        for (int i = 0; i < d; i++)
            x[(size_t)r * (size_t)d + (size_t)i] = WEIGHT(table, (int)ops->dtype, d, ids[r], i);
}

static void op_embed_bwd(const r1_ops *ops, const float *dx, int d, const int32_t *ids, int m,
                         float *dtable) {
    for (int r = 0; r < m; r++)
        for (int i = 0; i < d; i++)
            dtable[(size_t)ids[r] * (size_t)d + (size_t)i] += dx[(size_t)r * (size_t)d + (size_t)i];
}

static void op_rmsnorm(const r1_ops *ops, const float *x, int ldx, int m, int d, const float *w,
                       float eps, void *y, int y_f32, float *rstd) {
    ref_rmsnorm((int)ops->dtype, x, ldx, m, d, w, eps, y, y_f32, rstd);
}

static void op_rmsnorm_bwd(const r1_ops *ops, const float *x, const float *w, const float *rstd,
                           const float *dy, int m, int d, float *dx, float *dw) {
    ref_rmsnorm_bwd(x, w, rstd, dy, m, d, dx, dw);
}

static void op_rope(const r1_ops *ops, float *x, int ldx, int m, int heads, int hd,
                    const int32_t *pos, const float *cos_sin, int sign) {
    ref_rope(x, ldx, m, heads, hd, pos, cos_sin, sign);
}

static void op_kv_write(const r1_ops *ops, const r1_attn *a, const float *k, const float *v) {
    ref_kv_write((int)ops->dtype, a, k, v);
}

static void op_attention(const r1_ops *ops, const r1_attn *a, const float *q, void *o, float *lse) {
    R1_ASSERT(a->head_dim <= R1_REF_MAX_HEAD_DIM);
    ref_attention((int)ops->dtype, a, q, o, lse);
}

static void op_attention_bwd(const r1_ops *ops, const r1_attn *a, const float *q, const void *o,
                             const float *lse, const float *d_o, float *dq, float *dk, float *dv) {
    ref_attention_bwd((int)ops->dtype, a, q, o, lse, d_o, dq, dk, dv);
}

static void op_swiglu(const r1_ops *ops, const float *g, const float *u, int m, int f, void *a) {
    ref_swiglu((int)ops->dtype, g, u, (size_t)m * (size_t)f, a);
}

static void op_swiglu_bwd(const r1_ops *ops, const float *g, const float *u, const float *da, int m,
                          int f, float *dg, float *du) {
    ref_swiglu_bwd(g, u, da, (size_t)m * (size_t)f, dg, du);
}

static void op_logsumexp(const r1_ops *ops, const float *logits, int ld, int m, int vocab,
                         float inv_t, float *lse, float *entropy, float *panel_max,
                         float *panel_sum) {
    int panels = r1_vocab_panels(vocab);

    for (int r = 0; r < m; r++) {
        const float *z = logits + (size_t)r * (size_t)ld;
        ref_logsumexp(z, vocab, inv_t, &lse[r], entropy ? &entropy[r] : NULL);
        for (int p = 0; p < panels && panel_max; p++) {
            int first = p * R1_VOCAB_PANEL;
            int n = vocab - first < R1_VOCAB_PANEL ? vocab - first : R1_VOCAB_PANEL;
            float max = z[first] * inv_t, sum = 0;
            for (int v = first; v < first + n; v++)
                max = fmaxf(max, z[v] * inv_t);
            for (int v = first; v < first + n; v++)
                sum += expf(z[v] * inv_t - max);
            panel_max[r * panels + p] = max;
            panel_sum[r * panels + p] = sum;
        }
    }
}

static void op_gather_logp(const r1_ops *ops, const float *logits, int ld, int m, float inv_t,
                           const int32_t *targets, const float *lse, float *logp) {
    for (int r = 0; r < m; r++)
        logp[r] = logits[(size_t)r * (size_t)ld + (size_t)targets[r]] * inv_t - lse[r];
}

static void op_logits_bwd(const r1_ops *ops, float *logits, int ld, int m, int vocab, float inv_t,
                          const int32_t *targets, const float *lse, const float *entropy,
                          const float *dlogp, const float *dent) {
    for (int r = 0; r < m; r++)
        ref_logits_bwd(logits + (size_t)r * (size_t)ld, vocab, inv_t, targets[r], lse[r],
                       dent ? entropy[r] : 0.0f, dlogp[r], dent ? dent[r] : 0.0f);
}

static int op_sample(const r1_ops *ops, const float *logits, int vocab, float inv_t, float lse,
                     const float *panel_max, const float *panel_sum, float u) {
    float cumulated = 0;
    int panel, last = r1_vocab_panels(vocab) - 1;

    for (panel = 0; panel < last; panel++) {
        float share = panel_sum[panel] * expf(panel_max[panel] - lse);
        if (cumulated + share > u)
            break;
        cumulated += share;
    }
    int first = panel * R1_VOCAB_PANEL, end = first + R1_VOCAB_PANEL;
    int likely =
        first; /* rounding may leave u above the last sum: then the likeliest of the panel */
    end = end < vocab ? end : vocab;
    for (int v = first; v < end; v++) {
        cumulated += expf(logits[v] * inv_t - lse);
        if (cumulated > u)
            return v;
        likely = logits[v] > logits[likely] ? v : likely;
    }
    return likely;
}

static int op_argmax(const r1_ops *ops, const float *logits, int vocab) {
    int best = 0;

    for (int v = 1; v < vocab; v++)
        best = logits[v] > logits[best] ? v : best;
    return best;
}

static void op_add(const r1_ops *ops, float *y, const float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

static double op_sumsq(const r1_ops *ops, const float *x, size_t n) {
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

static void op_adamw(const r1_ops *ops, float *w, float *m, float *v, const float *g, size_t n,
                     const r1_adamw *p) {
    for (size_t i = 0; i < n; i++) {
        float gi = g[i] * p->grad_scale;
        m[i] = p->beta1 * m[i] + (1.0f - p->beta1) * gi;
        v[i] = p->beta2 * v[i] + (1.0f - p->beta2) * gi * gi;
        float step = (m[i] / p->bias1) / (sqrtf(v[i] / p->bias2) + p->eps);
        w[i] -= p->lr * (step + p->weight_decay * w[i]);
    }
}

void r1_ops_fill_ref(r1_ops *ops) {
    ops->path = "ref";
    ops->pack = op_pack;
    ops->unpack = op_unpack;
    ops->convert = op_convert;
    ops->matmul = op_matmul;
    ops->matmul_bwd = op_matmul_bwd;
    ops->embed = op_embed;
    ops->embed_bwd = op_embed_bwd;
    ops->rmsnorm = op_rmsnorm;
    ops->rmsnorm_bwd = op_rmsnorm_bwd;
    ops->rope = op_rope;
    ops->kv_write = op_kv_write;
    ops->attention = op_attention;
    ops->attention_bwd = op_attention_bwd;
    ops->swiglu = op_swiglu;
    ops->swiglu_bwd = op_swiglu_bwd;
    ops->logsumexp = op_logsumexp;
    ops->gather_logp = op_gather_logp;
    ops->logits_bwd = op_logits_bwd;
    ops->sample = op_sample;
    ops->argmax = op_argmax;
    ops->add = op_add;
    ops->sumsq = op_sumsq;
    ops->adamw = op_adamw;
}
