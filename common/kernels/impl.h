#ifndef R1_KERNELS_IMPL_H
#define R1_KERNELS_IMPL_H
/* What the numeric paths share behind the op table: scratch memory and their fill functions. */
#include "common/base/mem.h"
#include "common/kernels/kernels.h"

/* Scratch of one table: a shared part (converted operands of a backward product, activations
 * widened to fp32) and one part per thread (tiles turned around, score rows).  Reserved at opening,
 * touched on use. */
typedef struct r1_ops_impl {
    r1_slab slab;
    uint8_t *shared;
    size_t shared_bytes;
    uint8_t *thread0;
    size_t thread_bytes; /* of each thread */
} r1_ops_impl;

#define R1_SCRATCH_SHARED ((size_t)96 << 20)
#define R1_SCRATCH_THREAD ((size_t)2 << 20)

static inline void *r1_thread_scratch(const r1_ops *ops, int thread) {
    const r1_ops_impl *impl = ops->impl;
    return impl->thread0 + (size_t)thread * impl->thread_bytes;
}

/* One work item below this many multiply-adds is not worth waking another thread. */
#define R1_SERIAL_WORK ((size_t)64 << 10)
static inline int r1_threads_for(const r1_ops *ops, size_t work) {
    return work < R1_SERIAL_WORK ? 1 : ops->threads;
}

/* Can so many be started beside this one?  libgomp ends the process where they cannot. */
R1_MUST_USE r1_status r1_threads_try(int threads, r1_err *err);

void r1_ops_fill_ref(r1_ops *ops);
void r1_ops_fill_avx2(r1_ops *ops);
void r1_ops_fill_avx512(r1_ops *ops);
void r1_ops_fill_avx512_bf16(r1_ops *ops);
void r1_ops_fill_amx_bf16(r1_ops *ops);

#endif
