#ifndef R1_REWARD_SHAPING_H
#define R1_REWARD_SHAPING_H
/* Formulas that shape a reward or sum up samples: of lengths, of repeated items, of text.  Each is a
 * pure function; README.md has them as formulas. */
#include "reward/reward.h"

#include <stdint.h>

/* ---- lengths ---- */

/* Cosine of the length (arXiv 2502.03373): right answers from max_correct (short) down to
 * min_correct (long), wrong ones from min_wrong (short) up to max_wrong (long). */
typedef struct r1_cosine {
    double min_wrong, max_wrong, min_correct, max_correct;
    double max_len;
    int clamp; /* beyond max_len as at max_len; else the cosine goes on */
} r1_cosine;
double r1_shape_cosine(const r1_cosine *c, int correct, double length);

/* Kimi k1.5's, for the n samples of a group: lambda = 0.5 - (len - min) / (max - min) for right ones,
 * min(0, lambda) for wrong ones; all 0 where all are of one length. */
void r1_shape_kimi(const int *correct, const double *length, size_t n, double *ret);

/* DAPO's soft punishment: 0 up to max_len - cache, then linearly down to -1 at max_len and beyond. */
double r1_shape_overlong(double length, double max_len, double cache);

/* How far from the wished length: -min(1, |length - target| / target). */
double r1_shape_length(double length, double target);

/* ---- items: token ids, or words ---- */

/* Share of n-grams that were there before: 1 - different / all; 0 where there is none. */
R1_MUST_USE r1_status r1_shape_repetition(const uint64_t *items, size_t n, size_t ngram,
                                          double *ret, r1_err *err);

/* Do the items end in at least `times` copies of a piece of at most max_period items? */
int r1_shape_loops(const uint64_t *items, size_t n, size_t max_period, size_t times);

/* The words of a text (between white space, in lower case) as items; r1_free. */
R1_MUST_USE r1_status r1_shape_words(r1_text t, uint64_t **ret_items, size_t *ret_n, r1_err *err);

/* ---- text ---- */

/* Steps that are announced ("Step 2:", "1." and bullets at a line's start, "First,", "Second,",
 * "Next,", "Finally,"), as a share of min_steps; at most 1. */
double r1_shape_steps(r1_text t, int min_steps);

/* Is there <name>, and </name> behind it?  *ret is what stands between the first of the one and the
 * last of the other. */
int r1_shape_between(r1_text t, const char *name, r1_text *ret);

/* "<think>\n..\n</think>\n<answer>\n..\n</answer>": each tag once, contents not empty; *ret_answer
 * what the answer is.  NULL, or what is wrong. */
const char *r1_shape_think_answer(r1_text t, r1_text *ret_answer);

/* Begins with <think>, each of <think> and </think> once, any text may follow. */
const char *r1_shape_think_loose(r1_text t);

/* Does it hold a closed fence of that language (```python)? */
int r1_shape_has_code(r1_text t, const char *language);

/* The same letters and digits, whatever their case and what stands between them? */
int r1_shape_same_alphanumeric(r1_text a, r1_text b);

/* ---- samples ---- */

/* Probability that one of k samples is right, of which c of n were: 1 - C(n-c, k) / C(n, k).
 * Needs 0 <= c <= n and 1 <= k <= n. */
double r1_shape_pass_at_k(int n, int c, int k);

#endif
