/* Control groups; see group.h. */
#include "reward/judge/group.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Page tables and the kernel's own share, on top of what a program asks for. */
#define KERNEL_BYTES ((uint64_t)32 << 20)

static int write_text(const char *dir, const char *file, const char *text) {
    char path[R1_GROUP_PATH_MAX + 96];

    snprintf(path, sizeof path, "%s/%s", dir, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = write(fd, text, strlen(text));
    close(fd);
    return n == (ssize_t)strlen(text) ? 0 : -1;
}

static int write_number(const char *dir, const char *file, uint64_t value) {
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    return write_text(dir, file, text);
}

/* The number behind `key` (NULL: the first of the file). */
static uint64_t read_number(const char *dir, const char *file, const char *key) {
    char path[R1_GROUP_PATH_MAX + 96], text[1024];

    snprintf(path, sizeof path, "%s/%s", dir, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    const char *at = key ? strstr(text, key) : text;
    return at ? strtoull(at + (key ? strlen(key) : 0), NULL, 10) : 0;
}

/* This process's group in the hierarchy with this controller ("" for version 2). */
static int own_path(const char *controller, char *ret, size_t size) {
    char *line = NULL;
    size_t cap = 0;
    int found = 0;
    FILE *f = fopen("/proc/self/cgroup", "re");

    while (f && !found && getline(&line, &cap, f) > 0) {
        char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
        if (!path)
            continue;
        names++;
        *path++ = '\0';
        path[strcspn(path, "\n")] = '\0';
        char *rest = NULL;
        found = *controller == '\0' && *names == '\0';
        for (char *w = strtok_r(names, ",", &rest); w && !found; w = strtok_r(NULL, ",", &rest))
            found = strcmp(w, controller) == 0;
        if (found)
            snprintf(ret, size, "%s", path);
    }
    free(line);
    if (f)
        fclose(f);
    return found;
}

/* Where the hierarchy is mounted, and which of its groups the mount shows as its root. */
static int mount_of(const char *controller, char *ret_point, char *ret_root, size_t size) {
    char *line = NULL, *root = NULL, *point = NULL;
    size_t cap = 0;
    int found = 0;
    FILE *f = fopen("/proc/self/mountinfo", "re");

    while (f && !found && getline(&line, &cap, f) > 0) {
        char *tail = strstr(line, " - "), type[32], *options = NULL;
        if (tail && sscanf(line, "%*d %*d %*s %ms %ms", &root, &point) == 2 &&
            sscanf(tail, " - %31s %*s %ms", type, &options) == 2) {
            char *rest = NULL;
            found = *controller == '\0' && strcmp(type, "cgroup2") == 0;
            if (*controller && strcmp(type, "cgroup") == 0)
                for (char *w = strtok_r(options, ",", &rest); w && !found;
                     w = strtok_r(NULL, ",", &rest))
                    found = strcmp(w, controller) == 0;
            if (found) {
                snprintf(ret_point, size, "%s", point);
                snprintf(ret_root, size, "%s", root);
            }
        }
        free(options);
        free(root);
        free(point);
        root = point = NULL;
    }
    free(line);
    if (f)
        fclose(f);
    return found;
}

/* The directory of this process's group, if a group with `file` in it can be made below it. */
static void find_one(const char *controller, const char *file, char *ret) {
    char own[R1_GROUP_PATH_MAX / 3], point[R1_GROUP_PATH_MAX / 3], root[R1_GROUP_PATH_MAX / 3];
    char base[R1_GROUP_PATH_MAX], path[R1_GROUP_PATH_MAX + 96];
    const char *below = own;

    *ret = '\0';
    if (!own_path(controller, own, sizeof own) || !mount_of(controller, point, root, sizeof root))
        return;
    size_t n = strlen(root);
    if (n > 1 && strncmp(own, root, n) == 0)
        below = own + n;
    snprintf(base, sizeof base, "%s%s", point, strcmp(below, "/") == 0 ? "" : below);
    if (*controller == '\0') /* refused where processes are in the group itself; then it is off */
        for (int i = 0; i < 2; i++)
            (void)write_text(base, "cgroup.subtree_control", i ? "+pids" : "+memory");
    snprintf(path, sizeof path, "%s/r1-try-%d", base, (int)getpid());
    if (mkdir(path, 0755) != 0)
        return;
    size_t end = strlen(path);
    snprintf(path + end, sizeof path - end, "/%s", file);
    if (access(path, W_OK) == 0)
        snprintf(ret, R1_GROUP_PATH_MAX, "%s", base);
    path[end] = '\0';
    rmdir(path);
}

void r1_groups_find(r1_groups *ret) {
    *ret = (r1_groups){.unified = 0};
    find_one("memory", "memory.limit_in_bytes", ret->memory);
    find_one("pids", "pids.max", ret->tasks);
    find_one("cpuacct", "cpuacct.usage", ret->cpu);
    if (*ret->memory || *ret->tasks || *ret->cpu)
        return;
    ret->unified = 1;
    find_one("", "memory.max", ret->memory);
    find_one("", "pids.max", ret->tasks);
    find_one("", "cgroup.procs", ret->cpu);
}

void r1_groups_text(const r1_groups *g, char *buf, size_t size) {
    int counted = access("/proc/thread-self/children", R_OK) == 0; /* see usage.c */

    if (!*g->memory && !*g->tasks)
        snprintf(buf, size, "none (%s)", counted ? "counted every 10 ms" : "nothing is counted");
    else
        snprintf(buf, size, "%s%s%s(v%d)", *g->memory ? "memory " : "", *g->tasks ? "pids " : "",
                 *g->cpu ? "cpu " : "", g->unified ? 2 : 1);
}

static void path_of(const r1_group *g, const char *base, char *ret) {
    snprintf(ret, R1_GROUP_PATH_MAX + 64, "%s/r1-box-%d", base, (int)g->pid);
}

/* Make the group below base, if there is a base; with version 2 it may be there already. */
static int join(const r1_group *g, const char *base, char *ret_path) {
    char pid[24];

    if (!*base)
        return 0;
    path_of(g, base, ret_path);
    if (mkdir(ret_path, 0755) != 0 && errno != EEXIST)
        return 0;
    snprintf(pid, sizeof pid, "%d", (int)g->pid);
    return write_text(ret_path, "cgroup.procs", pid) == 0;
}

void r1_group_open(r1_group *g, const r1_groups *in, pid_t pid, const r1_box_limits *l) {
    char path[R1_GROUP_PATH_MAX + 64];
    uint64_t bytes = l->memory_bytes + KERNEL_BYTES;

    *g = (r1_group){.in = in, .pid = pid};
    r1_group_close(g); /* of a supervisor that was killed, and its counts */
    join(g, in->cpu, path);
    if (join(g, in->tasks, path))
        g->tasks = write_number(path, "pids.max", l->tasks + 1) == 0;
    if (!join(g, in->memory, path))
        return;
    if (in->unified) {
        g->memory = write_number(path, "memory.max", bytes) == 0;
        (void)write_number(path, "memory.swap.max", 0); /* absent without swap */
        (void)write_number(path, "memory.oom.group", 1);
    } else {
        g->memory = write_number(path, "memory.limit_in_bytes", bytes) == 0;
        (void)write_number(path, "memory.memsw.limit_in_bytes", bytes); /* absent without swap */
    }
}

r1_group_use r1_group_read(const r1_group *g) {
    char path[R1_GROUP_PATH_MAX + 64];
    r1_group_use use = {.cpu_us = 0};

    if (*g->in->cpu) {
        path_of(g, g->in->cpu, path);
        use.cpu_us = g->in->unified ? read_number(path, "cpu.stat", "usage_usec ")
                                    : read_number(path, "cpuacct.usage", NULL) / 1000;
    }
    if (*g->in->memory) {
        path_of(g, g->in->memory, path);
        use.out_of_memory =
            (g->in->unified ? read_number(path, "memory.events", "oom_kill ")
                            : read_number(path, "memory.oom_control", "oom_kill ")) > 0;
        use.peak_bytes =
            read_number(path, g->in->unified ? "memory.peak" : "memory.max_usage_in_bytes", NULL);
    }
    return use;
}

void r1_group_close(r1_group *g) {
    const char *const bases[] = {g->in->memory, g->in->tasks, g->in->cpu};
    char path[R1_GROUP_PATH_MAX + 64];

    for (int i = 0; i < 3; i++)
        if (*bases[i]) {
            path_of(g, bases[i], path);
            rmdir(path); /* with version 2 the first of them was the only one */
        }
}
