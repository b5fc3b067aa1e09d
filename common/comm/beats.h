#ifndef R1_COMM_BEATS_H
#define R1_COMM_BEATS_H
/* Heartbeats between nodes (inside common/comm only): every half second or more often a node's leader sends the
 * other leaders what its node's cards say, and copies what they sent to its own board.
 *
 * Only the thread that talks MPI can do that, so it happens while the leader waits, and between pieces
 * of its work.  A message that is still on its way is not followed by another. */
#include "common/base/card.h"
#include "common/comm/world.h"

/* Collective over all ranks.  cards [all.size] of this node's board. */
R1_MUST_USE r1_status r1_beats_open(const r1_world *w, r1_card *cards, r1_err *err);
void r1_beats_close(void); /* Collective over the leaders. */

/* Cheap: acts twice a second, in the thread that opened. */
void r1_beats_exchange(void);

#endif
