#ifndef R1_COMM_COLLECT_H
#define R1_COMM_COLLECT_H
/* Collectives on bytes, each with a deadline.  All are Collective over the communicator; `what` names
 * the wait in messages. */
#include "common/base/mem.h"
#include "common/comm/world.h"

R1_MUST_USE r1_status r1_barrier(const r1_comm *c, const char *what, r1_err *err);

/* root's n bytes to everyone. */
R1_MUST_USE r1_status r1_bcast(const r1_comm *c, void *data, size_t n, int root, const char *what,
                               r1_err *err);

/* Everyone's n bytes, in rank order, into all [size * n]. */
R1_MUST_USE r1_status r1_allgather(const r1_comm *c, const void *mine, size_t n, void *all,
                                   const char *what, r1_err *err);

/* Everyone's bytes of any length.  all receives them in rank order, sizes [size] their lengths. */
R1_MUST_USE r1_status r1_allgatherv(const r1_comm *c, const void *mine, size_t n, r1_buf *all,
                                    size_t *sizes, const char *what, r1_err *err);

/* Do all ranks say R1_OK?  Returns the same status everywhere: the first failing rank's, with its
 * message ("rank 2: ...").  A no-op that costs one small collective when all is well. */
R1_MUST_USE r1_status r1_agree(const r1_comm *c, r1_status mine, r1_err *err);

/* Do all ranks of the world say the same?  If not: R1_USAGE with what two hosts say of `what`. */
R1_MUST_USE r1_status r1_agree_text(const r1_world *w, const char *mine, const char *what,
                                    r1_err *err);

/* Largest of everyone's value. */
R1_MUST_USE r1_status r1_allmax(const r1_comm *c, int64_t *value, const char *what, r1_err *err);

#endif
