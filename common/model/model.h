#ifndef R1_MODEL_MODEL_H
#define R1_MODEL_MODEL_H
/* The model: one forward with four uses, and its backward.
 *
 * A batch is a ragged list of tokens, each (sequence, position).  Decoding is one token a sequence,
 * prefill a chunk of each, scoring whole sequences, training whole sequences with a tape.  Attention
 * reads keys and values through each sequence's table of blocks of 32 positions; sequences that name
 * the same block share it.  In all four uses the same kernels add in the same order, so a token's
 * log-probability does not depend on the batch it was computed in.
 *
 * A group's prompt is one sequence of its own (one span of rows, computed once).  Its full blocks are
 * named in every member's table; each member has a copy of the prompt's last, partly filled block
 * (r1_kv_copy_tail) and goes on in it.
 *
 * Memory: r1_forward_bytes says how much workspace a batch of a given size needs; the caller takes it
 * from its own slab.  Nothing here allocates after opening. */
#include "common/base/mem.h"
#include "common/model/layout.h"

/* ---- key/value pool ---- */
typedef struct r1_kv {
    int layers, kv_heads, head_dim;
    int n_blocks;
    r1_dtype dtype;
    size_t layer_bytes; /* bytes of one layer's blocks */
    uint8_t *k, *v;     /* [layers][n_blocks][kv_heads][32 * head_dim] in T */
    int32_t *free_list; /* stack of free blocks */
    int n_free;
    r1_slab slab;
} r1_kv;

size_t r1_kv_block_bytes(const r1_arch *arch, r1_dtype dtype); /* K and V of all layers */
R1_MUST_USE r1_status r1_kv_open(r1_kv *kv, const r1_arch *arch, r1_dtype dtype, int n_blocks,
                                 r1_err *err);
void r1_kv_close(r1_kv *kv);
int32_t r1_kv_take(r1_kv *kv); /* a block, or -1 when none is free */
void r1_kv_give(r1_kv *kv, int32_t block);
void r1_kv_reset(r1_kv *kv); /* all blocks free */
/* Copy the first `used` positions of block `from` into block `to`, all layers. */
void r1_kv_copy_tail(r1_kv *kv, int32_t from, int32_t to, int used);

/* ---- the opened model (no weights: those are a payload that the caller names at each call) ---- */
typedef struct r1_model {
    r1_arch arch;
    r1_layout layout;
    const r1_ops *ops;
    int max_len;    /* positions that cos_sin covers */
    float *cos_sin; /* [max_len][head_dim] */
} r1_model;

R1_MUST_USE r1_status r1_model_open(r1_model *m, const r1_arch *arch, const r1_ops *ops,
                                    int max_len, r1_err *err);
void r1_model_close(r1_model *m);

typedef struct r1_batch {
    int n_rows;
    const int32_t *ids; /* [n_rows] */
    const int32_t *pos; /* [n_rows] */
    int n_spans;        /* spans cover all rows, in row order */
    const r1_span *spans;
    const int32_t *const *tables; /* [sequences][blocks] */
    /* Rows whose final hidden state the head needs, in any order, with repetitions. */
    int n_out;
    const int32_t *out_rows; /* [n_out] */
    /* Training only: see r1_attn. */
    int n_groups;
    const int *group_start; /* [n_groups + 1] */
    const r1_attn_seq *seqs;
} r1_batch;

/* What backward needs of a forward; opaque, lives in the workspace. */
typedef struct r1_tape r1_tape;

/* Workspace for a batch of this many rows and out rows.  mode 0: no tape; 1: tape that keeps all
 * activations; 2: tape that keeps each layer's input and computes the rest again in backward.
 * Includes backward's own buffers where there is a tape. */
size_t r1_forward_bytes(const r1_model *m, int rows, int n_out, int mode);

/* Run the batch.  Keys and values of its rows are written into kv.  On return hidden [n_out, D] (in
 * T, inside the workspace) holds the normed final states of out_rows.  ret_tape NULL: no tape.
 * The arena's pieces stay in use until the caller releases them. */
void r1_forward(const r1_model *m, const void *payload, r1_kv *kv, const r1_batch *b, r1_arena *ws,
                int mode, void **ret_hidden, r1_tape **ret_tape);

/* logits [n, vocab padded to 64] fp32 of n hidden states. */
int r1_logits_ld(const r1_model *m);
void r1_head_logits(const r1_model *m, const void *payload, const void *hidden, int n,
                    float *logits);

/* The same of a reward model (arch.scores): one number [n] for each hidden state. */
void r1_head_scores(const r1_model *m, const void *payload, const void *hidden, int n, float *ret);

/* Rows that the head works on at once (logits exist only for this many rows). */
#define R1_HEAD_CHUNK 128

/* logp [n] of targets under softmax(logits * inv_t), entropy [n] (NULL: not wanted).  ws holds
 * R1_HEAD_CHUNK rows of logits (r1_head_bytes). */
size_t r1_head_bytes(const r1_model *m);
void r1_head_logprobs(const r1_model *m, const void *payload, const void *hidden, int n,
                      const int32_t *targets, float inv_t, r1_arena *ws, float *logp,
                      float *entropy);

/* What a loss says about n log-probabilities: dL/dlogp and dL/dentropy (may be left zero) for out
 * entries [first, first + n).  Called in ascending order, from one thread. */
typedef void (*r1_loss_fn)(void *ctx, int first, int n, const float *logp, const float *entropy,
                           float *ret_dlogp, float *ret_dent);

/* Head forward and backward in one pass over chunks: logp and entropy [n] out, dhidden [n, D] fp32
 * out (=), gradient of the head into the flat space `grad` (+=). */
void r1_head_backward(const r1_model *m, const void *payload, const void *hidden, int n,
                      const int32_t *targets, float inv_t, r1_loss_fn loss, void *ctx, r1_arena *ws,
                      float *logp, float *entropy, float *dhidden, float *grad);

/* Everything below the head: dhidden [n_out, D] fp32 -> grad (flat space, +=).  kv still holds the
 * forward's keys and values. */
void r1_backward(const r1_model *m, const void *payload, r1_kv *kv, const r1_batch *b,
                 r1_tape *tape, const float *dhidden, r1_arena *ws, float *grad);

#endif
