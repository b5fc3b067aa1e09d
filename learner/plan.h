#ifndef R1_LEARNER_PLAN_H
#define R1_LEARNER_PLAN_H
/* What a run will need before anything is allocated: roles, threads, the sizes of micro-batches,
 * and memory, private and shared apart. */
#include "common/store/policy.h"
#include "common/wire/trajectory.h"
#include "learner/trainer.h"

typedef struct r1_plan {
    r1_roles roles;
    int node_learners, node_actors;  /* on this rank's node; colocated ranks are both */
    int threads;                     /* of this rank */
    int has_reference;               /* a third weight slot */
    int max_tokens, max_members;     /* of a micro-batch, over all stages */
    size_t slot_bytes, window_bytes; /* shared: one slot; all of this node's */
    size_t learner_bytes;            /* private, of the largest learner, with */
    size_t snapshot_bytes;           /* its copy for checkpoints in the background */
} r1_plan;

/* Roles and threads; the model is not needed for that. */
R1_MUST_USE r1_status r1_plan_roles(r1_plan *p, const r1_config *cfg, const r1_world *w,
                                    r1_err *err);
/* Sizes, once the model's shape is known. */
void r1_plan_sizes(r1_plan *p, const r1_config *cfg, const r1_world *w, const r1_model *model);

/* Weight slots of this rank's node: a node without learners has no reference policy. */
static inline int r1_plan_slots(const r1_plan *p) {
    return p->has_reference && p->node_learners > 0 ? 3 : 2;
}

r1_trainer_options r1_plan_trainer(const r1_plan *p, const r1_config *cfg, const r1_world *w,
                                   const r1_model *model, r1_window *window);

/* Does it fit into memory, /dev/shm and the limits of a process?  R1_USAGE names what to lower.  actor_bytes: of one actor. */
R1_MUST_USE r1_status r1_plan_check(const r1_plan *p, const r1_config *cfg, const r1_world *w,
                                    size_t actor_bytes, r1_err *err);

/* The header of a run, line by line through r1_info (rank 0 speaks). */
void r1_plan_print(const r1_plan *p, const r1_config *cfg, const r1_world *w, const r1_policy *m,
                   size_t actor_bytes);

/* What a message of trajectories may hold at most. */
r1_wire_limits r1_plan_limits(const r1_config *cfg, const r1_arch *arch);

#endif
