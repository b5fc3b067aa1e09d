#ifndef R1_KERNELS_KERNELS_H
#define R1_KERNELS_KERNELS_H
/* The table of operations that the model is written in, and the packed layouts they work on.
 *
 * r1_ops_open fills a table with the plain C reference and then overwrites entries by the versions of
 * the chosen numeric path (avx2, avx512, avx512_bf16, amx_bf16).  Model code sees only this table and opaque
 * packed buffers: an accelerator is one more table and allocator, not a second model.
 *
 * The promise that everything above rests on: the result for one row (one token, one query) depends
 * on that row's input and on positions alone.  It does not depend on the number of rows, on the row's
 * index, on the neighbours, on how a sequence was cut into spans, or on threads.  So every operation
 * fixes its order of additions by the shape of one row's problem (K, head_dim, key position,
 * vocabulary) and cuts work between threads at output boundaries only.  Different numeric paths may
 * differ in the last bits; all ranks of a run use the same one.
 *
 * Compute dtype T is R1_F32 or R1_BF16 (operands rounded to nearest even, fp32 accumulation).  The
 * residual stream, norms, logits, gradients and all reductions are fp32.
 *
 * All matrices are row-major; strides (ld*) count elements.  k, head_dim are even.  Buffers are
 * 64-byte aligned at their base, rows need not be.  No function fails: shapes were checked above. */
#include "common/base/dtype.h"
#include "common/base/err.h"

#include <stddef.h>
#include <stdint.h>

/* ---- packed weights ----
 * W [n, k] is cut into panels of 64 rows.  fp32: [k][64]; bf16: [k/2][64][2] (a pair of neighbouring
 * k in one 32-bit lane).  Rows beyond n in the last panel are zero. */
#define R1_PANEL 64

static inline size_t r1_panel_bytes(r1_dtype t, int k) {
    return (size_t)k * R1_PANEL * r1_dtype_bytes(t);
}
static inline int r1_panel_count(int n) {
    return (n + R1_PANEL - 1) / R1_PANEL;
}
static inline size_t r1_packed_bytes(r1_dtype t, int n, int k) {
    return (size_t)r1_panel_count(n) * r1_panel_bytes(t, k);
}

/* ---- keys and values ----
 * A block holds 32 positions of one layer and all its kv heads, in T.  Per kv head: K as [hd][32]
 * (fp32) or [hd/2][32][2] (bf16), so that one query scores 32 keys without a horizontal sum; V as
 * [32][hd].  Layer memory is an array of blocks; head h of block b starts at
 * base + (b * kv_heads + h) * 32 * hd * sizeof(T). */
#define R1_KV_BLOCK 32

/* A run of rows with consecutive positions of one sequence. */
typedef struct r1_span {
    int row; /* first row in the batch */
    int n;   /* rows */
    int pos; /* position of the first row in its sequence */
    int seq; /* index into tables */
} r1_span;

/* Where the rows of one sequence stand in a training batch (backward only): positions below
 * prefix_len are the rows prefix_row + pos of a prompt shared with its neighbours, the others
 * row + pos - prefix_len. */
typedef struct r1_attn_seq {
    int prefix_row, prefix_len; /* prefix_len 0: nothing shared */
    int row, len;               /* own rows */
} r1_attn_seq;

typedef struct r1_attn {
    int heads, kv_heads, head_dim; /* heads is a multiple of kv_heads */
    float scale;                   /* on the scores, usually 1/sqrt(head_dim) */
    int n_spans;
    const r1_span *spans;
    const int32_t *const *tables; /* tables[seq][pos / 32] = block */
    void *k, *v;                  /* this layer's blocks */
    /* Backward only.  Groups of sequences that share a prompt: group g = seqs[group_start[g] ..
     * group_start[g+1]); sequence s of this list is sequence s of tables.  A shared prompt is the
     * first sequence of its group (prefix_len 0) and its members follow. */
    int n_groups;
    const int *group_start;
    const r1_attn_seq *seqs;
} r1_attn;

/* One product of a set that shares its left factor. */
typedef struct r1_mm {
    const void *w;     /* packed W [n, k] */
    int n;             /* rows of W = columns of y */
    const float *bias; /* [n] or NULL */
    float *y;          /* [m, ldy] */
    int ldy;
    int accumulate; /* 0: y = x W^T + bias, 1: y += x W^T + bias */
} r1_mm;

