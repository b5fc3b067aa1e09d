/* Interval arithmetic; see ball.h. */
#include "reward/math/ball.h"

#include <string.h>

/* What one operation of this precision costs, in fuel. */
static void pay(r1_eval *e, long factor) {
    r1_mctx_burn(e->c, factor * (1 + e->prec / 256));
}

static void init(r1_eval *e, mpfr_ptr x) {
    void *limbs = r1_mctx_take(e->c, mpfr_custom_get_size(e->prec));

    mpfr_custom_init(limbs, e->prec);
    mpfr_custom_init_set(x, MPFR_ZERO_KIND, 0, e->prec, limbs);
}

void r1_ival_init(r1_eval *e, r1_ival *v) {
    init(e, v->lo);
    init(e, v->hi);
}

void r1_ball_init(r1_eval *e, r1_ball *v) {
    r1_ival_init(e, &v->re);
    r1_ival_init(e, &v->im);
    v->real = 1;
}

void r1_ival_set_q(r1_ival *v, mpq_srcptr q) {
    mpfr_set_q(v->lo, q, MPFR_RNDD);
    mpfr_set_q(v->hi, q, MPFR_RNDU);
}

static void copy(r1_ival *r, const r1_ival *a) {
    mpfr_set(r->lo, a->lo, MPFR_RNDD);
    mpfr_set(r->hi, a->hi, MPFR_RNDU);
}

void r1_ival_add(r1_ival *r, const r1_ival *a, const r1_ival *b) {
    mpfr_add(r->lo, a->lo, b->lo, MPFR_RNDD);
    mpfr_add(r->hi, a->hi, b->hi, MPFR_RNDU);
}

void r1_ival_neg(r1_eval *e, r1_ival *r, const r1_ival *a) {
    mpfr_t lo;

    init(e, lo);
    mpfr_neg(lo, a->hi, MPFR_RNDD);
    mpfr_neg(r->hi, a->lo, MPFR_RNDU);
    mpfr_set(r->lo, lo, MPFR_RNDD);
}

void r1_ival_sub(r1_ival *r, const r1_ival *a, const r1_ival *b) {
    /* r may be a, not b */
    mpfr_sub(r->lo, a->lo, b->hi, MPFR_RNDD);
    mpfr_sub(r->hi, a->hi, b->lo, MPFR_RNDU);
}

void r1_ival_mul(r1_eval *e, r1_ival *r, const r1_ival *a, const r1_ival *b) {
    mpfr_srcptr x[2] = {a->lo, a->hi}, y[2] = {b->lo, b->hi};
    r1_ival best;
    mpfr_t p;

    pay(e, 2);
    r1_ival_init(e, &best);
    init(e, p);
    for (int k = 0; k < 4; k++) {
        mpfr_mul(p, x[k / 2], y[k % 2], MPFR_RNDD);
        if (k == 0 || mpfr_less_p(p, best.lo))
            mpfr_set(best.lo, p, MPFR_RNDD);
        mpfr_mul(p, x[k / 2], y[k % 2], MPFR_RNDU);
        if (k == 0 || mpfr_greater_p(p, best.hi))
            mpfr_set(best.hi, p, MPFR_RNDU);
    }
    copy(r, &best);
}

int r1_ival_sign(const r1_ival *a) {
    return mpfr_sgn(a->lo) > 0 ? 1 : mpfr_sgn(a->hi) < 0 ? -1 : 0;
}

int r1_ival_has_zero(const r1_ival *a) {
    return mpfr_sgn(a->lo) <= 0 && mpfr_sgn(a->hi) >= 0;
}

int r1_ival_bounded(const r1_ival *a) {
    return mpfr_number_p(a->lo) && mpfr_number_p(a->hi);
}

int r1_ival_div(r1_eval *e, r1_ival *r, const r1_ival *a, const r1_ival *b) {
    r1_ival inverse;

    if (r1_ival_has_zero(b))
        return 0;
    r1_ival_init(e, &inverse);
    mpfr_ui_div(inverse.lo, 1, b->hi, MPFR_RNDD);
    mpfr_ui_div(inverse.hi, 1, b->lo, MPFR_RNDU);
    r1_ival_mul(e, r, a, &inverse);
    return 1;
}

