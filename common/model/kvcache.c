/* The pool of key/value blocks; see model.h. */
#include "common/model/model.h"

#include <string.h>

static size_t layer_block_bytes(int kv_heads, int head_dim, r1_dtype t) {
    return (size_t)kv_heads * R1_KV_BLOCK * (size_t)head_dim * r1_dtype_bytes(t);
}

size_t r1_kv_block_bytes(const r1_arch *arch, r1_dtype dtype) {
    return 2 * (size_t)arch->layers * layer_block_bytes(arch->kv_heads, arch->head_dim, dtype);
}

r1_status r1_kv_open(r1_kv *kv, const r1_arch *arch, r1_dtype dtype, int n_blocks, r1_err *err) {
    r1_status st;

    *kv = (r1_kv){.layers = arch->layers,
                  .kv_heads = arch->kv_heads,
                  .head_dim = arch->head_dim,
                  .n_blocks = n_blocks,
                  .dtype = dtype};
    kv->layer_bytes = (size_t)n_blocks * layer_block_bytes(kv->kv_heads, kv->head_dim, dtype);
    R1_TRY(R1_NEW(kv->free_list, (size_t)n_blocks, err));
    R1_TRY(
        r1_slab_open(&kv->slab, 2 * (size_t)kv->layers * kv->layer_bytes, "keys and values", err));
    kv->k = kv->slab.base;
    kv->v = kv->slab.base + (size_t)kv->layers * kv->layer_bytes;
    r1_kv_reset(kv);
    return R1_OK;
done:
    r1_kv_close(kv);
    return st;
}

void r1_kv_close(r1_kv *kv) {
    r1_free(kv->free_list);
    r1_slab_close(&kv->slab);
    *kv = (r1_kv){0};
}

void r1_kv_reset(r1_kv *kv) {
    for (int i = 0; i < kv->n_blocks; i++) /* low numbers are given out first */
        kv->free_list[i] = kv->n_blocks - 1 - i;
    kv->n_free = kv->n_blocks;
}

int32_t r1_kv_take(r1_kv *kv) {
    return kv->n_free > 0 ? kv->free_list[--kv->n_free] : -1;
}

void r1_kv_give(r1_kv *kv, int32_t block) {
    R1_DASSERT(kv->n_free < kv->n_blocks);
    kv->free_list[kv->n_free++] = block;
}

void r1_kv_copy_tail(r1_kv *kv, int32_t from, int32_t to, int used) {
    size_t one = layer_block_bytes(kv->kv_heads, kv->head_dim, kv->dtype);

    R1_ASSERT(used >= 0 && used < R1_KV_BLOCK);
    for (int l = 0; l < kv->layers && used > 0; l++) { /* whole blocks: K lies across positions */
        size_t base = (size_t)l * kv->layer_bytes;
        memcpy(kv->k + base + (size_t)to * one, kv->k + base + (size_t)from * one, one);
        memcpy(kv->v + base + (size_t)to * one, kv->v + base + (size_t)from * one, one);
    }
}
