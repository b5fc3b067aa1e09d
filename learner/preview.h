#ifndef R1_LEARNER_PREVIEW_H
#define R1_LEARNER_PREVIEW_H
/* The plan of a run beyond roles and memory: what is read, how it learns, what it leaves behind, and
 * whether that can be.  Nothing is created and nothing large is allocated. */
#include "common/data/facts.h"
#include "learner/plan.h"

/* What the run would refuse later, once the model is known: sequences longer than its context, too
 * many threads, more memory for keys and values than there is, tensors that are absent or have
 * another shape.  Local. */
R1_MUST_USE r1_status r1_preview_check(const r1_plan *p, const r1_config *cfg, const r1_world *w,
                                       const r1_policy *m, r1_err *err);

/* Could this run directory be taken?  may_exist: the run would go on in it.  Rank 0. */
R1_MUST_USE r1_status r1_preview_output(const char *path, int may_exist, r1_err *err);

/* Read all weights once, each rank a share; what is damaged is named.  Collective. */
R1_MUST_USE r1_status r1_preview_weights(const r1_world *w, const r1_policy *m, r1_err *err);

/* The rest of the header through r1_info; facts [n_stages]; path: of the run directory. */
void r1_preview_print(const r1_config *cfg, const r1_policy *m, const r1_stage_facts *facts,
                      const char *path);

#endif
