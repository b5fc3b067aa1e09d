#ifndef R1_BASE_STOP_H
#define R1_BASE_STOP_H
/* Requests from outside: stop at the next step, stop now, say what you are doing.
 *
 *     USR1, TERM, INT   stop at the next step boundary, with a checkpoint
 *     TERM, INT again   two seconds later or more: at once (Slurm sends TERM twice within 10 ms)
 *     USR2              every rank's place in the run, to its log
 * Handlers only note; whoever is able to act asks here.  Install them before MPI_Init: Open MPI leaves
 * them alone. */

void r1_stop_install(void);
/* The run may last so many hours from now: it stops at the last step boundary behind which one more
 * step (as long as the longest so far) would not fit. */
void r1_stop_after(double hours);

/* At a step boundary: has anyone asked to stop?  Also measures the time between two calls. */
int r1_stop_requested(void);
/* From any thread. */
int r1_stop_insisted(void);
unsigned r1_stop_asked(void); /* counts USR2 */

#endif
