#ifndef R1_COMM_WINDOW_H
#define R1_COMM_WINDOW_H
/* Memory that the ranks of a node share: the weight slots, and the learners' gradient sums.
 *
 * Weights exist once per node.  Slots 0 and 1 hold two versions in turn (one is read, the other is
 * written); slot 2, if asked for, the reference policy.  A version is published by a release store;
 * each rank has one word that says which slot it reads, and a slot is written only when nobody does.
 * Segments of rank r hold what that rank shares with the others (its gradient sum). */
#include "common/comm/world.h"

#include <stddef.h>

typedef struct r1_window {
    void *win; /* MPI_Win, owned */
    const r1_world *world;
    size_t slot_bytes;
    int n_slots;
    unsigned char *slots; /* in the node leader's segment */
    struct r1_window_head *head;
    float **segments; /* [node size] of each rank */
    size_t *segment_bytes;
} r1_window;

/* Collective over the node.  segment_bytes: what this rank shares (0: nothing).  Checks the space of
 * /dev/shm first: too little is R1_USAGE with both numbers, never SIGBUS. */
R1_MUST_USE r1_status r1_window_open(r1_window *w, const r1_world *world, size_t slot_bytes,
                                     int n_slots, size_t segment_bytes, r1_err *err);
void r1_window_close(r1_window *w); /* Collective over the node. */

void *r1_window_slot(const r1_window *w, int slot);

/* The published slot (0 or 1) and its version; the slot to be written is the other one. */
int r1_window_current(const r1_window *w, uint64_t *ret_version, uint64_t *ret_hash);

/* Called by the node's leader once everything is written and agreed on. */
void r1_window_publish(r1_window *w, int slot, uint64_t version, uint64_t hash);

/* Read the published slot, which must have this version and hash: waits until it has.  Until
 * r1_window_leave the slot is not written. */
R1_MUST_USE r1_status r1_window_enter(r1_window *w, uint64_t version, uint64_t hash, int *ret_slot,
                                      r1_err *err);
void r1_window_leave(r1_window *w);
/* Wait until no rank of the node reads `slot`. */
R1_MUST_USE r1_status r1_window_wait_unread(const r1_window *w, int slot, r1_err *err);

#endif
