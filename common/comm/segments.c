/* Names in /dev/shm; see segments.h. */
#include "common/comm/segments.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char hidden[256];

/* The name in a line of /proc/self/maps, if it is this rank's own segment. */
static const char *own_segment(char *line, const char *local_rank) {
    char *path = strstr(line, "/dev/shm/vader_segment.");

    if (!path)
        return NULL;
    path[strcspn(path, " \n")] = '\0'; /* " (deleted)" may follow */
    return strcmp(strrchr(path, '.') + 1, local_rank) == 0 ? path : NULL;
}

/* Has this process the file open or mapped?  From its creation on it is one of the two, and open
 * files become mapped ones: those are looked at first. */
static int process_has(const char *pid, const char *file) {
    char path[64], line[512];
    struct dirent *e;
    int found = 0;

    snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
    DIR *d = opendir(path);
    while (d && !found && (e = readdir(d)) != NULL) {
        ssize_t n = readlinkat(dirfd(d), e->d_name, line, sizeof line - 1);
        line[n > 0 ? n : 0] = '\0';
        found = strstr(line, file) != NULL;
    }
    if (d)
        closedir(d);
    snprintf(path, sizeof path, "/proc/%.20s/maps", pid);
    FILE *f = fopen(path, "re");
    while (f && !found && fgets(line, sizeof line, f))
        found = strstr(line, file) != NULL;
    if (f)
        fclose(f);
    return found;
}

static int in_use(const char *file) {
    DIR *d = opendir("/proc");
    struct dirent *e;
    int found = d == NULL; /* who cannot look removes nothing */

    while (d && !found && (e = readdir(d)) != NULL)
        found = isdigit((unsigned char)*e->d_name) && process_has(e->d_name, file);
    if (d)
        closedir(d);
    return found;
}

/* own: /dev/shm/vader_segment.HOST.USER.JOB.RANK; those of other jobs have the same beginning. */
static void sweep(const char *own) {
    const char *name = own + strlen("/dev/shm/"), *end = strrchr(name, '.');
    DIR *d = opendir("/dev/shm");
    struct dirent *e;

    while (end > name && *--end != '.') {
    }
    while (d && (e = readdir(d)) != NULL)
        if (strncmp(e->d_name, name, (size_t)(end - name) + 1) == 0 && !in_use(e->d_name))
            unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
}

void r1_segments_hide(void) {
    const char *rank = getenv("OMPI_COMM_WORLD_LOCAL_RANK"), *path = NULL;
    FILE *f = fopen("/proc/self/maps", "re");
    char line[512];

    while (f && !path && fgets(line, sizeof line, f))
        path = own_segment(line, rank ? rank : "0");
    if (path && strlen(path) < sizeof hidden && unlink(path) == 0)
        snprintf(hidden, sizeof hidden, "%s", path);
    if (f)
        fclose(f);
    if (*hidden && strcmp(rank ? rank : "0", "0") == 0)
        sweep(hidden);
}

void r1_segments_show(void) {
    int fd = *hidden ? open(hidden, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;

    if (fd >= 0)
        close(fd);
}

void r1_segments_drop(void) {
    if (*hidden)
        unlink(hidden);
}
