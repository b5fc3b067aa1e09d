#ifndef R1_REWARD_MATH_BALL_H
#define R1_REWARD_MATH_BALL_H
/* Intervals of reals and rectangles of complex numbers, with MPFR's directed rounding: the true
 * value always lies inside.  Disjoint intervals prove that two values differ; overlapping ones
 * prove nothing, however narrow they are.
 *
 * Limbs come from the context and go when the caller releases its mark. */
#include "reward/math/node.h"

#include <mpfr.h>

typedef struct r1_ival {
    mpfr_t lo, hi;
} r1_ival;

typedef struct r1_ball {
    r1_ival re, im;
    int real; /* im is exactly 0 */
} r1_ball;

/* A value that a name has. */
typedef struct r1_bind {
    r1_text name;
    mpq_srcptr value;
    const struct r1_bind *next;
} r1_bind;

typedef struct r1_eval {
    r1_mctx *c;
    mpfr_prec_t prec;
    const r1_bind *binds;
    int extreme; /* out: a subterm left 2^-256 .. 2^256 */
} r1_eval;

void r1_ival_init(r1_eval *e, r1_ival *v); /* 0 */
void r1_ball_init(r1_eval *e, r1_ball *v); /* 0, real */
void r1_ival_set_q(r1_ival *v, mpq_srcptr q);

void r1_ival_add(r1_ival *r, const r1_ival *a, const r1_ival *b);
void r1_ival_sub(r1_ival *r, const r1_ival *a, const r1_ival *b);
void r1_ival_neg(r1_eval *e, r1_ival *r, const r1_ival *a);
void r1_ival_mul(r1_eval *e, r1_ival *r, const r1_ival *a, const r1_ival *b);
int r1_ival_div(r1_eval *e, r1_ival *r, const r1_ival *a, const r1_ival *b);
int r1_ival_sign(const r1_ival *a);              /* -1, 1; 0 if not known */
int r1_ival_has_zero(const r1_ival *a);          /* 0 lies inside */
int r1_ival_bounded(const r1_ival *a);           /* both ends are numbers */
void r1_ival_sqrt(r1_ival *r, const r1_ival *a); /* a >= 0 */
void r1_ival_hull(r1_ival *r, const r1_ival *a); /* r becomes the smallest that has both */
void r1_ival_pi(r1_eval *e, r1_ival *r, long num, unsigned long den); /* num pi / den */
int r1_ival_exp(r1_eval *e, r1_ival *r, const r1_ival *a);
int r1_ival_log(r1_eval *e, r1_ival *r, const r1_ival *a); /* a > 0 */
int r1_ival_sin(r1_eval *e, r1_ival *r, const r1_ival *a, int cosine);
int r1_ival_atan(r1_eval *e, r1_ival *r, const r1_ival *a);
int r1_ival_atan2(r1_eval *e, r1_ival *r, const r1_ival *y, const r1_ival *x);

/* All of these: 0 where the value is undefined or not bounded. */
void r1_ball_add(r1_eval *e, r1_ball *r, const r1_ball *a, const r1_ball *b);
void r1_ball_sub(r1_eval *e, r1_ball *r, const r1_ball *a, const r1_ball *b);
void r1_ball_mul(r1_eval *e, r1_ball *r, const r1_ball *a, const r1_ball *b);
int r1_ball_div(r1_eval *e, r1_ball *r, const r1_ball *a, const r1_ball *b);
int r1_ball_exp(r1_eval *e, r1_ball *r, const r1_ball *a);
int r1_ball_log(r1_eval *e, r1_ball *r, const r1_ball *a);
int r1_ball_sqrt(r1_eval *e, r1_ball *r, const r1_ball *a);
int r1_ball_abs(r1_eval *e, r1_ball *r, const r1_ball *a);
int r1_ball_has_zero(const r1_ball *a);

/* The value of a tree; 0 if it has none, or none that is known. */
int r1_ball_eval(r1_eval *e, const r1_node *a, r1_ball *ret);

#endif
