#ifndef R1_REWARD_MATH_VALUE_H
#define R1_REWARD_MATH_VALUE_H
/* Exact values: a tree as one rational number, or as a residue.
 *
 * Rationals are exact or absent; nothing is rounded.  Powers, factorials, binomials and sums whose
 * size would pass 2^16 bits stay symbolic.  Roots count as exact where they are (sqrt 16, the odd
 * root of -8: odd roots are real). */
#include "reward/math/node.h"

#define R1_MATH_BITS 65536

/* 1 and the value, 0 if there is none that is exact and small enough (or it is undefined). */
int r1_value_rational(r1_mctx *c, const r1_node *a, mpq_ptr ret);
int r1_value_integer(r1_mctx *c, const r1_node *a, long *ret); /* the same, in a long */

/* The terms of a finite sum or product one by one: its body with the name replaced, and how many
 * there are; -1 if that is unknown or more than 1000. */
long r1_value_terms(r1_mctx *c, const r1_node *big, mpz_ptr ret_first);

/* Is a rational function of names, and of sines, powers and their like of sums of names (see
 * residue.c), zero?  It is evaluated at random points of two fields of 61 bits (the points depend
 * on nothing but the seed): 1 zero (wrong with a chance below 2^-100), -1 not zero, proven; 0
 * unknown: something in it is no such function.  pi and e count as names, so a difference that is
 * not zero is proven only without them. */
int r1_value_vanishes(r1_mctx *c, const r1_node *a, uint64_t seed);

/* Is a sum of square roots of rationals (with i) zero?  1 and -1 are proofs; 0: it is no such sum. */
int r1_value_surds(r1_mctx *c, const r1_node *a);

#endif
