#ifndef R1_COMM_BOARD_H
#define R1_COMM_BOARD_H
/* The cards of all ranks, side by side in memory that the node shares (inside common/comm only).
 *
 * Ranks of this node write their own cards; those of other nodes are copied in by the node's leader,
 * from small messages that leaders send each other (beats.h).  So everyone can see who moves, who waits
 * for whom, and who is silent, without disturbing anyone.
 *
 * The board also holds the first cause of an end: the rank that claims it speaks last (watchdog.h). */
#include "common/base/card.h"
#include "common/comm/world.h"

/* Collective over all ranks, once the nodes are known. */
R1_MUST_USE r1_status r1_board_open(const r1_world *w, r1_err *err);
/* This rank is done: from now on its end is no accident. */
void r1_board_leave(void);
void r1_board_close(void); /* Collective over the node. */

/* A number that changes when a rank moves that `peer` (-1: all) depends on: the peer itself and,
 * while it waits, whom it waits for.  Ranks that wait for each other keep nobody alive. */
uint64_t r1_board_moves(int peer);

/* ---- for reports ---- */

void r1_board_describe(int rank, char *buf, unsigned size);
void r1_board_describe_mine(char *buf, unsigned size);
/* "; rank 2 (pid 77) is silent since 12 s: ..." of each process of this node that does not run. */
void r1_board_describe_silent(char *buf, unsigned size);

/* ---- for the watchdog thread ---- */

/* Note whose threads run.  Returns a rank of this node whose process is gone, or -1. */
int r1_board_look(void);

/* ---- the end ---- */

/* 1: the cause is this caller's to tell, and others says what each other rank of the node was doing
 * then, line by line; 0: another rank, or another thread, was first. */
int r1_board_claim(int exit_code, const char *cause, char *others, unsigned size);
/* Has a rank claimed the end?  Then fills err (may be NULL) with its cause. */
int r1_board_ending(r1_err *err);
int r1_board_end_is_mine(void);
int r1_board_exit_code(void);

#endif
