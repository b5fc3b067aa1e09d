#ifndef R1_ACTOR_LINT_H
#define R1_ACTOR_LINT_H
/* Every problem of a stage is read once before anything large is allocated: broken rows, references
 * that the rewards cannot judge, prompts and examples that are too long are named with file and
 * line.  What was seen on the way is part of the plan. */
#include "actor/actor.h"
#include "common/data/facts.h"

/* All rows of a file, the first R1_LINT_PROBLEMS problems of a task.  Needs the options only as far
 * as cfg, model (its longest sequence), tokenizer, template and system.  Added tokens in questions
 * are no error: a warning names the first. */
R1_MUST_USE r1_status r1_lint_stage(const r1_actor_options *o, int stage, r1_stage_facts *ret,
                                    r1_err *err);

#endif
