/* The forward pass; see model.h. */
#include "common/model/tape.h"

#include "common/base/trace.h"

#include <math.h>
#include <string.h>

static float *take_f32(r1_arena *ws, size_t n) {
    return r1_arena_take(ws, n * sizeof(float));
}

/* What forward passes from operation to operation; with keep also what only backward reads. */
static void take_layer(const r1_model *m, int rows, int keep, r1_arena *ws, r1_layer_tape *t) {
    const r1_arch *a = &m->arch;
    size_t r = (size_t)rows, d = (size_t)a->hidden_size, f = (size_t)a->intermediate_size;
    size_t q = (size_t)(a->heads * a->head_dim), k = (size_t)(a->kv_heads * a->head_dim);

    *t = (r1_layer_tape){0};
    t->q = take_f32(ws, r * q);
    t->o = r1_arena_take(ws, r * q * r1_dtype_bytes(m->ops->dtype));
    t->g = take_f32(ws, r * f);
    t->u = take_f32(ws, r * f);
    if (!keep)
        return;
    t->x_mid = take_f32(ws, r * d);
    t->rstd1 = take_f32(ws, r);
    t->rstd2 = take_f32(ws, r);
    t->lse = take_f32(ws, r * (size_t)a->heads);
    if (a->qk_norm) {
        t->q_raw = take_f32(ws, r * q);
        t->k_raw = take_f32(ws, r * k);
        t->q_rstd = take_f32(ws, r * (size_t)a->heads);
        t->k_rstd = take_f32(ws, r * (size_t)a->kv_heads);
    }
}

static void take_scratch(const r1_model *m, int rows, r1_arena *ws, r1_layer_scratch *s) {
    const r1_arch *a = &m->arch;
    size_t r = (size_t)rows, t = r1_dtype_bytes(m->ops->dtype);
    size_t k = (size_t)(a->kv_heads * a->head_dim);

    s->h = r1_arena_take(ws, r * (size_t)a->hidden_size * t);
    s->k = take_f32(ws, r * k);
    s->v = take_f32(ws, r * k);
    s->a = r1_arena_take(ws, r * (size_t)a->intermediate_size * t);
}

r1_attn r1_layer_attn(const r1_layer_call *c, int i) {
    const r1_arch *a = &c->m->arch;

    return (r1_attn){.heads = a->heads,
                     .kv_heads = a->kv_heads,
                     .head_dim = a->head_dim,
                     .scale = 1.0f / sqrtf((float)a->head_dim),
                     .n_spans = c->b->n_spans,
                     .spans = c->b->spans,
                     .tables = c->b->tables,
                     .k = c->kv->k + (size_t)i * c->kv->layer_bytes,
                     .v = c->kv->v + (size_t)i * c->kv->layer_bytes,
                     .n_groups = c->b->n_groups,
                     .group_start = c->b->group_start,
                     .seqs = c->b->seqs};
}

/* q, k, v of the normed rows h, normed per head where the architecture has it (in place where no
 * tape wants the values before), rotated. */
static void project_qkv(const r1_layer_call *c, int i, const r1_layer_scratch *s,
                        const r1_layer_tape *t) {
    const r1_arch *a = &c->m->arch;
    const r1_ops *ops = c->m->ops;
    const r1_layer_tensors *lt = &c->m->layout.layers[i];
    int rows = c->b->n_rows, q = a->heads * a->head_dim, kv = a->kv_heads * a->head_dim;
    float *q_out = t->q_raw ? t->q_raw : t->q, *k_out = t->k_raw ? t->k_raw : s->k;
    r1_mm jobs[3] = {
        {.w = r1_weight(c, lt->q), .n = q, .bias = r1_vector(c, lt->q_bias), .y = q_out, .ldy = q},
        {.w = r1_weight(c, lt->k),
         .n = kv,
         .bias = r1_vector(c, lt->k_bias),
         .y = k_out,
         .ldy = kv},
        {.w = r1_weight(c, lt->v),
         .n = kv,
         .bias = r1_vector(c, lt->v_bias),
         .y = s->v,
         .ldy = kv}};

    ops->matmul(ops, s->h, a->hidden_size, rows, a->hidden_size, jobs, 3);
    if (a->qk_norm) {
        ops->rmsnorm(ops, q_out, a->head_dim, rows * a->heads, a->head_dim,
                     r1_vector(c, lt->q_norm), a->norm_eps, t->q, 1, t->q_rstd);
        ops->rmsnorm(ops, k_out, a->head_dim, rows * a->kv_heads, a->head_dim,
                     r1_vector(c, lt->k_norm), a->norm_eps, s->k, 1, t->k_rstd);
    }
    ops->rope(ops, t->q, q, rows, a->heads, a->head_dim, c->b->pos, c->m->cos_sin, 1);
    ops->rope(ops, s->k, kv, rows, a->kv_heads, a->head_dim, c->b->pos, c->m->cos_sin, 1);
}

