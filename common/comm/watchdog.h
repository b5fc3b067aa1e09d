#ifndef R1_COMM_WATCHDOG_H
#define R1_COMM_WATCHDOG_H
/* A thread in each rank that looks after what the main thread cannot (inside common/comm only).
 *
 * It makes no MPI calls.  Twenty times a second it shows that this process runs, and looks for:
 *   - a wish for a report (USR2): this rank's place in the run, to its log;
 *   - a second TERM or INT: the process ends at once with 85, but not inside a checkpoint;
 *   - a rank of this node whose process is gone: the run ends with 75;
 *   - a main thread that neither works nor polls for the deadline and GRACE_S more: it is stuck in
 *     someone else's code (a blocking call of MPI, a file system); the run ends with 75;
 *   - an end that another rank began: this rank's place, to its log.
 *
 * Order of an end.  The first rank to claim it owns the cause.  It notes where all other ranks of its
 * node are, writes exit_status, prints those lines and then the cause, once and last, and ends the job.
 * One rank prints it all because mpirun keeps no order between ranks.  Nobody outlives that by more
 * than LIFE_S. */

void r1_watchdog_start(void);
/* Is a main thread that is stuck to be ended?  Not where nobody waits for it. */
void r1_watchdog_arm(int watch);
/* Returns when the thread has seen all that was stored before. */
void r1_watchdog_sync(void);
void r1_watchdog_stop(void);

/* Claim the end.  Returns when the cause is out and the job is to be ended; 0: another rank does it. */
int r1_watchdog_end(int exit_code, const char *cause);
/* Another rank ends the job: wait for that. */
_Noreturn void r1_watchdog_await_end(void);

#endif
