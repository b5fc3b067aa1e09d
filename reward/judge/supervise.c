/* One box from outside; see supervise.h. */
#include "reward/judge/supervise.h"

#include "common/base/clock.h"
#include "reward/judge/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_MS 10

typedef struct box {
    const r1_supervisor *s;
    r1_box_request request;
    r1_sandbox inside;
    pid_t pid;
    int report_fd, connection; /* connection -1: nobody can stop it */
    r1_group group;
    double t0_s;
    pid_t lone; /* of the last tick, and its delay then */
    uint64_t lone_delay_us;
    int no_proc;
    r1_box_result result;
} box;

static int fail(box *b, const char *call) {
    b->result.end = R1_BOX_FAILED;
    snprintf(b->result.why, sizeof b->result.why, "%s: %s", call, strerror(errno));
    return -1;
}

static int write_proc(pid_t pid, const char *file, const char *text) {
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = write(fd, text, strlen(text));
    close(fd);
    return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* Unprivileged ids of the machine for this box alone, if there are enough of them: what one user
 * may start is counted per id, and root is never counted. */
static uid_t outer_id(void) {
    unsigned long inside, outside, count = 0;
    FILE *f = fopen("/proc/self/uid_map", "re");

    if (f) {
        if (fscanf(f, "%lu %lu %lu", &inside, &outside, &count) != 3)
            count = 0;
        fclose(f);
    }
    if (count > 0x7f000000)
        return 0x70000000u + (uid_t)getpid();
    return count > 4000 ? (uid_t)(count - 2000 - (unsigned)getpid() % 1000) : 65534;
}

static int map_ids(box *b) {
    uid_t outer = b->s->privileged ? outer_id() : geteuid();
    gid_t outer_group = b->s->privileged ? outer : getegid();
    char text[64];

    snprintf(text, sizeof text, "%u %u 1", b->inside.id, outer);
    if (write_proc(b->pid, "uid_map", text) != 0)
        return fail(b, "write /proc/PID/uid_map");
    if (write_proc(b->pid, "setgroups", "deny") != 0)
        return fail(b, "write /proc/PID/setgroups");
    snprintf(text, sizeof text, "%u %u 1", b->inside.id, outer_group);
    if (write_proc(b->pid, "gid_map", text) != 0)
        return fail(b, "write /proc/PID/gid_map");
    return 0;
}

/* Pipes that the program may open again, as /dev/stdout. */
static void give_pipes(const box *b) {
    struct stat sb;
    uid_t id = outer_id();

    for (int i = 0; i < b->inside.n_fds; i++)
        if (fstat(b->inside.fds[i], &sb) == 0 && S_ISFIFO(sb.st_mode))
            (void)!fchown(b->inside.fds[i], id, id); /* else it only prints to them */
}

/* The processes exist and wait for a byte in go_fd when this returns 0. */
static int start(box *b, int *ret_go_fd) {
    int go[2], report[2];
    int flags = b->s->kind->flags;

    if (pipe2(go, O_CLOEXEC) != 0 || pipe2(report, O_CLOEXEC) != 0)
        return fail(b, "pipe2");
    if (b->s->privileged)
        give_pipes(b);
    b->inside.kind = b->s->kind;
    b->inside.request = &b->request;
    b->inside.limit_tasks = b->s->own_tasks;
    b->inside.id = flags & CLONE_NEWUSER ? 65534 : outer_id();
    b->inside.go_fd = go[0];
    b->inside.report_fd = report[1];
    b->pid = (pid_t)syscall(__NR_clone, (unsigned long)(flags | SIGCHLD), 0, 0, 0, 0);
    if (b->pid == 0) {
        close(go[1]);
        close(report[0]);
        if (b->connection >= 0)
            close(b->connection);
        r1_sandbox_run(&b->inside);
    }
    int error = errno;
    close(go[0]);
    close(report[1]);
    *ret_go_fd = go[1];
    b->report_fd = report[0];
    errno = error;
    if (b->pid < 0)
        return fail(b, "clone");
    return flags & CLONE_NEWUSER ? map_ids(b) : 0;
}

static uint64_t wall_us(const box *b) {
    return (uint64_t)(1e6 * (r1_now_s() - b->t0_s));
}

/* Time that the one task that wants to run had to wait since the last tick. */
static void count_delay(box *b, const r1_usage *u) {
    if (u->lone && u->lone == b->lone && u->lone_delay_us > b->lone_delay_us)
        b->result.delay_us += u->lone_delay_us - b->lone_delay_us;
    b->lone = u->lone;
    b->lone_delay_us = u->lone_delay_us;
}

/* Has a limit struck?  R1_BOX_EXITED: none has. */
static r1_box_end over_limit(box *b) {
    const r1_box_limits *l = &b->request.limits;
    r1_usage u = r1_usage_read(b->pid);
    r1_group_use g = r1_group_read(&b->group);
    uint64_t wall = wall_us(b);

    count_delay(b, &u);
    if (u.cpu_us > b->result.cpu_us)
        b->result.cpu_us = u.cpu_us;
    if (g.cpu_us > b->result.cpu_us)
        b->result.cpu_us = g.cpu_us;
    if (u.resident_bytes > b->result.peak_bytes)
        b->result.peak_bytes = u.resident_bytes;
    if (u.tasks > b->result.peak_tasks)
        b->result.peak_tasks = u.tasks;
    if ((double)b->result.cpu_us >= 1e6 * l->cpu_s)
        return R1_BOX_CPU;
    if (!b->group.memory && u.resident_bytes > l->memory_bytes)
        return R1_BOX_MEMORY;
    if (u.tasks > l->tasks)
        return R1_BOX_TASKS;
    if ((double)wall - (double)b->result.delay_us >= 1e6 * l->wall_s)
        return R1_BOX_WALL;
    return (double)wall >= R1_BOX_STARVED_TIMES * 1e6 * l->wall_s ? R1_BOX_STARVED : R1_BOX_EXITED;
}

/* Until process 1 reports, a limit strikes, or the judge hangs up. */
static r1_box_end watch(box *b) {
    struct pollfd p[2] = {{.fd = b->report_fd, .events = POLLIN},
                          {.fd = b->connection, .events = POLLIN | POLLRDHUP}};
    double next_s = b->t0_s + 1e-3 * TICK_MS;

    for (;;) {
        double left_ms = 1e3 * (next_s - r1_now_s());
        int n = poll(p, 2, left_ms > 0 ? (int)ceil(left_ms) : 0);
        if (n > 0 && p[0].revents)
            return R1_BOX_EXITED;
        if (n > 0 && p[1].revents)
            return R1_BOX_STOPPED;
        if (r1_now_s() < next_s)
            continue;
        r1_box_end end = over_limit(b);
        if (end != R1_BOX_EXITED)
            return end;
        next_s = r1_now_s() + 1e-3 * TICK_MS;
    }
}

/* What process 1 said. */
static void take_report(box *b, const r1_sandbox_report *report) {
    r1_box_result *r = &b->result;

    b->no_proc = report->no_proc;
    if (report->error) {
        errno = report->error;
        fail(b, report->call);
    } else if (WIFSIGNALED(report->status)) {
        r->end = R1_BOX_SIGNALED;
        r->code = WTERMSIG(report->status);
    } else {
        r->code = WEXITSTATUS(report->status);
    }
}

/* Kill what is left; the verdict on the box once all of it is dead. */
static void conclude(box *b, r1_box_end end) {
    const r1_box_limits *l = &b->request.limits;
    r1_sandbox_report report;
    r1_box_result *r = &b->result;
    struct rusage use;

    int reported =
        end == R1_BOX_EXITED && read(b->report_fd, &report, sizeof report) == sizeof report;
    kill(b->pid, SIGKILL);
    r->wall_us = wall_us(b);
    while (wait4(b->pid, NULL, __WALL, &use) < 0 && errno == EINTR)
        ;
    r1_group_use g = r1_group_read(&b->group);
    uint64_t cpu = (uint64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000 +
                   (uint64_t)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
    cpu = cpu > g.cpu_us ? cpu : g.cpu_us;
    r->cpu_us = cpu > r->cpu_us ? cpu : r->cpu_us;
    uint64_t maxrss = (uint64_t)use.ru_maxrss * 1024; /* of its largest process */
    uint64_t peak = maxrss > g.peak_bytes ? maxrss : g.peak_bytes;
    r->peak_bytes = peak > r->peak_bytes ? peak : r->peak_bytes;
    r->end = end;
    if (reported) {
        take_report(b, &report);
    } else if (end == R1_BOX_EXITED) {
        r->end = R1_BOX_FAILED;
        snprintf(r->why, sizeof r->why, "process 1 of the box was killed");
    }
    if (g.out_of_memory || (r->end == R1_BOX_EXITED && maxrss > l->memory_bytes))
        r->end = R1_BOX_MEMORY;
    else if (r->end <= R1_BOX_SIGNALED && (double)r->cpu_us >= 1e6 * l->cpu_s)
        r->end = R1_BOX_CPU;
}

static void run(box *b) {
    int go_fd = -1;

    b->t0_s = r1_now_s();
    int started = start(b, &go_fd) == 0;
    if (b->pid <= 0) {
        close(go_fd);
        return;
    }
    r1_group_open(&b->group, &b->s->groups, b->pid, &b->request.limits);
    for (int i = 0; i < b->inside.n_fds; i++)
        close(b->inside.fds[i]);
    if (b->inside.fetch_fd >= 0)
        close(b->inside.fetch_fd);
    /* Without the byte process 1 ends by itself, and says why. */
    if (started && write(go_fd, "g", 1) != 1)
        fail(b, "write to process 1");
    close(go_fd);
    if (started) {
        conclude(b, watch(b));
    } else {
        kill(b->pid, SIGKILL);
        waitpid(b->pid, NULL, __WALL);
    }
    close(b->report_fd);
    r1_group_close(&b->group);
}

/* The length of the request and the descriptors, in one message. */
static int receive_head(int connection, uint32_t *ret_n, int *fds, int *ret_n_fds) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE((R1_BOX_FDS_MAX + 1) * sizeof(int))];
    } control;
    struct iovec iov = {ret_n, sizeof *ret_n};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = sizeof control.room};

    *ret_n_fds = 0;
    if (recvmsg(connection, &m, MSG_CMSG_CLOEXEC | MSG_WAITALL) != sizeof *ret_n)
        return -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            size_t k = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            if (k > R1_BOX_FDS_MAX + 1) /* the room's padding may hold one more */
                return -1;
            *ret_n_fds = (int)k;
            memcpy(fds, CMSG_DATA(c), k * sizeof *fds);
        }
    return m.msg_flags & MSG_CTRUNC ? -1 : 0;
}

