/* The backward pass below the head; see model.h. */
#include "common/model/tape.h"

#include "common/base/trace.h"

#include <string.h>

static float *take_f32(r1_arena *ws, size_t n) {
    return r1_arena_take(ws, n * sizeof(float));
}

void r1_bwd_buffers_take(const r1_model *m, int rows, int n_out, r1_arena *ws, r1_bwd_buffers *z) {
    const r1_arch *a = &m->arch;
    size_t r = (size_t)rows, d = (size_t)a->hidden_size;
    size_t q = (size_t)(a->heads * a->head_dim), k = (size_t)(a->kv_heads * a->head_dim);

    *z = (r1_bwd_buffers){0};
    z->dx = take_f32(ws, r * d);
    z->da = take_f32(ws, r * (size_t)a->intermediate_size);
    z->d_o = take_f32(ws, r * q);
    z->dq = take_f32(ws, r * q);
    if (a->qk_norm) {
        z->dq_raw = take_f32(ws, r * q);
        z->dk_raw = take_f32(ws, r * k);
    }
    z->dx_out = take_f32(ws, (size_t)n_out * d);
}

/* One backward pass. */
typedef struct pass {
    r1_layer_call c;
    r1_layer_scratch s; /* s.k and s.v become dk and dv */
    r1_bwd_buffers z;
    float *dh; /* [R, D] */
    float *grad;
} pass;

/* Gradient of a tensor in the flat space; NULL for one that the architecture lacks. */
static float *grad_of(const pass *p, int tensor) {
    return tensor < 0 ? NULL : p->grad + p->c.m->layout.tensors[tensor].offset;
}

static void backward_mlp(const pass *p, int i, const r1_layer_tape *t) {
    const r1_layer_call *c = &p->c;
    const r1_bwd_buffers *z = &p->z;
    const r1_arch *a = &c->m->arch;
    const r1_ops *ops = c->m->ops;
    const r1_layer_tensors *lt = &c->m->layout.layers[i];
    int rows = c->b->n_rows, d = a->hidden_size, f = a->intermediate_size;

    ops->swiglu(ops, t->g, t->u, rows, f, p->s.a);
    r1_mm_grad down = {
        .w = r1_weight(c, lt->down), .n = d, .dy = z->dx, .lddy = d, .dw = grad_of(p, lt->down)};
    ops->matmul_bwd(ops, p->s.a, f, rows, f, &down, 1, z->da, f, 0);
    ops->swiglu_bwd(ops, t->g, t->u, z->da, rows, f, t->g, t->u);
    ops->rmsnorm(ops, t->x_mid, d, rows, d, r1_vector(c, lt->post_norm), a->norm_eps, p->s.h, 0,
                 NULL);
    r1_mm_grad mlp[2] = {
        {.w = r1_weight(c, lt->gate), .n = f, .dy = t->g, .lddy = f, .dw = grad_of(p, lt->gate)},
        {.w = r1_weight(c, lt->up), .n = f, .dy = t->u, .lddy = f, .dw = grad_of(p, lt->up)}};
    ops->matmul_bwd(ops, p->s.h, d, rows, d, mlp, 2, p->dh, d, 0);
    ops->rmsnorm_bwd(ops, t->x_mid, r1_vector(c, lt->post_norm), t->rstd2, p->dh, rows, d, z->dx,
                     grad_of(p, lt->post_norm));
}

static void backward_qk_norm(const pass *p, int i, const r1_layer_tape *t) {
    const r1_layer_call *c = &p->c;
    const r1_bwd_buffers *z = &p->z;
    const r1_arch *a = &c->m->arch;
    const r1_ops *ops = c->m->ops;
    const r1_layer_tensors *lt = &c->m->layout.layers[i];
    int hd = a->head_dim, nq = c->b->n_rows * a->heads, nk = c->b->n_rows * a->kv_heads;

    R1_ASSERT(z->dq_raw && z->dk_raw);
    memset(z->dq_raw, 0, (size_t)nq * (size_t)hd * sizeof(float));
    memset(z->dk_raw, 0, (size_t)nk * (size_t)hd * sizeof(float));
    ops->rmsnorm_bwd(ops, t->q_raw, r1_vector(c, lt->q_norm), t->q_rstd, z->dq, nq, hd, z->dq_raw,
                     grad_of(p, lt->q_norm));
    ops->rmsnorm_bwd(ops, t->k_raw, r1_vector(c, lt->k_norm), t->k_rstd, p->s.k, nk, hd, z->dk_raw,
                     grad_of(p, lt->k_norm));
}

