#ifndef R1_COMM_MAILBOX_H
#define R1_COMM_MAILBOX_H
/* Messages from one rank to another, with a kind: requests, deals and trajectories of split mode.
 *
 * Both sides go through the one wait with a deadline.  Messages between a pair of ranks arrive in
 * the order in which they were sent. */
#include "common/base/mem.h"
#include "common/comm/world.h"

typedef enum r1_mail_kind {
    R1_MAIL_REQUEST = 1, /* learner 0 -> actor: work (r1_rollout_request), or nothing: go home */
    R1_MAIL_PULL,        /* actor -> learner 0: give me prompts */
    R1_MAIL_DEAL,        /* learner 0 -> actor: first index and count; count 0: none left */
    R1_MAIL_GROUP,       /* actor -> learner 0: one msgpack group */
    R1_MAIL_WEIGHTS, /* learner 0 -> leader of a node without learners: version and payload hash;
                          * the weights follow (spread.h) */
    R1_MAIL_DONE     /* actor -> learner 0: request served; seconds busy and waiting */
} r1_mail_kind;

/* Returns when the bytes may be used again. */
R1_MUST_USE r1_status r1_mail_send(const r1_comm *c, int to, r1_mail_kind kind, const void *data,
                                   size_t n, const char *what, r1_err *err);

/* The next message from anyone (from = -1) or from one rank: its bytes replace what in holds. */
R1_MUST_USE r1_status r1_mail_receive(const r1_comm *c, int from, r1_buf *in, int *ret_from,
                                      r1_mail_kind *ret_kind, const char *what, r1_err *err);

#endif
