#ifndef R1_KERNELS_SIMD_AVX2_H
#define R1_KERNELS_SIMD_AVX2_H
/* The vector vocabulary of rows.inc, matmul.inc and attention.inc on AVX2 + FMA (8 fp32 lanes). */
#include "common/base/dtype.h"

#include <immintrin.h>

#define VL 8
typedef __m256 vf;
typedef __m256i vi;
typedef __m256i vm;

static inline vm v_mask(int n) { /* the first n lanes, n clamped to 0..8 */
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
static inline vf v_zero(void) {
    return _mm256_setzero_ps();
}
static inline vf v_set(float x) {
    return _mm256_set1_ps(x);
}
static inline vf v_ld(const float *p) {
    return _mm256_loadu_ps(p);
}
static inline vf v_ldm(const float *p, vm m) {
    return _mm256_maskload_ps(p, m);
}
static inline void v_st(float *p, vf x) {
    _mm256_storeu_ps(p, x);
}
static inline void v_stm(float *p, vm m, vf x) {
    _mm256_maskstore_ps(p, m, x);
}
static inline vf v_add(vf a, vf b) {
    return _mm256_add_ps(a, b);
}
static inline vf v_sub(vf a, vf b) {
    return _mm256_sub_ps(a, b);
}
static inline vf v_mul(vf a, vf b) {
    return _mm256_mul_ps(a, b);
}
static inline vf v_div(vf a, vf b) {
    return _mm256_div_ps(a, b);
}
static inline vf v_max(vf a, vf b) {
    return _mm256_max_ps(a, b);
}
static inline vf v_sqrt(vf a) {
    return _mm256_sqrt_ps(a);
}
static inline vf v_fma(vf a, vf b, vf c) { /* a b + c */
    return _mm256_fmadd_ps(a, b, c);
}
static inline vf v_fnma(vf a, vf b, vf c) { /* c - a b */
    return _mm256_fnmadd_ps(a, b, c);
}
static inline vf v_select(vm m, vf yes, vf no) {
    return _mm256_blendv_ps(no, yes, _mm256_castsi256_ps(m));
}
static inline vf v_nearest(vf a) {
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline vf v_scale2(vf p, vf n) { /* p 2^n, n >= -126; infinity from 128 on */
    vi i = _mm256_cvtps_epi32(_mm256_min_ps(n, _mm256_set1_ps(128.0f)));
    vi e = _mm256_slli_epi32(_mm256_add_epi32(i, _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(p, _mm256_castsi256_ps(e));
}
/* Sums and maxima over the lanes in one fixed tree: halves, quarters, ... */
static inline float v_sum(vf a) {
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}
static inline float v_hmax(vf a) {
    __m128 q = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    q = _mm_max_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_max_ss(q, _mm_movehdup_ps(q)));
}
static inline float v_first(vf a) {
    return _mm256_cvtss_f32(a);
}
/* bf16: lanes of 16 bits to fp32 and back (round to nearest even; a NaN stays a NaN). */
static inline vf v_ld_bf16(const uint16_t *p, vm m) {
    int n = __builtin_popcount((unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(m)));
    uint16_t tail[8] = {0};
    const uint16_t *from = p;
    if (n < 8) {
        memcpy(tail, p, (size_t)n * 2);
        from = tail;
    }
    __m128i h = _mm_loadu_si128((const __m128i *)(const void *)from);
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
}
static inline vf v_ld_bf16_all(const uint16_t *p) {
    __m128i h = _mm_loadu_si128((const __m128i *)(const void *)p);
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
}
static inline vi v_to_bf16(vf x) {
    vi u = _mm256_castps_si256(x);
    vi lsb = _mm256_and_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(1));
    vi r = _mm256_add_epi32(u, _mm256_add_epi32(lsb, _mm256_set1_epi32(0x7fff)));
    vi quiet = _mm256_or_si256(u, _mm256_set1_epi32(0x400000));
    vi nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    return _mm256_srli_epi32(_mm256_blendv_epi8(r, quiet, nan), 16);
}
static inline void v_st_bf16(uint16_t *p, vm m, vf x) {
    int n = __builtin_popcount((unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(m)));
    vi u = v_to_bf16(x);
    __m128i h = _mm_packus_epi32(_mm256_castsi256_si128(u), _mm256_extracti128_si256(u, 1));
    if (n == 8) {
        _mm_storeu_si128((__m128i *)(void *)p, h);
    } else {
        uint16_t tail[8];
        _mm_storeu_si128((__m128i *)(void *)tail, h);
        memcpy(p, tail, (size_t)n * 2);
    }
}
static inline vf v_round_bf16(vf x) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(v_to_bf16(x), 16));
}
/* Lanes of bf16 pairs: the lower and the upper halves as fp32. */
static inline vf v_pair_lo(const uint16_t *p) {
    return _mm256_castsi256_ps(
        _mm256_slli_epi32(_mm256_loadu_si256((const __m256i *)(const void *)p), 16));
}
static inline vf v_pair_hi(const uint16_t *p) {
    return _mm256_castsi256_ps(_mm256_and_si256(
        _mm256_loadu_si256((const __m256i *)(const void *)p), _mm256_set1_epi32((int)0xffff0000)));
}

/* bf16 words: 16 of them from two vectors of fp32, in order; and back, 8 at a time. */
static inline vi v_words(vf a, vf b) {
    vi w = _mm256_packus_epi32(v_to_bf16(a), v_to_bf16(b)); /* lanes a0 b0 a1 b1 */
    return _mm256_permute4x64_epi64(w, 0xd8);
}
static inline vf v_widen_lo(vi w) {
    vi u = _mm256_cvtepu16_epi32(_mm256_castsi256_si128(w));
    return _mm256_castsi256_ps(_mm256_slli_epi32(u, 16));
}
static inline vf v_widen_hi(vi w) {
    vi u = _mm256_cvtepu16_epi32(_mm256_extracti128_si256(w, 1));
    return _mm256_castsi256_ps(_mm256_slli_epi32(u, 16));
}
static inline vi v_bits(vf x) {
    return _mm256_castps_si256(x);
}
static inline vi v_izero(void) {
    return _mm256_setzero_si256();
}
static inline vi v_ild(const void *p) {
    return _mm256_loadu_si256(p);
}
static inline void v_ist(void *p, vi x) {
    _mm256_storeu_si256(p, x);
}

/* Turn an 8 x 8 block of 32-bit elements around: lane j of r[i] becomes lane i of r[j]. */
static inline void v_turn(vi r[VL]) {
    vi t[VL];

#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 8; i += 4) { /* r[i + c]: column 4 L + c of rows i .. i + 3 in half L */
        r[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
#pragma GCC unroll 4
    for (int c = 0; c < 4; c++) {
        t[c] = _mm256_permute2x128_si256(r[c], r[4 + c], 0x20);
        t[4 + c] = _mm256_permute2x128_si256(r[c], r[4 + c], 0x31);
    }
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++)
        r[i] = t[i];
}

#endif