void r1_ival_sqrt(r1_ival *r, const r1_ival *a) {
    mpfr_sqrt(r->lo, a->lo, MPFR_RNDD);
    mpfr_sqrt(r->hi, a->hi, MPFR_RNDU);
}

void r1_ival_hull(r1_ival *r, const r1_ival *a) {
    if (mpfr_less_p(a->lo, r->lo))
        mpfr_set(r->lo, a->lo, MPFR_RNDD);
    if (mpfr_greater_p(a->hi, r->hi))
        mpfr_set(r->hi, a->hi, MPFR_RNDU);
}

void r1_ival_pi(r1_eval *e, r1_ival *r, long num, unsigned long den) {
    e->c->caches = 1;
    pay(e, 2);
    mpfr_const_pi(r->lo, MPFR_RNDD);
    mpfr_const_pi(r->hi, MPFR_RNDU);
    mpfr_mul_si(r->lo, r->lo, num, MPFR_RNDD);
    mpfr_mul_si(r->hi, r->hi, num, MPFR_RNDU);
    mpfr_div_ui(r->lo, r->lo, den, MPFR_RNDD);
    mpfr_div_ui(r->hi, r->hi, den, MPFR_RNDU);
    if (num < 0)
        mpfr_swap(r->lo, r->hi);
}

/* ---- functions: ends where they rise, else the middle and how far it can be off ---- */

/* MPFR's reduction of large arguments costs as much as their exponent is large. */
static int moderate(const r1_ival *a) {
    return r1_ival_bounded(a) && (mpfr_zero_p(a->lo) || mpfr_get_exp(a->lo) < 4096) &&
           (mpfr_zero_p(a->hi) || mpfr_get_exp(a->hi) < 4096);
}

int r1_ival_exp(r1_eval *e, r1_ival *r, const r1_ival *a) {
    pay(e, 40);
    if (!moderate(a) || mpfr_cmp_si(a->hi, 100000) > 0 || mpfr_cmp_si(a->lo, -100000) < 0)
        return 0;
    e->c->caches = 1;
    mpfr_exp(r->lo, a->lo, MPFR_RNDD);
    mpfr_exp(r->hi, a->hi, MPFR_RNDU);
    return 1;
}

int r1_ival_log(r1_eval *e, r1_ival *r, const r1_ival *a) {
    pay(e, 40);
    if (r1_ival_sign(a) <= 0 || !r1_ival_bounded(a))
        return 0;
    e->c->caches = 1;
    mpfr_log(r->lo, a->lo, MPFR_RNDD);
    mpfr_log(r->hi, a->hi, MPFR_RNDU);
    return 1;
}

/* |f(x) - f(y)| <= |x - y|: both at the middle, widened by half the width. */
int r1_ival_sin(r1_eval *e, r1_ival *r, const r1_ival *a, int cosine) {
    mpfr_t middle, half;

    pay(e, 40);
    if (!moderate(a))
        return 0;
    e->c->caches = 1;
    init(e, middle);
    init(e, half);
    mpfr_add(middle, a->lo, a->hi, MPFR_RNDN);
    mpfr_div_2ui(middle, middle, 1, MPFR_RNDN);
    mpfr_sub(half, a->hi, a->lo, MPFR_RNDU); /* a whole width: the middle may be off too */
    int exact = mpfr_equal_p(a->hi, a->lo);
    if (cosine) {
        mpfr_cos(r->lo, middle, MPFR_RNDD);
        mpfr_set(r->hi, r->lo, MPFR_RNDU);
    } else {
        mpfr_sin(r->lo, middle, MPFR_RNDD);
        mpfr_set(r->hi, r->lo, MPFR_RNDU);
    }
    mpfr_nextabove(r->hi);
    if (!exact) {
        mpfr_sub(r->lo, r->lo, half, MPFR_RNDD);
        mpfr_add(r->hi, r->hi, half, MPFR_RNDU);
    }
    return 1;
}

int r1_ival_atan(r1_eval *e, r1_ival *r, const r1_ival *a) {
    pay(e, 40);
    if (!r1_ival_bounded(a))
        return 0;
    e->c->caches = 1;
    mpfr_atan(r->lo, a->lo, MPFR_RNDD);
    mpfr_atan(r->hi, a->hi, MPFR_RNDU);
    return 1;
}

