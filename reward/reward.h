#ifndef R1_REWARD_REWARD_H
#define R1_REWARD_REWARD_H
/* Rewards by rule: bytes in, verdict out.
 *
 * A reward (but exec, a program of the user's) is a pure function of (question, completion, reference, row extras): no clock, no
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
#include <stdint.h>

/* A span of bytes; need not end in NUL, may contain any byte. */
typedef struct r1_text {
    const char *s;
    size_t n;
} r1_text;

r1_text r1_text_of(const char *s); /* NULL gives an empty text */

typedef struct r1_grade_input {
    r1_text question; /* as the model saw it, with its template */
    r1_text asked;    /* the question alone, for its language; empty: `question` */
    r1_text completion, reference;
    r1_text extra;      /* JSON object with what else the row holds (nums, target), or empty */
    const int32_t *ids; /* the completion's tokens; n_ids = 0 where there are none (r1-grade) */
    int n_ids;
} r1_grade_input;

/* A reward reads the parameters that are its own; 0 and NULL are their defaults. */
typedef struct r1_reward_options {
    const char *name;
    const char *source; /* only for rows whose data_source this is; NULL: for all */
    double weight;
    int require_format;
    const char *from;          /* number: auto | last | boxed | answer_tag | hash (auto) */
    const char *answer;        /* format: answer_tag | boxed (answer_tag) */
    int min_think;             /* format: bytes of thinking (1) */
    const char *code_language; /* format_code (python) */
    const char *target;        /* language: en, zh, ... (the question's) */
    const char *unit;          /* language: chars | whitespace (chars);
                                                               repetition, loop: tokens | words (tokens) */
    int min_words;             /* language: fewer are neutral (0) */
    int min_steps;             /* reasoning_steps (3) */
    int target_len;            /* length: tokens (1000) */
    int max_len;               /* cosine: tokens (1000) */
    double min_wrong, max_wrong, min_correct, max_correct; /* cosine (all 0: -1, -0.5, 0.5, 1) */
    int ngram;                                             /* repetition (3) */
    int max_period, times;                                 /* loop (512, 5) */
    const char *const *command; /* exec: the program and its arguments; used only while opening */
    int n_command;
    double deadline_s; /* exec: for the samples of a question (30) */
    int fraction;      /* code: score the share of tests that pass (1 if all do) */
    /* code: runs the programs, outlives the reward; opened before MPI_Init (judge/judge.h). */
    struct r1_judge *judge;
} r1_reward_options;

typedef struct r1_reward r1_reward;

/* Unknown names and options are R1_USAGE. */
R1_MUST_USE r1_status r1_reward_open(r1_reward **ret, const r1_reward_options *options,
                                     r1_err *err);
void r1_reward_close(r1_reward *r);
/* Of a reward that goes by the first reward's verdict (cosine, kimi_length_group): ERROR. */
r1_verdict r1_reward_grade(const r1_reward *r, const r1_grade_input *in);

/* Where it finds the answer in this completion: "boxed", "answer_tag", "hash", "last" (the running
 * text), "none" or "cut" (opened, never closed); "tags" for format, "text" for all others. */
const char *r1_reward_how(const r1_reward *r, const r1_grade_input *in);

/* Can this reward judge this reference?  R1_DATA with the reason if not. */
R1_MUST_USE r1_status r1_reward_lint(const r1_reward *r, const r1_grade_input *in, r1_err *err);

/* The i-th reward's name, NULL at the end; does it compare with references of any form? */
const char *r1_reward_name(int i);
int r1_reward_compares(int i);

/* A weighted sum.  With require_format a component counts only when the format is correct; one for
 * another data_source than the row's is NOT_ASKED and adds nothing. */
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
    int usable;  /* 0: a component with weight could not be scored, or none was asked */
    int correct; /* the first component that was asked says CORRECT (in its required format) */
} r1_graded;

R1_MUST_USE r1_status r1_rewards_open(r1_rewards *ret, const r1_reward_options *options, int n,
                                      r1_err *err);
void r1_rewards_close(r1_rewards *r);
/* The n samples of one group: question, reference and extra are the same in all of them. */
void r1_rewards_grade(const r1_rewards *r, const r1_grade_input *in, int n, r1_graded *ret);

/* The same for samples that come one by one.  Programs begin with what they can begin with, in
 * threads and processes of their own; all other rewards are asked at the end.  Verdicts depend
 * neither on the order of the samples nor on how long anything takes.  One thread. */
typedef struct r1_grading r1_grading;
R1_MUST_USE r1_status r1_grading_open(r1_grading **ret, const r1_rewards *r, int n, r1_err *err);
/* Sample s (not twice); its texts and ids must stay until the end. */
void r1_grading_add(r1_grading *g, int s, const r1_grade_input *in);
int r1_grading_ready(const r1_grading *g); /* all samples came, and the end would not wait */
/* The verdicts ret [n] of a group whose samples all came; waits for them and frees the grading. */
void r1_grading_end(r1_grading *g, r1_graded *ret);
/* The group is not wanted: waits for no more than what has begun, and frees; NULL is fine. */
void r1_grading_drop(r1_grading *g);
R1_MUST_USE r1_status r1_rewards_lint(const r1_rewards *r, const r1_grade_input *in, r1_err *err);

#endif
