#ifndef R1_REWARD_GRADE_H
#define R1_REWARD_GRADE_H
/* Rows of JSON -> verdict lines, as r1-grade writes them.
 *
 * What is read from a row, the first key that is there:
 *   completion   completion, pred, response; for countdown also answer
 *   reference    gold, reference, answer, final; a list means: any of these
 *   question     prompt, question
 * and the row itself goes to the reward (countdown: nums, target).  A row of GSM8K as it is
 * published, with answer and final but nothing to grade, has its own solution graded against
 * final.
 *
 * The line holds id (the row's, else its line number), verdict, score (null where nothing can be
 * said: unscorable is not 0), how (where the answer stood), why, and us (microseconds of the
 * grading). */
#include "common/base/mem.h"
#include "reward/reward.h"

#include <stdio.h>

/* R1_DATA when the row is broken; the message names the key, the caller adds file and line.  Any
 * number of threads may grade with one reward. */
R1_MUST_USE r1_status r1_grade_row(const r1_reward *r, const char *kind, r1_text row,
                                   uint64_t line_number, r1_buf *out, r1_verdict_kind *ret_verdict,
                                   r1_err *err);

#define R1_GRADE_JOBS_MAX 256

typedef struct r1_grade_options {
    const r1_reward *reward;
    const char *kind, *path; /* path "-": stdin */
    int jobs;                /* threads, 1 .. R1_GRADE_JOBS_MAX */
} r1_grade_options;

/* A line for each row of the file, in order.  A broken row is R1_DATA naming file and line; all
 * lines before it are written then.  ret_verdicts counts them, on errors too. */
R1_MUST_USE r1_status r1_grade_file(const r1_grade_options *o, FILE *to,
                                    uint64_t ret_verdicts[R1_VERDICT_COUNT], r1_err *err);

#endif
