#ifndef R1_LEARNER_PACKING_H
#define R1_LEARNER_PACKING_H
/* From groups of sequences to the ragged batches that the model runs.
 *
 * An item is a prompt with n completions (GRPO), or with one (SFT; a plain text is a prompt of one
 * token and the rest).  Its prompt is one segment of rows, computed once for all completions; the
 * last token of a completion is a target only and needs no row.  A single completion continues its
 * prompt in one sequence.
 *
 * The cut of a leaf into micro-batches is a pure function of the items' order and lengths and of
 * max_tokens: items are taken in order while they fit.  An item above the limit is cut between its
 * completions, and its prompt is computed again in each piece.  Free memory, threads and ranks never
 * enter.  One completion with its prompt must fit: the caller has checked it. */
#include "common/model/model.h"

typedef struct r1_item {
    const int32_t *prompt; /* [prompt_len], prompt_len >= 1 */
    int prompt_len;
    int n;                     /* completions */
    const int32_t *const *ids; /* [n][lens[i]] */
    const int *lens;           /* [n]; 0: nothing to predict, no rows */
} r1_item;

/* Completions [first, first + n) of one item. */
typedef struct r1_piece {
    int item, first, n;
} r1_piece;

/* Where an out entry of the batch came from. */
typedef struct r1_origin {
    int item, member, token;
} r1_origin;

typedef struct r1_packed {
    r1_batch batch;
    int32_t *targets;   /* [batch.n_out] */
    r1_origin *origins; /* [batch.n_out], grouped by (item, member), tokens ascending */
    int n_blocks;       /* key/value blocks that the tables name: 0 .. n_blocks - 1 */
} r1_packed;

/* Rows of a piece (prompt included) and blocks of keys and values. */
int r1_piece_rows(const r1_item *item, int first, int n);
int r1_piece_blocks(const r1_item *item, int first, int n);

/* Take the next micro-batch from items order[0..n_order): starts at (*pos, *member), moves them
 * behind what it took, fills pieces (at most max_pieces) and returns their number; 0 at the end. */
int r1_pack_next(const r1_item *items, const int *order, int n_order, int max_tokens, int *pos,
                 int *member, r1_piece *pieces, int max_pieces);

/* Build the batch of these pieces; everything lives in the arena. */
void r1_pack_build(const r1_item *items, const r1_piece *pieces, int n_pieces, r1_arena *arena,
                   r1_packed *ret);

/* Upper bound of what r1_pack_build takes from the arena for this many rows and sequences. */
size_t r1_pack_bytes(int max_rows, int max_out, int max_sequences);

#endif
