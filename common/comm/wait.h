#ifndef R1_COMM_WAIT_H
#define R1_COMM_WAIT_H
/* The one function through which every wait goes (inside common/comm only). */
#include "common/comm/world.h"

#include <mpi.h>

/* Poll a request until it completes: a short spin, then naps of 20 to 200 us.  When the deadline
 * passes: a report of who waits for whom in which phase for how many bytes, and R1_PEER. */
R1_MUST_USE r1_status r1_wait(MPI_Request *request, const char *what, int peer, size_t bytes,
                              r1_err *err);
/* Sleep step number `n` of a polling loop. */
void r1_wait_nap(int n);
double r1_wait_deadline(void);
r1_status r1_wait_expired(const char *what, int peer, size_t bytes, double waited_s, r1_err *err);

R1_MUST_USE r1_status r1_mpi_check(int rc, const char *call, r1_err *err);
static inline MPI_Comm r1_mpi(const r1_comm *c) {
    return *(MPI_Comm *)c->mpi;
}

#endif
