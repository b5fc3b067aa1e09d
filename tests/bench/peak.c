/* What the machine itself can do; see peak.h. */
#include "tests/bench/peak.h"

#include "common/base/clock.h"

#include <omp.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#define FMA_AT(ins, r, i) ins " %%" r "mm15, %%" r "mm15, %%" r "mm" #i "\n"
#define FOUR_AT(ins, r, a, b, c, d) \
    FMA_AT(ins, r, a) FMA_AT(ins, r, b) FMA_AT(ins, r, c) FMA_AT(ins, r, d)
#define TWELVE(ins, r) \
    FOUR_AT(ins, r, 0, 1, 2, 3) FOUR_AT(ins, r, 4, 5, 6, 7) FOUR_AT(ins, r, 8, 9, 10, 11)
#define CLOBBERS                                                                             \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", \
        "xmm11", "xmm15"

/* Independent multiply-adds on registers; returns how many instructions. */
#define DEFINE_SPIN(NAME, INS, R)                         \
    static long NAME(long n) {                            \
        for (long i = 0; i < n; i++)                      \
            __asm__ volatile(TWELVE(INS, R)::: CLOBBERS); \
        return n * 12;                                    \
    }
DEFINE_SPIN(spin_avx2, "vfmadd231ps", "y")
DEFINE_SPIN(spin_avx512, "vfmadd231ps", "z")
DEFINE_SPIN(spin_bf16, "vdpbf16ps", "z")

/* Whole tiles: palette 1, 16 rows of 64 bytes each. */
static long spin_amx(long n) {
    _Alignas(64) uint8_t config[64] = {1};

    for (int t = 0; t < 8; t++) {
        config[16 + 2 * t] = 64;
        config[48 + t] = 16;
    }
    __asm__ volatile("ldtilecfg %0" ::"m"(config));
    for (long i = 0; i < n; i++)
        __asm__ volatile("tdpbf16ps %tmm5, %tmm4, %tmm0\n\ttdpbf16ps %tmm5, %tmm4, %tmm1\n\t"
                         "tdpbf16ps %tmm5, %tmm4, %tmm2\n\ttdpbf16ps %tmm5, %tmm4, %tmm3");
    __asm__ volatile("tilerelease");
    return n * 4;
}

typedef struct spin {
    const char *path;
    long (*fn)(long n);
    long rounds;
    double flop; /* of one instruction */
} spin;

static const spin spins[] = {{"avx2", spin_avx2, 2000000, 16},
                             {"avx512", spin_avx512, 2000000, 32},
                             {"avx512_bf16", spin_bf16, 2000000, 64},
                             {"amx_bf16", spin_amx, 500000, 16384}};
#endif

/* GFLOP/s of the multiply-add that the path's products run on, all threads; 0 for plain C. */
double bench_peak_gflops(const r1_ops *ops) {
    double best = 0;

#if defined(__x86_64__)
    const spin *s = spins;
    while (s < spins + sizeof spins / sizeof *spins && strcmp(s->path, ops->path) != 0)
        s++;
    for (int rep = 0; rep < 5 && s < spins + sizeof spins / sizeof *spins; rep++) {
        long done = 0;
        double t = r1_now_s();
#pragma omp parallel num_threads(ops->threads) reduction(+ : done)
        done += s->fn(s->rounds);
        double gflops = (double)done * s->flop / (r1_now_s() - t) * 1e-9;
        best = gflops > best ? gflops : best;
    }
#endif
    return best;
}

/* GB/s of summing up 256 MiB, all threads. */
double bench_read_gbs(int threads, const void *memory) {
    const double *p = memory;
    size_t n = BENCH_READ_BYTES / sizeof *p;
    double best = 0, keep = 0;

    for (int rep = 0; rep < 5; rep++) {
        double t = r1_now_s();
#pragma omp parallel for num_threads(threads) reduction(+ : keep)
        for (size_t i = 0; i < n; i += 64) {
            double s0 = 0;
            for (size_t j = 0; j < 64; j += 8)
                s0 += p[i + j];
            keep += s0;
        }
        double gbs = (double)n * sizeof *p / (r1_now_s() - t) * 1e-9;
        best = gbs > best ? gbs : best;
    }
    return keep == 1.0 ? 0 : best;
}
