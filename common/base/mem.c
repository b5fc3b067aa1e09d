/* Memory; see mem.h. */
#include "common/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

static long fail_countdown = -1;

void r1_mem_fail_after(long n) {
    fail_countdown = n;
}

static int must_fail(void) {
    if (fail_countdown < 0)
        return 0;
    if (fail_countdown > 0) {
        fail_countdown--;
        return 0;
    }
    return 1;
}

void *r1_calloc(size_t n, size_t size) {
    return must_fail() ? NULL : calloc(n ? n : 1, size ? size : 1);
}

void *r1_realloc(void *p, size_t n, size_t size) {
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes) || must_fail())
        return NULL;
    return realloc(p, bytes ? bytes : 1);
}

char *r1_strndup(const char *s, size_t n) {
    char *copy = must_fail() ? NULL : malloc(n + 1);
    if (copy) {
        memcpy(copy, s, n);
        copy[n] = '\0';
    }
    return copy;
}

char *r1_strdup(const char *s) {
    return r1_strndup(s, strlen(s));
}

void r1_free(void *p) {
    free(p);
}

r1_status r1_slab_open(r1_slab *slab, size_t bytes, const char *what, r1_err *err) {
    size_t mapped = r1_align_up(bytes ? bytes : 1, HUGE_PAGE) + HUGE_PAGE;
    uint8_t *p = must_fail() ? MAP_FAILED
                             : mmap(NULL, mapped, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        return R1_FAIL(err, R1_NOMEM, "out of memory: %.1f MiB for %s", (double)bytes / 1048576.0,
                       what);
    uint8_t *base = (uint8_t *)r1_align_up((size_t)p, HUGE_PAGE);
    size_t head = (size_t)(base - p);

    if (head)
        munmap(p, head);
    if (HUGE_PAGE - head)
        munmap(base + mapped - HUGE_PAGE, HUGE_PAGE - head);
    slab->base = base;
    slab->bytes = bytes;
    slab->mapped = mapped - HUGE_PAGE;
    madvise(base, slab->mapped, MADV_HUGEPAGE); /* advice only: refusal costs speed, not results */
    return R1_OK;
}

void r1_slab_close(r1_slab *slab) {
    if (slab->base)
        munmap(slab->base, slab->mapped);
    *slab = (r1_slab){0};
}

void r1_arena_init(r1_arena *a, void *base, size_t bytes) {
    *a = (r1_arena){.base = base, .bytes = bytes};
}

void *r1_arena_take(r1_arena *a, size_t bytes) {
    size_t need = r1_align_up(bytes, 64);

    R1_ASSERT(need <= a->bytes - a->used);
    void *p = a->base + a->used;
    a->used += need;
    if (a->used > a->peak)
        a->peak = a->used;
    return p;
}

void r1_arena_release(r1_arena *a, size_t mark) {
    R1_ASSERT(mark <= a->used);
    a->used = mark;
}

void r1_buf_init(r1_buf *b, size_t max_bytes) {
    *b = (r1_buf){.max = max_bytes};
}

void r1_buf_done(r1_buf *b) {
    r1_free(b->data);
    b->data = NULL;
    b->len = b->cap = 0;
}

void r1_buf_clear(r1_buf *b) {
    b->len = 0;
    if (b->data)
        b->data[0] = '\0';
}

static r1_status reserve(r1_buf *b, size_t extra, r1_err *err) {
    if (extra > b->max || b->len > b->max - extra)
        return R1_FAIL(err, R1_DATA, "text of more than %zu bytes refused", b->max);
    size_t need = b->len + extra + 1;
    if (need <= b->cap)
        return R1_OK;
    size_t cap = b->cap ? b->cap : 64;
    while (cap < need)
        cap *= 2;
    char *data = r1_realloc(b->data, cap, 1);
    if (!data)
        return R1_FAIL(err, R1_NOMEM, "out of memory: buffer of %zu bytes", cap);
    b->data = data;
    b->cap = cap;
    return R1_OK;
}

r1_status r1_buf_extend(r1_buf *b, size_t n, r1_err *err) {
    r1_status st = reserve(b, n, err);

    if (st != R1_OK)
        return st;
    b->len += n;
    b->data[b->len] = '\0';
    return R1_OK;
}

r1_status r1_buf_add(r1_buf *b, const void *bytes, size_t n, r1_err *err) {
    r1_status st = r1_buf_extend(b, n, err);

    if (st == R1_OK && n)
        memcpy(b->data + b->len - n, bytes, n);
    return st;
}

r1_status r1_buf_addf(r1_buf *b, r1_err *err, const char *fmt, ...) {
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    r1_status st = reserve(b, n > 0 ? (size_t)n : 0, err);
    if (st != R1_OK)
        return st;
    va_start(ap, fmt);
    vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
    va_end(ap);
    b->len += n > 0 ? (size_t)n : 0;
    return R1_OK;
}
