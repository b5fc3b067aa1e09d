/* See model_kit.h. */
#include "tests/unit/model_kit.h"

#include "common/base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int kit_open(kit *k, const r1_arch *arch, r1_dtype dtype, const char *path, int threads, int rows) {
    int blocks = 2 * rows / R1_KV_BLOCK + 2 * KIT_MAX_SEQS;
    r1_err err;

    *k = (kit){0};
    if (r1_ops_open(&k->ops, dtype, path, threads, &err) != R1_OK)
        return 0;
    ASSERT_OK(r1_model_open(&k->model, arch, k->ops, KIT_MAX_BLOCKS * R1_KV_BLOCK, &err), &err);
    ASSERT_OK(r1_kv_open(&k->kv, arch, dtype, blocks, &err), &err);
    ASSERT_OK(r1_slab_open(&k->payload_slab, k->model.layout.payload_bytes, "payload", &err), &err);
    k->payload = k->payload_slab.base;
    k->w = r1_calloc(k->model.layout.n_params, sizeof *k->w);
    assert_non_null(k->w);
    size_t ws = r1_forward_bytes(&k->model, rows, 2 * rows, 1) + r1_head_bytes(&k->model) +
                (size_t)2 * (size_t)rows * ((size_t)arch->hidden_size + 4) * sizeof(float) + 1024;
    ASSERT_OK(r1_slab_open(&k->ws_slab, ws, "workspace", &err), &err);
    r1_arena_init(&k->ws, k->ws_slab.base, ws);
    return 1;
}

void kit_close(kit *k) {
    r1_free(k->w);
    r1_slab_close(&k->payload_slab);
    r1_slab_close(&k->ws_slab);
    r1_kv_close(&k->kv);
    r1_model_close(&k->model);
    r1_ops_close(k->ops);
    *k = (kit){0};
}

void kit_pack(kit *k) {
    r1_layout_pack(&k->model.layout, k->ops, k->w, 0, k->model.layout.n_units, k->payload);
}

void kit_random(kit *k, uint64_t seed) {
    const r1_layout *l = &k->model.layout;

    for (uint32_t t = 0; t < l->n_tensors; t++) {
        const r1_tensor *x = &l->tensors[t];
        r1_rng_key key = {.seed = seed, .index = t, .purpose = R1_RNG_INIT};
        float scale = x->is_matrix ? 1.2f / sqrtf((float)x->cols) : 0.2f;
        float mean = strstr(x->name, "norm") ? 1.0f : 0.0f;
        for (size_t i = 0; i < (size_t)x->rows * (size_t)x->cols; i++)
            k->w[x->offset + i] = mean + scale * (float)r1_rng_normal(&key, (uint32_t)i);
    }
    kit_pack(k);
}

void kit_ids(int32_t *ids, int n, int vocab, uint64_t seed) {
    r1_rng_key key = {.seed = seed, .purpose = R1_RNG_TASK};

    for (int i = 0; i < n; i++)
        ids[i] = (int32_t)r1_rng_below(&key, (uint32_t)i, (uint32_t)vocab);
}

r1_arch kit_arch(int which) {
    static const r1_arch archs[KIT_N_ARCHS] = {
        {.kind = R1_ARCH_LLAMA,
         .vocab_size = 300,
         .hidden_size = 64,
         .layers = 2,
         .heads = 4,
         .kv_heads = 2,
         .head_dim = 16,
         .intermediate_size = 96,
         .norm_eps = 1e-5f,
         .tied = 1,
         .rope_theta = 10000},
        {.kind = R1_ARCH_QWEN2,
         .vocab_size = 1100,
         .hidden_size = 40,
         .layers = 2,
         .heads = 5,
         .kv_heads = 1,
         .head_dim = 8,
         .intermediate_size = 74,
         .norm_eps = 1e-6f,
         .tied = 1,
         .qkv_bias = 1,
         .rope_theta = 1e6},
        {.kind = R1_ARCH_QWEN3,
         .vocab_size = 131,
         .hidden_size = 48,
         .layers = 3,
         .heads = 3,
         .kv_heads = 3,
         .head_dim = 20,
         .intermediate_size = 64,
         .norm_eps = 1e-6f,
         .qk_norm = 1,
         .rope_theta = 1e6},
        {.kind = R1_ARCH_LLAMA,
         .vocab_size = 65,
         .hidden_size = 72,
         .layers = 2,
         .heads = 6,
         .kv_heads = 1,
         .head_dim = 32,
         .intermediate_size = 100,
         .norm_eps = 1e-5f,
         .rope = R1_ROPE_LLAMA3,
         .rope_theta = 500000,
         .rope_factor = 8,
         .rope_low_freq = 1,
         .rope_high_freq = 4,
         .rope_original_positions = 64},
    };
    r1_arch a = archs[which];

    a.max_positions = KIT_MAX_BLOCKS * R1_KV_BLOCK;
    a.init_std = 0.02;
    a.bos_id = -1;
    return a;
}

void kit_each_path(void (*fn)(const char *path, r1_dtype dtype)) {
    static const char *const paths[] = {"ref", "avx2", "avx512", "avx512_bf16", "amx_bf16"};

    for (int t = R1_F32; t <= R1_BF16; t++) {
        for (size_t p = 0; p < sizeof paths / sizeof *paths; p++) {
            r1_ops *ops = NULL;
            r1_err err;
            if (r1_ops_open(&ops, (r1_dtype)t, paths[p], 1, &err) != R1_OK)
                continue;
            r1_ops_close(ops);
            fn(paths[p], (r1_dtype)t);
        }
    }
}

