#ifndef R1_COMM_REDUCE_H
#define R1_COMM_REDUCE_H
/* One sum, whatever the number of learners.
 *
 * A batch is dealt over V virtual learners = leaves of a complete binary tree (V a power of two).
 * The gradient is the sum along this tree: ((l0 + l1) + (l2 + l3)) + ...; a leaf without work is left
 * out (its sibling stands for both).  R <= V learner ranks own one subtree each (unequal ones if R is
 * no power of two), so each adds its leaves by itself and the ranks' sums are joined along the rest
 * of the same tree: the bits do not depend on R.
 *
 * A learner joins the elements of its own shard.  Sums of ranks of its node it reads out of their
 * shared segments.  The tree's largest subtrees that lie on one other node arrive as sums: one rank
 * there (another one for each receiver) joins them and sends them, piece by piece, while the piece
 * before is being received. */
#include "common/comm/world.h"

#include <stddef.h>

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

/* Elements of a piece that travels between nodes. */
#define R1_REDUCE_PIECE ((size_t)512 * 1024)

typedef struct r1_reducer_options {
    const r1_world *world;  /* learners and node_of */
    float *const *segments; /* [learners] the sum of each on this node; NULL: on another one */
    const size_t *first;    /* [learners + 1] shard r = elements [first[r], first[r + 1]) */
    int threads;
} r1_reducer_options;

typedef struct r1_reducer r1_reducer;

R1_MUST_USE r1_status r1_reducer_open(r1_reducer **ret, const r1_reducer_options *o, r1_err *err);
void r1_reducer_close(r1_reducer *r);
/* Private memory of learner `rank` of `learners`, whose ranks sit on nodes node_of. */
size_t r1_reducer_bytes(const int *node_of, int learners, int rank, int threads);

/* Collective over the learners.  present: has this learner's segment a sum, or were all its leaves
 * empty?  Writes the total of this learner's shard into out, zeros if everything was empty. */
R1_MUST_USE r1_status r1_reducer_run(r1_reducer *r, int present, float *out, r1_err *err);

#endif
