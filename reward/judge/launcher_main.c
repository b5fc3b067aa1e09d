/* r1-launcher: runs programs in sandboxes for the judge.
 *
 * Started by the judge (client.c) with an empty environment and a socket as descriptor 3; says once
 * what protects the machine, then forks a supervisor for every connection that comes over the
 * socket, and ends when the judge does.  It is small and has no threads, so that forking it is
 * cheap and safe, which a rank of an MPI program must never do. */
#include "reward/judge/supervise.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#define CONTROL_FD      3
#define EXIT_NO_SANDBOX 69

/* Since Linux 5.14 processes are counted per user namespace. */
static int counts_per_namespace(void) {
    int major = 0, minor = 0;
    struct utsname u;

    return uname(&u) == 0 && sscanf(u.release, "%d.%d", &major, &minor) == 2 &&
           (major > 5 || (major == 5 && minor >= 14));
}

/* The setting that most often is behind a refusal. */
static const char *hint(const char *why) {
    if (strncmp(why, "clone: No space", 15) == 0)
        return "see sysctl user.max_user_namespaces";
    if (strncmp(why, "clone", 5) == 0)
        return "see sysctl kernel.unprivileged_userns_clone, user.max_user_namespaces; in a "
               "container "
               "its seccomp profile";
    if (strncmp(why, "write /proc", 11) == 0 || strncmp(why, "mount", 5) == 0)
        return "see sysctl kernel.apparmor_restrict_unprivileged_userns; in a container its "
               "profile";
    return "see reward/judge/README.md";
}

/* The first rung of the ladder that holds; else the refusal on the first one. */
static void find_kind(r1_supervisor *s, r1_box_layers *ret) {
    char groups[64], first[sizeof((r1_box_result *)0)->why] = "";
    r1_box_result r;
    int no_proc;

    for (int i = 0; i < r1_sandbox_ladder_n; i++) {
        s->kind = &r1_sandbox_ladder[i];
        int namespaced = s->kind->flags & CLONE_NEWUSER;
        if (!namespaced && !s->privileged)
            break;
        s->own_tasks = s->privileged || counts_per_namespace();
        if (r1_supervise_try(s, &no_proc, &r) == 0) {
            r1_groups_text(&s->groups, groups, sizeof groups);
            *ret = (r1_box_layers){.usable = 1};
            snprintf(ret->text, sizeof ret->text, "%s, seccomp, rlimits, cgroups: %s, /proc: %s",
                     s->kind->text, groups, no_proc ? "none" : "fresh");
            return;
        }
        if (i == 0)
            snprintf(first, sizeof first, "%s", r.why);
    }
    *ret = (r1_box_layers){.usable = 0};
    snprintf(ret->text, sizeof ret->text, "%.120s (%s)", *first ? first : "a trial box failed",
             hint(first));
}

/* A connection from the judge; -1: it is gone. */
static int next_connection(void) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    struct iovec iov = {&byte, 1};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = sizeof control.room};
    ssize_t n;
    int fd;

    while ((n = recvmsg(CONTROL_FD, &m, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
        ;
    struct cmsghdr *c = n == 1 ? CMSG_FIRSTHDR(&m) : NULL;
    if (!c || c->cmsg_type != SCM_RIGHTS)
        return -1;
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

int main(void) {
    r1_supervisor s = {.privileged = geteuid() == 0};
    r1_box_layers layers;
    int fd;

    r1_close_from(CONTROL_FD + 1);
    if (s.privileged) /* refused to the root of a user namespace, whose groups are nobody's here */
        (void)!setgroups(0, NULL);
    r1_groups_find(&s.groups);
    find_kind(&s, &layers);
    if (send(CONTROL_FD, &layers, sizeof layers, MSG_NOSIGNAL) != sizeof layers) {
        fprintf(stderr, "r1-launcher: is started by r1-grade and r1-train; %s: %s\n",
                layers.usable ? "boxes can be made" : "no box can be made", layers.text);
        return layers.usable ? 0 : EXIT_NO_SANDBOX;
    }
    if (!layers.usable)
        return EXIT_NO_SANDBOX;
    signal(SIGCHLD, SIG_IGN); /* supervisors are not waited for */
    while ((fd = next_connection()) >= 0) {
        pid_t child = fork();
        if (child == 0) {
            signal(SIGCHLD, SIG_DFL);
            signal(SIGPIPE, SIG_IGN);
            close(CONTROL_FD);
            r1_supervise(&s, fd);
            _exit(0);
        }
        close(fd); /* if there was no child, the judge sees the end of its connection */
    }
    return 0;
}
