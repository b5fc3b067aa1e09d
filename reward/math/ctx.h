#ifndef R1_REWARD_MATH_CTX_H
#define R1_REWARD_MATH_CTX_H
/* One grading's memory and budget.
 *
 * Everything that a grading makes (tokens, trees, numbers) lives in one block of fixed size and
 * goes away with it.  Work is counted ("fuel"), never timed, so the same input gets the same
 * verdict on every machine.  When block or fuel end, the grading ends: the check is in one place,
 * r1_mctx_burn, which jumps back to r1_mctx_guard; no library is on the stack then, so nothing is
 * left half done. */
#include "common/base/err.h"
#include "reward/reward.h"

#include <gmp.h>
#include <setjmp.h>
#include <stdint.h>

#define R1_MATH_FUEL 40000 /* about 0.1 us each: 4 ms */

typedef struct r1_mnum r1_mnum; /* a rational that the context clears */

typedef struct r1_mctx {
    char *base;
    size_t used, bytes;
    long fuel;
    r1_mnum *numbers;
    int caches; /* MPFR keeps constants per thread: freed at the end */
    jmp_buf escape;
} r1_mctx;

R1_MUST_USE r1_status r1_mctx_open(r1_mctx *c, size_t bytes, r1_err *err);
void r1_mctx_close(r1_mctx *c);

/* 0 the first time; 1 when block or fuel ended somewhere below. */
#define r1_mctx_guard(c) setjmp((c)->escape)
void r1_mctx_burn(r1_mctx *c, long units);

void *r1_mctx_take(r1_mctx *c, size_t bytes); /* 16-byte aligned, zeroed */
mpq_ptr r1_mctx_number(r1_mctx *c);           /* 0 */
/* What was taken behind a mark goes, numbers included. */
static inline size_t r1_mctx_mark(const r1_mctx *c) {
    return c->used;
}
void r1_mctx_release(r1_mctx *c, size_t mark);
r1_text r1_mctx_format(r1_mctx *c, const char *fmt, ...) R1_PRINTF(2, 3);

int r1_text_same(r1_text a, r1_text b);
int r1_text_is(r1_text t, const char *s);

#endif
