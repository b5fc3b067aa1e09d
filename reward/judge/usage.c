/* Processes below one, by /proc/PID/task/TID/children; see usage.h. */
#include "reward/judge/usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct walk {
    pid_t todo[R1_USAGE_TASKS_MAX];
    int n;
    int runnable;
    pid_t runs, last; /* one that is runnable; one that is not the root */
    r1_usage u;
} walk;

static ssize_t read_text(const char *path, char *buf, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -1;
    ssize_t n = read(fd, buf, size - 1);
    close(fd);
    buf[n > 0 ? n : 0] = '\0';
    return n;
}

static void add_children(walk *w, pid_t pid, pid_t thread) {
    char path[64], text[8192], *s = text, *end;

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)thread);
    if (read_text(path, text, sizeof text) <= 0)
        return;
    for (long child; (child = strtol(s, &end, 10)) > 0 && end != s; s = end)
        if (w->n < R1_USAGE_TASKS_MAX)
            w->todo[w->n++] = (pid_t)child;
}

/* Pages of a process, as one of its threads knows them. */
static long pages_of(pid_t pid, pid_t thread) {
    char path[64], text[128];
    long pages;

    snprintf(path, sizeof path, "/proc/%d/task/%d/statm", (int)pid, (int)thread);
    return read_text(path, text, sizeof text) > 0 && sscanf(text, "%*u %ld", &pages) == 1 ? pages
                                                                                          : 0;
}

/* A first thread that has ended knows of no memory: then *rss is what another one says. */
static void add_threads(walk *w, pid_t pid, long *rss) {
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.') {
            pid_t thread = (pid_t)strtol(e->d_name, NULL, 10);
            add_children(w, pid, thread);
            if (*rss == 0)
                *rss = pages_of(pid, thread);
        }
    if (d)
        closedir(d);
}

/* The fields behind the name, which may itself hold blanks and brackets. */
static void add_process(walk *w, pid_t pid, int is_root) {
    unsigned long long utime, stime, cutime, cstime;
    char path[64], text[1024], state;
    long threads, rss;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (read_text(path, text, sizeof text) <= 0)
        return;
    const char *tail = strrchr(text, ')');
    if (!tail || sscanf(tail + 1,
                        " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu %*d %*d "
                        "%ld %*d %*u %*u %ld",
                        &state, &utime, &stime, &cutime, &cstime, &threads, &rss) != 7)
        return;
    w->u.cpu_us += (utime + stime + cutime + cstime) * (1000000 / (uint64_t)sysconf(_SC_CLK_TCK));
    if (threads > 1)
        add_threads(w, pid, &rss);
    else
        add_children(w, pid, pid);
    if (!is_root) {
        w->u.tasks += (uint32_t)threads;
        w->u.resident_bytes += (uint64_t)(rss > 0 ? rss : 0) * (uint64_t)sysconf(_SC_PAGESIZE);
        w->last = pid;
    }
    int runs = threads > 1 ? (int)threads : state == 'R'; /* the root too: it makes the box */
    w->runnable += runs;
    w->runs = runs ? pid : w->runs;
}

r1_usage r1_usage_read(pid_t root) {
    walk w = {.n = 0};
    unsigned long long ran, delay;
    char path[64], text[128];

    w.todo[w.n++] = root;
    for (int i = 0; i < w.n; i++)
        add_process(&w, w.todo[i], i == 0);
    w.u.lone = w.u.tasks == 1 ? w.last : w.runnable == 1 ? w.runs : 0;
    if (w.u.lone) {
        snprintf(path, sizeof path, "/proc/%d/schedstat", (int)w.u.lone);
        if (read_text(path, text, sizeof text) > 0 && sscanf(text, "%llu %llu", &ran, &delay) == 2)
            w.u.lone_delay_us = delay / 1000;
    }
    return w.u;
}