/* x += attention(norm(x)) */
static void attention_half(const r1_layer_call *c, int i, float *x, const r1_layer_scratch *s,
                           const r1_layer_tape *t) {
    const r1_arch *a = &c->m->arch;
    const r1_ops *ops = c->m->ops;
    const r1_layer_tensors *lt = &c->m->layout.layers[i];
    int rows = c->b->n_rows, d = a->hidden_size, q = a->heads * a->head_dim;
    r1_attn attn = r1_layer_attn(c, i), tail = attn;

    ops->rmsnorm(ops, x, d, rows, d, r1_vector(c, lt->input_norm), a->norm_eps, s->h, 0, t->rstd1);
    project_qkv(c, i, s, t);
    ops->kv_write(ops, &attn, s->k, s->v);
    if (c->n_tails) {
        tail.n_spans = c->n_tails;
        tail.spans = c->tails;
        ops->kv_write(ops, &tail, s->k, s->v);
    }
    ops->attention(ops, &attn, t->q, t->o, t->lse);
    r1_mm o_job = {.w = r1_weight(c, lt->o), .n = d, .y = x, .ldy = d, .accumulate = 1};
    ops->matmul(ops, t->o, q, rows, q, &o_job, 1);
}

void r1_layer_forward(const r1_layer_call *c, int i, float *x, const r1_layer_scratch *s,
                      const r1_layer_tape *t) {
    const r1_arch *a = &c->m->arch;
    const r1_ops *ops = c->m->ops;
    const r1_layer_tensors *lt = &c->m->layout.layers[i];
    int rows = c->b->n_rows, d = a->hidden_size, f = a->intermediate_size;

    attention_half(c, i, x, s, t);
    if (t->x_mid && t->x_mid != x)
        memcpy(t->x_mid, x, (size_t)rows * (size_t)d * sizeof *x);
    ops->rmsnorm(ops, x, d, rows, d, r1_vector(c, lt->post_norm), a->norm_eps, s->h, 0, t->rstd2);
    r1_mm mlp[2] = {{.w = r1_weight(c, lt->gate), .n = f, .y = t->g, .ldy = f},
                    {.w = r1_weight(c, lt->up), .n = f, .y = t->u, .ldy = f}};
    ops->matmul(ops, s->h, d, rows, d, mlp, 2);
    if (t->x_mid == x) /* computing again: nobody reads the layer's output */
        return;
    ops->swiglu(ops, t->g, t->u, rows, f, s->a);
    r1_mm down = {.w = r1_weight(c, lt->down), .n = d, .y = x, .ldy = d, .accumulate = 1};
    ops->matmul(ops, s->a, f, rows, f, &down, 1);
}

/* Rows of shared prompts that also belong into the blocks that members go on in.  A member with
 * rows of its own has at most one such span, so n_rows spans are enough. */
static const r1_span *tail_spans(const r1_batch *b, r1_arena *ws, int *ret_n) {
    r1_span *spans = r1_arena_take(ws, (size_t)b->n_rows * sizeof *spans);
    int n = 0;

    for (int s = 0; s < (b->n_groups ? b->group_start[b->n_groups] : 0); s++) {
        const r1_attn_seq *seq = &b->seqs[s];
        int used = seq->prefix_len % R1_KV_BLOCK, pos = seq->prefix_len - used;
        if (used && seq->len)
            spans[n++] = (r1_span){.row = seq->prefix_row + pos, .n = used, .pos = pos, .seq = s};
    }
    *ret_n = n;
    return spans;
}

/* Everything that forward and backward take from the arena, in one place, so that r1_forward_bytes
 * can run the same lines on an arena that is only counted. */
