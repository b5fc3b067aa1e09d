#ifndef R1_TESTS_BENCH_PEAK_H
#define R1_TESTS_BENCH_PEAK_H
/* What the machine itself can do, in the same run as what is measured against it. */
#include "common/kernels/kernels.h"

#define BENCH_READ_BYTES ((size_t)256 << 20)

/* GFLOP/s of the multiply-add that the path's products run on, all threads; 0 for plain C. */
double bench_peak_gflops(const r1_ops *ops);
/* GB/s of reading BENCH_READ_BYTES of memory that was written before. */
double bench_read_gbs(int threads, const void *memory);

#endif
