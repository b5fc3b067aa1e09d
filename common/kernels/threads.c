/* Whether OpenMP's threads can be had, and which core each runs on; see kernels.h. */
#include "common/base/mem.h"
#include "common/kernels/impl.h"

#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void *pass(void *gate) {
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

r1_status r1_threads_try(int threads, r1_err *err) {
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_t *thread = NULL;
    int n = 0, rc = 0;
    r1_status st;

    R1_TRY(R1_NEW(thread, (size_t)threads, err));
    pthread_mutex_lock(&gate); /* all of them at once */
    while (n < threads && (rc = pthread_create(&thread[n], NULL, pass, &gate)) == 0)
        n++;
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < n; i++)
        pthread_join(thread[i], NULL);
    if (rc != 0)
        st = R1_FAIL(err, R1_NOMEM, "out of memory: stacks for %d threads (ulimit -v, -u): %s",
                     threads, strerror(rc));
done:
    r1_free(thread);
    return st;
}

/* CPU number `index` of the set; -1: it has fewer. */
static int cpu_at(const cpu_set_t *set, int index) {
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, set) && index-- == 0)
            return cpu;
    return -1;
}

static cpu_set_t mine; /* cores of this process, before its threads were pinned */
static int pinned;

int r1_threads_pin(int rank, int ranks, int threads) {
    const char *bind = getenv("OMP_PROC_BIND");
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
    pinned = 1;
    return 1;
}

void r1_thread_roam(void) {
    if (pinned)
        sched_setaffinity(0, sizeof mine, &mine);
}
