#ifndef R1_FORMATS_QUANTS_H
#define R1_FORMATS_QUANTS_H
/* Element types of files and their conversion to fp32.
 *
 * A type is a run of blocks of `elements` values in `bytes` bytes (plain types: blocks of one).  The
 * block layouts are those of ggml (ggml-common.h); every value is computed by the same fp32
 * operations in the same order as there, so that it is the same to the bit. */
#include <stddef.h>
#include <stdint.h>

/* X(name in r1, name in files, id in GGUF or -1, elements in a block, bytes of a block) */
#define R1_TENSOR_TYPES(X)          \
    X(F32, "F32", 0, 1, 4)          \
    X(F16, "F16", 1, 1, 2)          \
    X(BF16, "BF16", 30, 1, 2)       \
    X(F64, "F64", 28, 1, 8)         \
    X(I32, "I32", 26, 1, 4)         \
    X(I64, "I64", 27, 1, 8)         \
    X(Q4_0, "Q4_0", 2, 32, 18)      \
    X(Q4_1, "Q4_1", 3, 32, 20)      \
    X(Q5_0, "Q5_0", 6, 32, 22)      \
    X(Q5_1, "Q5_1", 7, 32, 24)      \
    X(Q8_0, "Q8_0", 8, 32, 34)      \
    X(Q2_K, "Q2_K", 10, 256, 84)    \
    X(Q3_K, "Q3_K", 11, 256, 110)   \
    X(Q4_K, "Q4_K", 12, 256, 144)   \
    X(Q5_K, "Q5_K", 13, 256, 176)   \
    X(Q6_K, "Q6_K", 14, 256, 210)   \
    X(IQ4_NL, "IQ4_NL", 20, 32, 18) \
    X(IQ4_XS, "IQ4_XS", 23, 256, 136)

typedef enum r1_tensor_type {
#define X(name, text, id, elements, bytes) R1_TENSOR_##name,
    R1_TENSOR_TYPES(X)
#undef X
    R1_TENSOR_TYPE_COUNT
} r1_tensor_type;

#define R1_BLOCK_MAX 256 /* elements of the largest block */

typedef struct r1_type_info {
    const char *name;
    int gguf_id;
    size_t elements, bytes;
} r1_type_info;

extern const r1_type_info r1_type_infos[R1_TENSOR_TYPE_COUNT];

/* One block at any address -> its elements. */
void r1_block_decode(r1_tensor_type type, const uint8_t *block, float *out);

#endif