static int receive_body(int connection, char *to, size_t n) {
    while (n) {
        ssize_t k = recv(connection, to, n, 0);
        if (k <= 0 && !(k < 0 && errno == EINTR))
            return -1;
        to += k > 0 ? k : 0;
        n -= k > 0 ? (size_t)k : 0;
    }
    return 0;
}

/* The request into b->request, which points into *bytes. */
static int receive(box *b, char **bytes) {
    int fds[R1_BOX_FDS_MAX + 1], n_fds;
    r1_err err;
    uint32_t n;

    if (receive_head(b->connection, &n, fds, &n_fds) != 0 || n > R1_BOX_BYTES_MAX)
        return fail(b, "receive a request");
    *bytes = r1_calloc(n, 1);
    if (!*bytes || receive_body(b->connection, *bytes, n) != 0)
        return fail(b, "receive a request");
    if (r1_box_decode(*bytes, n, &b->request, &err) != R1_OK) {
        b->result.end = R1_BOX_FAILED;
        snprintf(b->result.why, sizeof b->result.why, "%.200s", err.msg);
        return -1;
    }
    b->inside.fetch_fd = b->request.fetch && n_fds ? fds[--n_fds] : -1;
    if (n_fds > R1_BOX_FDS_MAX || (b->request.fetch && b->inside.fetch_fd < 0)) {
        errno = EBADF;
        return fail(b, "descriptors of a request");
    }
    memcpy(b->inside.fds, fds, (size_t)n_fds * sizeof *fds);
    b->inside.n_fds = n_fds;
    return 0;
}

void r1_supervise(const r1_supervisor *s, int connection) {
    box b = {.s = s, .connection = connection, .report_fd = -1};
    char *bytes = NULL;

    if (receive(&b, &bytes) == 0)
        run(&b);
    r1_free(bytes);
    ssize_t n = send(connection, &b.result, sizeof b.result, MSG_NOSIGNAL);
    (void)n; /* a judge that is gone does not want it */
}

int r1_supervise_try(const r1_supervisor *s, int *ret_no_proc, r1_box_result *ret) {
    box b = {.s = s, .connection = -1, .report_fd = -1};

    b.request.limits = (r1_box_limits){.cpu_s = 5,
                                       .wall_s = 10,
                                       .memory_bytes = (uint64_t)256 << 20,
                                       .stack_bytes = (uint64_t)8 << 20,
                                       .file_bytes = 4096,
                                       .tasks = 8,
                                       .open_files = 32};
    b.request.words[0] = "/";
    b.request.n_words = 1;
    b.inside.fetch_fd = -1;
    b.inside.try_only = 1;
    run(&b);
    *ret_no_proc = b.no_proc;
    *ret = b.result;
    return b.result.end == R1_BOX_EXITED && b.result.code == 0 ? 0 : -1;
}
