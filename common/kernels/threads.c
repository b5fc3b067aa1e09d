/* Which core each OpenMP thread runs on; see r1_threads_pin in kernels.h. */
#include "common/kernels/kernels.h"

#include <omp.h>
#include <sched.h>
#include <stdlib.h>
#include <strings.h>

/* CPU number `index` of the set; -1: it has fewer. */
static int cpu_at(const cpu_set_t *set, int index) {
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, set) && index-- == 0)
            return cpu;
    return -1;
}

int r1_threads_pin(int rank, int ranks, int threads) {
    const char *bind = getenv("OMP_PROC_BIND");
    cpu_set_t mine;
    int first = 0;

    if ((bind && strcasecmp(bind, "false") != 0) || threads < 2 ||
        sched_getaffinity(0, sizeof mine, &mine) != 0)
        return 0;
    if (CPU_COUNT(&mine) == ranks * threads)
        first = rank * threads;
    else if (CPU_COUNT(&mine) != threads)
        return 0;
#pragma omp parallel num_threads(threads)
    {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu_at(&mine, first + omp_get_thread_num()), &one);
        sched_setaffinity(0, sizeof one, &one);
    }
    return 1;
}
