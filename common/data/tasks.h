#ifndef R1_DATA_TASKS_H
#define R1_DATA_TASKS_H
/* Procedural problems: seeded, with a difficulty, a worked trace, and a held-out side.
 *
 * A problem is a pure function of (specification, key): the same on every rank.  The held-out side
 * is decided by a hash of the canonical problem (commutative operands sorted, so a + b and b + a
 * stand on one side), independent of the seed and of the stage.  A trace is a chain of thought in
 * <think>...</think><answer>...</answer> form; each of its steps is wrong with probability
 * error_rate, and a wrong result is carried on, as a base model would. */
#include "common/base/mem.h"
#include "common/base/rng.h"
#include "common/config/config.h"

typedef struct r1_problem {
    char *prompt;     /* NUL-terminated; all strings belong to the problem */
    char *reference;  /* what the reward compares with */
    char *extra;      /* JSON object for the reward, or NULL */
    char *completion; /* SFT target, or NULL when it was not asked for */
    char *text;       /* SFT on plain text: the whole text, or NULL */
    uint64_t hash;    /* of the canonical problem */
} r1_problem;

void r1_problem_done(r1_problem *p);

/* Draw one problem: key names it (its index; purpose R1_RNG_TASK), words from *word on are used and
 * *word moves on.  error_rate < 0: no trace. */
R1_MUST_USE r1_status r1_task_draw(const r1_data_spec *spec, const r1_rng_key *key, uint32_t *word,
                                   double error_rate, r1_problem *ret, r1_err *err);

/* Is this canonical hash on the held-out side? */
int r1_held_out(const r1_data_spec *spec, uint64_t hash);

#endif
