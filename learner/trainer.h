#ifndef R1_LEARNER_TRAINER_H
#define R1_LEARNER_TRAINER_H
/* The learner's engine: weights, gradients and the optimizer step over all learner ranks.
 *
 * Weights live once per node in the window: the published slot, which actors read, and the slot that
 * the next version is written to.  Each learner owns a range of units (master weights and moments),
 * a subtree of the virtual learners, and a shared segment for its gradient sum.  One update:
 *   leaves -> micro-batches -> gradients summed in the fixed tree -> each learner joins its own
 *   elements out of all segments -> global norm in unit order -> AdamW -> pack into the open slot
 * and, where learners sit on several nodes, every node's new units to the others.  Nodes without
 * learners get a version when it is published.
 * Every result is the same for any number of learners, nodes and threads. */
#include "common/comm/collect.h"
#include "common/comm/reduce.h"
#include "common/comm/window.h"
#include "common/metrics/phases.h"
#include "learner/cut.h"
#include "learner/optimizer.h"
#include "learner/runner.h"

#define R1_SLOT_REFERENCE 2

typedef struct r1_trainer_options {
    const r1_world *world;
    const r1_model *model;
    r1_window *window;
    int virtual_learners;
    int max_tokens;  /* rows of a micro-batch */
    int max_members; /* completions of a micro-batch */
    int recompute;
    r1_phases *phases; /* of this rank */
} r1_trainer_options;

typedef struct r1_trainer {
    r1_trainer_options o;
    const r1_ops *ops;
    r1_shard shard;
    r1_runner runner;
    int leaf_lo, leaf_hi;
    r1_slab buffers; /* leaf buffers but the first, the shard's gradient */
    float *leaf_buffers[16];
    int n_leaf_buffers;
    float *grad; /* [shard.n] */
    r1_reducer *reducer;
    float **segments; /* [learners] gradient sums of this node's learners; NULL: another node's */
    size_t *first;    /* [learners + 1] first element of each shard */
    double *partials; /* [n_units] squares of the gradient, unit by unit */
    uint64_t *hashes; /* [n_units] */
    int slot;         /* with the newest weights */
    uint64_t version, payload_hash; /* published */
    long adam_t;                    /* updates since the moments were reset */
} r1_trainer;

/* Collective over the learners.  Bytes: private memory of one learner. */
R1_MUST_USE r1_status r1_trainer_open(r1_trainer *t, const r1_trainer_options *o, r1_err *err);
void r1_trainer_close(r1_trainer *t);
size_t r1_trainer_bytes(const r1_trainer_options *o, int learners, int rank);
/* Floats of this learner's shared segment. */
static inline size_t r1_trainer_segment_floats(const r1_layout *l) {
    return l->n_params;
}

/* Collective.  This learner's units into slot `slot` of its node, and all nodes' units to the nodes
 * that have learners. */
R1_MUST_USE r1_status r1_trainer_pack(r1_trainer *t, r1_err *err);
/* Collective.  After shard.w was filled: pack it everywhere and publish version `version`. */
R1_MUST_USE r1_status r1_trainer_start(r1_trainer *t, uint64_t version, r1_err *err);
/* Collective.  Publish what the updates of this step made, as the next version. */
R1_MUST_USE r1_status r1_trainer_publish(r1_trainer *t, r1_err *err);
/* Collective.  The newest weights become the reference policy (slot 2). */
R1_MUST_USE r1_status r1_trainer_set_reference(r1_trainer *t, r1_err *err);

const void *r1_trainer_payload(const r1_trainer *t); /* newest weights */
const void *r1_trainer_reference(const r1_trainer *t);

typedef struct r1_update_spec {
    const r1_item *items; /* by position in the update */
    int n_items;
    const uint8_t
        *skip;      /* [n_items] 1: no gradient; its position counts all the same; may be NULL */
    int max_tokens; /* of a micro-batch: at most the trainer's */
    float inv_t;
    r1_member_fn fn; /* sees the items of this learner's leaves only */
    void *ctx;
    double
        *stats; /* [n_items][n_stats]: fn's ctx fills those of the items it sees; on return all */
    int n_stats;
    double lr, beta1, beta2, eps, weight_decay, grad_clip;
} r1_update_spec;

typedef struct r1_update_result {
    double grad_norm; /* before clipping */
    int finite;       /* 0: nothing was changed */
    r1_cut cut;       /* over leaves and micro-batches, of all learners */
    double forward_backward_s, reduce_s, optimizer_s;
} r1_update_result;

/* Collective over the learners. */
R1_MUST_USE r1_status r1_trainer_update(r1_trainer *t, const r1_update_spec *u,
                                        r1_update_result *ret, r1_err *err);

/* Collective.  Log-probs of all items' tokens under a payload: learner r scores items r, r + R, ...;
 * fn is called for those only. */
void r1_trainer_score(r1_trainer *t, const void *payload, const r1_item *items, int n_items,
                      float inv_t, r1_member_fn fn, void *ctx);

/* Collective.  Checksum over all units of the master weights; of both moments. */
R1_MUST_USE r1_status r1_trainer_checksum(r1_trainer *t, uint64_t *ret_weights,
                                          uint64_t *ret_optimizer, r1_err *err);

#endif
