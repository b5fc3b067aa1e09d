/* Inside of the box; see sandbox.h.  Every step names itself in *call before it is tried, so that a
 * refusal can be reported by name. */
#include "reward/judge/sandbox.h"

#include "reward/judge/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALL_BUT_USER (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET)

const r1_sandbox_kind r1_sandbox_ladder[] = {
    {ALL_BUT_USER | CLONE_NEWUSER | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP,
     "user pid mount net ipc uts cgroup"},
    {ALL_BUT_USER | CLONE_NEWUSER | CLONE_NEWIPC | CLONE_NEWUTS, "user pid mount net ipc uts"},
    {ALL_BUT_USER | CLONE_NEWIPC | CLONE_NEWUTS, "pid mount net ipc uts"},
    {ALL_BUT_USER, "pid mount net"},
};
const int r1_sandbox_ladder_n = sizeof r1_sandbox_ladder / sizeof *r1_sandbox_ladder;

/* The new root is a tmpfs over this directory; the old one is hidden by it and then gone. */
#define BASE "/tmp"

typedef struct inside {
    const r1_sandbox *s;
    r1_sandbox_report report;
} inside;

/* Remember what is tried; returns 1 so that it can stand in a condition. */
static int step(inside *in, const char *call, const char *what) {
    snprintf(in->report.call, sizeof in->report.call, "%s%s%.60s", call, *what ? " " : "", what);
    return 1;
}

#define TRY(in, name, what, call)                      \
    do {                                               \
        if (step((in), (name), (what)) && (call) != 0) \
            return -1;                                 \
    } while (0)

static int set_capabilities(uint32_t low, uint32_t high) {
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{low, low, 0}, {high, high, 0}};

    return (int)syscall(__NR_capset, &head, data);
}

/* Capabilities that this process may use, made effective again after a change of ids. */
static int raise_capabilities(void) {
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];

    if (syscall(__NR_capget, &head, data) != 0)
        return -1;
    return set_capabilities(data[0].permitted, data[1].permitted);
}

static int drop_capabilities(void) {
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (unsigned long cap = 0; prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; cap++)
        ;
    return set_capabilities(0, 0);
}

