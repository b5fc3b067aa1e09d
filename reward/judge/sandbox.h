#ifndef R1_REWARD_JUDGE_SANDBOX_H
#define R1_REWARD_JUDGE_SANDBOX_H
/* The inside of a box: what happens between clone and the judged program.
 *
 * Two processes: process 1 of the box makes the file tree, starts the program and reaps what is
 * orphaned; when the program has ended it ends too, and the kernel kills whatever is left in its
 * process namespace, however often it forked.  Process 1 can't be signalled, traced or read from
 * inside. */
#include "reward/judge/box.h"

#include <sys/types.h>

/* How this machine lets a box be made; the launcher tries the ladder of r1_sandbox_ladder from the
 * top and keeps the first that works. */
typedef struct r1_sandbox_kind {
    int flags;        /* CLONE_NEW* */
    const char *text; /* the layers' names */
} r1_sandbox_kind;

extern const r1_sandbox_kind r1_sandbox_ladder[];
extern const int r1_sandbox_ladder_n;

typedef struct r1_sandbox {
    const r1_sandbox_kind *kind;
    const r1_box_request *request;
    int fds[R1_BOX_FDS_MAX]; /* of the program: 0, 1, ... */
    int n_fds;
    int fetch_fd;    /* -1: nothing is fetched */
    int go_fd;       /* a byte comes when the ids are mapped */
    int report_fd;   /* r1_sandbox_report goes here */
    uid_t id;        /* user and group in the box */
    int limit_tasks; /* RLIMIT_NPROC counts tasks of this box only */
    int try_only;    /* make everything, run nothing */
} r1_sandbox;

/* From process 1, when the program has ended or could not be started. */
typedef struct r1_sandbox_report {
    int status;    /* as waitpid gives it; meaningless if error is set */
    int error;     /* errno of the call that failed, 0: none did */
    int no_proc;   /* /proc could not be mounted afresh: there is none */
    char call[96]; /* the call that failed */
} r1_sandbox_report;

/* Close every descriptor from this one on. */
void r1_close_from(int first);

/* The life of process 1; does not return. */
_Noreturn void r1_sandbox_run(const r1_sandbox *s);

#endif
