#ifndef R1_TESTS_MODEL_KIT_H
#define R1_TESTS_MODEL_KIT_H
/* What the tests of the model share: an opened model with weights, keys and values and workspace, and
 * a builder of batches.  Everything fails the running cmocka test instead of returning a status. */
#include "tests/unit/unit.h"

#include "common/model/model.h"

#define KIT_MAX_ROWS   4096
#define KIT_MAX_SEQS   160
#define KIT_MAX_BLOCKS 64 /* of one sequence */

typedef struct kit {
    r1_ops *ops;
    r1_model model;
    float *w; /* flat space */
    uint8_t *payload;
    r1_kv kv;
    r1_slab payload_slab, ws_slab;
    r1_arena ws;
} kit;

/* 0 if this machine lacks the path for this dtype.  Weights are zero until kit_random or a loader
 * fills w; kit_pack makes the payload. */
int kit_open(kit *k, const r1_arch *arch, r1_dtype dtype, const char *path, int threads, int rows);
void kit_close(kit *k);
void kit_pack(kit *k);
/* Every tensor random (norms around 1, biases not zero), so that nothing cancels by being 0 or 1. */
void kit_random(kit *k, uint64_t seed);

/* n ids below vocab, the same for the same seed. */
void kit_ids(int32_t *ids, int n, int vocab, uint64_t seed);

/* Small descriptors: 0 llama (grouped, tied), 1 qwen2 (odd sizes, vocabulary over a panel), 2 qwen3
 * (untied, head_dim apart from hidden / heads), 3 llama with llama3 rope, untied. */
#define KIT_N_ARCHS 4
r1_arch kit_arch(int which);

/* Each (path, dtype) of this machine through fn. */
void kit_each_path(void (*fn)(const char *path, r1_dtype dtype));

typedef struct kit_seq {
    int32_t table[KIT_MAX_BLOCKS];
    int len; /* positions that have blocks */
} kit_seq;

/* Blocks for positions 0 .. len - 1. */
void kit_grow(kit *k, kit_seq *s, int len);
void kit_drop(kit *k, kit_seq *s);

typedef struct kit_batch {
    r1_batch b;
    int32_t ids[KIT_MAX_ROWS], pos[KIT_MAX_ROWS], out_rows[2 * KIT_MAX_ROWS];
    int32_t targets[2 * KIT_MAX_ROWS]; /* of out_rows */
    r1_span spans[KIT_MAX_SEQS];
    const int32_t *tables[KIT_MAX_SEQS];
    r1_attn_seq seqs[KIT_MAX_SEQS];
    int group_start[KIT_MAX_SEQS + 1];
    int n_seqs;
} kit_batch;

void kit_batch_begin(kit_batch *b);
/* Rows for ids[0..n) at positions pos.. of s, a sequence of its own in the batch, as the next group's
 * first sequence; returns the first row. */
int kit_batch_add(kit_batch *b, const kit_seq *s, const int32_t *ids, int n, int pos);
/* The same as a member of the last group, behind prefix_len shared rows from prefix_row on. */
int kit_batch_add_member(kit_batch *b, const kit_seq *s, const int32_t *ids, int n, int prefix_row,
                         int prefix_len);
void kit_batch_out(kit_batch *b, int row, int32_t target);

/* Run the batch: hidden [n_out, D] in T into out (NULL: not wanted), logp and entropy [n_out] of the
 * targets. */
void kit_run(kit *k, const kit_batch *b, int mode, void *out, float *logp, float *entropy);

/* Run with a tape and the loss sum(dlogp * logp + dent * entropy); grad (flat, +=).  Returns the
 * loss. */
double kit_backward(kit *k, const kit_batch *b, int mode, const float *dlogp, const float *dent,
                    float *grad);

/* sqrt(sum (a - b)^2) / sqrt(sum b^2) */
double kit_rel(const float *a, const float *b, size_t n);

#endif
