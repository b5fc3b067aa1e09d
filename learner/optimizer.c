/* Sharded AdamW; see optimizer.h. */
#include "learner/optimizer.h"

#include "common/base/trace.h"

#include <string.h>

static void shard_range(const r1_layout *l, int count, int index, uint32_t *u0, uint32_t *u1,
                        size_t *ret_n) {
    uint32_t cut[R1_MAX_SHARDS + 1];

    R1_ASSERT(count >= 1 && count <= R1_MAX_SHARDS && index >= 0 && index < count);
    r1_layout_cut(l, count, cut);
    *u0 = cut[index];
    *u1 = cut[index + 1];
    *ret_n = r1_layout_first(l, *u1) - r1_layout_first(l, *u0);
}

size_t r1_shard_bytes(const r1_layout *layout, int count, int index) {
    uint32_t u0, u1;
    size_t n;

    shard_range(layout, count, index, &u0, &u1, &n);
    return 3 * r1_align_up(n * sizeof(float), 64);
}

r1_status r1_shard_open(r1_shard *s, const r1_layout *layout, int count, int index, r1_err *err) {
    size_t n, one;
    uint32_t u0, u1;
    r1_status st;

    shard_range(layout, count, index, &u0, &u1, &n);
    one = r1_align_up(n * sizeof(float), 64);
    *s = (r1_shard){.layout = layout, .u0 = u0, .u1 = u1, .n = n};
    s->offset = r1_layout_first(layout, u0);
    if ((st = r1_slab_open(&s->slab, 3 * one, "master weights and moments", err)) != R1_OK)
        return st;
    s->w = (float *)(void *)s->slab.base;
    s->m = (float *)(void *)(s->slab.base + one);
    s->v = (float *)(void *)(s->slab.base + 2 * one);
    return R1_OK;
}

void r1_shard_close(r1_shard *s) {
    r1_slab_close(&s->slab);
    *s = (r1_shard){0};
}

void r1_shard_reset_moments(r1_shard *s) {
    memset(s->m, 0, s->n * sizeof(float));
    memset(s->v, 0, s->n * sizeof(float));
}

void r1_shard_sumsq(const r1_shard *s, const r1_ops *ops, const float *grad, double *partials) {
    const r1_unit *units = s->layout->units;
    int n = (int)(s->u1 - s->u0);

#pragma omp parallel for schedule(static) num_threads(ops->threads)
    for (int i = 0; i < n; i++) {
        const r1_unit *u = &units[s->u0 + (uint32_t)i];
        partials[i] = ops->sumsq(ops, grad + (u->offset - s->offset), u->n);
    }
}

void r1_shard_step(r1_shard *s, const r1_ops *ops, const float *grad, const r1_adamw *p) {
    const r1_layout *l = s->layout;

    R1_TRACE();
    for (uint32_t u = s->u0; u < s->u1;) { /* one call per run of units of the same tensor */
        uint32_t tensor = l->units[u].tensor, end = u;
        size_t n = 0, at = l->units[u].offset - s->offset;
        r1_adamw params = *p;

        while (end < s->u1 && l->units[end].tensor == tensor)
            n += l->units[end++].n;
        if (!l->tensors[tensor].is_matrix)
            params.weight_decay = 0.0f;
        ops->adamw(ops, s->w + at, s->m + at, s->v + at, grad + at, n, &params);
        u = end;
    }
}
