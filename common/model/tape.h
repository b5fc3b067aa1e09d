#ifndef R1_MODEL_TAPE_H
#define R1_MODEL_TAPE_H
/* What forward hands to backward, inside the model only. */
#include "common/model/model.h"

/* One layer's activations; R = rows of the batch, T = compute dtype.  What is cheap is computed
 * again in backward: the normed inputs and the product of gate and up. */
typedef struct r1_layer_tape {
    float *q;     /* [R, H * hd] rotated */
    void *o;      /* [R, H * hd] in T */
    float *g, *u; /* [R, F] */
    /* NULL where there is no tape: */
    float *x_in;            /* [R, D] residual stream at the layer's entry */
    float *x_mid;           /* [R, D] after attention */
    float *rstd1, *rstd2;   /* [R] */
    float *lse;             /* [R, H] */
    float *q_raw, *k_raw;   /* before the q/k norm (Qwen3 only) */
    float *q_rstd, *k_rstd; /* [R, H], [R, KV] */
} r1_layer_tape;

/* Buffers that every layer uses and leaves behind. */
typedef struct r1_layer_scratch {
    void *h;      /* [R, D] in T */
    float *k, *v; /* [R, KV * hd] */
    void *a;      /* [R, F] in T */
} r1_layer_scratch;

struct r1_tape {
    int mode;
    r1_layer_tape *layers; /* [layers]; mode 2: only x_in of each */
    r1_layer_tape one;     /* mode 2: the layer that is being computed again */
    r1_layer_scratch scratch;
    float *x;        /* [R, D] free after the forward */
    float *x_out;    /* [n_out, D] gathered final residual */
    float *rstd_out; /* [n_out] */
    int n_tails;
    const r1_span *tails; /* see r1_layer_call */
};

/* Buffers of backward, beside those that the forward leaves behind: dh is its x, dk and dv are its
 * scratch k and v (attention reads keys and values from the blocks). */
typedef struct r1_bwd_buffers {
    float *dx;              /* [R, D] */
    float *da;              /* [R, F] */
    float *d_o, *dq;        /* [R, H * hd] */
    float *dq_raw, *dk_raw; /* q/k norm only */
    float *dx_out;          /* [n_out, D] */
} r1_bwd_buffers;

void r1_bwd_buffers_take(const r1_model *m, int rows, int n_out, r1_arena *ws, r1_bwd_buffers *z);

typedef struct r1_layer_call {
    const r1_model *m;
    const uint8_t *payload;
    r1_kv *kv;
    const r1_batch *b;
    /* Spans that copy shared prompts' last positions into the members' blocks. */
    int n_tails;
    const r1_span *tails;
} r1_layer_call;

/* Layer i: x [R, D] in place; fills t.  With t->x_mid == x (computing a layer again) the layer's
 * output is left out and x ends as x_mid. */
void r1_layer_forward(const r1_layer_call *c, int i, float *x, const r1_layer_scratch *s,
                      const r1_layer_tape *t);

/* The attention call of layer i over the batch's spans. */
r1_attn r1_layer_attn(const r1_layer_call *c, int i);

static inline const void *r1_weight(const r1_layer_call *c, int tensor) {
    return c->payload + c->m->layout.tensors[tensor].payload;
}
static inline const float *r1_vector(const r1_layer_call *c, int tensor) {
    return tensor < 0 ? NULL : (const float *)r1_weight(c, tensor);
}

#endif
