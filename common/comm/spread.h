#ifndef R1_COMM_SPREAD_H
#define R1_COMM_SPREAD_H
/* The same bytes to several nodes: a binary tree of point-to-point chunks between node leaders.
 *
 * Each leader receives chunk after chunk into its place and passes it on to at most two others while
 * the next one is on its way, so the time is that of one copy plus the depth of the tree.  A leader
 * that has a free place says so to the one above it (a credit); before that, nothing is sent.  MPI's
 * own broadcast is not used: it knows no deadline, and no actor may be inside a collective with
 * learners. */
#include "common/comm/world.h"

#define R1_SPREAD_CHUNK ((size_t)2 << 20)

/* n bytes at data of node `root` to the other nodes of [first, end) (which need not contain root).
 * Called by the leaders of these nodes and of root, by nobody else, all with the same numbers. */
R1_MUST_USE r1_status r1_spread(const r1_world *w, int root, int first, int end, void *data,
                                size_t n, const char *what, r1_err *err);

#endif
