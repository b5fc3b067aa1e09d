#ifndef R1_ACTOR_LOADED_H
#define R1_ACTOR_LOADED_H
/* A model that is ready to generate, for the programs: weights packed once per node, an engine in
 * every rank, and rows of work that come back in order on rank 0. */
#include "actor/engine.h"
#include "common/comm/window.h"
#include "common/store/policy.h"

/* Largest values of the programs' options: a trajectory's sample number is 16 bits wide, no model
 * has more positions, and a step of so many rows is far behind the point where more rows help. */
#define R1_SAMPLES_MAX   65535
#define R1_POSITIONS_MAX (1 << 28)
#define R1_BATCH_MAX     65536

typedef struct r1_loaded {
    r1_world *world;
    r1_policy policy;
    r1_window window; /* one slot */
    r1_engine *engine;
    int max_sequences, quiet;
} r1_loaded;

typedef struct r1_loaded_options {
    r1_policy_options policy; /* threads 0: cores / ranks */
    int max_sequences;        /* samples at once */
    void (*on_token)(void *ctx, uint64_t tag, int sample, int32_t id);
    void *on_token_ctx;
    int quiet; /* no progress: stdout goes to the same terminal */
} r1_loaded_options;

/* Model, tokenizer and weights; Collective over all ranks. */
R1_MUST_USE r1_status r1_loaded_open(r1_loaded *l, r1_world *world, const r1_loaded_options *o,
                                     r1_err *err);
/* The engine for these requests: the longest of them always fits.  Collective. */
R1_MUST_USE r1_status r1_loaded_start(r1_loaded *l, const r1_loaded_options *o,
                                      const r1_request *requests, uint64_t n, r1_err *err);
void r1_loaded_close(r1_loaded *l); /* Collective. */

/* What a row comes to: bytes appended to out, on the rank that made it. */
typedef r1_status (*r1_row_fn)(void *ctx, const r1_finished *f, r1_buf *out, r1_err *err);
/* A row's bytes on rank 0, rows in order. */
typedef r1_status (*r1_take_fn)(void *ctx, uint64_t row, const char *bytes, size_t n, r1_err *err);

/* Collective.  Rows 0 .. n - 1 (tag is set to the row); alone, rows are taken as soon as those
 * before them are done, under mpirun when all are.  Progress goes to stderr. */
R1_MUST_USE r1_status r1_loaded_run(r1_loaded *l, const r1_request *requests, uint64_t n,
                                    r1_row_fn row, r1_take_fn take, void *ctx, r1_err *err);

/* Ids that end a sequence: the tokenizer's and the model's. */
int r1_loaded_stop_ids(const r1_loaded *l, int32_t ids[R1_MAX_STOP_IDS]);

#endif
