#ifndef R1_LEARNER_RUNNER_H
#define R1_LEARNER_RUNNER_H
/* Micro-batches through the model: log-probabilities of completions, with or without gradients.
 *
 * The runner owns the workspace and the key/value blocks of one micro-batch; it is sized once for
 * the largest one that packing can produce.  Weights are a payload that the caller names. */
#include "learner/packing.h"

typedef struct r1_runner {
    const r1_model *model;
    int max_tokens, max_out, max_sequences, recompute;
    r1_kv kv;
    r1_slab slab;
    r1_arena ws;
} r1_runner;

/* Tokens [token, token + n) of one completion: their log-probs and entropies; a gradient call fills
 * dlogp and dent (zero on entry), a scoring call passes NULL for both. */
typedef void (*r1_member_fn)(void *ctx, int item, int member, int token, int n, const float *logp,
                             const float *entropy, float *ret_dlogp, float *ret_dent);

/* max_tokens: rows of a micro-batch; max_members: completions that one may hold.  with_grad 0: only
 * scoring. */
R1_MUST_USE r1_status r1_runner_open(r1_runner *r, const r1_model *model, int max_tokens,
                                     int max_members, int with_grad, int recompute, r1_err *err);
void r1_runner_close(r1_runner *r);
size_t r1_runner_bytes(const r1_model *model, int max_tokens, int max_members, int with_grad,
                       int recompute);

/* Forward of the pieces; fn sees every completion's tokens in order. */
void r1_runner_score(r1_runner *r, const void *payload, const r1_item *items,
                     const r1_piece *pieces, int n_pieces, float inv_t, r1_member_fn fn, void *ctx);

/* Forward and backward; the gradient is added to grad (flat space). */
void r1_runner_grad(r1_runner *r, const void *payload, const r1_item *items, const r1_piece *pieces,
                    int n_pieces, float inv_t, r1_member_fn fn, void *ctx, float *grad);

#endif