/* The unprivileged ids; what is needed to build the tree is kept until drop_capabilities. */
static int become(inside *in) {
    struct pollfd reader = {.fd = in->s->report_fd};
    uid_t id = in->s->id;

    TRY(in, "keep capabilities", "", prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
    TRY(in, "setresgid", "", setresgid(id, id, id));
    TRY(in, "setresuid", "", setresuid(id, id, id));
    TRY(in, "capset", "", raise_capabilities());
    TRY(in, "die with the parent", "", prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
    TRY(in, "find the parent", "", poll(&reader, 1, 0)); /* it may have died just before */
    TRY(in, "not dumpable", "", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
    return 0;
}

static int make_parents(const char *path) {
    char part[256];

    for (const char *slash = path; (slash = strchr(slash, '/')); slash++) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        if (*part && mkdir(part, 0755) != 0 && errno != EEXIST)
            return -1;
    }
    return 0;
}

/* A path of the machine, at the same place in the box; what is not there is left out. */
static int show(inside *in, const char *path) {
    const char *here = path + 1;
    struct stat sb;
    char link[256];

    if (lstat(path, &sb) != 0)
        return 0;
    TRY(in, "mkdir", path, make_parents(here));
    if (S_ISLNK(sb.st_mode)) {
        ssize_t n = readlink(path, link, sizeof link - 1);
        if (n < 0)
            return -1;
        link[n] = '\0';
        TRY(in, "symlink", path, symlink(link, here));
        return 0;
    }
    if (S_ISDIR(sb.st_mode)) {
        TRY(in, "mkdir", path, mkdir(here, 0755));
    } else {
        int fd = open(here, O_CREAT | O_WRONLY | O_CLOEXEC, 0444);
        if (fd < 0)
            return -1;
        close(fd);
    }
    TRY(in, "mount --rbind", path, mount(path, here, NULL, MS_BIND | MS_REC, NULL));
    return 0;
}

/* Nothing may be seen of packages that happen to be installed. */
static int mask(inside *in, const char *path) {
    struct stat sb;

    if (stat(path + 1, &sb) != 0 || !S_ISDIR(sb.st_mode))
        return 0;
    TRY(in, "mount over", path,
        mount("none", path + 1, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV,
              "size=4k,nr_inodes=2,mode=555"));
    return 0;
}

static int mask_packages(inside *in) {
    static const char *const roots[] = {"usr/lib", "usr/local/lib"};
    static const char *const names[] = {"dist-packages", "site-packages"};
    static const char *const versions[] = {"python3", "python3."};
    char path[96];

    for (int r = 0; r < 2; r++)
        for (int k = 0; k < 2; k++) {
            snprintf(path, sizeof path, "/%s/%s/%s", roots[r], versions[0], names[k]);
            if (mask(in, path) != 0)
                return -1;
            for (int minor = 6; minor < 40; minor++) {
                snprintf(path, sizeof path, "/%s/%s%d/%s", roots[r], versions[1], minor, names[k]);
                if (mask(in, path) != 0)
                    return -1;
            }
        }
    return 0;
}

/* Is a tool only in /usr/local? */
static int needs_local(void) {
    static const char *const tools[] = {"python3", "gcc", "g++"};
    char usual[64], local[64];

    for (int i = 0; i < 3; i++) {
        snprintf(usual, sizeof usual, "/usr/bin/%s", tools[i]);
        snprintf(local, sizeof local, "/usr/local/bin/%s", tools[i]);
        if (access(usual, X_OK) != 0 && access(local, X_OK) == 0)
            return 1;
    }
    return 0;
}

static unsigned long mount_flags(unsigned long st) {
    static const struct {
        unsigned long st, ms;
    } pairs[] = {{ST_NOSUID, MS_NOSUID},         {ST_NODEV, MS_NODEV},
                 {ST_NOEXEC, MS_NOEXEC},         {ST_NOATIME, MS_NOATIME},
                 {ST_NODIRATIME, MS_NODIRATIME}, {ST_RELATIME, MS_RELATIME}};
    unsigned long flags = 0;

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        flags |= st & pairs[i].st ? pairs[i].ms : 0;
    return flags;
}

/* Everything mounted below BASE so far becomes read-only: also what was mounted below a directory
 * that was shown, of which only the table of mounts knows. */
static int make_read_only(inside *in) {
    char *line = NULL, *point = NULL, *base = NULL;
    size_t size = 0;
    int bad = 0;

    TRY(in, "getcwd", "", !(base = getcwd(NULL, 0))); /* BASE itself may be a link */
    size_t n = strlen(base);
    step(in, "open", "/proc/self/mountinfo");
    FILE *f = fopen("/proc/self/mountinfo", "re");
    while (f && !bad && getline(&line, &size, f) > 0) {
        struct statvfs vfs;
        if (sscanf(line, "%*d %*d %*s %*s %ms", &point) == 1 && strncmp(point, base, n) == 0 &&
            point[n] == '/') {
            step(in, "mount -o remount,ro", point);
            bad = statvfs(point, &vfs) != 0 ||
                  mount(NULL, point, NULL,
                        MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | mount_flags(vfs.f_flag),
                        NULL) != 0;
        }
        free(point);
        point = NULL;
    }
    free(line);
    free(base);
    if (f)
        fclose(f);
    return !f || bad ? -1 : 0;
}

/* What /dev has besides devices. */
static int make_links(inside *in) {
    static const char *const links[][2] = {{"/proc/self/fd", "dev/fd"},
                                           {"/proc/self/fd/0", "dev/stdin"},
                                           {"/proc/self/fd/1", "dev/stdout"},
                                           {"/proc/self/fd/2", "dev/stderr"}};

    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        TRY(in, "symlink", links[i][1], symlink(links[i][0], links[i][1]));
    return 0;
}

static int make_tree(inside *in) {
    static const char *const shown[] = {"/usr/bin",
                                        "/usr/lib",
                                        "/usr/lib32",
                                        "/usr/lib64",
                                        "/usr/libx32",
                                        "/usr/libexec",
                                        "/usr/include",
                                        "/bin",
                                        "/lib",
                                        "/lib32",
                                        "/lib64",
                                        "/libx32",
                                        "/etc/alternatives",
                                        "/etc/ld.so.cache",
                                        "/dev/null",
                                        "/dev/zero",
                                        "/dev/full",
                                        "/dev/random",
                                        "/dev/urandom"};
    static const char *const local[] = {"/usr/local/bin", "/usr/local/lib", "/usr/local/lib64",
                                        "/usr/local/libexec", "/usr/local/include"};
    char options[128];

    TRY(in, "mount --make-rprivate", "/", mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    snprintf(options, sizeof options, "mode=755,uid=%u,gid=%u,size=%llu,nr_inodes=%d", in->s->id,
             in->s->id, (unsigned long long)R1_BOX_DISK_BYTES, R1_BOX_DISK_INODES);
    TRY(in, "mount tmpfs", BASE, mount("box", BASE, "tmpfs", MS_NOSUID | MS_NODEV, options));
    TRY(in, "chdir", BASE, chdir(BASE));
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (show(in, shown[i]) != 0)
            return -1;
    for (size_t i = 0; needs_local() && i < sizeof local / sizeof *local; i++)
        if (show(in, local[i]) != 0)
            return -1;
    if (mask_packages(in) != 0 || make_read_only(in) != 0 || make_links(in) != 0)
        return -1;
    TRY(in, "mkdir", "/proc", mkdir("proc", 0555));
    in->report.no_proc =
        mount("proc", "proc", "proc", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0;
    TRY(in, "mkdir", "/tmp", mkdir("tmp", 0700));
    TRY(in, "mkdir", "/dev/shm", mkdir("dev/shm", 0700));
    TRY(in, "mkdir", R1_BOX_WORK, mkdir(&R1_BOX_WORK[1], 0700));
    TRY(in, "pivot_root", "", syscall(__NR_pivot_root, ".", "."));
    TRY(in, "umount", "/", umount2(".", MNT_DETACH));
    TRY(in, "chdir", R1_BOX_WORK, chdir(R1_BOX_WORK));
    return 0;
}

static int write_all(int fd, const char *s, size_t n) {
    while (n) {
        ssize_t k = write(fd, s, n);
        if (k < 0 && errno != EINTR)
            return -1;
        s += k > 0 ? k : 0;
        n -= k > 0 ? (size_t)k : 0;
    }
    return 0;
}

static int write_files(inside *in) {
    const r1_box_request *r = in->s->request;

    for (int i = 0; i < r->n_files; i++) {
        const r1_box_file *f = &r->files[i];
        step(in, "write", f->name);
        int fd = open(f->name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0)
            return -1;
        int bad = write_all(fd, f->data, f->n) != 0 || fchmod(fd, f->mode) != 0;
        close(fd);
        if (bad)
            return -1;
    }
    return 0;
}

/* A limit can't be raised above what this process has. */
static int limit(int which, uint64_t value) {
    struct rlimit have;

    if (getrlimit((__rlimit_resource_t)which, &have) != 0)
        return -1;
    if (have.rlim_max != RLIM_INFINITY && value > have.rlim_max)
        value = have.rlim_max;
    struct rlimit want = {value, value};
    return setrlimit((__rlimit_resource_t)which, &want);
}

static int set_limits(inside *in) {
    const r1_box_limits *l = &in->s->request->limits;
    const struct {
        int which;
        const char *name;
        uint64_t value;
    } all[] = {
        {RLIMIT_CPU, "cpu", (uint64_t)l->cpu_s + 2}, /* the supervisor is more exact */
        {RLIMIT_AS, "as", l->address_bytes ? l->address_bytes : RLIM_INFINITY},
        {RLIMIT_STACK, "stack", l->stack_bytes},
        {RLIMIT_FSIZE, "fsize", l->file_bytes},
        {RLIMIT_NOFILE, "nofile", l->open_files},
        {RLIMIT_NPROC, "nproc", in->s->limit_tasks ? l->tasks + 1 : RLIM_INFINITY},
        {RLIMIT_CORE, "core", 0},
        {RLIMIT_MEMLOCK, "memlock", 0},
        {RLIMIT_MSGQUEUE, "msgqueue", 0},
        {RLIMIT_SIGPENDING, "sigpending", 256},
        {RLIMIT_NICE, "nice", 0},
        {RLIMIT_RTPRIO, "rtprio", 0},
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        TRY(in, "setrlimit", all[i].name, limit(all[i].which, all[i].value));
    return 0;
}

void r1_close_from(int first) {
    if (syscall(__NR_close_range, (unsigned)first, ~0u, 0) == 0)
        return;
    long most = sysconf(_SC_OPEN_MAX);
    for (int fd = first; fd < (most > 0 && most < 65536 ? (int)most : 65536); fd++)
        close(fd);
}

/* The program's descriptors at 0, 1, ..., then *keep (closed by exec), nothing else.  *keep becomes
 * where it is now. */
static int place_descriptors(inside *in, int *keep) {
    const r1_sandbox *s = in->s;
    int high[R1_BOX_FDS_MAX + 1];

    for (int i = 0; i <= s->n_fds; i++) {
        high[i] = fcntl(i < s->n_fds ? s->fds[i] : *keep, F_DUPFD_CLOEXEC, R1_BOX_FDS_MAX + 1);
        TRY(in, "fcntl F_DUPFD", "", high[i] < 0);
    }
    for (int i = 0; i <= s->n_fds; i++)
        TRY(in, "dup3", "", dup3(high[i], i, i < s->n_fds ? 0 : O_CLOEXEC) < 0);
    *keep = s->n_fds;
    r1_close_from(s->n_fds + 1);
    return 0;
}

static int lock_down(inside *in) {
    sigset_t none;

    setsid();
    umask(077);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (set_limits(in) != 0)
        return -1;
    TRY(in, "drop capabilities", "", drop_capabilities());
    TRY(in, "no-new-privileges", "", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    TRY(in, "seccomp", "", r1_seccomp_install());
    return 0;
}

/* Process 2. */
static _Noreturn void run_program(inside *in, int failed_fd) {
    const r1_box_request *r = in->s->request;

    if (place_descriptors(in, &failed_fd) == 0 && lock_down(in) == 0) {
        if (in->s->try_only)
            _exit(0);
        execve(r->words[0], (char *const *)(uintptr_t)r->words, (char *const *)(uintptr_t)r->env);
        _exit(127); /* as a shell would: the file may be of the program's own making */
    }
    in->report.error = errno;
    ssize_t n = write(failed_fd, &in->report, sizeof in->report);
    _exit(n == sizeof in->report ? 127 : 126);
}

/* Until the program ends; orphans are reaped on the way. */
static int wait_for(pid_t program, int *ret_status) {
    for (;;) {
        pid_t p = waitpid(-1, ret_status, 0);
        if (p == program)
            return 0;
        if (p < 0 && errno != EINTR)
            return -1;
    }
}

/* Process 1 has the rights of the program by now: what it reads is what the program could.  It ends
 * after this, so nothing is closed. */
static int fetch(inside *in) {
    static char piece[65536];
    struct stat sb;
    ssize_t n;

    int fd = open(in->s->request->fetch, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode))
        return -1;
    while ((n = read(fd, piece, sizeof piece)) > 0)
        if (write_all(in->s->fetch_fd, piece, (size_t)n) != 0)
            return -1;
    return n < 0 ? -1 : 0;
}

static int start_and_wait(inside *in) {
    int failed[2];

    TRY(in, "pipe", "", pipe2(failed, O_CLOEXEC));
    step(in, "fork", "");
    pid_t program = fork();
    if (program < 0)
        return -1;
    if (program == 0)
        run_program(in, failed[1]);
    close(failed[1]);
    for (int i = 0; i < in->s->n_fds; i++)
        close(in->s->fds[i]);
    TRY(in, "drop capabilities", "", drop_capabilities());
    TRY(in, "no-new-privileges", "", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    int no_proc = in->report.no_proc;
    if (read(failed[0], &in->report, sizeof in->report) == sizeof in->report) {
        in->report.no_proc = no_proc;
        errno = in->report.error;
        return -1;
    }
    TRY(in, "wait", "", wait_for(program, &in->report.status));
    if (in->s->request->fetch && in->report.status == 0 && fetch(in) != 0)
        in->report.status = W_EXITCODE(1, 0); /* what it was run for is not there */
    return 0;
}

void r1_sandbox_run(const r1_sandbox *s) {
    inside in = {.s = s};
    char go;

    /* Process 1 is deaf to its own box only where it has no handler, say one of a sanitizer's. */
    for (int sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_DFL);
    step(&in, "wait for the launcher", "");
    errno = ECANCELED;
    int bad = read(s->go_fd, &go, 1) != 1 || become(&in) != 0 || make_tree(&in) != 0 ||
              ((s->kind->flags & CLONE_NEWUTS) && sethostname("box", 3) != 0) ||
              write_files(&in) != 0 || start_and_wait(&in) != 0;
    in.report.error = bad ? (errno ? errno : EIO) : 0;
    ssize_t n = write(s->report_fd, &in.report, sizeof in.report);
    _exit(n == sizeof in.report ? 0 : 1);
}