/* The angle of a rectangle; across the cut it may be anything. */
int r1_ival_atan2(r1_eval *e, r1_ival *r, const r1_ival *y, const r1_ival *x) {
    mpfr_srcptr ys[2] = {y->lo, y->hi}, xs[2] = {x->lo, x->hi};
    mpfr_t v;

    pay(e, 160);
    if (!r1_ival_bounded(y) || !r1_ival_bounded(x) || (r1_ival_has_zero(y) && r1_ival_has_zero(x)))
        return 0;
    if (r1_ival_has_zero(y) && mpfr_sgn(x->lo) <= 0) {
        r1_ival turn;
        r1_ival_init(e, &turn);
        r1_ival_pi(e, r, 1, 1);
        if (mpfr_zero_p(y->lo) && mpfr_zero_p(y->hi))
            return 1;
        r1_ival_neg(e, &turn, r);
        r1_ival_hull(r, &turn);
        return 1;
    }
    e->c->caches = 1;
    init(e, v);
    for (int k = 0; k < 4; k++) { /* without the cut the corners bound the angle */
        mpfr_atan2(v, ys[k / 2], xs[k % 2], MPFR_RNDD);
        if (k == 0 || mpfr_less_p(v, r->lo))
            mpfr_set(r->lo, v, MPFR_RNDD);
        mpfr_nextabove(v);
        if (k == 0 || mpfr_greater_p(v, r->hi))
            mpfr_set(r->hi, v, MPFR_RNDU);
    }
    return 1;
}

/* ---- complex ---- */

void r1_ball_add(r1_eval *e, r1_ball *r, const r1_ball *a, const r1_ball *b) {
    pay(e, 1);
    r->real = a->real && b->real;
    r1_ival_add(&r->re, &a->re, &b->re);
    r1_ival_add(&r->im, &a->im, &b->im);
}

void r1_ball_sub(r1_eval *e, r1_ball *r, const r1_ball *a, const r1_ball *b) {
    pay(e, 1);
    r->real = a->real && b->real;
    r1_ival_sub(&r->re, &a->re, &b->re);
    r1_ival_sub(&r->im, &a->im, &b->im);
}

void r1_ball_mul(r1_eval *e, r1_ball *r, const r1_ball *a, const r1_ball *b) {
    r1_ival x, y, re, im;

    if (a->real && b->real) {
        r1_ival_mul(e, &r->re, &a->re, &b->re);
        r->real = 1;
        return;
    }
    r1_ival_init(e, &x);
    r1_ival_init(e, &y);
    r1_ival_init(e, &re);
    r1_ival_init(e, &im);
    r1_ival_mul(e, &x, &a->re, &b->re);
    r1_ival_mul(e, &y, &a->im, &b->im);
    r1_ival_sub(&re, &x, &y);
    r1_ival_mul(e, &x, &a->re, &b->im);
    r1_ival_mul(e, &y, &a->im, &b->re);
    r1_ival_add(&im, &x, &y);
    copy(&r->re, &re);
    copy(&r->im, &im);
    r->real = 0;
}

int r1_ball_div(r1_eval *e, r1_ball *r, const r1_ball *a, const r1_ball *b) {
    r1_ball conj, top;
    r1_ival norm, y;

    if (a->real && b->real) {
        r->real = 1;
        return r1_ival_div(e, &r->re, &a->re, &b->re);
    }
    r1_ball_init(e, &conj);
    r1_ball_init(e, &top);
    r1_ival_init(e, &norm);
    r1_ival_init(e, &y);
    copy(&conj.re, &b->re);
    r1_ival_neg(e, &conj.im, &b->im);
    conj.real = b->real;
    r1_ball_mul(e, &top, a, &conj);
    r1_ival_mul(e, &norm, &b->re, &b->re);
    r1_ival_mul(e, &y, &b->im, &b->im);
    r1_ival_add(&norm, &norm, &y);
    r->real = top.real;
    return r1_ival_div(e, &r->re, &top.re, &norm) && r1_ival_div(e, &r->im, &top.im, &norm);
}

