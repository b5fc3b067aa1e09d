/* The backward pass below the head; see model.h. */
#include "common/model/tape.h"

#include <string.h>

static float *take_f32(r1_arena *ws, size_t n) {
    return r1_arena_take(ws, n * sizeof(float));
}

void r1_bwd_scratch_alloc(const r1_model *m, int rows, int n_out, r1_arena *ws, r1_bwd_scratch *s) {
    const r1_arch *a = &m->arch;
    size_t r = (size_t)rows, d = (size_t)a->hidden_size;
    size_t q = (size_t)(a->heads * a->head_dim), k = (size_t)(a->kv_heads * a->head_dim);

    *s = (r1_bwd_scratch){0};
    s->dx = take_f32(ws, r * d);
    s->dh = take_f32(ws, r * d);
    s->da = take_f32(ws, r * (size_t)a->intermediate_size);
    s->d_o = take_f32(ws, r * q);
    s->dq = take_f32(ws, r * q);
    s->dk = take_f32(ws, r * k);
    s->dv = take_f32(ws, r * k);
    if (a->qk_norm) {
        s->dq_raw = take_f32(ws, r * q);
        s->dk_raw = take_f32(ws, r * k);
    }
    s->dx_out = take_f32(ws, (size_t)n_out * d);
}

/* Gradient of a tensor in the flat space; NULL for one that the architecture lacks. */
static float *grad_of(const r1_layer_call *c, float *grad, int tensor) {
    return tensor < 0 ? NULL : grad + c->m->layout.tensors[tensor].offset;
}

static void backward_mlp(const r1_layer_call *c, int i, const r1_layer_tape *t,
                         const r1_layer_scratch *s, const r1_bwd_scratch *z, float *grad) {
    const r1_arch *a = &c->m->arch;
    const r1_ops *ops = c->m->ops;
    const r1_layer_tensors *lt = &c->m->layout.layers[i];
    int rows = c->b->n_rows, d = a->hidden_size, f = a->intermediate_size;

    ops->swiglu(ops, t->g, t->u, rows, f, s->a);
    r1_mm_grad down = {.w = r1_weight(c, lt->down),
                       .n = d,
                       .dy = z->dx,
                       .lddy = d,
                       .dw = grad_of(c, grad, lt->down)};
    ops->matmul_bwd(ops, s->a, f, rows, f, &down, 1, z->da, f, 0);
    ops->swiglu_bwd(ops, t->g, t->u, z->da, rows, f, t->g, t->u);
    ops->rmsnorm(ops, t->x_mid, d, rows, d, r1_vector(c, lt->post_norm), a->norm_eps, s->h, 0,
                 NULL);
    r1_mm_grad mlp[2] = {
        {.w = r1_weight(c, lt->gate),
         .n = f,
         .dy = t->g,
         .lddy = f,
         .dw = grad_of(c, grad, lt->gate)},
        {.w = r1_weight(c, lt->up), .n = f, .dy = t->u, .lddy = f, .dw = grad_of(c, grad, lt->up)}};
    ops->matmul_bwd(ops, s->h, d, rows, d, mlp, 2, z->dh, d, 0);
    ops->rmsnorm_bwd(ops, t->x_mid, r1_vector(c, lt->post_norm), t->rstd2, z->dh, rows, d, z->dx,
                     grad_of(c, grad, lt->post_norm));
}

static void backward_qk_norm(const r1_layer_call *c, int i, const r1_layer_tape *t,
                             const r1_bwd_scratch *z, float *grad) {
    const r1_arch *a = &c->m->arch;
    const r1_ops *ops = c->m->ops;
    const r1_layer_tensors *lt = &c->m->layout.layers[i];
    int hd = a->head_dim, nq = c->b->n_rows * a->heads, nk = c->b->n_rows * a->kv_heads;

    memset(z->dq_raw, 0, (size_t)nq * (size_t)hd * sizeof(float));
    memset(z->dk_raw, 0, (size_t)nk * (size_t)hd * sizeof(float));
    ops->rmsnorm_bwd(ops, t->q_raw, r1_vector(c, lt->q_norm), t->q_rstd, z->dq, nq, hd, z->dq_raw,
                     grad_of(c, grad, lt->q_norm));
    ops->rmsnorm_bwd(ops, t->k_raw, r1_vector(c, lt->k_norm), t->k_rstd, z->dk, nk, hd, z->dk_raw,
                     grad_of(c, grad, lt->k_norm));
}

