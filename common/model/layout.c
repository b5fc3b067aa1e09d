/* The flat parameter space and the packed payload; see layout.h. */
#include "common/model/layout.h"

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/base/rng.h"
#include "common/base/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PER_LAYER 14

typedef struct maker {
    r1_layout *l;
    const r1_arch *a;
} maker;

static void add(maker *m, int layer, const char *name, int rows, int cols, int is_matrix) {
    r1_tensor *t = &m->l->tensors[m->l->n_tensors++];

    *t = (r1_tensor){.rows = rows, .cols = cols, .is_matrix = is_matrix, .layer = layer};
    if (layer < 0)
        snprintf(t->name, sizeof t->name, "%s", name);
    else
        snprintf(t->name, sizeof t->name, "model.layers.%d.%s", layer, name);
}

static void add_layer(maker *m, int i) {
    const r1_arch *a = m->a;
    int d = a->hidden_size, q = a->heads * a->head_dim, kv = a->kv_heads * a->head_dim;

    add(m, i, "input_layernorm.weight", 1, d, 0);
    add(m, i, "self_attn.q_proj.weight", q, d, 1);
    add(m, i, "self_attn.k_proj.weight", kv, d, 1);
    add(m, i, "self_attn.v_proj.weight", kv, d, 1);
    add(m, i, "self_attn.o_proj.weight", d, q, 1);
    if (a->qkv_bias) {
        add(m, i, "self_attn.q_proj.bias", 1, q, 0);
        add(m, i, "self_attn.k_proj.bias", 1, kv, 0);
        add(m, i, "self_attn.v_proj.bias", 1, kv, 0);
    }
    if (a->qk_norm) {
        add(m, i, "self_attn.q_norm.weight", 1, a->head_dim, 0);
        add(m, i, "self_attn.k_norm.weight", 1, a->head_dim, 0);
    }
    add(m, i, "post_attention_layernorm.weight", 1, d, 0);
    add(m, i, "mlp.gate_proj.weight", a->intermediate_size, d, 1);
    add(m, i, "mlp.up_proj.weight", a->intermediate_size, d, 1);
    add(m, i, "mlp.down_proj.weight", d, a->intermediate_size, 1);
}

static int by_name(const void *x, const void *y) {
    return strcmp(((const r1_tensor *)x)->name, ((const r1_tensor *)y)->name);
}

static int index_of(const r1_layout *l, int layer, const char *name) {
    char full[96];

    if (layer < 0)
        snprintf(full, sizeof full, "%s", name);
    else
        snprintf(full, sizeof full, "model.layers.%d.%s", layer, name);
    for (uint32_t t = 0; t < l->n_tensors; t++)
        if (strcmp(l->tensors[t].name, full) == 0)
            return (int)t;
    return -1;
}

static void index_layer(r1_layout *l, int i) {
    l->layers[i] = (r1_layer_tensors){
        .input_norm = index_of(l, i, "input_layernorm.weight"),
        .q = index_of(l, i, "self_attn.q_proj.weight"),
        .k = index_of(l, i, "self_attn.k_proj.weight"),
        .v = index_of(l, i, "self_attn.v_proj.weight"),
        .o = index_of(l, i, "self_attn.o_proj.weight"),
        .q_bias = index_of(l, i, "self_attn.q_proj.bias"),
        .k_bias = index_of(l, i, "self_attn.k_proj.bias"),
        .v_bias = index_of(l, i, "self_attn.v_proj.bias"),
        .q_norm = index_of(l, i, "self_attn.q_norm.weight"),
        .k_norm = index_of(l, i, "self_attn.k_norm.weight"),
        .post_norm = index_of(l, i, "post_attention_layernorm.weight"),
        .gate = index_of(l, i, "mlp.gate_proj.weight"),
        .up = index_of(l, i, "mlp.up_proj.weight"),
        .down = index_of(l, i, "mlp.down_proj.weight"),
    };
}

/* Offsets, and the list of units. */
static void place(r1_layout *l) {
    size_t offset = 0, payload = 0;
    uint32_t unit = 0;

    for (uint32_t t = 0; t < l->n_tensors; t++) {
        r1_tensor *x = &l->tensors[t];
        x->offset = offset;
        x->payload = payload;
        x->unit0 = unit;
        for (int r = 0; r < x->rows; r += R1_PANEL) {
            int rows = x->rows - r < R1_PANEL ? x->rows - r : R1_PANEL;
            size_t n = (size_t)rows * (size_t)x->cols;
            size_t bytes = x->is_matrix ? r1_panel_bytes(l->dtype, x->cols)
                                        : r1_align_up(n * sizeof(float), 64);
            l->units[unit++] = (r1_unit){.tensor = t,
                                         .row0 = r,
                                         .rows = rows,
                                         .offset = offset,
                                         .n = n,
                                         .payload = payload,
                                         .payload_bytes = bytes};
            offset += n;
            payload += bytes;
        }
    }
    l->n_params = offset;
    l->payload_bytes = r1_align_up(payload, 64);
}

