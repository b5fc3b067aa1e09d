#include "common/base/hash.h"

#include "common/base/card.h"

#include <stdio.h>
#include <xxhash.h>

uint64_t r1_hash64(const void *bytes, size_t n) {
    r1_tick(); /* whoever hashes reads, writes or checks a piece of something */
    return XXH3_64bits(bytes, n);
}

void r1_hash_text(uint64_t h, char out[17]) {
    snprintf(out, 17, "%016llx", (unsigned long long)h);
}
