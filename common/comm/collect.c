/* Collectives with deadlines; see collect.h. */
#include "common/comm/collect.h"

#include "common/comm/wait.h"

#include <stdio.h>
#include <string.h>

#define CHUNK ((size_t)1 << 30) /* MPI counts are int */

r1_status r1_barrier(const r1_comm *c, const char *what, r1_err *err) {
    MPI_Request req;
    r1_status st = r1_mpi_check(MPI_Ibarrier(r1_mpi(c), &req), what, err);

    return st == R1_OK ? r1_wait(&req, what, -1, 0, err) : st;
}

r1_status r1_bcast(const r1_comm *c, void *data, size_t n, int root, const char *what,
                   r1_err *err) {
    for (size_t at = 0; at < n; at += CHUNK) {
        size_t part = n - at < CHUNK ? n - at : CHUNK;
        MPI_Request req;
        r1_status st = r1_mpi_check(
            MPI_Ibcast((char *)data + at, (int)part, MPI_BYTE, root, r1_mpi(c), &req), what, err);
        if (st == R1_OK)
            st = r1_wait(&req, what, c->world[root], part, err);
        if (st != R1_OK)
            return st;
    }
    return R1_OK;
}

r1_status r1_allgather(const r1_comm *c, const void *mine, size_t n, void *all, const char *what,
                       r1_err *err) {
    MPI_Request req;

    R1_ASSERT(n <= CHUNK);
    r1_status st = r1_mpi_check(
        MPI_Iallgather(mine, (int)n, MPI_BYTE, all, (int)n, MPI_BYTE, r1_mpi(c), &req), what, err);
    return st == R1_OK ? r1_wait(&req, what, -1, n, err) : st;
}

r1_status r1_allgatherv(const r1_comm *c, const void *mine, size_t n, r1_buf *all, size_t *sizes,
                        const char *what, r1_err *err) {
    size_t total = 0;
    r1_status st = r1_allgather(c, &n, sizeof n, sizes, what, err);

    if (st != R1_OK)
        return st;
    for (int r = 0; r < c->size; r++)
        total += sizes[r];
    r1_buf_clear(all);
    for (int r = 0; r < c->size;
         r++) { /* one broadcast a rank: lengths may exceed what an int holds */
        size_t at = all->len;
        if (sizes[r] == 0)
            continue;
        if (r == c->rank) {
            st = r1_buf_add(all, mine, n, err);
        } else {
            static const char zeros[4096];
            for (size_t k = 0; k < sizes[r] && st == R1_OK; k += sizeof zeros)
                st = r1_buf_add(all, zeros,
                                sizes[r] - k < sizeof zeros ? sizes[r] - k : sizeof zeros, err);
        }
        if (st == R1_OK)
            st = r1_bcast(c, all->data + at, sizes[r], r, what, err);
        if (st != R1_OK)
            return st;
    }
    R1_ASSERT(all->len == total);
    return R1_OK;
}

r1_status r1_agree(const r1_comm *c, r1_status mine, r1_err *err) {
    struct {
        int status, rank;
    } in = {mine != R1_OK, -c->rank},
      out; /* MAXLOC prefers the lowest index: the first failing rank */
    char text[R1_ERR_MSG_MAX + 32] = "";
    int failed = mine == R1_OK ? R1_OK : (int)mine;
    MPI_Request req;
    r1_status st;

    in.rank = c->rank;
    st = r1_mpi_check(MPI_Iallreduce(&in, &out, 1, MPI_2INT, MPI_MAXLOC, r1_mpi(c), &req), "agree",
                      err);
    if (st == R1_OK)
        st = r1_wait(&req, "agreement of all ranks", -1, sizeof in, err);
    if (st != R1_OK)
        return st;
    if (!out.status)
        return R1_OK;
    if (out.rank == c->rank)
        snprintf(text, sizeof text, "%s", err ? err->msg : "failed");
    st = r1_bcast(c, &failed, sizeof failed, out.rank, "agree", err);
    if (st == R1_OK)
        st = r1_bcast(c, text, sizeof text, out.rank, "agree", err);
    if (st != R1_OK)
        return st;
    if (c->size > 1 && out.rank != c->rank)
        return R1_FAIL(err, (r1_status)failed, "rank %d: %.900s", out.rank, text);
    return (r1_status)failed;
}

r1_status r1_agree_text(const r1_world *w, const char *mine, const char *what, r1_err *err) {
    struct {
        char host[64], text[64];
    } here = {"", ""}, first;
    r1_status st;

    snprintf(here.host, sizeof here.host, "%s", w->host);
    snprintf(here.text, sizeof here.text, "%s", mine);
    first = here;
    R1_TRY(r1_bcast(&w->all, &first, sizeof first, 0, what, err));
    if (strcmp(first.text, here.text) != 0)
        st = R1_FAIL(err, R1_USAGE, "%s is %s on %s and %s on %s; name one that both can use", what,
                     first.text, first.host, here.text, here.host);
    st = r1_agree(&w->all, st, err);
done:
    return st;
}

r1_status r1_allmax(const r1_comm *c, int64_t *value, const char *what, r1_err *err) {
    int64_t out;
    MPI_Request req;
    r1_status st = r1_mpi_check(
        MPI_Iallreduce(value, &out, 1, MPI_INT64_T, MPI_MAX, r1_mpi(c), &req), what, err);

    if (st == R1_OK)
        st = r1_wait(&req, what, -1, sizeof out, err);
    if (st == R1_OK)
        *value = out;
    return st;
}
