#ifndef R1_KERNELS_SIMD_AVX512_H
#define R1_KERNELS_SIMD_AVX512_H
/* The vector vocabulary of rows.inc, matmul.inc and attention.inc on AVX-512 (16 fp32 lanes). */
#include "common/base/dtype.h"

#include <immintrin.h>

#define VL 16
typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vm;

static inline vm v_mask(int n) { /* the first n lanes, n clamped to 0..16 */
    return n >= 16 ? (vm)0xffff : n <= 0 ? (vm)0 : (vm)((1u << n) - 1);
}
static inline vf v_zero(void) {
    return _mm512_setzero_ps();
}
static inline vf v_set(float x) {
    return _mm512_set1_ps(x);
}
static inline vf v_ld(const float *p) {
    return _mm512_loadu_ps(p);
}
static inline vf v_ldm(const float *p, vm m) {
    return _mm512_maskz_loadu_ps(m, p);
}
static inline void v_st(float *p, vf x) {
    _mm512_storeu_ps(p, x);
}
static inline void v_stm(float *p, vm m, vf x) {
    _mm512_mask_storeu_ps(p, m, x);
}
static inline vf v_add(vf a, vf b) {
    return _mm512_add_ps(a, b);
}
static inline vf v_sub(vf a, vf b) {
    return _mm512_sub_ps(a, b);
}
static inline vf v_mul(vf a, vf b) {
    return _mm512_mul_ps(a, b);
}
static inline vf v_div(vf a, vf b) {
    return _mm512_div_ps(a, b);
}
static inline vf v_max(vf a, vf b) {
    return _mm512_max_ps(a, b);
}
static inline vf v_sqrt(vf a) {
    return _mm512_sqrt_ps(a);
}
static inline vf v_fma(vf a, vf b, vf c) { /* a b + c */
    return _mm512_fmadd_ps(a, b, c);
}
static inline vf v_fnma(vf a, vf b, vf c) { /* c - a b */
    return _mm512_fnmadd_ps(a, b, c);
}
static inline vf v_select(vm m, vf yes, vf no) {
    return _mm512_mask_blend_ps(m, no, yes);
}
static inline vf v_nearest(vf a) {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline vf v_scale2(vf p, vf n) { /* p 2^n */
    return _mm512_scalef_ps(p, n);
}
/* Sums and maxima over the lanes in one fixed tree: halves, quarters, ... */
static inline float v_sum(vf a) {
    __m256 h = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}
static inline float v_hmax(vf a) {
    return _mm512_reduce_max_ps(a);
}
static inline float v_first(vf a) {
    return _mm512_cvtss_f32(a);
}
/* bf16: n lanes of 16 bits to fp32 and back (round to nearest even; a NaN stays a NaN). */
static inline vf v_ld_bf16(const uint16_t *p, vm m) {
    __m256i h = _mm256_maskz_loadu_epi16(m, p);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
}
static inline vf v_ld_bf16_all(const uint16_t *p) {
    __m256i h = _mm256_loadu_si256((const __m256i *)(const void *)p);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
}
static inline vi v_to_bf16(vf x) {
    vi u = _mm512_castps_si512(x);
    vi lsb = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
    vi r = _mm512_add_epi32(u, _mm512_add_epi32(lsb, _mm512_set1_epi32(0x7fff)));
    vi quiet = _mm512_or_si512(u, _mm512_set1_epi32(0x400000));
    r = _mm512_mask_mov_epi32(r, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), quiet);
    return _mm512_srli_epi32(r, 16);
}
static inline void v_st_bf16(uint16_t *p, vm m, vf x) {
    _mm256_mask_storeu_epi16(p, m, _mm512_cvtepi32_epi16(v_to_bf16(x)));
}
static inline vf v_round_bf16(vf x) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(v_to_bf16(x), 16));
}
/* Lanes of bf16 pairs: the lower and the upper halves as fp32. */
static inline vf v_pair_lo(const uint16_t *p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_loadu_si512(p), 16));
}
static inline vf v_pair_hi(const uint16_t *p) {
    return _mm512_castsi512_ps(
        _mm512_and_si512(_mm512_loadu_si512(p), _mm512_set1_epi32((int)0xffff0000)));
}

