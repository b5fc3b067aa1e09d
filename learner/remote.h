#ifndef R1_LEARNER_REMOTE_H
#define R1_LEARNER_REMOTE_H
/* Rollouts by actor ranks (split mode).  Learner 0 deals prompts as the actors ask for them, takes
 * their groups, and gives all of them to the other learners. */
#include "common/comm/collect.h"
#include "common/comm/mailbox.h"
#include "common/metrics/phases.h"
#include "common/wire/rollout.h"

typedef struct r1_remote {
    const r1_world *world;
    r1_wire_limits limits;
    r1_phases *phases;
    uint64_t refused; /* malformed messages so far; their groups are made again by other actors */
} r1_remote;

/* For r1_rollout_source.roll with an r1_remote as ctx.  Collective over the learners. */
R1_MUST_USE r1_status r1_remote_roll(void *ctx, const r1_rollout_request *request, r1_group *groups,
                                     r1_err *err);

/* The run is over: actors leave r1_actor_serve.  Learner 0 only. */
R1_MUST_USE r1_status r1_remote_dismiss(const r1_remote *r, r1_err *err);

#endif
