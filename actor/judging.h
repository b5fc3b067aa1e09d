#ifndef R1_ACTOR_JUDGING_H
#define R1_ACTOR_JUDGING_H
/* The code judge of a rank.
 *
 * Its launcher is a process of its own, which a rank must not start once MPI runs; what it is needed
 * for, if for anything, is known only when the configuration has been read.  So it is started first
 * and ended again where no reward runs programs. */
#include "common/config/config.h"
#include "reward/judge/judge.h"

typedef struct r1_judging {
    r1_launcher *launcher;
    r1_judge *judge; /* NULL: no reward needs it */
    r1_err refused;  /* why there is no launcher */
} r1_judging;

/* Before MPI_Init.  A refusal is kept until somebody needs a sandbox. */
void r1_judging_start(r1_judging *g);

/* Does a stage of the configuration reward programs? */
int r1_judging_asked(const r1_config *cfg);

/* The judge, with `boxes` programs at a time (0: one a core), or the end of the launcher. */
R1_MUST_USE r1_status r1_judging_open(r1_judging *g, int asked, int boxes, r1_err *err);
void r1_judging_close(r1_judging *g);

#endif