/* The same set seen from behind: gradients of y, and of W and bias where wanted. */
typedef struct r1_mm_grad {
    const void *w; /* packed W [n, k] */
    int n;
    const float *dy; /* [m, lddy] */
    int lddy;
    float *dw;    /* [n, k] row-major (Hugging Face layout), += ; NULL: not wanted */
    float *dbias; /* [n], += ; NULL: no bias */
} r1_mm_grad;

typedef struct r1_adamw {
    float lr, beta1, beta2, eps, weight_decay;
    float bias1, bias2; /* 1 - beta1^t, 1 - beta2^t */
    float grad_scale;   /* clipping: g is multiplied by it first */
} r1_adamw;

/* Fixed vocabulary panels of the log-sum-exp: one (max, sum) each, joined in ascending order. */
#define R1_VOCAB_PANEL 1024
static inline int r1_vocab_panels(int vocab) {
    return (vocab + R1_VOCAB_PANEL - 1) / R1_VOCAB_PANEL;
}

/* The factor on the logits at a temperature (0: greedy, log softmax(logits)).  Sampler and learner
 * both take it from here: 1 / T rounded in another way gives other log-probabilities. */
static inline float r1_inv_temperature(double temperature) {
    return temperature > 0 ? 1.0f / (float)temperature : 1.0f;
}

typedef struct r1_ops r1_ops;
struct r1_ops {
    const char *path; /* "ref", "avx2", "avx512", "avx512_bf16", "amx_bf16" */
    r1_dtype dtype;   /* T */
    int threads;      /* OpenMP threads that an operation may use */
    void *impl;       /* scratch memory and the kernels of the path */

    /* One panel: rows (<= 64) of w [rows, k] fp32 -> panel; and back (exact for fp32). */
    void (*pack)(const r1_ops *ops, const float *w, int rows, int k, void *panel);
    void (*unpack)(const r1_ops *ops, const void *panel, int rows, int k, float *w);
    /* fp32 -> T, n elements. */
    void (*convert)(const r1_ops *ops, const float *x, size_t n, void *y);

    /* y_j (+)= x [m, k] (T, ldx) W_j^T + bias_j */
    void (*matmul)(const r1_ops *ops, const void *x, int ldx, int m, int k, const r1_mm *jobs,
                   int n_jobs);
    /* dx [m, lddx] (fp32; accumulate 0: =, 1: +=) sum_j dy_j W_j;  dw_j += dy_j^T x;
     * dbias_j += column sums of dy_j.  x (T) may be NULL when no dw is wanted, dx when not wanted.
     * With T = bf16 the operand dy is rounded to bf16. */
    void (*matmul_bwd)(const r1_ops *ops, const void *x, int ldx, int m, int k,
                       const r1_mm_grad *jobs, int n_jobs, float *dx, int lddx, int accumulate);

    /* x [m, d] fp32 = rows ids[i] of the packed table [vocab, d]; backward: dtable [vocab, d]
     * row-major += dx, rows of equal id in ascending row order. */
    void (*embed)(const r1_ops *ops, const void *table, int d, const int32_t *ids, int m, float *x);
    void (*embed_bwd)(const r1_ops *ops, const float *dx, int d, const int32_t *ids, int m,
                      float *dtable);

    /* y = x / rms(x) * w, rms = sqrt(mean(x^2) + eps); y in T, or fp32 if y_f32 (then y may be x).
     * rstd [m] = 1/rms is kept when not NULL.  Rows of x are d wide with stride ldx, y is [m, d]. */
    void (*rmsnorm)(const r1_ops *ops, const float *x, int ldx, int m, int d, const float *w,
                    float eps, void *y, int y_f32, float *rstd);
    /* dx += ..., dw [d] += ... (rows in ascending order); x, dy, dx [m, d]. */
    void (*rmsnorm_bwd)(const r1_ops *ops, const float *x, const float *w, const float *rstd,
                        const float *dy, int m, int d, float *dx, float *dw);

    /* Rotary position embedding in place on x [m, heads * hd] (stride ldx), halves as Hugging Face
     * keeps them: (x1, x2) -> (x1 c - x2 s, x2 c + x1 s), c and s from cos_sin [max_pos][hd]
     * (hd/2 cosines, then hd/2 sines).  sign -1: the inverse rotation (backward). */
    void (*rope)(const r1_ops *ops, float *x, int ldx, int m, int heads, int hd, const int32_t *pos,
                 const float *cos_sin, int sign);

