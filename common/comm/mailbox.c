/* Point-to-point messages; see mailbox.h. */
#include "common/comm/mailbox.h"

#include "common/base/trace.h"
#include "common/comm/wait.h"

#include <limits.h>

r1_status r1_mail_send(const r1_comm *c, int to, r1_mail_kind kind, const void *data, size_t n,
                       const char *what, r1_err *err) {
    MPI_Request req;
    r1_status st;

    R1_TRACE();
    if (n > INT_MAX)
        return R1_FAIL(err, R1_USAGE, "%s: a message of %zu bytes is too large", what, n);
    R1_TRY(r1_mpi_check(MPI_Isend(data, (int)n, MPI_BYTE, to, (int)kind, r1_mpi(c), &req),
                        "MPI_Isend", err));
    st = r1_wait(&req, what, to, n, err);
done:
    return st;
}

/* Wait for a message to be there; it can then be received by nobody else. */
static r1_status match(const r1_comm *c, int from, MPI_Message *message, MPI_Status *status,
                       const char *what, r1_err *err) {
    r1_waiter w;
    int there = 0;
    r1_status st = R1_OK;

    r1_wait_begin(&w, what, from, 0);
    for (;;) {
        st = r1_mpi_check(MPI_Improbe(from < 0 ? MPI_ANY_SOURCE : from, MPI_ANY_TAG, r1_mpi(c),
                                      &there, message, status),
                          "MPI_Improbe", err);
        if (st != R1_OK || there)
            break;
        if ((st = r1_wait_round(&w, err)) != R1_OK)
            break;
    }
    r1_wait_end(&w);
    return st;
}

r1_status r1_mail_receive(const r1_comm *c, int from, r1_buf *in, int *ret_from,
                          r1_mail_kind *ret_kind, const char *what, r1_err *err) {
    MPI_Message message;
    MPI_Request req;
    MPI_Status status;
    int n;
    r1_status st;

    R1_TRY(match(c, from, &message, &status, what, err));
    MPI_Get_count(&status, MPI_BYTE, &n);
    r1_buf_clear(in);
    R1_TRY(r1_buf_extend(in, (size_t)n, err));
    R1_TRY(r1_mpi_check(MPI_Imrecv(in->data, n, MPI_BYTE, &message, &req), "MPI_Imrecv", err));
    R1_TRY(r1_wait(&req, what, status.MPI_SOURCE, (size_t)n, err));
    *ret_from = status.MPI_SOURCE;
    *ret_kind = (r1_mail_kind)status.MPI_TAG;
done:
    return st;
}
