#ifndef R1_ACTOR_COLOCATED_H
#define R1_ACTOR_COLOCATED_H
/* Rollouts when every rank is actor and learner in turn: each rank makes its share of the groups,
 * then everyone gets all of them.  The groups travel as the same messages as in split mode. */
#include "actor/actor.h"
#include "common/comm/collect.h"
#include "common/comm/window.h"
#include "common/metrics/phases.h"

typedef struct r1_colocated {
    r1_actor *actor;
    const r1_world *world;
    r1_window *window;
    r1_wire_limits limits;
    r1_phases *phases;
} r1_colocated;

/* For r1_rollout_source.roll with an r1_colocated as ctx.  Collective over all ranks. */
R1_MUST_USE r1_status r1_colocated_roll(void *ctx, const r1_rollout_request *request,
                                        r1_group *groups, r1_err *err);

#endif
