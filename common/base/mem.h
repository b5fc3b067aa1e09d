#ifndef R1_BASE_MEM_H
#define R1_BASE_MEM_H
/* Memory: checked allocation, big zeroed slabs, arenas inside them, and bounded byte buffers.
 *
 * All heap memory of the project comes from here, so that a test can make the n-th allocation fail
 * (r1_mem_fail_after) and a loader can be shown to survive it. */
#include "common/base/err.h"

#include <stdint.h>

/* n elements of size bytes, zeroed; NULL if there is no memory or n * size overflows.
 * n = 0 gives a pointer that may be freed. */
void *r1_calloc(size_t n, size_t size) __attribute__((malloc, warn_unused_result));
void *r1_realloc(void *p, size_t n, size_t size) R1_MUST_USE;
char *r1_strdup(const char *s) R1_MUST_USE;
char *r1_strndup(const char *s, size_t n) R1_MUST_USE;
void r1_free(void *p);

/* Tests: the n-th allocation from now (0 = the next) and all after it fail; -1 switches it off. */
void r1_mem_fail_after(long n);

/* Allocate into a pointer or fail with a message: R1_NEW(p, count, err) inside R1_TRY. */
#define R1_NEW(ptr, n, err)                                                                 \
    (((ptr) = r1_calloc((n), sizeof *(ptr)))                                                \
         ? R1_OK                                                                            \
         : R1_FAIL((err), R1_NOMEM, "out of memory: %zu x %zu bytes for '%s'", (size_t)(n), \
                   sizeof *(ptr), #ptr))

/* A slab: one anonymous mapping, zeroed, 2 MiB aligned, with huge pages where the system allows. */
typedef struct r1_slab {
    uint8_t *base;
    size_t bytes; /* as asked for */
    size_t mapped;
} r1_slab;

R1_MUST_USE r1_status r1_slab_open(r1_slab *slab, size_t bytes, const char *what, r1_err *err);
void r1_slab_close(r1_slab *slab);

/* An arena gives out pieces of a slab and takes them back all at once (or down to a mark).
 * The caller sizes it first: running out is a bug in the plan, hence R1_ASSERT, not a status. */
typedef struct r1_arena {
    uint8_t *base;
    size_t bytes, used, peak;
} r1_arena;

void r1_arena_init(r1_arena *a, void *base, size_t bytes);
void *r1_arena_take(r1_arena *a, size_t bytes); /* 64-byte aligned, contents undefined */
static inline size_t r1_arena_mark(const r1_arena *a) {
    return a->used;
}
void r1_arena_release(r1_arena *a, size_t mark);
static inline size_t r1_align_up(size_t n, size_t to) {
    return (n + to - 1) / to * to;
}

/* A growable byte buffer that never grows beyond max; always NUL-terminated behind len. */
typedef struct r1_buf {
    char *data;
    size_t len, cap, max;
} r1_buf;

void r1_buf_init(r1_buf *b, size_t max_bytes);
void r1_buf_done(r1_buf *b);
void r1_buf_clear(r1_buf *b);
R1_MUST_USE r1_status r1_buf_add(r1_buf *b, const void *bytes, size_t n, r1_err *err);
/* n more bytes with undefined contents. */
R1_MUST_USE r1_status r1_buf_extend(r1_buf *b, size_t n, r1_err *err);
R1_MUST_USE r1_status r1_buf_addf(r1_buf *b, r1_err *err, const char *fmt, ...) R1_PRINTF(3, 4);

#endif
