/* Memory and fuel of one grading; see ctx.h. */
#include "reward/math/ctx.h"

#include "common/base/mem.h"

#include <mpfr.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)32 << 10) /* the first; each further one is twice as large */

struct r1_mnum {
    mpq_t q;
    size_t at; /* where in the context it was taken */
    r1_mnum *next;
};

struct r1_mblock {
    r1_mblock *older;
    size_t from, room; /* bytes before it, in it */
    _Alignas(16) char data[];
};

void r1_mctx_init(r1_mctx *c, size_t most_bytes) {
    memset(c, 0, sizeof *c);
    c->most = most_bytes;
    c->fuel = R1_MATH_FUEL;
}

void r1_mctx_done(r1_mctx *c) {
    r1_mctx_release(c, 0);
    if (c->caches)
        mpfr_free_cache();
    r1_free(c->block);
    c->block = NULL;
}

void r1_mctx_burn(r1_mctx *c, long units) {
    c->fuel -= units;
    if (c->fuel < 0)
        longjmp(c->escape, 1);
}

static void add_block(r1_mctx *c, size_t n) {
    size_t room = c->block ? 2 * c->block->room : BLOCK_BYTES;

    room = room < n ? n : room;
    r1_mblock *b = c->used + n > c->most ? NULL : r1_realloc(NULL, 1, sizeof *b + room);
    if (!b) {
        c->no_memory = c->used + n <= c->most;
        c->fuel = -1;
        longjmp(c->escape, 1);
    }
    b->older = c->block;
    b->from = c->used;
    b->room = room;
    c->block = b;
}

void *r1_mctx_take(r1_mctx *c, size_t bytes) {
    size_t n = (bytes + 15) & ~(size_t)15;

    if (!c->block || c->used - c->block->from + n > c->block->room)
        add_block(c, n);
    void *p = c->block->data + (c->used - c->block->from);
    c->used += n;
    return memset(p, 0, n);
}

mpq_ptr r1_mctx_number(r1_mctx *c) {
    size_t at = c->used;
    r1_mnum *n = r1_mctx_take(c, sizeof *n);

    mpq_init(n->q);
    n->at = at;
    n->next = c->numbers;
    c->numbers = n;
    return n->q;
}

/* The oldest block stays for what comes next. */
void r1_mctx_release(r1_mctx *c, size_t mark) {
    while (c->numbers && c->numbers->at >= mark) {
        mpq_clear(c->numbers->q);
        c->numbers = c->numbers->next;
    }
    while (c->block && c->block->older && c->block->from >= mark) {
        r1_mblock *older = c->block->older;
        r1_free(c->block);
        c->block = older;
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
    return a.n == b.n && (a.n == 0 || memcmp(a.s, b.s, a.n) == 0);
}

int r1_text_is(r1_text t, const char *s) {
    return t.n == strlen(s) && memcmp(t.s, s, t.n) == 0;
}
