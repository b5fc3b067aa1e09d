/* Failing allocations; see fail_alloc.h. */
#include "tests/unit/fail_alloc.h"

#include "common/base/mem.h"

#include <errno.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define REPLACED 0
#elif defined(__has_feature)
#define REPLACED (!__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer))
#else
#define REPLACED 1
#endif

static __thread int armed, once, fired;
static __thread long countdown, live;

int fail_can(fail_kind kind) {
    return kind == FAIL_OURS || REPLACED;
}

void fail_arm(fail_kind kind, long n) {
    fired = 0;
    if (kind == FAIL_OURS) {
        r1_mem_fail_after(n);
        return;
    }
    once = kind == FAIL_ONCE;
    countdown = n;
    armed = 1;
}

int fail_disarm(void) {
    r1_mem_fail_after(-1);
    armed = 0;
    return fired;
}

long fail_live(void) {
    return live;
}

#if REPLACED
/* glibc's own names for what is replaced. */
void *libc_malloc(size_t n) __asm__("__libc_malloc");
void *libc_calloc(size_t n, size_t size) __asm__("__libc_calloc");
void *libc_realloc(void *p, size_t n) __asm__("__libc_realloc");
void *libc_memalign(size_t align, size_t n) __asm__("__libc_memalign");
void libc_free(void *p) __asm__("__libc_free");

#define VISIBLE __attribute__((visibility("default"), used))
VISIBLE void *malloc(size_t n);
VISIBLE void *calloc(size_t n, size_t size);
VISIBLE void *realloc(void *p, size_t n);
VISIBLE void *aligned_alloc(size_t align, size_t n);
VISIBLE int posix_memalign(void **ret, size_t align, size_t n);
VISIBLE void free(void *p);

static int must_fail(void) {
    if (!armed || countdown-- > 0)
        return 0;
    if (once && fired)
        return 0;
    fired = 1;
    errno = ENOMEM;
    return 1;
}

static void *counted(void *p) {
    live += p != NULL;
    return p;
}

void *malloc(size_t n) {
    return must_fail() ? NULL : counted(libc_malloc(n));
}

void *calloc(size_t n, size_t size) {
    return must_fail() ? NULL : counted(libc_calloc(n, size));
}

void *realloc(void *p, size_t n) {
    if (must_fail())
        return NULL;
    void *q = libc_realloc(p, n);
    live += !p && q;
    live -= p && !n && !q; /* freed */
    return q;
}

void *aligned_alloc(size_t align, size_t n) {
    return must_fail() ? NULL : counted(libc_memalign(align, n));
}

int posix_memalign(void **ret, size_t align, size_t n) {
    *ret = aligned_alloc(align, n);
    return *ret ? 0 : ENOMEM;
}

void free(void *p) {
    live -= p != NULL;
    libc_free(p);
}
#endif
