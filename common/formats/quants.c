/* Blocks of quantised weights; see quants.h. */
#include "common/formats/quants.h"

#include "common/base/dtype.h"

#include <string.h>

const r1_type_info r1_type_infos[R1_TENSOR_TYPE_COUNT] = {
#define X(name, text, id, elements, bytes) {text, id, elements, bytes},
    R1_TENSOR_TYPES(X)
#undef X
};

static float half_at(const uint8_t *p) {
    uint16_t h;
    memcpy(&h, p, 2);
    return r1_f16_to_f32(h);
}

/* Q4_0, Q4_1: 32 values of 4 bits, low nibbles first. */
static void decode_q4(const uint8_t *b, int with_min, float *out) {
    float d = half_at(b), m = with_min ? half_at(b + 2) : 0.0f;
    const uint8_t *qs = b + (with_min ? 4 : 2);

    for (int j = 0; j < 16; j++) {
        int lo = qs[j] & 0xf, hi = qs[j] >> 4;
        out[j] = with_min ? (float)lo * d + m : (float)(lo - 8) * d;
        out[j + 16] = with_min ? (float)hi * d + m : (float)(hi - 8) * d;
    }
}

/* Q5_0, Q5_1: the fifth bits stand together in 32 bits. */
static void decode_q5(const uint8_t *b, int with_min, float *out) {
    float d = half_at(b), m = with_min ? half_at(b + 2) : 0.0f;
    const uint8_t *qs = b + (with_min ? 8 : 6);
    uint32_t qh;

    memcpy(&qh, b + (with_min ? 4 : 2), 4);
    for (int j = 0; j < 16; j++) {
        int lo = (int)((qs[j] & 0xfu) | (qh >> j << 4 & 0x10u));
        int hi = (int)((qs[j] >> 4) | (qh >> (j + 12) & 0x10u));
        out[j] = with_min ? (float)lo * d + m : (float)(lo - 16) * d;
        out[j + 16] = with_min ? (float)hi * d + m : (float)(hi - 16) * d;
    }
}

static void decode_q8_0(const uint8_t *b, float *out) {
    float d = half_at(b);

    for (int j = 0; j < 32; j++)
        out[j] = (float)(int8_t)b[2 + j] * d;
}

/* scales[16] (scale low, minimum high nibble), qs[64], d, dmin: 16 groups of 16 2-bit values. */
static void decode_q2_k(const uint8_t *b, float *out) {
    const uint8_t *q = b + 16;
    float d = half_at(b + 80), dmin = half_at(b + 82);

    for (int g = 0; g < 16; g++) {
        float dl = d * (float)(b[g] & 0xf), ml = dmin * (float)(b[g] >> 4);
        for (int l = 0; l < 16; l++) {
            int v = q[g / 8 * 32 + g % 2 * 16 + l] >> (g % 8 / 2 * 2) & 3;
            *out++ = dl * (float)v - ml;
        }
    }
}

/* hmask[32], qs[64], scales[12] (16 of 6 bits), d. */
static void decode_q3_k(const uint8_t *b, float *out) {
    const uint8_t *hm = b, *q = b + 32, *s = b + 96;
    float d = half_at(b + 108);

    for (int g = 0; g < 16; g++) {
        int low = g < 8 ? s[g] & 0xf : s[g - 8] >> 4;
        int scale = low | (s[8 + g % 4] >> (g / 4 * 2) & 3) << 4;
        float dl = d * (float)(scale - 32);
        for (int l = 0; l < 16; l++) {
            int at = g % 2 * 16 + l;
            int v = q[g / 8 * 32 + at] >> (g % 8 / 2 * 2) & 3;
            *out++ = dl * (float)(v - (hm[at] >> (g / 2) & 1 ? 0 : 4));
        }
    }
}

/* Scale and minimum j (of 8) in the 12 bytes of Q4_K and Q5_K. */
static void scale_min(const uint8_t *s, int j, int *scale, int *min) {
    if (j < 4) {
        *scale = s[j] & 63;
        *min = s[j + 4] & 63;
    } else {
        *scale = (s[j + 4] & 0xf) | s[j - 4] >> 6 << 4;
        *min = s[j + 4] >> 4 | s[j] >> 6 << 4;
    }
}