static void backward_attention(const pass *p, int i, const r1_layer_tape *t) {
    const r1_layer_call *c = &p->c;
    const r1_bwd_buffers *z = &p->z;
    const r1_arch *a = &c->m->arch;
    const r1_ops *ops = c->m->ops;
    const r1_layer_tensors *lt = &c->m->layout.layers[i];
    int rows = c->b->n_rows, d = a->hidden_size;
    int q = a->heads * a->head_dim, kv = a->kv_heads * a->head_dim;
    r1_attn attn = r1_layer_attn(c, i);

    r1_mm_grad o_job = {
        .w = r1_weight(c, lt->o), .n = d, .dy = z->dx, .lddy = d, .dw = grad_of(p, lt->o)};
    ops->matmul_bwd(ops, t->o, q, rows, q, &o_job, 1, z->d_o, q, 0);
    ops->attention_bwd(ops, &attn, t->q, t->o, t->lse, z->d_o, z->dq, p->s.k, p->s.v);
    ops->rope(ops, z->dq, q, rows, a->heads, a->head_dim, c->b->pos, c->m->cos_sin, -1);
    ops->rope(ops, p->s.k, kv, rows, a->kv_heads, a->head_dim, c->b->pos, c->m->cos_sin, -1);
    if (a->qk_norm)
        backward_qk_norm(p, i, t);
    ops->rmsnorm(ops, t->x_in, d, rows, d, r1_vector(c, lt->input_norm), a->norm_eps, p->s.h, 0,
                 NULL);
    r1_mm_grad qkv[3] = {{.w = r1_weight(c, lt->q),
                          .n = q,
                          .dy = a->qk_norm ? z->dq_raw : z->dq,
                          .lddy = q,
                          .dw = grad_of(p, lt->q),
                          .dbias = grad_of(p, lt->q_bias)},
                         {.w = r1_weight(c, lt->k),
                          .n = kv,
                          .dy = a->qk_norm ? z->dk_raw : p->s.k,
                          .lddy = kv,
                          .dw = grad_of(p, lt->k),
                          .dbias = grad_of(p, lt->k_bias)},
                         {.w = r1_weight(c, lt->v),
                          .n = kv,
                          .dy = p->s.v,
                          .lddy = kv,
                          .dw = grad_of(p, lt->v),
                          .dbias = grad_of(p, lt->v_bias)}};
    ops->matmul_bwd(ops, p->s.h, d, rows, d, qkv, 3, p->dh, d, 0);
    ops->rmsnorm_bwd(ops, t->x_in, r1_vector(c, lt->input_norm), t->rstd1, p->dh, rows, d, z->dx,
                     grad_of(p, lt->input_norm));
}

void r1_backward(const r1_model *m, const void *payload, r1_kv *kv, const r1_batch *b,
                 r1_tape *tape, const float *dhidden, r1_arena *ws, float *grad) {
    pass p = {.c = {.m = m,
                    .payload = payload,
                    .kv = kv,
                    .b = b,
                    .n_tails = tape->n_tails,
                    .tails = tape->tails},
              .s = tape->scratch,
              .dh = tape->x,
              .grad = grad};
    const r1_ops *ops = m->ops;
    int d = m->arch.hidden_size;
    size_t rd = (size_t)b->n_rows * (size_t)d, od = (size_t)b->n_out * (size_t)d;
    size_t mark = r1_arena_mark(ws);

    R1_TRACE();
    r1_bwd_buffers_take(m, b->n_rows, b->n_out, ws, &p.z);
    memset(p.z.dx_out, 0, od * sizeof(float));
    ops->rmsnorm_bwd(ops, tape->x_out, r1_vector(&p.c, m->layout.final_norm), tape->rstd_out,
                     dhidden, b->n_out, d, p.z.dx_out, grad_of(&p, m->layout.final_norm));
    memset(p.z.dx, 0, rd * sizeof(float));
    /* Scatter: a row that several entries share gets their sum in ascending order of entries. */
    ops->embed_bwd(ops, p.z.dx_out, d, b->out_rows, b->n_out, p.z.dx);
    for (int i = m->arch.layers - 1; i >= 0; i--) {
        r1_layer_tape t = tape->layers[i];
        if (tape->mode == 2) {
            t = tape->one;
            t.x_in = tape->layers[i].x_in;
            memcpy(t.x_mid, t.x_in, rd * sizeof(float));
            r1_layer_forward(&p.c, i, t.x_mid, &p.s, &t);
        }
        backward_mlp(&p, i, &t);
        backward_attention(&p, i, &t);
    }
    ops->embed_bwd(ops, p.z.dx, d, b->ids, b->n_rows, grad_of(&p, m->layout.embed));
    r1_arena_release(ws, mark);
}
