#ifndef R1_METRICS_RUNDIR_H
#define R1_METRICS_RUNDIR_H
/* A run's directory:
 *     config.yaml  metrics.jsonl  summary.json  exit_status  lock
 *     checkpoints/  rollouts/  logs/  tensorboard/
 *
 * One process group at a time writes into it: rank 0 holds an flock on `lock` for its lifetime.  The
 * lock's descriptor is closed on exec and in forked children, so that an orphan cannot keep the
 * directory locked.  Only rank 0 calls these functions. */
#include "common/base/err.h"

typedef struct r1_rundir {
    char path[512];
    int fd_lock;   /* -1: closed */
    int was_empty; /* no run had begun there: at most lock, logs, exit_status and empty folders */
} r1_rundir;

/* Make the directory and its folders, take the lock.  may_exist 0 (--resume no): a directory with a
 * run in it is R1_USAGE; one with other files is so always, and is left as it is, as is one whose
 * lock another run holds. */
R1_MUST_USE r1_status r1_rundir_open(r1_rundir *d, const char *path, int may_exist, r1_err *err);
/* Remove what an earlier attempt wrote, all but the lock and the logs. */
R1_MUST_USE r1_status r1_rundir_discard(const r1_rundir *d, r1_err *err);
/* PATH/leaf; cut paths are R1_IO. */
R1_MUST_USE r1_status r1_rundir_file(const r1_rundir *d, const char *leaf, char *buf, size_t size,
                                     r1_err *err);
/* Files as wholes: config.yaml and exit_status. */
R1_MUST_USE r1_status r1_rundir_write_config(const r1_rundir *d, const char *yaml, r1_err *err);
R1_MUST_USE r1_status r1_rundir_write_exit_status(const r1_rundir *d, int exit_status, r1_err *err);
/* -1 if the run has not ended in order (or never ran). */
R1_MUST_USE r1_status r1_rundir_read_exit_status(const r1_rundir *d, int *ret, r1_err *err);
/* A run that goes on has no exit status. */
R1_MUST_USE r1_status r1_rundir_clear_exit_status(const r1_rundir *d, r1_err *err);
void r1_rundir_close(r1_rundir *d); /* gives the lock back; twice is fine */

#endif
