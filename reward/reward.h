#ifndef R1_REWARD_REWARD_H
#define R1_REWARD_REWARD_H
/* Rewards by rule: bytes in, verdict out.
 *
 * A reward is a pure function of (question, completion, reference, row extras): no clock, no
 * random numbers, no locale, no interpreter, no regular expression on model text.  Every scan is
 * linear and every number has a limit on its digits, so the worst input costs microseconds per
 * kilobyte.
 *
 * Verdicts are three-valued in effect: CORRECT and WRONG / NO_ANSWER carry a score; a reference
 * that cannot be judged (UNPARSEABLE_GOLD) says nothing about the answer, and the sample is left
 * out of its group instead of scoring 0.
 *
 * Opened rewards are immutable: any number of threads may grade with one. */
#include "common/base/err.h"
#include "common/base/verdict.h"

#include <stddef.h>

/* A span of bytes; need not end in NUL, may contain any byte. */
typedef struct r1_text {
    const char *s;
    size_t n;
} r1_text;

r1_text r1_text_of(const char *s); /* NULL gives an empty text */

typedef struct r1_grade_input {
    r1_text question, completion, reference;
    r1_text extra; /* JSON object with what else the row holds (nums, target), or empty */
} r1_grade_input;

typedef struct r1_reward_options {
    const char *name; /* exact | number | countdown | format | math */
    const char *from; /* number: auto | last | boxed | answer_tag | hash; NULL: auto */
    double weight;
    int require_format;
} r1_reward_options;

typedef struct r1_reward r1_reward;

/* Unknown names and options are R1_USAGE. */
R1_MUST_USE r1_status r1_reward_open(r1_reward **ret, const r1_reward_options *options,
                                     r1_err *err);
void r1_reward_close(r1_reward *r);
r1_verdict r1_reward_grade(const r1_reward *r, const r1_grade_input *in);

/* Where it finds the answer in this completion: "boxed", "answer_tag", "hash", "last" (the running
 * text), "none" or "cut" (opened, never closed); "tags" for format. */
const char *r1_reward_how(const r1_reward *r, const r1_grade_input *in);

/* Can this reward judge this reference?  R1_DATA with the reason if not. */
R1_MUST_USE r1_status r1_reward_lint(const r1_reward *r, const r1_grade_input *in, r1_err *err);

/* A weighted sum.  With require_format a component counts only when the format is correct. */
#define R1_REWARDS_MAX 8
typedef struct r1_rewards {
    int n;
    r1_reward *r[R1_REWARDS_MAX];
    r1_reward_options options[R1_REWARDS_MAX];
    r1_reward *format; /* for require_format; NULL when nobody needs it */
} r1_rewards;

typedef struct r1_graded {
    int n;
    r1_verdict verdict[R1_REWARDS_MAX];
    double total;
    int usable;  /* 0: a component with weight could not be scored */
    int correct; /* the first component says CORRECT (and its format requirement holds) */
} r1_graded;

R1_MUST_USE r1_status r1_rewards_open(r1_rewards *ret, const r1_reward_options *options, int n,
                                      r1_err *err);
void r1_rewards_close(r1_rewards *r);
void r1_rewards_grade(const r1_rewards *r, const r1_grade_input *in, r1_graded *ret);
R1_MUST_USE r1_status r1_rewards_lint(const r1_rewards *r, const r1_grade_input *in, r1_err *err);

#endif
