#ifndef R1_REWARD_MATH_COMPARE_H
#define R1_REWARD_MATH_COMPARE_H
/* Is the prediction's value the reference's?  Decided by type, by the first layer that knows:
 * identical trees, exact rationals, residues of rational functions, intervals that are apart;
 * what only overlaps is equal under conditions (scalar.c), else unknown. */
#include "reward/math/math.h"
#include "reward/math/value.h"

typedef struct r1_mcmp {
    r1_mctx *c;
    const r1_math_opts *o;
    r1_math_how how;
    r1_math_why why;
    int depth;
    int element; /* which element of a list, tuple or matrix is compared (abs_tol has one each) */
} r1_mcmp;

/* Every function sets how, and why if the result is R1_MATH_UNKNOWN. */
r1_math_kind r1_compare(r1_mcmp *m, const r1_node *gold, const r1_node *pred);
r1_math_kind r1_compare_scalars(r1_mcmp *m, const r1_node *gold, const r1_node *pred);
/* lhs - rhs up to a factor that is not 0 (positive, for inequalities). */
r1_math_kind r1_compare_equations(r1_mcmp *m, const r1_node *gold, const r1_node *pred);
/* Sets of reals: intervals, unions, inequalities in one name, finite sets.  UNKNOWN with TYPE if
 * one of the two is none. */
r1_math_kind r1_compare_regions(r1_mcmp *m, const r1_node *gold, const r1_node *pred);

r1_math_kind r1_compare_end(r1_mcmp *m, r1_math_kind kind, r1_math_how how, r1_math_why why);

/* Is it a word rather than mathematics?  `words` is the longest run of letters that means nothing. */
int r1_text_is_wordy(r1_text raw, int words);
/* Case, articles, \text and a final point aside.  No part of a text stands for the whole. */
int r1_text_agrees(r1_mctx *c, r1_text gold, r1_text pred);

#endif
