#ifndef R1_ACTOR_SAMPLER_H
#define R1_ACTOR_SAMPLER_H
/* From a row of logits to a token and its log-probability.
 *
 * One Philox draw a token, inverse CDF over ascending ids.  Plain sampling draws from
 * softmax(logits / T) over the whole vocabulary, by the same log-sum-exp that the learner uses, so
 * both sides give a token the same bits.  top-k, top-p and suppressed stop tokens draw from the
 * filtered, renormalised distribution, and the log-probability is that distribution's.  Greedy
 * (temperature 0) takes the lowest id among the largest logits and reports log softmax(logits). */
#include "common/base/rng.h"
#include "common/kernels/kernels.h"

#define R1_MAX_STOP_IDS 32

typedef struct r1_sampling {
    float temperature; /* 0: greedy */
    float top_p;       /* 1: off */
    int top_k;         /* 0: off */
    int min_new_tokens, max_new_tokens;
    int n_stop_ids; /* these end a sequence and belong to it */
    int32_t stop_ids[R1_MAX_STOP_IDS];
    int n_stop_strings; /* texts that end a sequence where they are complete; see r1_engine_submit */
    const char *const *stop_strings; /* must outlive the request */
} r1_sampling;

/* Scratch of `vocab` entries for the filters. */
typedef struct r1_sampler r1_sampler;
R1_MUST_USE r1_status r1_sampler_new(r1_sampler **ret, int vocab, r1_err *err);
void r1_sampler_free(r1_sampler *s);

/* What logsumexp left for the row, at inv_t = 1 / temperature (1 when greedy). */
typedef struct r1_row_stats {
    float lse;
    const float *panel_max, *panel_sum;
} r1_row_stats;

static inline float r1_sampling_inv_t(const r1_sampling *p) {
    return r1_inv_temperature((double)p->temperature);
}
int r1_is_stop_id(const r1_sampling *p, int32_t id);

/* Token number `token` of the sequence that key names; *ret_logp its log-probability. */
int32_t r1_sampler_draw(r1_sampler *s, const r1_ops *ops, const r1_sampling *p,
                        const r1_rng_key *key, int token, const float *logits, int vocab,
                        const r1_row_stats *row, float *ret_logp);

#endif
