/* Trace points; see trace.h. */
#include "common/base/trace.h"

#include "common/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 64

int r1_trace_active;

void r1_trace_follow(uint64_t first, uint64_t n) {
    const char *text = getenv("R1_TRACE");
    uint64_t deal = text ? strtoull(text, NULL, 10) : 0;

    r1_trace_active = text && deal >= first && deal - first < n;
}

void r1_trace_file(const char *file) {
    static const char *seen[FILES_MAX];
    static int n;

    while (strncmp(file, "../", 3) == 0)
        file += 3;
    for (int i = 0; i < n; i++)
        if (strcmp(seen[i], file) == 0)
            return;
    if (n == FILES_MAX)
        return;
    seen[n++] = file;
    fprintf(stderr, "trace %.9f %s\n", r1_now_s(), file);
}
