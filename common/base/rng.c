/* Philox4x32-10; see rng.h. */
#include "common/base/rng.h"

#include <math.h>

void r1_philox4x32(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]) {
    uint32_t k0 = key[0], k1 = key[1];
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];

    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0;
        uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        uint32_t n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;

        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

static void draw(const r1_rng_key *key, uint32_t c0, uint32_t out[4]) {
    uint32_t k[2] = {(uint32_t)key->seed, (uint32_t)(key->seed >> 32)};
    uint32_t c[4] = {c0, (uint32_t)key->index, (uint32_t)(key->index >> 32),
                     key->purpose << 24 | (key->stage & 0xffu) << 16 | (key->sample & 0xffffu)};

    r1_philox4x32(k, c, out);
}

uint32_t r1_rng_u32(const r1_rng_key *key, uint32_t c0) {
    uint32_t out[4];

    draw(key, c0, out);
    return out[0];
}

double r1_rng_normal(const r1_rng_key *key, uint32_t c0) {
    uint32_t out[4];

    draw(key, c0, out);
    double u1 = ((double)out[0] + 1.0) * 0x1p-32; /* (0, 1]: the logarithm is finite */
    double u2 = (double)out[1] * 0x1p-32;
    return sqrt(-2.0 * log(u1)) * cos(2.0 * 3.14159265358979323846 * u2);
}

void r1_rng_permutation(const r1_rng_key *key, uint32_t *perm, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        perm[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = r1_rng_below(key, i - 1, i);
        uint32_t t = perm[i - 1];
        perm[i - 1] = perm[j];
        perm[j] = t;
    }
}