int r1_ball_exp(r1_eval *e, r1_ball *r, const r1_ball *a) {
    r1_ival size, cosine, sine;

    if (a->real) {
        r->real = 1;
        return r1_ival_exp(e, &r->re, &a->re);
    }
    r1_ival_init(e, &size);
    r1_ival_init(e, &cosine);
    r1_ival_init(e, &sine);
    if (!r1_ival_exp(e, &size, &a->re) || !r1_ival_sin(e, &cosine, &a->im, 1) ||
        !r1_ival_sin(e, &sine, &a->im, 0))
        return 0;
    r1_ival_mul(e, &r->re, &size, &cosine);
    r1_ival_mul(e, &r->im, &size, &sine);
    r->real = 0;
    return 1;
}

int r1_ball_abs(r1_eval *e, r1_ball *r, const r1_ball *a) {
    r1_ival x, y;

    r1_ival_init(e, &x);
    r1_ival_init(e, &y);
    r->real = 1;
    if (a->real) {
        int sign = r1_ival_sign(&a->re);
        r1_ival_neg(e, &x, &a->re);
        copy(&r->re, sign < 0 ? &x : &a->re);
        if (sign == 0) { /* [-2, 3] becomes [0, 3] */
            r1_ival_hull(&r->re, &x);
            mpfr_set_zero(r->re.lo, 1);
        }
        return 1;
    }
    r1_ival_mul(e, &x, &a->re, &a->re);
    r1_ival_mul(e, &y, &a->im, &a->im);
    r1_ival_add(&x, &x, &y);
    if (mpfr_sgn(x.lo) < 0)
        mpfr_set_zero(x.lo, 1);
    r1_ival_sqrt(&r->re, &x);
    return 1;
}

/* The principal branch. */
int r1_ball_log(r1_eval *e, r1_ball *r, const r1_ball *a) {
    r1_ball size;

    if (a->real && r1_ival_sign(&a->re) > 0) {
        r->real = 1;
        return r1_ival_log(e, &r->re, &a->re);
    }
    r1_ball_init(e, &size);
    r->real = 0;
    return r1_ball_abs(e, &size, a) && r1_ival_log(e, &r->re, &size.re) &&
           r1_ival_atan2(e, &r->im, &a->im, &a->re);
}

int r1_ball_sqrt(r1_eval *e, r1_ball *r, const r1_ball *a) {
    r1_ball half;

    pay(e, 2);
    if (a->real && r1_ival_sign(&a->re) == 0) { /* across 0: a bit of both axes */
        mpfr_set_zero(r->re.lo, 1);
        mpfr_set_zero(r->im.lo, 1);
        mpfr_sqrt(r->re.hi, a->re.hi, MPFR_RNDU);
        mpfr_neg(r->im.hi, a->re.lo, MPFR_RNDU);
        mpfr_sqrt(r->im.hi, r->im.hi, MPFR_RNDU);
        r->real = mpfr_zero_p(r->im.hi);
        return 1;
    }
    if (a->real && r1_ival_sign(&a->re) > 0) {
        r->real = 1;
        r1_ival_sqrt(&r->re, &a->re);
        return 1;
    }
    if (a->real) {
        r1_ival minus;
        r1_ival_init(e, &minus);
        r1_ival_neg(e, &minus, &a->re);
        r1_ival_sqrt(&r->im, &minus);
        mpfr_set_zero(r->re.lo, 1);
        mpfr_set_zero(r->re.hi, 1);
        r->real = 0;
        return 1;
    }
    r1_ball_init(e, &half);
    if (!r1_ball_log(e, &half, a))
        return 0;
    mpfr_div_2ui(half.re.lo, half.re.lo, 1, MPFR_RNDD);
    mpfr_div_2ui(half.re.hi, half.re.hi, 1, MPFR_RNDU);
    mpfr_div_2ui(half.im.lo, half.im.lo, 1, MPFR_RNDD);
    mpfr_div_2ui(half.im.hi, half.im.hi, 1, MPFR_RNDU);
    return r1_ball_exp(e, r, &half);
}

int r1_ball_has_zero(const r1_ball *a) {
    return r1_ival_has_zero(&a->re) && (a->real || r1_ival_has_zero(&a->im));
}
