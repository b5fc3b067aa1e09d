#ifndef R1_LEARNER_DUMP_H
#define R1_LEARNER_DUMP_H
/* What a step's samples said, as text. */
#include "learner/grpo_batch.h"
#include "learner/run.h"

/* rollouts/step_NNNNNN.jsonl of the step that is being made.  Rank 0 only. */
R1_MUST_USE r1_status r1_grpo_dump(const r1_run *run, const r1_grpo_batch *b, r1_err *err);

/* The same of examples that were trained on, each with one completion and no reward. */
R1_MUST_USE r1_status r1_items_dump(const r1_run *run, const r1_item *items, int n,
                                    uint64_t first_deal, r1_err *err);

#endif
