#ifndef R1_REWARD_RULES_H
#define R1_REWARD_RULES_H
/* The rules behind the registry: one function each, see the files of the same names. */
#include "reward/extract.h"

typedef enum r1_number_from {
    R1_FROM_AUTO, /* \boxed, else <answer>, else ####, else the last number */
    R1_FROM_LAST,
    R1_FROM_BOXED,
    R1_FROM_ANSWER_TAG,
    R1_FROM_HASH
} r1_number_from;

/* Where the number rule looks in a completion. */
r1_place r1_number_place(r1_number_from from, const r1_grade_input *in, r1_text *ret);

r1_verdict r1_rule_number(r1_number_from from, const r1_grade_input *in);
r1_verdict r1_rule_exact(const r1_grade_input *in);
r1_verdict r1_rule_format(const r1_grade_input *in);
r1_verdict r1_rule_countdown(const r1_grade_input *in);
r1_verdict r1_rule_math(const r1_grade_input *in);

r1_verdict r1_verdict_of(r1_verdict_kind kind, const char *note); /* score 1 when CORRECT */

#endif
