#ifndef R1_TOKENIZER_BPE_H
#define R1_TOKENIZER_BPE_H
/* Byte-pair merges (Sennrich et al. 2016, on bytes): of all neighbouring pairs of a piece the one
 * with the lowest rank is merged, the leftmost first among equals, until no pair has a rank.
 *
 * Symbols form a linked list and the pairs wait in a heap, so that a piece of n bytes takes
 * O(n log n), also where a text is one run of a million equal letters.  Ranks are found by a hash
 * of the two ids. */
#include "common/tokenizer/tokenizer.h"

typedef struct r1_merge {
    uint64_t pair; /* left id << 32 | right id */
    uint32_t rank;
    int32_t id; /* what the pair becomes */
} r1_merge;

typedef struct r1_bpe {
    r1_merge *merges; /* hash table; free slots have pair R1_NO_PAIR */
    uint64_t mask;
    int32_t byte_id[256]; /* id of each byte; -1: bytes that the vocabulary lacks are dropped */
    int32_t unk;          /* takes their place; -1 if there is none */
    int fuse_unk;         /* one for a run of them */
} r1_bpe;

#define R1_NO_PAIR UINT64_MAX

/* Reserve the table for n merges. */
R1_MUST_USE r1_status r1_bpe_reserve(r1_bpe *b, size_t n, r1_err *err);
/* A pair that is there already takes the new rank, as in Hugging Face's. */
void r1_bpe_add(r1_bpe *b, int32_t left, int32_t right, uint32_t rank, int32_t id);
void r1_bpe_done(r1_bpe *b);

/* Work space of one encoding; starts zeroed. */
typedef struct r1_bpe_work {
    struct r1_bpe_symbol *symbols;
    size_t cap_symbols;
    struct r1_bpe_entry *heap;
    size_t n_heap, cap_heap;
} r1_bpe_work;

void r1_bpe_work_done(r1_bpe_work *w);

/* Append the ids of one piece. */
R1_MUST_USE r1_status r1_bpe_encode(const r1_bpe *b, r1_bpe_work *w, const char *piece, size_t n,
                                    r1_ids *ids, r1_err *err);

#endif
