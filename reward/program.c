/* An external program on two pipes; see program.h. */
#include "reward/program.h"

#include "common/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHUNK    65536
#define GRACE_MS 1000

struct r1_program {
    char **command; /* ends with NULL */
    double deadline_s;
    pthread_mutex_t lock;
    pid_t pid; /* 0: not running */
    int to, from;
};

/* ---- life ---- */

/* Is there such a program, here or in PATH? */
static int is_there(const char *name) {
    const char *path = getenv("PATH");
    char full[4096];

    if (strchr(name, '/'))
        return access(name, X_OK) == 0;
    for (const char *at = path ? path : "/usr/bin:/bin"; *at;) {
        int n = (int)strcspn(at, ":");
        int len = snprintf(full, sizeof full, "%.*s/%s", n, at, name);
        if (len > 0 && (size_t)len < sizeof full && access(full, X_OK) == 0)
            return 1;
        at += n + (at[n] == ':');
    }
    return 0;
}

r1_status r1_program_open(r1_program **ret, const char *const *command, int n, double deadline_s,
                          r1_err *err) {
    r1_program *p = NULL;
    r1_status st;

    if (n < 1 || !is_there(command[0]))
        return R1_FAIL(err, R1_USAGE, "there is no program '%s'", n < 1 ? "" : command[0]);
    R1_TRY(R1_NEW(p, 1, err));
    p->deadline_s = deadline_s;
    p->to = p->from = -1;
    pthread_mutex_init(&p->lock, NULL);
    R1_TRY(R1_NEW(p->command, (size_t)n + 1, err));
    for (int i = 0; i < n; i++)
        if (!(p->command[i] = r1_strdup(command[i]))) {
            st = R1_FAIL(err, R1_NOMEM, "out of memory: command");
            goto done;
        }
    *ret = p;
    return R1_OK;
done:
    r1_program_close(p);
    return st;
}

/* Pipes to and from it; the ends that are ours do not block and no other program gets them. */
static int make_pipes(int in[2], int out[2]) {
    if (pipe2(in, O_CLOEXEC) != 0)
        return -1;
    if (pipe2(out, O_CLOEXEC) != 0) {
        close(in[0]);
        close(in[1]);
        return -1;
    }
    fcntl(in[1], F_SETFL, O_NONBLOCK);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    return 0;
}

/* In a group of its own, with the signals as programs expect them. */
static int spawn(r1_program *p, int in, int out) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attr);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                        POSIX_SPAWN_SETPGROUP);
    int rc = posix_spawnp(&p->pid, p->command[0], &actions, &attr, p->command, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    if (rc != 0)
        p->pid = 0;
    return rc;
}

static int start(r1_program *p) {
    int in[2], out[2];

    if (p->pid)
        return 0;
    if (make_pipes(in, out) != 0)
        return -1;
    int rc = spawn(p, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    p->to = in[1];
    p->from = out[0];
    if (rc == 0)
        return 0;
    close(p->to);
    close(p->from);
    p->to = p->from = -1;
    return -1;
}

static void kill_group(r1_program *p) {
    kill(-p->pid, SIGKILL);
    while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* End it: by the end of its input within the grace, else by force. */
static void stop(r1_program *p, int grace_ms) {
    const struct timespec tick = {0, 5000000};
    pid_t gone = 0;

    if (!p->pid)
        return;
    close(p->to);
    close(p->from);
    for (int ms = 0; ms < grace_ms && gone == 0; ms += 5) {
        gone = waitpid(p->pid, NULL, WNOHANG);
        if (gone == 0)
            nanosleep(&tick, NULL);
    }
    if (gone == 0)
        kill_group(p);
    p->pid = 0;
    p->to = p->from = -1;
}

void r1_program_restart(r1_program *p) {
    pthread_mutex_lock(&p->lock);
    stop(p, 0);
    pthread_mutex_unlock(&p->lock);
}

void r1_program_close(r1_program *p) {
    if (!p)
        return;
    stop(p, GRACE_MS);
    for (int i = 0; p->command && p->command[i]; i++)
        r1_free(p->command[i]);
    r1_free(p->command);
    pthread_mutex_destroy(&p->lock);
    r1_free(p);
}

/* ---- one batch ---- */

/* write() to a program that has gone must not end ours: SIGPIPE waits, and is taken back. */
static ssize_t write_quietly(int fd, const char *s, size_t n) {
    const struct timespec now = {0, 0};
    sigset_t pipe_only, before, pending;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    ssize_t got = write(fd, s, n);
    int error = errno;
    if (got < 0 && error == EPIPE && !sigismember(&pending, SIGPIPE))
        sigtimedwait(&pipe_only, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return got;
}

static int would_block(void) {
    return errno == EAGAIN || errno == EINTR;
}

/* Append what is there, up to the last line that was asked for; -1: it has ended. */
static int take(r1_program *p, r1_buf *answers, int n, int *lines) {
    char chunk[CHUNK];
    ssize_t got = read(p->from, chunk, sizeof chunk);

    if (got <= 0)
        return got < 0 && would_block() ? 0 : -1;
    for (ssize_t i = 0; i < got; i++) {
        if (*lines == n) /* more than was asked: what follows could not be told apart */
            return -1;
        *lines += chunk[i] == '\n';
        if (r1_buf_add(answers, &chunk[i], 1, NULL) != R1_OK)
            return -1;
    }
    return 0;
}

static r1_asked talk(r1_program *p, r1_text lines, int n, r1_buf *answers, int *ret_n) {
    double end_s = r1_now_s() + p->deadline_s;
    size_t sent = 0;

    *ret_n = 0;
    while (*ret_n < n) {
        struct pollfd fds[] = {{.fd = p->from, .events = POLLIN},
                               {.fd = sent < lines.n ? p->to : -1, .events = POLLOUT}};
        double left_s = end_s - r1_now_s();
        if (left_s <= 0)
            return R1_ASKED_TIMEOUT;
        if (poll(fds, 2, (int)(1000 * left_s) + 1) < 0 && errno != EINTR)
            return R1_ASKED_ENDED;
        if (fds[1].revents) {
            ssize_t got = write_quietly(p->to, lines.s + sent, lines.n - sent);
            sent += got > 0 ? (size_t)got : 0;
            if (got < 0 && !would_block())
                sent = lines.n; /* it reads no more; what it has written still counts */
        }
        if (fds[0].revents && take(p, answers, n, ret_n) != 0)
            return R1_ASKED_ENDED;
    }
    return R1_ASKED_ALL;
}

r1_asked r1_program_ask(r1_program *p, r1_text lines, int n, r1_buf *answers, int *ret_n) {
    r1_asked how = R1_ASKED_ENDED;

    *ret_n = 0;
    pthread_mutex_lock(&p->lock);
    if (start(p) == 0)
        how = talk(p, lines, n, answers, ret_n);
    if (how != R1_ASKED_ALL)
        stop(p, 0);
    pthread_mutex_unlock(&p->lock);
    return how;
}
