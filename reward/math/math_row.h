#ifndef R1_REWARD_MATH_MATH_ROW_H
#define R1_REWARD_MATH_MATH_ROW_H
/* Rows of labelled mathematics, as `r1-grade math` reads them.
 *
 * Keys: gold (a string, a list of which any is right, or null: pred alone is parsed), pred, id,
 * mode (answer: both are bare answers; text: the answer is looked for, in pred and gold), kind
 * (choice: a letter), opts.  An option that is not known is an error that names row and key. */
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/verdict.h"

#include <jansson.h>
#include <stdint.h>

/* Appends {"id", "verdict": equal | not_equal | unknown, "score": 1 | 0 | null, "how", "why",
 * "us"} and a line end.  R1_DATA for a row that is none. */
R1_MUST_USE r1_status r1_math_grade_row(const json_t *row, uint64_t line_number, r1_buf *out,
                                        r1_verdict_kind *ret_verdict, r1_err *err);

#endif
