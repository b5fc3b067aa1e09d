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
/* The same where only evaluation is left, for expressions with names (probe.c). */
#define R1_COMPARE_NAMES 8
r1_math_kind r1_compare_probes(r1_mcmp *m, const r1_node *gold, const r1_node *pred,
                               const r1_text *names, int n);
/* Both as intervals: -1 apart, proven; 1 both defined and together, narrowly; 0 neither is known.
 * *io_extreme is set when a subterm left 2^-256 .. 2^256. */
struct r1_bind;
int r1_compare_at_point(r1_mcmp *m, const r1_node *gold, const r1_node *pred,
                        const struct r1_bind *binds, long prec, int *io_extreme);
/* Few nodes, short literals. */
int r1_compare_is_small(const r1_node *a, const r1_node *b);
/* lhs - rhs up to a factor that is not 0 (positive, for inequalities). */
r1_math_kind r1_compare_equations(r1_mcmp *m, const r1_node *gold, const r1_node *pred);
/* Sets of reals: intervals, unions, inequalities in one name, finite sets.  UNKNOWN with TYPE if
 * one of the two is none. */
r1_math_kind r1_compare_regions(r1_mcmp *m, const r1_node *gold, const r1_node *pred);

/* Each with the one at its place. */
r1_math_kind r1_compare_ordered(r1_mcmp *m, const r1_node *const *g, const r1_node *const *p,
                                int n);
/* shapes.c: 0 if the two are not both of that shape, else *ret. */
int r1_compare_systems(r1_mcmp *m, const r1_node *gold, const r1_node *pred, r1_math_kind *ret);
int r1_compare_congruences(r1_mcmp *m, const r1_node *gold, const r1_node *pred, r1_math_kind *ret);
/* A matrix with its factor multiplied in; NULL if it is no matrix.  r1_compare_column also takes
 * \binom for a column of two. */
const r1_node *r1_compare_matrix(r1_mctx *c, const r1_node *a);
const r1_node *r1_compare_column(r1_mctx *c, const r1_node *a);

r1_math_kind r1_compare_end(r1_mcmp *m, r1_math_kind kind, r1_math_how how, r1_math_why why);

/* Is it a word rather than mathematics?  `words` is the longest run of letters that means nothing. */
int r1_text_is_wordy(r1_text raw, int words);
/* Does every command in it only set letters or blanks, and every brace close? */
int r1_text_is_words(r1_text raw);
/* Case, articles, \text and a final point aside.  No part of a text stands for the whole. */
int r1_text_agrees(r1_mctx *c, r1_text gold, r1_text pred);
/* "no solution" */
int r1_text_says_none(r1_mctx *c, r1_text t);

#endif
