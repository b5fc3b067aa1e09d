#ifndef R1_TESTS_BENCH_MEASURE_H
#define R1_TESTS_BENCH_MEASURE_H
/* What r1-bench measures; each function prints one JSON line a measurement. */
#include "common/store/policy.h"

typedef struct bench_options {
    const char *model, *shape, *dtype, *dir;
    int threads, batch, context, new_tokens, sequences, length, reps, recompute;
} bench_options;

/* A model to measure: of a path, or random weights of a named shape (135m, tiny). */
typedef struct bench_model {
    r1_arch arch;
    r1_ops *ops;
    r1_model model;
    r1_slab master, payload;
    double peak_gflops, read_gbs;
    char name[64];
} bench_model;

R1_MUST_USE r1_status bench_model_open(bench_model *m, const bench_options *o, int max_len,
                                       r1_err *err);
void bench_model_close(bench_model *m);

/* Tokens after the prompt, `batch` sequences at once, behind `context` positions each. */
R1_MUST_USE r1_status bench_decode(const bench_options *o, r1_err *err);
/* A prompt of `context` tokens, `batch` of them. */
R1_MUST_USE r1_status bench_prefill(const bench_options *o, r1_err *err);
/* Forward, backward and AdamW on `sequences` x `length` tokens. */
R1_MUST_USE r1_status bench_train(const bench_options *o, r1_err *err);
/* Packing new weights into the kernels' layout. */
R1_MUST_USE r1_status bench_weights(const bench_options *o, r1_err *err);
/* A group of `batch` trajectories of `new_tokens` tokens to msgpack and back. */
R1_MUST_USE r1_status bench_wire(const bench_options *o, r1_err *err);
/* A checkpoint in `dir`: written with fsync, read back. */
R1_MUST_USE r1_status bench_checkpoint(const bench_options *o, r1_err *err);
/* Mathematical answers at the end of responses of 2 to 8 kB, one core, several kinds. */
R1_MUST_USE r1_status bench_grade(const bench_options *o, r1_err *err);

#endif