/* bf16 words: 32 of them from two vectors of fp32, in order; and back, 16 at a time. */
static inline vi v_words(vf a, vf b) {
    __m256i lo = _mm512_cvtepi32_epi16(v_to_bf16(a)), hi = _mm512_cvtepi32_epi16(v_to_bf16(b));
    return _mm512_inserti64x4(_mm512_castsi256_si512(lo), hi, 1);
}
static inline vf v_widen_lo(vi w) {
    __m512i u = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(w));
    return _mm512_castsi512_ps(_mm512_slli_epi32(u, 16));
}
static inline vf v_widen_hi(vi w) {
    __m512i u = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(w, 1));
    return _mm512_castsi512_ps(_mm512_slli_epi32(u, 16));
}
/* Words of a and b alternating: the first 16 of each (lo), the last 16 (hi). */
static inline void v_pairs(vi a, vi b, vi *lo, vi *hi) {
    vi even = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(a));
    vi odd = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(b));
    *lo = _mm512_or_si512(even, _mm512_slli_epi32(odd, 16));
    even = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(a, 1));
    odd = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(b, 1));
    *hi = _mm512_or_si512(even, _mm512_slli_epi32(odd, 16));
}
/* Lanes of pairs, 8 vectors of 16 columns: r[i] = (k = 2i, 2i + 1) of each column.  Into pairs of
 * neighbouring columns: r[j] = (column 2j, 2j + 1) of k = 0 .. 15. */
static inline void v_turn_pairs(vi r[8]) {
    const vi swap =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15));
    vi t[8];

#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) /* within 64 bits: two columns of two k -> two k of two columns */
        r[i] = _mm512_shuffle_epi8(r[i], swap);
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm512_unpacklo_epi64(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi64(r[i], r[i + 1]);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) { /* i: odd or even pair of columns in each quarter */
        vi a = _mm512_shuffle_i64x2(t[i], t[2 + i], 0x88);
        vi b = _mm512_shuffle_i64x2(t[i], t[2 + i], 0xdd);
        vi c = _mm512_shuffle_i64x2(t[4 + i], t[6 + i], 0x88);
        vi d = _mm512_shuffle_i64x2(t[4 + i], t[6 + i], 0xdd);
        r[i] = _mm512_shuffle_i64x2(a, c, 0x88);
        r[4 + i] = _mm512_shuffle_i64x2(a, c, 0xdd);
        r[2 + i] = _mm512_shuffle_i64x2(b, d, 0x88);
        r[6 + i] = _mm512_shuffle_i64x2(b, d, 0xdd);
    }
}
static inline vi v_bits(vf x) {
    return _mm512_castps_si512(x);
}
static inline vi v_izero(void) {
    return _mm512_setzero_si512();
}
static inline vi v_ild(const void *p) {
    return _mm512_loadu_si512(p);
}
static inline vi v_ildm(const void *p, vm m) { /* 32-bit lanes */
    return _mm512_maskz_loadu_epi32(m, p);
}
static inline void v_ist(void *p, vi x) {
    _mm512_storeu_si512(p, x);
}

/* Turn a 16 x 16 block of 32-bit elements around: lane j of r[i] becomes lane i of r[j]. */
static inline void v_turn(vi r[VL]) {
    vi t[VL];

#pragma GCC unroll 8
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) { /* r[i + c]: column 4 L + c of rows i .. i + 3 in lane L */
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
#pragma GCC unroll 4
    for (int c = 0; c < 4; c++) { /* 0x88: lanes 0 and 2 of both, 0xdd: lanes 1 and 3 */
        t[c] = _mm512_shuffle_i32x4(r[c], r[4 + c], 0x88);
        t[4 + c] = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0x88);
        t[8 + c] = _mm512_shuffle_i32x4(r[c], r[4 + c], 0xdd);
        t[12 + c] = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0xdd);
    }
#pragma GCC unroll 4
    for (int c = 0; c < 4; c++) {
        r[c] = _mm512_shuffle_i32x4(t[c], t[4 + c], 0x88);
        r[4 + c] = _mm512_shuffle_i32x4(t[8 + c], t[12 + c], 0x88);
        r[8 + c] = _mm512_shuffle_i32x4(t[c], t[4 + c], 0xdd);
        r[12 + c] = _mm512_shuffle_i32x4(t[8 + c], t[12 + c], 0xdd);
    }
}

#endif
