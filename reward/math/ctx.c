/* Memory and fuel of one grading; see ctx.h. */
#include "reward/math/ctx.h"

#include "common/base/mem.h"

#include <mpfr.h>
#include <stdio.h>
#include <string.h>

struct r1_mnum {
    mpq_t q;
    r1_mnum *next;
};

r1_status r1_mctx_open(r1_mctx *c, size_t bytes, r1_err *err) {
    /* Untouched pages cost nothing, so the block is as large as the worst answer needs. */
    memset(c, 0, sizeof *c);
    c->base = r1_realloc(NULL, bytes, 1);
    if (!c->base)
        return R1_FAIL(err, R1_NOMEM, "out of memory: %zu bytes for a grading", bytes);
    c->bytes = bytes;
    c->fuel = R1_MATH_FUEL;
    return R1_OK;
}

void r1_mctx_close(r1_mctx *c) {
    r1_mctx_release(c, 0);
    if (c->caches)
        mpfr_free_cache();
    r1_free(c->base);
    c->base = NULL;
}

void r1_mctx_burn(r1_mctx *c, long units) {
    c->fuel -= units;
    if (c->fuel < 0)
        longjmp(c->escape, 1);
}

void *r1_mctx_take(r1_mctx *c, size_t bytes) {
    size_t n = (bytes + 15) & ~(size_t)15;

    if (n > c->bytes - c->used) {
        c->fuel = -1;
        longjmp(c->escape, 1);
    }
    void *p = c->base + c->used;
    c->used += n;
    return memset(p, 0, n);
}

mpq_ptr r1_mctx_number(r1_mctx *c) {
    r1_mnum *n = r1_mctx_take(c, sizeof *n);

    mpq_init(n->q);
    n->next = c->numbers;
    c->numbers = n;
    return n->q;
}

void r1_mctx_release(r1_mctx *c, size_t mark) {
    while (c->numbers && (char *)c->numbers >= c->base + mark) {
        mpq_clear(c->numbers->q);
        c->numbers = c->numbers->next;
    }
    c->used = mark;
}

r1_text r1_mctx_format(r1_mctx *c, const char *fmt, ...) {
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    char *s = r1_mctx_take(c, (size_t)n + 1);
    vsnprintf(s, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(ap);
    return (r1_text){s, (size_t)n};
}

int r1_text_same(r1_text a, r1_text b) {
    return a.n == b.n && memcmp(a.s, b.s, a.n) == 0;
}

int r1_text_is(r1_text t, const char *s) {
    return t.n == strlen(s) && memcmp(t.s, s, t.n) == 0;
}
