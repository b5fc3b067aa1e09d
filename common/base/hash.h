#ifndef R1_BASE_HASH_H
#define R1_BASE_HASH_H
/* xxh3, 64 bits, seed 0: checksums of weights, files and problems. */
#include <stddef.h>
#include <stdint.h>

uint64_t r1_hash64(const void *bytes, size_t n);

/* 16 lower-case hex digits and a NUL. */
void r1_hash_text(uint64_t h, char out[17]);

#endif
