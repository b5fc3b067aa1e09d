#ifndef R1_ACTOR_ENGINE_H
#define R1_ACTOR_ENGINE_H
/* The rollout engine: continuous batching over a paged key/value cache.
 *
 * A request is one prompt and n samples (a GRPO group).  Its prompt is computed once; the samples
 * share its full blocks and each goes on in a copy of the last, partly filled one.  Every call of
 * r1_engine_step runs one forward that mixes one new token of each running sample with chunks of
 * prompts that still wait.  A finished request is handed out whole.
 *
 * A sample's tokens and log-probs are a pure function of (weights, prompt, key, sampling): batch,
 * order, block pool, chunks and threads do not enter.  When blocks run out the youngest sample gives
 * its own back and is computed again later, with the same bits.
 *
 * The engine copies what it is given and owns it until the request is freed. */
#include "actor/sampler.h"
#include "common/model/model.h"

typedef enum r1_finish {
    R1_FINISH_STOP,
    R1_FINISH_LENGTH
} r1_finish;
const char *r1_finish_name(int finish); /* "stop", "length" */

/* A stop string is at most this long. */
#define R1_STOP_STRING_MAX 256

/* Bytes of one token, for stop strings; ctx is the opener's. */
typedef const char *(*r1_piece_fn)(void *ctx, int32_t id, size_t *ret_len);

typedef struct r1_sample {
    int n; /* tokens, the stop token included */
    int32_t *ids;
    float *logp;
    int finish; /* r1_finish */
} r1_sample;

/* A sample has ended, others of its request may still run.  It stays where it is until the finished
 * request is freed.  An error ends the step. */
typedef r1_status (*r1_sample_fn)(void *ctx, uint64_t tag, int sample, const r1_sample *s,
                                  r1_err *err);

typedef struct r1_engine_options {
    const r1_model *model;
    int max_sequences; /* samples that run at once */
    int n_blocks;      /* key/value blocks of 32 positions */
    int prefill_rows;  /* rows of prompts (and of samples computed again) in one step */
    r1_piece_fn piece; /* needed by requests with stop strings */
    void *piece_ctx;
    /* Called for each token as it is drawn; may be NULL. */
    void (*on_token)(void *ctx, uint64_t tag, int sample, int32_t id);
    void *on_token_ctx;
    r1_sample_fn on_end; /* may be NULL */
    void *on_end_ctx;
} r1_engine_options;

typedef struct r1_request {
    uint64_t tag; /* the caller's */
    const int32_t *prompt;
    int prompt_len, n;
    r1_rng_key key; /* sample 0's; sample s has key.sample + s */
    r1_sampling sampling;
    int want_prompt_logp;
} r1_request;

typedef struct r1_finished {
    uint64_t tag;
    int prompt_len, n;
    int32_t *prompt;
    float *prompt_logp; /* [prompt_len - 1], of tokens 1 ..; NULL unless wanted */
    r1_sample *samples;
} r1_finished;

typedef struct r1_engine r1_engine;

R1_MUST_USE r1_status r1_engine_open(r1_engine **ret, const r1_engine_options *options,
                                     r1_err *err);
void r1_engine_close(r1_engine *e);
size_t r1_engine_bytes(const r1_engine_options *options); /* without the samples' own tokens */

/* Queue a request.  One whose single sample could never fit the pool is refused (R1_USAGE), and so is
 * an empty or too long stop string. */
R1_MUST_USE r1_status r1_engine_submit(r1_engine *e, const r1_request *r, r1_err *err);

/* Samples that are not finished, and how many the engine would take at once. */
int r1_engine_pending(const r1_engine *e);

/* One forward.  The payload may change only while nothing is pending.  R1_DATA: the weights gave
 * logits that are not finite.  After an error the engine can only be closed. */
R1_MUST_USE r1_status r1_engine_step(r1_engine *e, const void *payload, r1_err *err);

/* A finished request, or NULL; the caller frees it. */
r1_finished *r1_engine_poll(r1_engine *e);
void r1_finished_free(r1_finished *f);

typedef struct r1_engine_stats {
    uint64_t steps, rows, decoded, evictions;
} r1_engine_stats;
r1_engine_stats r1_engine_get_stats(const r1_engine *e);

#endif