    /* Round k, v [rows, kv_heads * hd] fp32 into the blocks of their positions. */
    void (*kv_write)(const r1_ops *ops, const r1_attn *a, const float *k, const float *v);
    /* Causal attention of q [rows, heads * hd] fp32 over the blocks (online softmax, 32 keys at a
     * time, ascending).  o [rows, heads * hd] in T; lse [rows, heads] when not NULL. */
    void (*attention)(const r1_ops *ops, const r1_attn *a, const float *q, void *o, float *lse);
    /* From do [rows, heads * hd] fp32 and what the forward kept: dq like q, dk and dv
     * [rows, kv_heads * hd] fp32, all written (=).  A shared prompt's rows get its own part first,
     * then its members' in member order. */
    void (*attention_bwd)(const r1_ops *ops, const r1_attn *a, const float *q, const void *o,
                          const float *lse, const float *d_o, float *dq, float *dk, float *dv);

    /* a = silu(g) * u, [m, f]; a in T.  Backward from da: dg, du (may alias g, u). */
    void (*swiglu)(const r1_ops *ops, const float *g, const float *u, int m, int f, void *a);
    void (*swiglu_bwd)(const r1_ops *ops, const float *g, const float *u, const float *da, int m,
                       int f, float *dg, float *du);

    /* With z = logits * inv_t over the first `vocab` columns: lse [m] = log sum exp z, entropy [m]
     * (NULL: not wanted) of the softmax, panel_max and panel_sum [m, r1_vocab_panels] (NULL: not
     * wanted; sum of exp(z - panel_max) within a panel) for the sampler. */
    void (*logsumexp)(const r1_ops *ops, const float *logits, int ld, int m, int vocab, float inv_t,
                      float *lse, float *entropy, float *panel_max, float *panel_sum);
    /* logp [m] = z[target] - lse: the one place where a log-probability is formed. */
    void (*gather_logp)(const r1_ops *ops, const float *logits, int ld, int m, float inv_t,
                        const int32_t *targets, const float *lse, float *logp);
    /* In place: logits -> dL/dlogits from dL/dlogp [m] and dL/dentropy [m] (NULL: zero):
     * inv_t * (dlogp (1[v = target] - p_v) - dent p_v (log p_v + H)). */
    void (*logits_bwd)(const r1_ops *ops, float *logits, int ld, int m, int vocab, float inv_t,
                       const int32_t *targets, const float *lse, const float *entropy,
                       const float *dlogp, const float *dent);
    /* Inverse CDF over ascending ids for one row: the smallest id whose cumulated probability
     * exceeds u in [0, 1); panel_max, panel_sum and lse as logsumexp left them for this row. */
    int (*sample)(const r1_ops *ops, const float *logits, int vocab, float inv_t, float lse,
                  const float *panel_max, const float *panel_sum, float u);
    int (*argmax)(const r1_ops *ops, const float *logits, int vocab); /* lowest id among equals */

    /* Elementwise passes of the optimizer over any number of elements (threads inside). */
    void (*add)(const r1_ops *ops, float *y, const float *x, size_t n); /* y += x */
    double (*sumsq)(const r1_ops *ops, const float *x,
                    size_t n); /* one thread, fp64, fixed order */
    /* Decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101, algorithm 2). */
    void (*adamw)(const r1_ops *ops, float *w, float *m, float *v, const float *g, size_t n,
                  const r1_adamw *p);
};

/* path "auto": by a table on the CPU family (never a measurement), then lowered to what R1_CPU_MASK
 * leaves; a named path that this CPU lacks is an error.  threads >= 1.  The table stays valid until
 * closed; one thread at a time may call into it. */
R1_MUST_USE r1_status r1_ops_open(r1_ops **ret_ops, r1_dtype dtype, const char *path, int threads,
                                  r1_err *err);
void r1_ops_close(r1_ops *ops);

/* Put each of this process's OpenMP threads on a core of its own, where the `ranks` processes of this
 * node use all cores they may (else another job may need them, and nothing is done; nor when
 * OMP_PROC_BIND is set).  Without it two threads can share a core for milliseconds, which every short
 * parallel loop then waits for.  Call once from main, before the first operation.  Returns 1 if it
 * did. */
int r1_threads_pin(int rank, int ranks, int threads);
/* A thread that works beside those inherits the core of the one that made it, which would then wait
 * for it: called from that thread, it may run on all of them. */
void r1_thread_roam(void);

/* The path "auto" stands for on this machine with this compute dtype. */
const char *r1_ops_auto_path(r1_dtype dtype);

#endif
