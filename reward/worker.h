#ifndef R1_REWARD_WORKER_H
#define R1_REWARD_WORKER_H
/* A thread that does what it is given, one thing after the other, while its owner does others.
 *
 * What is slow because it waits for somebody else (a program of the user's) goes here, so that
 * tokens are drawn meanwhile.  Order is that of submission: what such a program sees does not depend
 * on timing. */
#include "common/base/err.h"

typedef struct r1_task {
    void (*run)(struct r1_task *t);
    struct r1_task *next; /* the worker's own */
    int done;
} r1_task;

typedef struct r1_worker r1_worker;

R1_MUST_USE r1_status r1_worker_open(r1_worker **ret, r1_err *err);
void r1_worker_close(r1_worker *w); /* no task may be on its way; NULL is fine */

/* Any thread may call these.  The task belongs to the caller, who leaves it alone until it is
 * done. */
void r1_worker_submit(r1_worker *w, r1_task *t);
int r1_worker_poll(r1_worker *w, const r1_task *t); /* 1: it is done */
void r1_worker_wait(r1_worker *w, const r1_task *t);
/* It is not wanted: one that has not begun never does, one that has is waited for. */
void r1_worker_drop(r1_worker *w, r1_task *t);

#endif
