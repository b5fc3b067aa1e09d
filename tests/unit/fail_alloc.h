#ifndef R1_TESTS_FAIL_ALLOC_H
#define R1_TESTS_FAIL_ALLOC_H
/* Allocations that fail when a test says so, those of the libraries that we call included: the C
 * library's allocator is replaced in the program that links this.  The sanitizers bring their own
 * allocator, so under them only ours (common/base/mem.h) fail.
 *
 * Only the thread that arms is hit and counted. */

typedef enum fail_kind {
    FAIL_OURS, /* ours fail from the n-th on */
    FAIL_ALL,  /* everybody's fail from the n-th on: there is no memory any more */
    FAIL_ONCE /* everybody's n-th fails, and only that: memory is scarce, or that block was large */
} fail_kind;

int fail_can(fail_kind kind);
/* n = 0: the next one. */
void fail_arm(fail_kind kind, long n);
/* Did an allocation fail?  FAIL_OURS cannot tell: 0. */
int fail_disarm(void);

/* Blocks that this thread has and had not freed; 0 under the sanitizers, which look for leaks
 * themselves. */
long fail_live(void);

#endif
