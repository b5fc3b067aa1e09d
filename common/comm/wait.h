#ifndef R1_COMM_WAIT_H
#define R1_COMM_WAIT_H
/* The one way to wait for another rank (inside common/comm only).
 *
 * A wait has no time limit of its own: peers may work for hours.  It expires when nothing has moved
 * for the deadline: neither the rank that it waits for nor, when that one waits itself, the rank that
 * this one waits for, and so on (board.h).  Time in which this process did not run (it was stopped, the
 * job was suspended) does not count. */
#include "common/comm/world.h"

#include <mpi.h>

/* A polling loop:
 *     r1_wait_begin(&w, "prompts", peer, bytes);
 *     while (!ready() && st == R1_OK)
 *         st = r1_wait_round(&w, err);
 *     r1_wait_end(&w);
 * peer: rank in the world (r1_comm.world); -1: all or any.  what is not copied. */
typedef struct r1_waiter {
    const char *what;
    int peer, rounds, said;
    size_t bytes;
    uint64_t moves;        /* of those waited for, when last looked at */
    double t_last_s, t0_s; /* clock at the last look, at the beginning */
    double idle_s;         /* since something moved */
} r1_waiter;

void r1_wait_begin(r1_waiter *w, const char *what, int peer, size_t bytes);
/* A short spin, then naps of 20 to 200 us.  R1_PEER: it expired (the message says who waits for whom
 * in which phase for how many bytes, and who is silent), or another rank is ending the run. */
R1_MUST_USE r1_status r1_wait_round(r1_waiter *w, r1_err *err);
void r1_wait_end(r1_waiter *w);

/* Poll a request until it completes. */
R1_MUST_USE r1_status r1_wait(MPI_Request *request, const char *what, int peer, size_t bytes,
                              r1_err *err);

R1_MUST_USE r1_status r1_mpi_check(int rc, const char *call, r1_err *err);
static inline MPI_Comm r1_mpi(const r1_comm *c) {
    return *(MPI_Comm *)c->mpi;
}

#endif
