#ifndef R1_ACTOR_SCORE_H
#define R1_ACTOR_SCORE_H
/* What r1-score does: the protocol of the reward `exec` with a reward model behind it.
 *
 * stdin has a line {"prompt" (or "question"), "completion"} for each answer, stdout gets a line
 * {"score": x}, or {"score": null, "note": "why"}, for each, in order.  Lines that have arrived
 * together are a batch; nothing waits for more. */
#include "common/base/err.h"

typedef struct r1_score_options {
    const char *model, *tokenizer, *chat_template, *system, *dtype; /* dtype: "fp32" or "bf16" */
    int threads, batch, max_len;
    int summary; /* score what stands behind the thinking alone */
} r1_score_options;

/* Until stdin ends.  R1_DATA names the line that is none of the protocol. */
R1_MUST_USE r1_status r1_score_run(const r1_score_options *o, r1_err *err);

#endif
