#ifndef R1_REWARD_MATH_EXACT_H
#define R1_REWARD_MATH_EXACT_H
/* Proofs about constants: roots, exponentials, logarithms and the functions made of them, by a
 * library that not every machine has (Calcium over FLINT, meson option `flint`).
 *
 * A build without it has exact_none.c, which can never tell.  What both builds decide they decide
 * alike: this layer is asked where intervals have not told two constants apart, and its "cannot
 * tell" leaves the answer to them. */
#include "reward/math/value.h"

#define R1_EXACT_PROOFS 3 /* a grading asks for at most so many */

/* 1: both trees are the same number, proven; -1: different numbers, proven; 0: cannot tell.
 *
 * The library counts no work, so only what is small is given to it (see exact.c).  It uses memory
 * of its own, which goes before this returns; if the system has none, it ends the process. */
int r1_exact_compare(r1_mctx *c, const r1_node *a, const r1_node *b);

#endif
