#include "common/base/hash.h"

#include "common/base/card.h"

#include <stdio.h>
#ifdef R1_XXH_DISPATCH
#include <xxh_x86dispatch.h> /* XXH3_64bits is that of the widest vectors from here on */
#else
#include <xxhash.h>
#endif

#define PIECE 4096

uint64_t r1_hash64(const void *bytes, size_t n) {
    if (n >= PIECE)
        r1_tick(); /* whoever hashes so much reads, writes or checks a file or weights */
    return XXH3_64bits(bytes, n);
}

void r1_hash_text(uint64_t h, char out[17]) {
    snprintf(out, 17, "%016llx", (unsigned long long)h);
}