static void backward_attention(const r1_layer_call *c, int i, const r1_layer_tape *t,
                               const r1_layer_scratch *s, const r1_bwd_scratch *z, float *grad) {
    const r1_arch *a = &c->m->arch;
    const r1_ops *ops = c->m->ops;
    const r1_layer_tensors *lt = &c->m->layout.layers[i];
    int rows = c->b->n_rows, d = a->hidden_size;
    int q = a->heads * a->head_dim, kv = a->kv_heads * a->head_dim;
    r1_attn attn = r1_layer_attn(c, i);

    r1_mm_grad o_job = {
        .w = r1_weight(c, lt->o), .n = d, .dy = z->dx, .lddy = d, .dw = grad_of(c, grad, lt->o)};
    ops->matmul_bwd(ops, t->o, q, rows, q, &o_job, 1, z->d_o, q, 0);
    ops->attention_bwd(ops, &attn, t->q, t->o, t->lse, z->d_o, z->dq, z->dk, z->dv);
    ops->rope(ops, z->dq, q, rows, a->heads, a->head_dim, c->b->pos, c->m->cos_sin, -1);
    ops->rope(ops, z->dk, kv, rows, a->kv_heads, a->head_dim, c->b->pos, c->m->cos_sin, -1);
    if (a->qk_norm)
        backward_qk_norm(c, i, t, z, grad);
    ops->rmsnorm(ops, t->x_in, d, rows, d, r1_vector(c, lt->input_norm), a->norm_eps, s->h, 0,
                 NULL);
    r1_mm_grad qkv[3] = {{.w = r1_weight(c, lt->q),
                          .n = q,
                          .dy = a->qk_norm ? z->dq_raw : z->dq,
                          .lddy = q,
                          .dw = grad_of(c, grad, lt->q),
                          .dbias = grad_of(c, grad, lt->q_bias)},
                         {.w = r1_weight(c, lt->k),
                          .n = kv,
                          .dy = a->qk_norm ? z->dk_raw : z->dk,
                          .lddy = kv,
                          .dw = grad_of(c, grad, lt->k),
                          .dbias = grad_of(c, grad, lt->k_bias)},
                         {.w = r1_weight(c, lt->v),
                          .n = kv,
                          .dy = z->dv,
                          .lddy = kv,
                          .dw = grad_of(c, grad, lt->v),
                          .dbias = grad_of(c, grad, lt->v_bias)}};
    ops->matmul_bwd(ops, s->h, d, rows, d, qkv, 3, z->dh, d, 0);
    ops->rmsnorm_bwd(ops, t->x_in, r1_vector(c, lt->input_norm), t->rstd1, z->dh, rows, d, z->dx,
                     grad_of(c, grad, lt->input_norm));
}

void r1_backward(const r1_model *m, const void *payload, r1_kv *kv, const r1_batch *b,
                 r1_tape *tape, const float *dhidden, r1_arena *ws, float *grad) {
    r1_layer_call c = {.m = m, .payload = payload, .kv = kv, .b = b};
    const r1_ops *ops = m->ops;
    int d = m->arch.hidden_size;
    size_t rd = (size_t)b->n_rows * (size_t)d, od = (size_t)b->n_out * (size_t)d;
    size_t mark = r1_arena_mark(ws);
    r1_layer_scratch s;
    r1_bwd_scratch z;

    r1_bwd_scratch_alloc(m, b->n_rows, b->n_out, ws, &z);
    r1_layer_scratch_alloc(m, b->n_rows, ws, &s);
    c.tails = r1_tail_spans(b, ws, &c.n_tails);
    memset(z.dx_out, 0, od * sizeof(float));
    ops->rmsnorm_bwd(ops, tape->x_out, r1_vector(&c, m->layout.final_norm), tape->rstd_out, dhidden,
                     b->n_out, d, z.dx_out, grad_of(&c, grad, m->layout.final_norm));
    memset(z.dx, 0, rd * sizeof(float));
    ops->embed_bwd(ops, z.dx_out, d, b->out_rows, b->n_out, z.dx); /* scatter, rows ascending */
    for (int i = m->arch.layers - 1; i >= 0; i--) {
        r1_layer_tape t = tape->layers[i];
        if (tape->mode == 2) { /* z.dh is free here: it carries the residual stream */
            float *x_in = t.x_in;
            memcpy(z.dh, x_in, rd * sizeof(float));
            t = tape->one;
            r1_layer_forward(&c, i, z.dh, &s, &t);
            t.x_in = x_in;
        }
        backward_mlp(&c, i, &t, &s, &z, grad);
        backward_attention(&c, i, &t, &s, &z, grad);
    }
    ops->embed_bwd(ops, z.dx, d, b->ids, b->n_rows, grad_of(&c, grad, m->layout.embed));
    r1_arena_release(ws, mark);
}
