#ifndef R1_MODEL_TAPE_H
#define R1_MODEL_TAPE_H
/* What forward hands to backward, inside the model only. */
#include "common/model/model.h"

/* One layer's activations; R = rows of the batch, T = compute dtype.  h1, h2 and a (normed inputs
 * and the product of gate and up) are cheap and computed again. */
typedef struct r1_layer_tape {
    float *x_in;          /* [R, D] residual stream at the layer's entry */
    float *x_mid;         /* [R, D] after attention */
    float *rstd1, *rstd2; /* [R] */
    float *q_raw, *k_raw; /* before the q/k norm (Qwen3), else NULL */
    float *q_rstd, *k_rstd;
    float *q;     /* [R, H * hd] rotated */
    void *o;      /* [R, H * hd] in T */
    float *lse;   /* [R, H] */
    float *g, *u; /* [R, F] */
} r1_layer_tape;

struct r1_tape {
    int mode;
    r1_layer_tape *layers; /* mode 1: [layers]; mode 2: only x_in of each */
    r1_layer_tape one;     /* mode 2: the layer that is being computed again */
    float *x_out;          /* [n_out, D] gathered final residual */
    float *rstd_out;       /* [n_out] */
};

/* Buffers that every layer uses and leaves behind. */
typedef struct r1_layer_scratch {
    void *h;      /* [R, D] in T */
    float *k, *v; /* [R, KV * hd] */
    void *a;      /* [R, F] in T */
} r1_layer_scratch;

/* Buffers of backward. */
typedef struct r1_bwd_scratch {
    float *dx;              /* [R, D] */
    float *dh;              /* [R, D] */
    float *da;              /* [R, F] */
    float *d_o, *dq;        /* [R, H * hd] */
    float *dk, *dv;         /* [R, KV * hd] */
    float *dq_raw, *dk_raw; /* q/k norm only */
    float *dx_out;          /* [n_out, D] */
} r1_bwd_scratch;

void r1_layer_tape_alloc(const r1_model *m, int rows, r1_arena *ws, r1_layer_tape *t);
void r1_layer_scratch_alloc(const r1_model *m, int rows, r1_arena *ws, r1_layer_scratch *s);
void r1_bwd_scratch_alloc(const r1_model *m, int rows, int n_out, r1_arena *ws, r1_bwd_scratch *s);

/* Layer `i`: x [R, D] in place; fills t.  tails: spans that copy shared prompts' last positions into
 * the members' blocks. */
typedef struct r1_layer_call {
    const r1_model *m;
    const uint8_t *payload;
    r1_kv *kv;
    const r1_batch *b;
    int n_tails;
    const r1_span *tails;
} r1_layer_call;

void r1_layer_forward(const r1_layer_call *c, int i, float *x, const r1_layer_scratch *s,
                      const r1_layer_tape *t);

/* Spans for r1_layer_call.tails; lives in the arena. */
const r1_span *r1_tail_spans(const r1_batch *b, r1_arena *ws, int *ret_n);

/* The attention call of layer i over the batch's spans. */
r1_attn r1_layer_attn(const r1_layer_call *c, int i);

static inline const void *r1_weight(const r1_layer_call *c, int tensor) {
    return c->payload + c->m->layout.tensors[tensor].payload;
}
static inline const float *r1_vector(const r1_layer_call *c, int tensor) {
    return tensor < 0 ? NULL : (const float *)r1_weight(c, tensor);
}

#endif
