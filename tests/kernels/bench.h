#ifndef R1_TESTS_KERNELS_BENCH_H
#define R1_TESTS_KERNELS_BENCH_H
/* Speed of single operations against what this machine reaches in the same run: multiply-add peak of
 * the path's instruction, and the bandwidth of reading memory. */

/* args: [path [f32|bf16 [threads [name]]]]; prints a table; returns an exit code. */
int bench_ops(int argc, char **argv);

#endif