void kit_grow(kit *k, kit_seq *s, int len) {
    for (int b = (s->len + R1_KV_BLOCK - 1) / R1_KV_BLOCK; b * R1_KV_BLOCK < len; b++) {
        assert_true(b < KIT_MAX_BLOCKS);
        s->table[b] = r1_kv_take(&k->kv);
        assert_true(s->table[b] >= 0);
    }
    s->len = len > s->len ? len : s->len;
}

void kit_drop(kit *k, kit_seq *s) {
    for (int b = 0; b * R1_KV_BLOCK < s->len; b++)
        r1_kv_give(&k->kv, s->table[b]);
    s->len = 0;
}

void kit_batch_begin(kit_batch *b) {
    b->b = (r1_batch){.ids = b->ids,
                      .pos = b->pos,
                      .spans = b->spans,
                      .tables = b->tables,
                      .out_rows = b->out_rows,
                      .group_start = b->group_start,
                      .seqs = b->seqs};
    b->n_seqs = 0;
    b->group_start[0] = 0;
}

static int add_rows(kit_batch *b, const kit_seq *s, const int32_t *ids, int n, int pos) {
    int row = b->b.n_rows;

    assert_true(b->n_seqs < KIT_MAX_SEQS && row + n <= KIT_MAX_ROWS);
    b->tables[b->n_seqs] = s->table;
    if (n > 0)
        b->spans[b->b.n_spans++] = (r1_span){.row = row, .n = n, .pos = pos, .seq = b->n_seqs};
    for (int i = 0; i < n; i++) {
        b->ids[row + i] = ids[i];
        b->pos[row + i] = pos + i;
    }
    b->b.n_rows += n;
    b->n_seqs++;
    return row;
}

int kit_batch_add(kit_batch *b, const kit_seq *s, const int32_t *ids, int n, int pos) {
    int row = add_rows(b, s, ids, n, pos);

    b->seqs[b->n_seqs - 1] = (r1_attn_seq){.row = row, .len = n};
    b->group_start[++b->b.n_groups] = b->n_seqs;
    return row;
}

int kit_batch_add_member(kit_batch *b, const kit_seq *s, const int32_t *ids, int n, int prefix_row,
                         int prefix_len) {
    int row = add_rows(b, s, ids, n, prefix_len);

    b->seqs[b->n_seqs - 1] =
        (r1_attn_seq){.prefix_row = prefix_row, .prefix_len = prefix_len, .row = row, .len = n};
    b->group_start[b->b.n_groups] = b->n_seqs;
    return row;
}

void kit_batch_out(kit_batch *b, int row, int32_t target) {
    assert_true(b->b.n_out < 2 * KIT_MAX_ROWS);
    b->targets[b->b.n_out] = target;
    b->out_rows[b->b.n_out++] = row;
}

void kit_run(kit *k, const kit_batch *b, int mode, void *out, float *logp, float *entropy) {
    size_t mark = r1_arena_mark(&k->ws);
    size_t bytes = (size_t)b->b.n_out * (size_t)k->model.arch.hidden_size;
    r1_tape *tape = NULL;
    void *hidden = NULL;

    r1_forward(&k->model, k->payload, &k->kv, &b->b, &k->ws, mode, &hidden, &tape);
    assert_true((tape != NULL) == (mode != 0));
    if (out)
        memcpy(out, hidden, bytes * r1_dtype_bytes(k->ops->dtype));
    if (logp)
        r1_head_logprobs(&k->model, k->payload, hidden, b->b.n_out, b->targets, 1.0f, &k->ws, logp,
                         entropy);
    r1_arena_release(&k->ws, mark);
}

typedef struct linear_loss {
    const float *dlogp, *dent;
    double sum;
} linear_loss;

static void loss_fn(void *ctx, int first, int n, const float *logp, const float *entropy,
                    float *ret_dlogp, float *ret_dent) {
    linear_loss *l = ctx;

    for (int i = 0; i < n; i++) {
        ret_dlogp[i] = l->dlogp[first + i];
        l->sum += (double)ret_dlogp[i] * (double)logp[i];
        if (l->dent) {
            ret_dent[i] = l->dent[first + i];
            l->sum += (double)ret_dent[i] * (double)entropy[i];
        }
    }
}

double kit_backward(kit *k, const kit_batch *b, int mode, const float *dlogp, const float *dent,
                    float *grad) {
    size_t mark = r1_arena_mark(&k->ws), n = (size_t)b->b.n_out;
    size_t d = (size_t)k->model.arch.hidden_size;
    linear_loss loss = {.dlogp = dlogp, .dent = dent};
    r1_tape *tape = NULL;
    void *hidden = NULL;

    float *logp = r1_arena_take(&k->ws, n * sizeof *logp);
    float *entropy = r1_arena_take(&k->ws, n * sizeof *entropy);
    float *dhidden = r1_arena_take(&k->ws, n * d * sizeof *dhidden);
    r1_forward(&k->model, k->payload, &k->kv, &b->b, &k->ws, mode, &hidden, &tape);
    r1_head_backward(&k->model, k->payload, hidden, b->b.n_out, b->targets, 1.0f, loss_fn, &loss,
                     &k->ws, logp, entropy, dhidden, grad);
    r1_backward(&k->model, k->payload, &k->kv, &b->b, tape, dhidden, &k->ws, grad);
    r1_arena_release(&k->ws, mark);
    return loss.sum;
}

double kit_rel(const float *a, const float *b, size_t n) {
    double diff = 0, norm = 0;

    for (size_t i = 0; i < n; i++) {
        double d = (double)a[i] - (double)b[i];
        diff += d * d;
        norm += (double)b[i] * (double)b[i];
    }
    return norm > 0 ? sqrt(diff / norm) : sqrt(diff);
}
