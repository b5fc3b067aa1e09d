/* Boxes as the judge sees them; see client.h. */
#include "reward/judge/client.h"

#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONTROL_FD 3

struct r1_launcher {
    pid_t pid;
    int control;
    r1_box_layers layers;
};

static r1_status launcher_path(const char *given, char *ret, size_t size, r1_err *err) {
    const char *named = given ? given : getenv("R1_LAUNCHER");
    char self[R1_PATH_MAX];

    if (named && *named)
        return r1_path_format(ret, size, err, "%s", named);
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0)
        return R1_FAIL(err, R1_IO, "cannot read /proc/self/exe: %s", strerror(errno));
    self[n] = '\0';
    char *slash = strrchr(self, '/');
    return r1_path_format(ret, size, err, "%.*s/r1-launcher", (int)(slash - self), self);
}

/* An empty environment: what this process knows from its own is not for programs of a model. */
static r1_status spawn(r1_launcher *l, const char *path, int theirs, r1_err *err) {
    char *const argv[] = {(char *)(uintptr_t) "r1-launcher", NULL}, *const envp[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, 0, 1);
    posix_spawn_file_actions_adddup2(&actions, theirs, CONTROL_FD);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all); /* programs inherit what is ignored */
    posix_spawnattr_setpgroup(&attributes, 0);        /* ^C is for the judge, which then hangs up */
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    int error = posix_spawn(&l->pid, path, &actions, &attributes, argv, envp);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error) {
        l->pid = 0;
        return R1_FAIL(err, R1_IO, "cannot start the launcher '%s': %s", path, strerror(error));
    }
    return R1_OK;
}

r1_status r1_launcher_open(r1_launcher **ret, const char *program, r1_err *err) {
    int pair[2] = {-1, -1};
    char path[R1_PATH_MAX];
    r1_launcher *l = NULL;
    r1_status st;

    R1_TRY(R1_NEW(l, 1, err));
    l->control = -1;
    R1_TRY(launcher_path(program, path, sizeof path, err));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        st = R1_FAIL(err, R1_IO, "socketpair: %s", strerror(errno));
        goto done;
    }
    l->control = pair[0];
    /* Never at the place where the launcher wants it: dup2 on itself would keep close-on-exec. */
    int theirs = fcntl(pair[1], F_DUPFD_CLOEXEC, CONTROL_FD + 1);
    st = spawn(l, path, theirs, err);
    close(theirs);
    close(pair[1]);
    if (st != R1_OK)
        goto done;
    if (recv(l->control, &l->layers, sizeof l->layers, 0) != sizeof l->layers)
        st = R1_FAIL(err, R1_IO, "the launcher '%s' ended at once", path);
    else if (!l->layers.usable)
        st = R1_FAIL(err, R1_UNAVAILABLE, "no sandbox can be made on this machine: %s",
                     l->layers.text);
done:
    if (st == R1_OK)
        *ret = l;
    else
        r1_launcher_close(l);
    return st;
}

void r1_launcher_close(r1_launcher *l) {
    if (!l)
        return;
    if (l->control >= 0)
        close(l->control);
    if (l->pid > 0)
        while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    r1_free(l);
}

const char *r1_launcher_layers(const r1_launcher *l) {
    return l->layers.text;
}

pid_t r1_launcher_pid(const r1_launcher *l) {
    return l->pid;
}

/* n bytes and n_fds descriptors, in one message. */
static int send_with(int to, const void *bytes, size_t n, const int *fds, int n_fds) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE((R1_BOX_FDS_MAX + 1) * sizeof(int))];
    } control;
    struct iovec iov = {(void *)(uintptr_t)bytes, n};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t k;

    if (n_fds) {
        m.msg_control = control.room;
        m.msg_controllen = CMSG_SPACE((size_t)n_fds * sizeof *fds);
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        *c = (struct cmsghdr){.cmsg_len = CMSG_LEN((size_t)n_fds * sizeof *fds),
                              .cmsg_level = SOL_SOCKET,
                              .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(c), fds, (size_t)n_fds * sizeof *fds);
    }
    while ((k = sendmsg(to, &m, MSG_NOSIGNAL)) < 0 && errno == EINTR)
        ;
    return k == (ssize_t)n ? 0 : -1;
}

static int send_all(int to, const char *s, size_t n) {
    while (n) {
        ssize_t k = send(to, s, n, MSG_NOSIGNAL);
        if (k < 0 && errno != EINTR)
            return -1;
        s += k > 0 ? k : 0;
        n -= k > 0 ? (size_t)k : 0;
    }
    return 0;
}

