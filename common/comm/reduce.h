#ifndef R1_COMM_REDUCE_H
#define R1_COMM_REDUCE_H
/* One sum, whatever the number of learners.
 *
 * A batch is dealt over V virtual learners = leaves of a complete binary tree (V a power of two).
 * The gradient is the sum along this tree: ((l0 + l1) + (l2 + l3)) + ...; a leaf without work is left
 * out (its sibling stands for both).  R <= V learner ranks own one subtree each (unequal ones if R is
 * no power of two), so each adds its leaves by itself and the ranks' sums are joined along the rest
 * of the same tree: the bits do not depend on R. */
#include "common/comm/window.h"

/* Leaf of the item at `position` of an update: the bit reversal of position mod v. */
int r1_leaf_of(uint64_t position, int v);

/* Leaves [*lo, *hi) of rank `rank` of `ranks`. */
void r1_leaf_range(int v, int ranks, int rank, int *lo, int *hi);

/* Sums a rank's leaves in tree order, with ceil(log2 leaves) + 1 buffers of n floats.  The first one
 * is the caller's (the rank's shared segment): the final sum stands there. */
typedef void (*r1_add_fn)(const void *ctx, float *y, const float *x, size_t n); /* y += x */

typedef struct r1_leaf_stack {
    size_t n;
    int n_buffers, n_free;
    float *buffers[16];
    int free_list[16];
    int depth, level[16], buffer[16]; /* entries; buffer -1: absent */
    r1_add_fn add;
    const void *ctx;
} r1_leaf_stack;

int r1_leaf_buffers(int leaves); /* how many buffers the stack needs */
void r1_leaf_stack_init(r1_leaf_stack *s, float *const *buffers, int n_buffers, size_t n,
                        r1_add_fn add, const void *ctx);
/* A zeroed buffer for the next leaf's gradient. */
float *r1_leaf_begin(r1_leaf_stack *s);
/* The leaf is complete; present 0: it had no work (the buffer was not touched). */
void r1_leaf_end(r1_leaf_stack *s, int present);
/* After the last leaf: 1 and the sum moved into buffers[0]; 0: all leaves were empty. */
int r1_leaf_stack_finish(r1_leaf_stack *s);

/* Collective over the learners of one node.  Each learner r has its sum in segments[r] (present[r]);
 * writes the total of elements [first, first + n) into out.  scratch: r1_reduce_scratch floats. */
#define R1_REDUCE_BLOCK 16384
size_t r1_reduce_scratch(void);
void r1_reduce_shard(float *const *segments, const int *present, int ranks, int v, size_t first,
                     size_t n, r1_add_fn add, const void *ctx, float *scratch, float *out);

#endif
