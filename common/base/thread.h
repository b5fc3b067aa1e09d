#ifndef R1_BASE_THREAD_H
#define R1_BASE_THREAD_H
/* Threads beside the main one. */
#include <pthread.h>

/* Start a thread that gets no signals: those are the main thread's.  Returns 0 or the error of
 * pthread_create. */
int r1_thread_start(pthread_t *ret, void *(*run)(void *), void *arg);

#endif
