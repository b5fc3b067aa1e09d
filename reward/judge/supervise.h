#ifndef R1_REWARD_JUDGE_SUPERVISE_H
#define R1_REWARD_JUDGE_SUPERVISE_H
/* The outside of a box: makes it, watches its limits, kills it, and reports when all of it is dead.
 *
 * Processor time decides about "too long", wall time only without the time in which the one task
 * that wanted to run had to wait for others on the machine (run delay of schedstat); a box whose
 * tasks compete among themselves gets no such discount. */
#include "reward/judge/group.h"
#include "reward/judge/sandbox.h"

typedef struct r1_supervisor {
    const r1_sandbox_kind *kind;
    r1_groups groups;
    int privileged; /* may give the box ids that are not its own */
    int own_tasks;  /* RLIMIT_NPROC counts per box */
} r1_supervisor;

/* Serve one connection of the judge: read the request and its descriptors, run, answer. */
void r1_supervise(const r1_supervisor *s, int connection);

/* Make a box of this kind and run nothing in it: 0, or -1 with the call that failed in ret->why. */
int r1_supervise_try(const r1_supervisor *s, int *ret_no_proc, r1_box_result *ret);

#endif
