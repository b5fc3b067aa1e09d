#ifndef R1_ACTOR_ACTOR_H
#define R1_ACTOR_ACTOR_H
/* An actor: problems in, graded trajectories out.
 *
 * It owns the engine, the datasets of each stage (training and evaluation) and the rewards.  A deal
 * index becomes a problem, the template makes ids of it, the engine samples the group, the rewards
 * judge the decoded text, and the group goes to whoever asked. */
#include "actor/engine.h"
#include "common/config/config.h"
#include "common/data/dataset.h"
#include "common/metrics/phases.h"
#include "common/tokenizer/template.h"
#include "common/wire/rollout.h"
#include "reward/reward.h"

typedef struct r1_actor_options {
    const r1_config *cfg;
    const r1_model *model;
    const r1_tokenizer *tokenizer;
    const char *template_kind; /* resolved: never "auto" */
    const char *system;        /* text of the system turn, or NULL */
    int max_sequences, n_blocks, prefill_rows;
    r1_phases *phases;      /* of this rank */
    struct r1_judge *judge; /* for rewards that run programs; NULL: there are none */
} r1_actor_options;

/* Sizes of the engine for a share of the work of `actors` ranks, `node_actors` of them on this
 * node: as many samples at once as there are to make, within limits.kv_memory (auto: a quarter of
 * the node's free memory).  None of this changes any result. */
void r1_actor_size(r1_actor_options *o, int actors, int node_actors);
size_t r1_actor_bytes(const r1_actor_options *o);

/* The rewards of a stage, opened; the caller closes them. */
R1_MUST_USE r1_status r1_actor_rewards(r1_rewards *ret, const r1_stage_config *s,
                                       struct r1_judge *judge, r1_err *err);

typedef struct r1_actor r1_actor;

R1_MUST_USE r1_status r1_actor_open(r1_actor **ret, const r1_actor_options *o, r1_err *err);
void r1_actor_close(r1_actor *a);

/* A group is complete; it belongs to the callee (r1_group_done). */
typedef r1_status (*r1_group_fn)(void *ctx, r1_group *g, r1_err *err);

/* Called between decode steps with the number of groups the engine could take; *ret_index is the
 * next index to work on.  Returns 1: here is one, 0: nothing left. */
typedef int (*r1_next_fn)(void *ctx, uint64_t *ret_index);

/* Serve a request: indices come from `next`, groups go to `done`. */
R1_MUST_USE r1_status r1_actor_roll(r1_actor *a, const r1_rollout_request *req, const void *payload,
                                    r1_next_fn next, r1_group_fn done, void *ctx, r1_err *err);

/* The weights that this actor's model reads: their size, and the hash that names a version's. */
size_t r1_actor_payload_bytes(const r1_actor *a);
R1_MUST_USE r1_status r1_actor_hash_payload(const r1_actor *a, const void *payload, uint64_t *ret,
                                            r1_err *err);

/* Text of a prompt or of a completion, for dumps. */
R1_MUST_USE r1_status r1_actor_text(const r1_actor *a, const int32_t *ids, int n, r1_buf *text,
                                    r1_err *err);

#endif
