#ifndef R1_REWARD_PROGRAM_H
#define R1_REWARD_PROGRAM_H
/* A program of the user's that answers lines with lines, over pipes.
 *
 * It is started by posix_spawn when it is first asked (a rank with MPI never forks), keeps running,
 * and must write one line for each line that it reads, in order, flushed.  It may read ahead: all
 * lines of a batch are sent at once.  When it ends, or hangs beyond the deadline, it is killed with
 * its process group and started again for the next batch; nothing that it does ends ours.  It ends
 * by itself when its input ends, also if we are killed.  stderr is ours.
 *
 * Any number of threads may ask; batches follow each other. */
#include "common/base/mem.h"
#include "reward/reward.h"

typedef struct r1_program r1_program;

typedef enum r1_asked {
    R1_ASKED_ALL,     /* a line for each */
    R1_ASKED_TIMEOUT, /* the deadline passed */
    R1_ASKED_ENDED,   /* the program could not be started, or ended */
} r1_asked;

/* command[0] is searched in PATH; R1_USAGE when there is no such program.  deadline_s: of a
 * batch. */
R1_MUST_USE r1_status r1_program_open(r1_program **ret, const char *const *command, int n,
                                      double deadline_s, r1_err *err);
/* Ends its input and kills it if it has not gone within a second.  NULL is fine. */
void r1_program_close(r1_program *p);

/* Send `lines` (each ends with a newline) and append what comes back to `answers`, at most n lines.
 * *ret_n: how many came. */
r1_asked r1_program_ask(r1_program *p, r1_text lines, int n, r1_buf *answers, int *ret_n);

/* What comes next would not belong to what was asked: kill it, and the next batch starts anew. */
void r1_program_restart(r1_program *p);

#endif
