#ifndef R1_LEARNER_ADVICE_H
#define R1_LEARNER_ADVICE_H
/* What a record means that its numbers do not say: said on the screen when it matters. */
#include "learner/run.h"

typedef struct r1_advice {
    int flat_steps; /* in a row, without a group to learn from */
    int said_cut;   /* that many answers are cut off */
} r1_advice;

/* After a step.  Said by rank 0; a state of many steps is said at its beginning and every tenth
 * step.  a: zeroed when the stage begins. */
void r1_advise(const r1_run *run, const r1_record *rec, r1_advice *a);

#endif
