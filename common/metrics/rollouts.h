#ifndef R1_METRICS_ROLLOUTS_H
#define R1_METRICS_ROLLOUTS_H
/* rollouts/step_000012.jsonl: what the model wrote in a step and what the rewards said, one sample a
 * line.  A step's file is written as a whole, so a resumed run simply writes it again. */
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/verdict.h"

#include <stdint.h>

#define R1_ROLLOUTS_BYTES_MAX ((size_t)1 << 30)

typedef struct r1_rollout_verdict {
    const char *reward; /* its name */
    r1_verdict verdict;
} r1_rollout_verdict;

/* Texts are bytes with lengths: a model may write anything. */
typedef struct r1_rollout_row {
    const char *stage;
    const char *mode; /* of an evaluation: "sampled" or "greedy"; NULL: a sample that is learned */
    int64_t step, weights_version;
    uint64_t deal; /* index of the prompt over the whole run */
    int sample;    /* in the group */
    const char *prompt, *completion, *reference;
    size_t len_prompt, len_completion, len_reference;
    int n_prompt_tokens, n_tokens;
    const char *finish_reason;
    double reward;    /* NaN: unscorable, null in the file */
    double advantage; /* NaN: not in the loss */
    const r1_rollout_verdict *verdicts;
    int n_verdicts;
} r1_rollout_row;

/* Append one line to out, which the caller initialised with R1_ROLLOUTS_BYTES_MAX or less. */
R1_MUST_USE r1_status r1_rollout_add(r1_buf *out, const r1_rollout_row *row, r1_err *err);
/* DIR/step_000012.jsonl, and DIR/eval_step_000012.jsonl: the answers of an evaluation. */
R1_MUST_USE r1_status r1_rollouts_write(const char *dir, int64_t step, const r1_buf *out,
                                        r1_err *err);
R1_MUST_USE r1_status r1_rollouts_write_eval(const char *dir, int64_t step, const r1_buf *out,
                                             r1_err *err);

#endif