r1_status r1_box_start(const r1_launcher *l, const r1_box_request *b, const int *fds, int n_fds,
                       int *ret_box, r1_err *err) {
    int pair[2] = {-1, -1};
    r1_buf bytes;
    r1_status st;

    r1_buf_init(&bytes, R1_BOX_BYTES_MAX);
    R1_TRY(r1_box_encode(b, &bytes, err));
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        st = R1_FAIL(err, R1_IO, "socketpair: %s", strerror(errno));
        goto done;
    }
    uint32_t n = (uint32_t)bytes.len;
    int bad = send_with(l->control, "b", 1, &pair[1], 1) != 0;
    close(pair[1]);
    if (bad || send_with(pair[0], &n, sizeof n, fds, n_fds) != 0 ||
        send_all(pair[0], bytes.data, n) != 0) {
        st = R1_FAIL(err, R1_IO, "the launcher is gone: %s", strerror(errno));
        close(pair[0]);
        goto done;
    }
    *ret_box = pair[0];
done:
    r1_buf_done(&bytes);
    return st;
}

void r1_box_stop(int box) {
    shutdown(box, SHUT_WR);
}

r1_box_result r1_box_finish(int box) {
    r1_box_result r;
    size_t have = 0;
    ssize_t n;

    while (have < sizeof r) {
        n = recv(box, (char *)&r + have, sizeof r - have, 0);
        if (n == 0 || (n < 0 && errno != EINTR))
            break;
        have += n > 0 ? (size_t)n : 0;
    }
    close(box);
    return have == sizeof r ? r
                            : (r1_box_result){.end = R1_BOX_FAILED, .why = "the launcher is gone"};
}

r1_status r1_memory_file(const void *bytes, size_t n, int *ret_fd, r1_err *err) {
    int fd = memfd_create("input", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    const char *s = bytes;
    size_t done = 0;

    while (fd >= 0 && done < n) {
        ssize_t k = write(fd, s + done, n - done);
        if (k < 0 && errno != EINTR)
            break;
        done += k > 0 ? (size_t)k : 0;
    }
    if (fd < 0 || done < n || lseek(fd, 0, SEEK_SET) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        return R1_FAIL(err, R1_IO, "cannot make a file in memory: %s", strerror(error));
    }
    *ret_fd = fd;
    return R1_OK;
}

/* What is ready in a pipe: up to `room` bytes are kept in `to`, the rest is counted.  0 at its
 * end. */
static int drain(int fd, char *to, size_t room, size_t *count) {
    char piece[65536];
    ssize_t n = read(fd, piece, sizeof piece);

    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    if (*count < room)
        memcpy(to + *count, piece, (size_t)n < room - *count ? (size_t)n : room - *count);
    *count += (size_t)n;
    return n > 0;
}

/* Until both pipes are at their end: nothing of the box lives then, or nothing that can print. */
static r1_status collect(int box, int out, int errors, r1_box_io *run, r1_err *err) {
    struct pollfd p[2] = {{.fd = out, .events = POLLIN}, {.fd = errors, .events = POLLIN}};
    size_t n_out = 0, n_errors = 0, most = run->output.max;
    r1_status st = r1_buf_extend(&run->output, most, err);

    if (st != R1_OK)
        return st;
    while (p[0].fd >= 0 || p[1].fd >= 0) {
        if (poll(p, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            return R1_FAIL(err, R1_IO, "poll: %s", strerror(errno));
        }
        if (p[0].fd >= 0 && p[0].revents && !drain(out, run->output.data, most, &n_out))
            p[0].fd = -1;
        if (p[1].fd >= 0 && p[1].revents &&
            !drain(errors, run->message, sizeof run->message - 1, &n_errors))
            p[1].fd = -1;
        if (!run->too_much && (n_out > most || n_errors > most)) {
            run->too_much = 1;
            r1_box_stop(box);
        }
    }
    run->output.len = n_out < most ? n_out : most;
    run->output.data[run->output.len] = '\0';
    run->message[n_errors < sizeof run->message ? n_errors : sizeof run->message - 1] = '\0';
    return R1_OK;
}

r1_status r1_run_box(const r1_launcher *l, const r1_box_request *b, r1_box_io *run, r1_err *err) {
    int out[2] = {-1, -1}, errors[2] = {-1, -1}, fds[4] = {-1, -1, -1, -1}, box = -1;
    r1_status st;

    R1_TRY(r1_memory_file(run->input, run->n_input, &fds[0], err));
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(errors, O_CLOEXEC) != 0) {
        st = R1_FAIL(err, R1_IO, "pipe2: %s", strerror(errno));
        goto done;
    }
    fds[1] = out[1];
    fds[2] = errors[1];
    fds[3] = run->fetch_fd;
    R1_TRY(r1_box_start(l, b, fds, b->fetch ? 4 : 3, &box, err));
    close(out[1]);
    close(errors[1]);
    out[1] = errors[1] = -1;
    st = collect(box, out[0], errors[0], run, err);
    if (st != R1_OK)
        r1_box_stop(box);
    run->result = r1_box_finish(box);
done:
    for (int i = 0; i < 2; i++) {
        if (out[i] >= 0)
            close(out[i]);
        if (errors[i] >= 0)
            close(errors[i]);
    }
    if (fds[0] >= 0)
        close(fds[0]);
    return st;
}
