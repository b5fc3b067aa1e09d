#ifndef R1_LEARNER_CUT_H
#define R1_LEARNER_CUT_H
/* How an update is cut: its items over the leaves of the summation tree, a leaf's over micro-batches.
 *
 * A pure function of the items' order and lengths, of max_tokens and the number of leaves, so every
 * learner knows the whole cut, whichever leaves are its own.  The counts say how evenly learners are
 * busy: they wait for the one with the most micro-batches, and an empty leaf keeps nobody busy. */
#include "common/metrics/metrics.h"
#include "learner/packing.h"

#define R1_CUT_PIECES 4096 /* most pieces of a micro-batch */

typedef struct r1_cut {
    int micro_batches;
    int micro_batches_max; /* of the leaf with most */
    int leaf_items_max;    /* items of the fullest leaf */
    int leaf_items_min;    /* of the emptiest one that has work; 0: none has */
    int empty_leaves;      /* without work */
    int items_cut;         /* their completions stand in more than one micro-batch */
} r1_cut;

/* The items of one leaf in order of position, those with skip (may be NULL) left out: fills order,
 * room for n_items, and returns their number. */
int r1_cut_leaf(const uint8_t *skip, int n_items, int leaves, int leaf, int *order);

/* The cut of one update; order: room for n_items. */
void r1_cut_measure(const r1_item *items, const uint8_t *skip, int n_items, int leaves,
                    int max_tokens, int *order, r1_cut *ret);

/* Over the updates of a step: counts of micro-batches and cut items are added, the others keep their
 * extremes.  An r1_cut of zeros is none yet. */
void r1_cut_add(r1_cut *sum, const r1_cut *x);

/* batch/micro_batches, batch/micro_batches_max, batch/leaf_items_min, batch/leaf_items_max,
 * batch/empty_leaves, batch/groups_cut. */
void r1_cut_record(const r1_cut *c, r1_record *rec);

#endif