r1_status r1_layout_open(r1_layout *l, const r1_arch *arch, r1_dtype dtype, r1_err *err) {
    maker m = {l, arch};
    r1_status st;

    *l = (r1_layout){.dtype = dtype};
    R1_TRY(R1_NEW(l->tensors, (size_t)arch->layers * PER_LAYER + 3, err));
    R1_TRY(R1_NEW(l->layers, (size_t)arch->layers, err));
    add(&m, -1, "model.embed_tokens.weight", arch->vocab_size, arch->hidden_size, 1);
    add(&m, -1, "model.norm.weight", 1, arch->hidden_size, 0);
    if (arch->scores)
        add(&m, -1, "score.weight", 1, arch->hidden_size, 1);
    else if (!arch->tied)
        add(&m, -1, "lm_head.weight", arch->vocab_size, arch->hidden_size, 1);
    for (int i = 0; i < arch->layers; i++)
        add_layer(&m, i);
    qsort(l->tensors, l->n_tensors, sizeof *l->tensors, by_name);
    for (uint32_t t = 0; t < l->n_tensors; t++)
        l->n_units += (uint32_t)r1_panel_count(l->tensors[t].rows);
    R1_TRY(R1_NEW(l->units, l->n_units, err));
    place(l);
    for (int i = 0; i < arch->layers; i++)
        index_layer(l, i);
    l->embed = index_of(l, -1, "model.embed_tokens.weight");
    l->final_norm = index_of(l, -1, "model.norm.weight");
    l->head = arch->scores ? index_of(l, -1, "score.weight")
              : arch->tied ? l->embed
                           : index_of(l, -1, "lm_head.weight");
    return R1_OK;
done:
    r1_layout_close(l);
    return st;
}

void r1_layout_close(r1_layout *l) {
    r1_free(l->tensors);
    r1_free(l->units);
    r1_free(l->layers);
    *l = (r1_layout){0};
}

size_t r1_layout_first(const r1_layout *l, uint32_t u) {
    return u < l->n_units ? l->units[u].offset : l->n_params;
}

size_t r1_layout_payload_first(const r1_layout *l, uint32_t u) {
    return u < l->n_units ? l->units[u].payload : l->payload_bytes;
}

void r1_layout_pack(const r1_layout *l, const r1_ops *ops, const float *w, uint32_t u0, uint32_t u1,
                    void *payload) {
    size_t first = u0 < l->n_units ? l->units[u0].offset : 0;

    R1_TRACE();
#pragma omp parallel for schedule(static) num_threads(ops->threads) if (ops->threads > 1)
    for (uint32_t i = u0; i < u1; i++) {
        const r1_unit *u = &l->units[i];
        const r1_tensor *t = &l->tensors[u->tensor];
        uint8_t *to = (uint8_t *)payload + u->payload;
        if (t->is_matrix)
            ops->pack(ops, w + (u->offset - first), u->rows, t->cols, to);
        else
            memcpy(to, w + (u->offset - first), u->n * sizeof(float));
    }
}

void r1_layout_cut(const r1_layout *l, int n, uint32_t *ret) {
    uint32_t u = 0;

    for (int i = 0; i < n; i++) {
        size_t target = l->n_params / (size_t)n * (size_t)i;
        while (u < l->n_units && l->units[u].offset < target)
            u++;
        ret[i] = u;
    }
    ret[n] = l->n_units;
}

void r1_layout_hash(const r1_layout *l, const r1_ops *ops, const float *w, uint32_t u0, uint32_t u1,
                    uint64_t *hashes) {
    size_t first = u0 < l->n_units ? l->units[u0].offset : 0;

#pragma omp parallel for schedule(static) num_threads(ops->threads) if (ops->threads > 1)
    for (uint32_t i = u0; i < u1; i++)
        hashes[i - u0] = r1_hash64(w + (l->units[i].offset - first), l->units[i].n * sizeof(float));
}

void r1_layout_hash_payload(const r1_layout *l, const r1_ops *ops, const void *payload, uint32_t u0,
                            uint32_t u1, uint64_t *hashes) {
#pragma omp parallel for schedule(static) num_threads(ops->threads) if (ops->threads > 1)
    for (uint32_t i = u0; i < u1; i++)
        hashes[i - u0] =
            r1_hash64((const uint8_t *)payload + l->units[i].payload, l->units[i].payload_bytes);
}

void r1_layout_init(const r1_layout *l, double init_std, uint64_t seed, uint32_t u0, uint32_t u1,
                    float *w) {
    size_t first = u0 < l->n_units ? l->units[u0].offset : 0;

    for (uint32_t i = u0; i < u1; i++) {
        const r1_unit *u = &l->units[i];
        const r1_tensor *t = &l->tensors[u->tensor];
        float *to = w + (u->offset - first);
        int is_bias = strstr(t->name, ".bias") != NULL;
        r1_rng_key key = {.seed = seed, .index = u->tensor, .purpose = R1_RNG_INIT};

        for (size_t e = 0; e < u->n; e++)
            to[e] = is_bias ? 0.0f
                    : !t->is_matrix
                        ? 1.0f
                        : (float)(init_std *
                                  r1_rng_normal(&key, (uint32_t)(u->offset - t->offset + e)));
    }
}
