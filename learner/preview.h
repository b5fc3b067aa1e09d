#ifndef R1_LEARNER_PREVIEW_H
#define R1_LEARNER_PREVIEW_H
/* The plan of a run beyond roles and memory: what is read, how it learns, what it leaves behind, and
 * whether that can be.  Nothing is created and nothing large is allocated. */
#include "common/data/facts.h"
#include "learner/plan.h"
#include "learner/train_options.h"

/* What the run would refuse later, once the model is known: sequences longer than its context, too
 * many threads, more memory for keys and values than there is, tensors that are absent or have
 * another shape.  Local. */
R1_MUST_USE r1_status r1_preview_check(const r1_plan *p, const r1_config *cfg, const r1_world *w,
                                       const r1_policy *m, r1_err *err);

/* Rank 0: the rest of the header through r1_info (facts [n_stages]), then whether the run directory
 * could be taken, and whether --resume and --from name something. */
R1_MUST_USE r1_status r1_preview_show(const r1_config *cfg, const r1_policy *m,
                                      const r1_stage_facts *facts, const r1_train_options *o,
                                      r1_err *err);

/* What a dry run does beyond that: all weights are read once, each rank a share, and what is damaged
 * is named; the resolved configuration goes to stdout.  Collective. */
R1_MUST_USE r1_status r1_preview_rehearse(const r1_config *cfg, const r1_world *w,
                                          const r1_policy *m, r1_err *err);

#endif
