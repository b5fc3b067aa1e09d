#ifndef R1_REWARD_MATH_MATH_H
#define R1_REWARD_MATH_MATH_H
/* The mathematics verifier: is the answer in a text equal to the reference?
 *
 * Three-valued.  EQUAL and NOT_EQUAL are meant; UNKNOWN says why.  An unknown answer earns nothing
 * (or a policy would print what cannot be decided); an unusable reference (GOLD) says nothing
 * about the answer.  A wrong answer called equal is worse than a right one missed: nothing is
 * dropped to make a text readable, no tolerance is relative, no candidate but the last counts.
 *
 * The same input gives the same verdict everywhere: work is counted, not timed, and probes depend
 * on the input only.  Handles are immutable; any number of threads may grade with one. */
#include "reward/reward.h"

typedef enum r1_math_kind {
    R1_MATH_EQUAL,
    R1_MATH_NOT_EQUAL,
    R1_MATH_UNKNOWN
} r1_math_kind;

/* What decided. */
#define R1_MATH_HOW_LIST(X) \
    X(NONE, "none")         \
    X(STRING, "string")     \
    X(RATIONAL, "rational") \
    X(DECIMAL, "decimal")   \
    X(RATFUN, "ratfun")     \
    X(SURD, "surd")         \
    X(EXACT, "exact")       \
    X(BALL, "ball")         \
    X(PROBE, "probe")       \
    X(SET, "set")           \
    X(EQUATION, "equation") \
    X(TEXT, "text")         \
    X(CHOICE, "choice")     \
    X(TYPE, "type")

/* Why not, if unknown. */
#define R1_MATH_WHY_LIST(X)   \
    X(NOTHING, "")            \
    X(NO_ANSWER, "NO_ANSWER") \
    X(TOO_LONG, "TOO_LONG")   \
    X(NO_PARSE, "NO_PARSE")   \
    X(TYPE, "TYPE")           \
    X(FUEL, "FUEL")           \
    X(GOLD, "GOLD")

typedef enum r1_math_how {
#define X(name, text) R1_MATH_HOW_##name,
    R1_MATH_HOW_LIST(X)
#undef X
} r1_math_how;

typedef enum r1_math_why {
#define X(name, text) R1_MATH_WHY_##name,
    R1_MATH_WHY_LIST(X)
#undef X
} r1_math_why;

const char *r1_math_how_name(r1_math_how how);
const char *r1_math_why_name(r1_math_why why);

#define R1_MATH_ANSWER_BYTES 1024
#define R1_MATH_CHOICES      32

typedef struct r1_math_opts {
    int whole;           /* the texts are bare answers: nothing to extract but a box */
    int strict;          /* extraction as in training: box or answer tag only */
    int boxed_only;      /* a box or nothing */
    int after_think;     /* an answer needs a closed thought before it */
    int answer_tag_only; /* an answer tag or nothing */
    const char *anchor;  /* the text after its last occurrence only; NULL: no anchor */
    int choice;          /* the answer is a letter, of `choices` if there are any */
    const char *choices[R1_MATH_CHOICES];
    int n_choices;
    int precision;          /* decimals that both are rounded to; -1: exact */
    const char *abs_tol[8]; /* allowed difference, one for all or one per element */
    int n_abs_tol;
} r1_math_opts;

extern const r1_math_opts r1_math_defaults;

typedef struct r1_math_result {
    r1_math_kind kind;
    r1_math_how how;
    r1_math_why why;
    long fuel; /* used */
} r1_math_result;

typedef struct r1_math_gold r1_math_gold;

/* Read references; any one of them makes an answer right.  A reference without meaning is kept as
 * a text; one that cannot be compared at all (empty, unreadable mathematics) makes the handle
 * unusable, see r1_math_gold_lint.  `opts` is copied; its strings must outlive the handle. */
R1_MUST_USE r1_status r1_math_gold_open(r1_math_gold **ret, const r1_text *golds, int n,
                                        const r1_math_opts *opts, r1_err *err);
void r1_math_gold_close(r1_math_gold *g);
/* R1_DATA and why, if every answer would be UNKNOWN. */
R1_MUST_USE r1_status r1_math_gold_lint(const r1_math_gold *g, r1_err *err);

R1_MUST_USE r1_status r1_math_grade(const r1_math_gold *g, r1_text question, r1_text response,
                                    r1_math_result *ret, r1_err *err);

/* Does the text read as mathematics from end to end? */
R1_MUST_USE r1_status r1_math_parses(r1_text answer, r1_math_result *ret, r1_err *err);

#endif