typedef struct forward_buffers {
    float *x;
    r1_layer_scratch scratch;
    r1_layer_tape shared; /* mode 0 and 2: reused by all layers */
    r1_tape *tape;
    r1_layer_tape *layers;
    float *x_out, *rstd_out;
    void *hidden;
} forward_buffers;

static void take_buffers(const r1_model *m, int rows, int n_out, int mode, r1_arena *ws,
                         forward_buffers *f) {
    size_t od = (size_t)n_out * (size_t)m->arch.hidden_size;

    *f = (forward_buffers){0};
    f->x = take_f32(ws, (size_t)rows * (size_t)m->arch.hidden_size);
    take_scratch(m, rows, ws, &f->scratch);
    f->x_out = take_f32(ws, od);
    f->rstd_out = take_f32(ws, (size_t)n_out);
    f->hidden = r1_arena_take(ws, od * r1_dtype_bytes(m->ops->dtype));
    if (mode != 1)
        take_layer(m, rows, mode, ws, &f->shared);
    if (mode) {
        f->tape = r1_arena_take(ws, sizeof *f->tape);
        f->layers = r1_arena_take(ws, (size_t)m->arch.layers * sizeof *f->layers);
    }
}

/* One layer's part of the tape. */
static void take_tape(const r1_model *m, int rows, int mode, r1_arena *ws, r1_layer_tape *t) {
    *t = (r1_layer_tape){0};
    if (mode == 1)
        take_layer(m, rows, 1, ws, t);
    t->x_in = take_f32(ws, (size_t)rows * (size_t)m->arch.hidden_size);
}

size_t r1_forward_bytes(const r1_model *m, int rows, int n_out, int mode) {
    r1_arena count;
    forward_buffers f;
    r1_layer_tape t;
    r1_bwd_buffers b;

    r1_arena_init(&count, (void *)(uintptr_t)64, SIZE_MAX / 2);
    take_buffers(m, rows, n_out, mode, &count, &f);
    r1_arena_take(&count, (size_t)rows * sizeof(r1_span)); /* tails */
    for (int i = 0; i < m->arch.layers && mode; i++)
        take_tape(m, rows, mode, &count, &t);
    if (mode)
        r1_bwd_buffers_take(m, rows, n_out, &count, &b);
    return count.peak;
}

void r1_forward(const r1_model *m, const void *payload, r1_kv *kv, const r1_batch *b, r1_arena *ws,
                int mode, void **ret_hidden, r1_tape **ret_tape) {
    r1_layer_call c = {.m = m, .payload = payload, .kv = kv, .b = b};
    const r1_ops *ops = m->ops;
    int d = m->arch.hidden_size;
    size_t row_bytes = (size_t)d * sizeof(float);
    forward_buffers f;

    R1_TRACE();
    take_buffers(m, b->n_rows, b->n_out, mode, ws, &f);
    c.tails = tail_spans(b, ws, &c.n_tails);
    ops->embed(ops, r1_weight(&c, m->layout.embed), d, b->ids, b->n_rows, f.x);
    for (int i = 0; i < m->arch.layers; i++) {
        if (mode) {
            take_tape(m, b->n_rows, mode, ws, &f.layers[i]);
            memcpy(f.layers[i].x_in, f.x, (size_t)b->n_rows * row_bytes);
        }
        r1_layer_forward(&c, i, f.x, &f.scratch, mode == 1 ? &f.layers[i] : &f.shared);
    }
    for (int i = 0; i < b->n_out; i++)
        memcpy(f.x_out + (size_t)i * (size_t)d, f.x + (size_t)b->out_rows[i] * (size_t)d,
               row_bytes);
    ops->rmsnorm(ops, f.x_out, d, b->n_out, d, r1_vector(&c, m->layout.final_norm),
                 m->arch.norm_eps, f.hidden, 0, f.rstd_out);
    *ret_hidden = f.hidden;
    if (!mode)
        return;
    *f.tape = (r1_tape){.mode = mode,
                        .layers = f.layers,
                        .one = f.shared,
                        .scratch = f.scratch,
                        .x = f.x,
                        .x_out = f.x_out,
                        .rstd_out = f.rstd_out,
                        .n_tails = c.n_tails,
                        .tails = c.tails};
    *ret_tape = f.tape;
}
