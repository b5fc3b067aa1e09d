/* Opening a table: the choice of the numeric path, scratch memory, floating-point modes. */
#include "common/base/cpu.h"
#include "common/kernels/impl.h"

#include <omp.h>
#include <string.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

typedef struct path_entry {
    const char *name;
    unsigned needs; /* CPU flags */
    int bf16_only;
    void (*fill)(r1_ops *ops);
} path_entry;

static const path_entry paths[] = {
    {"ref", 0, 0, r1_ops_fill_ref},
#if defined(__x86_64__)
    {"avx2", R1_CPU_AVX2, 0, r1_ops_fill_avx2},
    {"avx512", R1_CPU_AVX512, 0, r1_ops_fill_avx512},
    {"avx512_bf16", R1_CPU_AVX512 | R1_CPU_AVX512_BF16, 1, r1_ops_fill_avx512_bf16},
    {"amx_bf16", R1_CPU_AVX512 | R1_CPU_AMX_BF16, 1, r1_ops_fill_amx_bf16},
#endif
};

#define N_PATHS ((int)(sizeof paths / sizeof *paths))

static const path_entry *find(const char *name) {
    for (int i = 0; i < N_PATHS; i++)
        if (strcmp(paths[i].name, name) == 0)
            return &paths[i];
    return NULL;
}

/* Having an instruction is no reason to use it: vdpbf16ps is twice as fast as fp32 FMA on AMD and
 * half as fast on the Intel cores that have it, where AMX is sixteen times as fast. */
const char *r1_ops_auto_path(r1_dtype dtype) {
    unsigned flags = r1_cpu_flags();

    if (dtype == R1_BF16 && (flags & R1_CPU_AVX512)) {
        if ((flags & R1_CPU_AVX512_BF16) && r1_cpu_vendor_id() == R1_CPU_AMD)
            return "avx512_bf16";
        if ((flags & R1_CPU_AMX_BF16) && r1_cpu_vendor_id() == R1_CPU_INTEL)
            return "amx_bf16";
    }
    return flags & R1_CPU_AVX512 ? "avx512" : flags & R1_CPU_AVX2 ? "avx2" : "ref";
}

/* Denormals are flushed in every thread alike: vdpbf16ps does so in any case, and on some
 * processors they cost a hundred cycles each. */
static void flush_denormals(int threads) {
#if defined(__x86_64__)
#pragma omp parallel num_threads(threads)
    _mm_setcsr(_mm_getcsr() | 0x8040);
#else
    (void)threads;
#endif
}

r1_status r1_ops_open(r1_ops **ret_ops, r1_dtype dtype, const char *path, int threads,
                      r1_err *err) {
    const path_entry *p = find(strcmp(path, "auto") == 0 ? r1_ops_auto_path(dtype) : path);
    r1_ops_impl *impl = NULL;
    r1_ops *ops = NULL;
    r1_status st;

    if (!p)
        return R1_FAIL(err, R1_USAGE,
                       "numeric path '%s' is unknown (auto, ref, avx2, avx512, "
                       "avx512_bf16, amx_bf16)",
                       path);
    if ((r1_cpu_flags() & p->needs) != p->needs)
        return R1_FAIL(err, R1_USAGE,
                       "numeric path '%s' needs instructions that this CPU (%s) "
                       "lacks or R1_CPU_MASK hides",
                       p->name, r1_cpu_name());
    if (p->bf16_only && dtype != R1_BF16)
        return R1_FAIL(err, R1_USAGE, "numeric path '%s' computes in bf16, not in fp32", p->name);
    R1_ASSERT(threads >= 1 && dtype != R1_F16);
    if (threads > 1)
        R1_TRY(r1_threads_try(threads - 1, err));
    R1_TRY(R1_NEW(ops, 1, err));
    R1_TRY(R1_NEW(impl, 1, err));
    R1_TRY(r1_slab_open(&impl->slab, R1_SCRATCH_SHARED + (size_t)threads * R1_SCRATCH_THREAD,
                        "kernel scratch", err));
    impl->shared = impl->slab.base;
    impl->shared_bytes = R1_SCRATCH_SHARED;
    impl->thread0 = impl->slab.base + R1_SCRATCH_SHARED;
    impl->thread_bytes = R1_SCRATCH_THREAD;
    p->fill(ops);
    ops->dtype = dtype;
    ops->threads = threads;
    ops->impl = impl;
    flush_denormals(threads);
    *ret_ops = ops;
    return R1_OK;
done:
    r1_free(impl);
    r1_free(ops);
    return st;
}

void r1_ops_close(r1_ops *ops) {
    if (!ops)
        return;
    r1_ops_impl *impl = ops->impl;
    r1_slab_close(&impl->slab);
    r1_free(impl);
    r1_free(ops);
}
