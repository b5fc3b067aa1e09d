#ifndef R1_BASE_TRACE_H
#define R1_BASE_TRACE_H
/* Following one prompt's trajectories through the code: with R1_TRACE=<deal index> in the
 * environment every file that they pass says so once on stderr,
 *     trace <seconds> <file>
 * in the order of the first passage (seconds of the node's monotonic clock, so that the lines of
 * several ranks can be sorted).  The README's walk is checked with it.  Not for threads: points lie
 * in code that a rank's main thread runs. */
#include <stdint.h>

extern int r1_trace_active;

/* From here on this rank works on prompts [first, first + n): active if the traced one is among
 * them.  n = 0: it does not any more. */
void r1_trace_follow(uint64_t first, uint64_t n);
void r1_trace_file(const char *file);

#define R1_TRACE()                                \
    do {                                          \
        if (__builtin_expect(r1_trace_active, 0)) \
            r1_trace_file(__FILE__);              \
    } while (0)

#endif
