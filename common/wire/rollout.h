#ifndef R1_WIRE_ROLLOUT_H
#define R1_WIRE_ROLLOUT_H
/* How the learner asks for rollouts without knowing who makes them.
 *
 * main fills the table: a local engine (np = 1), all ranks in turn (colocated), or actor ranks over
 * MPI (split).  Problems are pure functions of their index, so a request names indices only and
 * whoever serves it draws the problems itself.  What comes back does not depend on who made it. */
#include "common/wire/trajectory.h"

typedef struct r1_rollout_request {
    int evaluation; /* 1: the stage's evaluation problems, own random numbers */
    int stage;      /* index in the configuration */
    int64_t step;   /* that asks, for reports */
    uint64_t first; /* deal index of the first prompt; evaluation: problem index */
    int n_prompts, group_size, n_rewards;
    float temperature, top_p; /* temperature 0: greedy */
    int top_k, min_new_tokens, max_new_tokens;
    uint64_t version, payload_hash; /* of the weights to use */
} r1_rollout_request;

typedef struct r1_rollout_source {
    void *ctx;
    /* Collective over the learners.  Fills groups [n_prompts] in order of their index; the caller
     * ends each with r1_group_done. */
    r1_status (*roll)(void *ctx, const r1_rollout_request *request, r1_group *groups, r1_err *err);
    const uint64_t *refused; /* malformed messages so far; NULL: there can be none */
} r1_rollout_source;

/* Is a decoded group one that the request asked for, whole?  R1_DATA names the field that differs. */
R1_MUST_USE r1_status r1_rollout_check(const r1_rollout_request *q, const r1_group *g, r1_err *err);

#endif
