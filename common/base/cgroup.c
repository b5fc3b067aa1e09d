/* Limits of control groups; see cgroup.h. */
#include "common/base/cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_BYTES 1024

/* The first number behind `key` at the start of a line; < 0: not there, or no number ("max"). */
static double number_in(const char *dir, const char *leaf, const char *key) {
    char path[PATH_BYTES + 64], line[256];
    double x = -1;

    snprintf(path, sizeof path, "%s/%s", dir, leaf);
    FILE *f = fopen(path, "re");
    while (f && x < 0 && fgets(line, sizeof line, f)) {
        char *end, *from = line + strlen(key);
        if (strncmp(line, key, strlen(key)) != 0)
            continue;
        x = strtod(from, &end);
        x = end == from ? -1 : x;
    }
    if (f)
        fclose(f);
    return x;
}

/* The process's group of a controller: version 2 has one for all ("0::/a/b"), version 1 lines like
 * "4:cpu,cpuacct:/a/b". */
static void group_of(const char *root, const char *controller, char *ret, size_t size) {
    char path[PATH_BYTES], line[PATH_BYTES];

    snprintf(ret, size, "/");
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f)) {
        char *names = strchr(line, ':'), *group = names ? strchr(names + 1, ':') : NULL;
        if (!group)
            continue;
        *group++ = '\0';
        group[strcspn(group, "\n")] = '\0';
        int is_v2 = names[1] == '\0';
        for (char *save, *name = strtok_r(names + 1, ",", &save); name;
             name = strtok_r(NULL, ",", &save))
            if (*controller && strcmp(name, controller) == 0)
                snprintf(ret, size, "%s", group);
        if (is_v2 && !*controller)
            snprintf(ret, size, "%s", group);
    }
    if (f)
        fclose(f);
}

typedef double (*read_fn)(const char *dir);

/* The smallest value >= 0 from the process's group up to the root of the hierarchy. */
static double tightest(const char *root, const char *mount, const char *controller, read_fn read) {
    char group[PATH_BYTES], dir[2 * PATH_BYTES];
    double least = -1;

    group_of(root, controller, group, sizeof group);
    for (char *end;; *end = '\0') {
        snprintf(dir, sizeof dir, "%s%s%s", root, mount, group);
        double x = read(dir);
        if (x >= 0 && (least < 0 || x < least))
            least = x;
        if (!(end = strrchr(group, '/')))
            return least;
    }
}

static double left(double limit, double used, double cache) {
    if (limit < 0 || used < 0 || limit > 1e18) /* version 1 writes "no limit" as 2^63 - 4096 */
        return -1;
    used -= cache > 0 ? cache : 0;
    return used < 0 ? limit : used < limit ? limit - used : 0;
}

static double memory_v2(const char *dir) {
    double cache = number_in(dir, "memory.stat", "inactive_file ") +
                   number_in(dir, "memory.stat", "active_file ");

    return left(number_in(dir, "memory.max", ""), number_in(dir, "memory.current", ""), cache);
}

static double memory_v1(const char *dir) {
    double cache = number_in(dir, "memory.stat", "total_inactive_file ") +
                   number_in(dir, "memory.stat", "total_active_file ");

    return left(number_in(dir, "memory.limit_in_bytes", ""),
                number_in(dir, "memory.usage_in_bytes", ""), cache);
}

/* "QUOTA PERIOD" or "max PERIOD" */
static double cores_v2(const char *dir) {
    char path[PATH_BYTES + 64];
    double quota = -1, period = -1;

    snprintf(path, sizeof path, "%s/cpu.max", dir);
    FILE *f = fopen(path, "re");
    if (f && fscanf(f, "%lf %lf", &quota, &period) != 2)
        quota = -1;
    if (f)
        fclose(f);
    return quota > 0 && period > 0 ? quota / period : -1;
}

static double cores_v1(const char *dir) {
    double quota = number_in(dir, "cpu.cfs_quota_us", ""),
           period = number_in(dir, "cpu.cfs_period_us", "");

    return quota > 0 && period > 0 ? quota / period : -1;
}

double r1_cgroup_memory(const char *root) {
    double v2 = tightest(root, "/sys/fs/cgroup", "", memory_v2);

    return v2 >= 0 ? v2 : tightest(root, "/sys/fs/cgroup/memory", "memory", memory_v1);
}

double r1_cgroup_cores(const char *root) {
    double v2 = tightest(root, "/sys/fs/cgroup", "", cores_v2);

    return v2 >= 0 ? v2 : tightest(root, "/sys/fs/cgroup/cpu", "cpu", cores_v1);
}
