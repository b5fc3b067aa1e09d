/* Threads beside the main one; see thread.h. */
#include "common/base/thread.h"

#include <signal.h>

int r1_thread_start(pthread_t *ret, void *(*run)(void *), void *arg) {
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(ret, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}
