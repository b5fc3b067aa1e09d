#ifndef R1_REWARD_JUDGE_CLIENT_H
#define R1_REWARD_JUDGE_CLIENT_H
/* The judge's side of the launcher: start it, run boxes, collect what they print.
 *
 * A rank must not fork once MPI runs, so r1_launcher_open comes before MPI_Init; after it any
 * number of threads may run boxes at a time. */
#include "reward/judge/box.h"

#include <sys/types.h>

typedef struct r1_launcher r1_launcher;

/* program: the launcher's file; NULL: $R1_LAUNCHER, else r1-launcher beside the running program.
 * R1_UNAVAILABLE names the system call and the setting when this machine allows no sandbox. */
R1_MUST_USE r1_status r1_launcher_open(r1_launcher **ret, const char *program, r1_err *err);
void r1_launcher_close(r1_launcher *l); /* waits until it has ended, by force after 5 s */

/* What protects the machine: "user pid mount net ..., seccomp, rlimits, ...". */
const char *r1_launcher_layers(const r1_launcher *l);
pid_t r1_launcher_pid(const r1_launcher *l);

/* Every wait for a box has a deadline, far behind the one that its supervisor keeps: it passes when
 * the launcher is stopped or the machine hangs.  On a socket, receiving then fails. */
double r1_box_patience_s(const r1_box_limits *l);
void r1_box_set_patience(int socket, const r1_box_limits *l);

/* Begin a box.  fds[0 .. n_fds-1] become the program's 0, 1, ...; with b->fetch one more follows,
 * to which the file goes.  The caller keeps its own copies.  *ret_box is a socket: it becomes
 * readable when the box has ended; r1_box_finish must be called. */
R1_MUST_USE r1_status r1_box_start(const r1_launcher *l, const r1_box_request *b, const int *fds,
                                   int n_fds, int *ret_box, r1_err *err);
/* Kill it; the result still comes. */
void r1_box_stop(int box);
/* Wait for the end; closes the socket.  A box whose launcher is gone or silent has R1_BOX_FAILED. */
r1_box_result r1_box_finish(int box);

/* A file in memory that holds these bytes and can't be changed, to be read from its start. */
R1_MUST_USE r1_status r1_memory_file(const void *bytes, size_t n, int *ret_fd, r1_err *err);

/* One program with a fixed input and bounded output. */
typedef struct r1_box_io {
    const void *input; /* what stdin holds */
    size_t n_input;
    int fetch_fd;      /* of request.fetch */
    r1_buf output;     /* stdout; its max is the limit on stdout, and on stderr */
    char message[512]; /* how stderr began, as text */
    int too_much;      /* printed more than output.max */
    r1_box_result result;
} r1_box_io;

/* run->input, fetch_fd and output (r1_buf_init) are the caller's. */
R1_MUST_USE r1_status r1_run_box(const r1_launcher *l, const r1_box_request *b, r1_box_io *run,
                                 r1_err *err);

#endif
