#ifndef R1_ACTOR_JUDGING_H
#define R1_ACTOR_JUDGING_H
/* The code judge of a rank.
 *
 * Its launcher is a process of its own, which a rank must not start once MPI runs: whether a reward
 * runs programs is found out before that. */
#include "common/config/config.h"
#include "reward/judge/judge.h"

typedef struct r1_judging {
    int asked; /* a reward runs programs */
    r1_launcher *launcher;
    r1_judge *judge;
    r1_err refused; /* why there is no launcher */
} r1_judging;

/* Does a stage of the configuration reward programs?  NULL: there is none. */
int r1_judging_asked(const r1_config *cfg);

/* Before MPI_Init: the launcher, if it is asked for.  A refusal is kept for r1_judging_open. */
void r1_judging_start(r1_judging *g, int asked);
/* The judge, with `boxes` programs at a time (0: one a core); nothing where none is asked for. */
R1_MUST_USE r1_status r1_judging_open(r1_judging *g, int boxes, r1_err *err);
void r1_judging_close(r1_judging *g);

#endif