/* d, dmin, scales[12], (Q5_K: qh[32]), qs[128]: 8 groups of 32 values. */
static void decode_q45_k(const uint8_t *b, int five, float *out) {
    const uint8_t *qh = b + 16, *q = b + (five ? 48 : 16);
    float d = half_at(b), dmin = half_at(b + 2);

    for (int g = 0; g < 8; g++) {
        int scale, min;
        scale_min(b + 4, g, &scale, &min);
        float dl = d * (float)scale, ml = dmin * (float)min;
        for (int l = 0; l < 32; l++) {
            int v = q[g / 2 * 32 + l] >> (g % 2 * 4) & 0xf;
            v += five && (qh[l] >> g & 1) ? 16 : 0;
            *out++ = dl * (float)v - ml;
        }
    }
}

/* ql[128], qh[64], scales[16] (signed), d. */
static void decode_q6_k(const uint8_t *b, float *out) {
    const uint8_t *ql = b, *qh = b + 128, *scales = b + 192;
    float d = half_at(b + 208);

    for (int i = 0; i < 256; i++) {
        int half = i / 128, group = i % 128 / 32, l = i % 32; /* group: which two high bits */
        int low = ql[half * 64 + group % 2 * 32 + l] >> (group / 2 * 4) & 0xf;
        int high = qh[half * 32 + l] >> (group * 2) & 3;
        float dl = d * (float)(int8_t)scales[half * 8 + group * 2 + l / 16];
        out[i] = dl * (float)((low | high << 4) - 32);
    }
}

static const int8_t nonlinear[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                     1,    13,   25,  38,  53,  69,  89,  113};

static void decode_nonlinear(const uint8_t *qs, float d, float *out) {
    for (int j = 0; j < 16; j++) {
        out[j] = d * (float)nonlinear[qs[j] & 0xf];
        out[j + 16] = d * (float)nonlinear[qs[j] >> 4];
    }
}

/* d, high bits of 8 scales in 16 bits, scales_l[4], qs[128]. */
static void decode_iq4_xs(const uint8_t *b, float *out) {
    float d = half_at(b);
    uint16_t high;

    memcpy(&high, b + 2, 2);
    for (int g = 0; g < 8; g++) {
        int scale = (b[4 + g / 2] >> (g % 2 * 4) & 0xf) | (high >> (2 * g) & 3) << 4;
        decode_nonlinear(b + 8 + 16 * g, d * (float)(scale - 32), out + 32 * g);
    }
}

#define PLAIN(type, expr)            \
    {                                \
        type x;                      \
        memcpy(&x, block, sizeof x); \
        *out = (expr);               \
        break;                       \
    }

void r1_block_decode(r1_tensor_type type, const uint8_t *block, float *out) {
    switch (type) {
    case R1_TENSOR_F32:
        PLAIN(float, x)
    case R1_TENSOR_F16:
        PLAIN(uint16_t, r1_f16_to_f32(x))
    case R1_TENSOR_BF16:
        PLAIN(uint16_t, r1_bf16_to_f32(x))
    case R1_TENSOR_F64:
        PLAIN(double, (float)x)
    case R1_TENSOR_I32:
        PLAIN(int32_t, (float)x)
    case R1_TENSOR_I64:
        PLAIN(int64_t, (float)x)
    case R1_TENSOR_Q4_0:
    case R1_TENSOR_Q4_1:
        decode_q4(block, type == R1_TENSOR_Q4_1, out);
        break;
    case R1_TENSOR_Q5_0:
    case R1_TENSOR_Q5_1:
        decode_q5(block, type == R1_TENSOR_Q5_1, out);
        break;
    case R1_TENSOR_Q8_0:
        decode_q8_0(block, out);
        break;
    case R1_TENSOR_Q2_K:
        decode_q2_k(block, out);
        break;
    case R1_TENSOR_Q3_K:
        decode_q3_k(block, out);
        break;
    case R1_TENSOR_Q4_K:
    case R1_TENSOR_Q5_K:
        decode_q45_k(block, type == R1_TENSOR_Q5_K, out);
        break;
    case R1_TENSOR_Q6_K:
        decode_q6_k(block, out);
        break;
    case R1_TENSOR_IQ4_NL:
        decode_nonlinear(block + 2, half_at(block), out);
        break;
    case R1_TENSOR_IQ4_XS:
        decode_iq4_xs(block, out);
        break;
    case R1_TENSOR_TYPE_COUNT:
        break;
    }
}
