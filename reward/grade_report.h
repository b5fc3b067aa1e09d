#ifndef R1_REWARD_GRADE_REPORT_H
#define R1_REWARD_GRADE_REPORT_H
/* Verdicts against labelled cases: r1-grade report CASES OUT.
 *
 * CASES are rows with a label, OUT is what r1-grade wrote for them; they meet by id, or by the line
 * number of the case where it has none.  Labels, the first key that is there:
 *   corrected, expected   true or false: must the answer be accepted (correct, equal, AC)?
 *                         a number or list: the score, within the row's `tolerance` (1e-6)
 *                         null: a matter of choice, left out
 *   verdict_in, verdict   a verdict, or several of which any will do ("AC_or_TLE" too); PARTIAL is
 *                         any other than AC with a score between 0 and 1
 * Rows with `waived` are left out; with `expect_parse_error` the verdict must be unknown.
 *
 * A wrong answer accepted and a right one rejected are counted and listed apart: the first is
 * learned by a policy, the second only slows it. */
#include "common/base/err.h"

#include <stdio.h>

/* Accuracy by tier and class (class, else category, rule or function), then every case that was
 * judged otherwise than its label.  A case without a verdict, or an id that is there twice, is
 * R1_DATA. */
R1_MUST_USE r1_status r1_grade_report(const char *cases, const char *out, FILE *to, r1_err *err);

#endif
