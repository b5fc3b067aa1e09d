/* IEEE binary16 conversions in integer arithmetic: the same bits on every machine. */
#include "common/base/dtype.h"

float r1_f16_to_f32(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    uint32_t exp = (h >> 10) & 0x1fu;
    uint32_t frac = h & 0x3ffu;
    uint32_t u;
    float f;

    if (exp == 0x1f) {
        u = sign | 0x7f800000u | (frac << 13);
    } else if (exp != 0) {
        u = sign | ((exp + 112) << 23) | (frac << 13);
    } else if (frac == 0) {
        u = sign;
    } else { /* subnormal: shift the leading one into place */
        uint32_t e = 113;
        while (!(frac & 0x400u)) {
            frac <<= 1;
            e--;
        }
        u = sign | (e << 23) | ((frac & 0x3ffu) << 13);
    }
    memcpy(&f, &u, 4);
    return f;
}

uint16_t r1_f32_to_f16(float f) {
    uint32_t u;
    memcpy(&u, &f, 4);
    uint16_t sign = (uint16_t)((u >> 16) & 0x8000u);
    uint32_t mag = u & 0x7fffffffu;

    if (mag > 0x7f800000u)
        return (uint16_t)(sign | 0x7e00u | ((mag >> 13) & 0x1ffu));
    if (mag >= 0x477ff000u) /* 65520 and above round to infinity */
        return (uint16_t)(sign | 0x7c00u);
    if (mag < 0x33000001u) /* 2^-25 and below round to zero */
        return sign;

    uint32_t exp = mag >> 23;
    uint32_t frac = (mag & 0x7fffffu) | 0x800000u;
    uint32_t shift = exp < 113 ? 126 - exp : 13; /* bits to drop */
    uint32_t half = 1u << (shift - 1);
    uint32_t kept = frac >> shift;
    uint32_t rest = frac & ((1u << shift) - 1);

    if (rest > half || (rest == half && (kept & 1u)))
        kept++;
    if (exp < 113)
        return (uint16_t)(sign | kept); /* a carry makes the smallest normal number: right */
    return (uint16_t)(sign | (kept + ((exp - 113) << 10)));
}
