#ifndef R1_REWARD_MATH_CALC_H
#define R1_REWARD_MATH_CALC_H
/* Calculus, as far as answers need it: derivatives, integrals of sums of powers and of elementary
 * functions of linear arguments, limits by insertion, sums and products whose body is constant;
 * gcd and lcm of monomials, integer parts of what is constant after all.  What has no rule here
 * stays as it is and can only be equal to the same tree. */
#include "reward/math/node.h"

const r1_node *r1_calc_reduce(r1_mctx *c, const r1_node *a);

#endif
