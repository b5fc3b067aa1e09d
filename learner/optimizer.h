#ifndef R1_LEARNER_OPTIMIZER_H
#define R1_LEARNER_OPTIMIZER_H
/* A learner's shard of the optimizer: master weights and both moments of its units.
 *
 * Units (64 rows of one tensor) are dealt to the learners in unit order, balanced by elements.  The
 * gradient that arrives is the sum over all leaves for exactly these elements.  The global norm is
 * the sum of one fp64 partial per unit, added in unit order by every learner alike, so it does not
 * depend on how many learners there are.  AdamW: Loshchilov and Hutter, arXiv 1711.05101; weight
 * decay on matrices only. */
#include "common/base/mem.h"
#include "common/model/layout.h"

/* Learner ranks that a run may have at most (virtual_learners is not larger). */
#define R1_MAX_SHARDS 1024

typedef struct r1_shard {
    const r1_layout *layout;
    uint32_t u0, u1;  /* units [u0, u1) */
    size_t offset;    /* first element in the flat space */
    size_t n;         /* elements */
    float *w, *m, *v; /* [n] each: master weights, first and second moment */
    r1_slab slab;
} r1_shard;

/* Shard `index` of `count`.  Moments start at zero, weights are the caller's to fill. */
R1_MUST_USE r1_status r1_shard_open(r1_shard *s, const r1_layout *layout, int count, int index,
                                    r1_err *err);
void r1_shard_close(r1_shard *s);
size_t r1_shard_bytes(const r1_layout *layout, int count, int index);
void r1_shard_reset_moments(r1_shard *s);

/* Sum of squares of each unit's gradient (grad [n], the shard's elements): partials [u1 - u0]. */
void r1_shard_sumsq(const r1_shard *s, const r1_ops *ops, const float *grad, double *partials);

/* One update.  p->weight_decay is applied to matrices only. */
void r1_shard_step(r1_shard *s, const r1_ops *ops, const float *grad, const r1_adamw *p);

#endif
