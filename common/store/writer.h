#ifndef R1_STORE_WRITER_H
#define R1_STORE_WRITER_H
/* A shard that is written by a thread of its own while the run goes on.
 *
 * The thread works on a snapshot, so that the next update may change weights and moments; without
 * one (the caller waits at once) it reads them where they are.  HDF5 is not made for threads: from
 * start to wait nobody else in the process calls it.  No MPI here: that all learners are done is
 * agreed by the caller. */
#include "common/store/checkpoint.h"

typedef struct r1_ckpt_writer r1_ckpt_writer;

/* Bytes of a snapshot of units [u0, u1). */
size_t r1_ckpt_writer_bytes(const r1_layout *l, uint32_t u0, uint32_t u1);

/* For shard `index`, units [u0, u1).  snapshot 0: memory for one is not taken.  So many OpenMP threads
 * copy it. */
R1_MUST_USE r1_status r1_ckpt_writer_open(r1_ckpt_writer **ret, const r1_layout *l, int index,
                                          uint32_t u0, uint32_t u1, int snapshot, int threads,
                                          r1_err *err);
void r1_ckpt_writer_close(r1_ckpt_writer *w); /* waits for the thread; NULL is fine */

/* Begin to write into the directory tmp.  With a snapshot w, m, v are free to change on return, else
 * only after the wait.  None may be under way. */
R1_MUST_USE r1_status r1_ckpt_writer_start(r1_ckpt_writer *x, const char *tmp, const float *w,
                                           const float *m, const float *v, r1_err *err);
/* Is the thread still at work? */
int r1_ckpt_writer_busy(const r1_ckpt_writer *x);
/* Wait for the end: what the thread came to. */
R1_MUST_USE r1_status r1_ckpt_writer_wait(r1_ckpt_writer *x, r1_ckpt_shard *ret, r1_err *err);

#endif
