#ifndef R1_BASE_DTYPE_H
#define R1_BASE_DTYPE_H
/* Element types of weights and files, and exact scalar conversions between them. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef enum r1_dtype {
    R1_F32,
    R1_BF16, /* upper half of an IEEE binary32 */
    R1_F16,  /* IEEE binary16 */
} r1_dtype;

static inline size_t r1_dtype_bytes(r1_dtype t) {
    return t == R1_F32 ? 4 : 2;
}

/* "F32", "BF16", "F16": the names that safetensors uses. */
static inline const char *r1_dtype_name(r1_dtype t) {
    return t == R1_F32 ? "F32" : t == R1_BF16 ? "BF16" : "F16";
}

static inline float r1_bf16_to_f32(uint16_t b) {
    uint32_t u = (uint32_t)b << 16;
    float f;
    memcpy(&f, &u, 4);
    return f;
}

/* Round to nearest even; a NaN stays a (quiet) NaN. */
static inline uint16_t r1_f32_to_bf16(float f) {
    uint32_t u;
    memcpy(&u, &f, 4);
    if ((u & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)((u >> 16) | 0x40u);
    u += 0x7fffu + ((u >> 16) & 1u);
    return (uint16_t)(u >> 16);
}

float r1_f16_to_f32(uint16_t h);
uint16_t r1_f32_to_f16(float f); /* round to nearest even, overflow to infinity */

#endif
