/* Names in /dev/shm; see segments.h. */
#include "common/comm/segments.h"

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
}

void r1_segments_show(void) {
    int fd = *hidden ? open(hidden, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;

    if (fd >= 0)
        close(fd);
}
