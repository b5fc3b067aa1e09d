#ifndef R1_REWARD_MATH_CTX_H
#define R1_REWARD_MATH_CTX_H
/* One grading's memory and budget.
 *
 * Everything that a grading makes (tokens, trees, numbers) lives in a few blocks up to a limit and
 * goes away with them.  Work is counted ("fuel"), never timed, so the same input gets the same
 * verdict on every machine.  When memory or fuel end, the grading ends: r1_mctx_burn and
 * r1_mctx_take jump back to r1_mctx_guard; no library is on the stack then, so nothing is left half
 * done. */
#include "common/base/err.h"
#include "reward/reward.h"

#include <gmp.h>
#include <setjmp.h>
#include <stdint.h>

#define R1_MATH_FUEL 50000 /* 0.1 to 0.2 us each: below 10 ms */

typedef struct r1_mnum r1_mnum; /* a rational that the context clears */

typedef struct r1_mblock r1_mblock;

typedef struct r1_mctx {
    r1_mblock *block; /* the newest; older ones behind it */
    size_t used;      /* bytes of all of them */
    size_t most;
    long fuel;
    int no_memory; /* the system had none: no verdict */
    r1_mnum *numbers;
    int caches; /* MPFR keeps constants per thread: freed at the end */
    int proofs; /* that were asked for, see exact.h */
    jmp_buf escape;
} r1_mctx;

void r1_mctx_init(r1_mctx *c, size_t most_bytes);
void r1_mctx_done(r1_mctx *c); /* may be called again */

/* 0 the first time; 1 when memory or fuel ended somewhere below. */
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
