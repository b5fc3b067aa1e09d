/* A thread with a queue; see worker.h. */
#include "reward/worker.h"

#include "common/base/mem.h"
#include "common/base/thread.h"

#include <string.h>

struct r1_worker {
    pthread_t thread;
    int running, closing;
    pthread_mutex_t lock;
    pthread_cond_t more, finished;
    r1_task *first, **end; /* submitted, not begun */
};

static void unlink_task(r1_worker *w, r1_task **at) {
    *at = (*at)->next;
    if (!*at)
        w->end = at;
}

static void *work(void *arg) {
    r1_worker *w = arg;

    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (!w->first && !w->closing)
            pthread_cond_wait(&w->more, &w->lock);
        r1_task *t = w->first;
        if (!t)
            break;
        unlink_task(w, &w->first);
        pthread_mutex_unlock(&w->lock);
        t->run(t);
        pthread_mutex_lock(&w->lock);
        t->done = 1;
        pthread_cond_broadcast(&w->finished);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

r1_status r1_worker_open(r1_worker **ret, r1_err *err) {
    r1_worker *w;
    r1_status st;

    if ((st = R1_NEW(w, 1, err)) != R1_OK)
        return st;
    w->end = &w->first;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->more, NULL);
    pthread_cond_init(&w->finished, NULL);
    int error = r1_thread_start(&w->thread, work, w);
    w->running = error == 0;
    if (error) {
        r1_worker_close(w);
        return R1_FAIL(err, R1_IO, "cannot start a thread: %s", strerror(error));
    }
    *ret = w;
    return R1_OK;
}

void r1_worker_close(r1_worker *w) {
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->closing = 1;
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->lock);
    if (w->running)
        pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->finished);
    pthread_cond_destroy(&w->more);
    pthread_mutex_destroy(&w->lock);
    r1_free(w);
}

void r1_worker_submit(r1_worker *w, r1_task *t) {
    t->next = NULL;
    t->done = 0;
    pthread_mutex_lock(&w->lock);
    *w->end = t;
    w->end = &t->next;
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->lock);
}

int r1_worker_poll(r1_worker *w, const r1_task *t) {
    pthread_mutex_lock(&w->lock);
    int done = t->done;
    pthread_mutex_unlock(&w->lock);
    return done;
}

void r1_worker_wait(r1_worker *w, const r1_task *t) {
    pthread_mutex_lock(&w->lock);
    while (!t->done)
        pthread_cond_wait(&w->finished, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

void r1_worker_drop(r1_worker *w, r1_task *t) {
    r1_task **at = &w->first;

    pthread_mutex_lock(&w->lock);
    while (*at && *at != t)
        at = &(*at)->next;
    if (*at) {
        unlink_task(w, at);
        t->done = 1;
    }
    pthread_mutex_unlock(&w->lock);
    r1_worker_wait(w, t);
}
