#ifndef R1_LEARNER_DUMP_H
#define R1_LEARNER_DUMP_H
/* What a step's or an evaluation's samples said, as text.  Rank 0 only. */
#include "learner/grpo_batch.h"
#include "learner/run.h"

/* rollouts/step_NNNNNN.jsonl of the step that is being made. */
R1_MUST_USE r1_status r1_grpo_dump(const r1_run *run, const r1_grpo_batch *b, r1_err *err);

/* The same of examples that were trained on, each with one completion and no reward. */
R1_MUST_USE r1_status r1_items_dump(const r1_run *run, const r1_item *items, int n,
                                    uint64_t first_deal, r1_err *err);

/* Append the samples of an evaluation of problems 0 .. n - 1 of d; mode: "sampled" or "greedy". */
R1_MUST_USE r1_status r1_eval_dump_add(const r1_run *run, r1_dataset *d, const r1_group *groups,
                                       int n, const char *mode, r1_buf *out, r1_err *err);
/* rollouts/eval_step_NNNNNN.jsonl of the last step. */
R1_MUST_USE r1_status r1_eval_dump_write(const r1_run *run, const r1_buf *out, r1_err *err);

#endif
