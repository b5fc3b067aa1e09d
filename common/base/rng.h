#ifndef R1_BASE_RNG_H
#define R1_BASE_RNG_H
/* Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers:
 * as easy as 1, 2, 3", SC11).
 *
 * Nothing here has state.  A draw is a pure function of the run's seed and of what it is for, so the
 * same draw comes out whoever makes it, in whatever order, on any number of ranks:
 *   key     = the 64-bit run seed (low word, high word)
 *   counter = c0: token (or element) index, c1/c2: deal index low/high, c3: purpose << 24 |
 *             stage << 16 | sample
 * Word 0 of the output is used; u = (x >> 8) * 2^-24 lies in [0, 1). */
#include <stdint.h>

typedef enum r1_rng_purpose {
    R1_RNG_SAMPLE = 1, /* a token of a training rollout: deal index, sample in the group, token */
    R1_RNG_EVAL,       /* the same in an evaluation: problem index */
    R1_RNG_GENERATE,   /* the same in r1-generate: row of the input file */
    R1_RNG_INIT,       /* weight initialisation: tensor ordinal, element */
    R1_RNG_SHUFFLE,    /* order of groups: update, position */
    R1_RNG_TASK,       /* procedural problems: problem index, word */
    R1_RNG_TRACE,      /* errors in worked traces: problem index, word */
    R1_RNG_EPOCH,      /* order of a file's rows: epoch, position */
} r1_rng_purpose;

typedef struct r1_rng_key {
    uint64_t seed;
    uint64_t index;   /* deal index, problem index, tensor ordinal, update ... */
    uint32_t purpose; /* r1_rng_purpose, below 256 */
    uint32_t stage;   /* below 256 */
    uint32_t sample;  /* below 65536 */
} r1_rng_key;

void r1_philox4x32(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]);

/* Draw number c0 under a key. */
uint32_t r1_rng_u32(const r1_rng_key *key, uint32_t c0);
static inline float r1_rng_unit(const r1_rng_key *key, uint32_t c0) {
    return (float)(r1_rng_u32(key, c0) >> 8) * 0x1p-24f;
}

/* Uniform in 0..n-1 (n >= 1) by multiply-shift of one draw: bias below n * 2^-32. */
static inline uint32_t r1_rng_below(const r1_rng_key *key, uint32_t c0, uint32_t n) {
    return (uint32_t)(((uint64_t)r1_rng_u32(key, c0) * n) >> 32);
}

/* Standard normal number c0 (Box-Muller over words 0 and 1, in double). */
double r1_rng_normal(const r1_rng_key *key, uint32_t c0);

/* perm[0..n-1] = a permutation of 0..n-1 (Fisher-Yates; draw i decides position i). */
void r1_rng_permutation(const r1_rng_key *key, uint32_t *perm, uint32_t n);

#endif
