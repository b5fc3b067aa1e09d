/* The run directory and its lock; see rundir.h. */
#include "common/metrics/rundir.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK_TRIES 40 /* of 50 ms */

static const char *const folders[] = {"checkpoints", "rollouts", "logs"};
static const char *const written[] = {"checkpoints",  "rollouts",    "tensorboard", "metrics.jsonl",
                                      "summary.json", "config.yaml", "exit_status"};

/* The descriptor that a forked child must not keep.  One run directory a process. */
static int fd_of_child = -1;

static void close_in_child(void) {
    if (fd_of_child >= 0)
        close(fd_of_child);
    fd_of_child = -1;
}

static void register_child_handler(void) {
    pthread_atfork(NULL, NULL, close_in_child);
}

r1_status r1_rundir_file(const r1_rundir *d, const char *leaf, char *buf, size_t size,
                         r1_err *err) {
    return r1_path_format(buf, size, err, "%s/%s", d->path, leaf);
}

static int is_dots(const char *name) {
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int folder_is_empty(const char *path) {
    DIR *dir = opendir(path);
    int n = 0;

    if (!dir)
        return 0;
    for (const struct dirent *e; (e = readdir(dir));)
        n += !is_dots(e->d_name);
    closedir(dir);
    return n == 0;
}

/* What a start leaves that failed before its run began: the lock, logs, an exit status, folders. */
static int is_left_over(const r1_rundir *d, const char *name) {
    char path[R1_PATH_MAX];

    if (strcmp(name, "lock") == 0 || strcmp(name, "logs") == 0 || strcmp(name, "exit_status") == 0)
        return 1;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (strcmp(name, folders[i]) == 0)
            return r1_rundir_file(d, name, path, sizeof path, NULL) == R1_OK &&
                   folder_is_empty(path);
    return 0;
}

/* Fills was_empty.  A directory whose files no run explains is not ours to write into. */
static r1_status look_inside(r1_rundir *d, r1_err *err) {
    char path[R1_PATH_MAX], other[256] = "";
    DIR *dir = opendir(d->path);
    r1_status st = R1_OK;

    if (!dir)
        return R1_FAIL(err, R1_IO, "open '%s': %s", d->path, strerror(errno));
    for (const struct dirent *e; (e = readdir(dir));)
        if (!is_dots(e->d_name) && !is_left_over(d, e->d_name))
            snprintf(other, sizeof other, "%s", e->d_name);
    closedir(dir);
    d->was_empty = !*other;
    R1_TRY(r1_rundir_file(d, "config.yaml", path, sizeof path, err));
    if (*other && !r1_path_exists(path))
        st =
            R1_FAIL(err, R1_USAGE,
                    "'%s' holds '%s' but no config.yaml: it is no run of r1; give another --output",
                    d->path, other);
done:
    return st;
}

static r1_status take_lock(r1_rundir *d, r1_err *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char path[R1_PATH_MAX];
    int rc;
    r1_status st = R1_OK;

    R1_TRY(r1_rundir_file(d, "lock", path, sizeof path, err));
    d->fd_lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (d->fd_lock < 0)
        return R1_FAIL(err, R1_IO, "open '%s': %s", path, strerror(errno));
    /* The ranks of a run that was killed a moment ago may need one to go. */
    for (int n = 0;
         (rc = flock(d->fd_lock, LOCK_EX | LOCK_NB)) != 0 && errno == EWOULDBLOCK && n < LOCK_TRIES;
         n++)
        r1_sleep_us(50000);
    if (rc != 0) {
        st = errno == EWOULDBLOCK
                 ? R1_FAIL(err, R1_USAGE, "'%s': another run holds its lock; is it still running?",
                           d->path)
                 : R1_FAIL(err, R1_IO, "lock '%s': %s", path, strerror(errno));
        goto done;
    }
    pthread_once(&once, register_child_handler);
    fd_of_child = d->fd_lock;
done:
    return st;
}

r1_status r1_rundir_open(r1_rundir *d, const char *path, int may_exist, r1_err *err) {
    char folder[R1_PATH_MAX];
    r1_status st = R1_OK;

    *d = (r1_rundir){.fd_lock = -1};
    R1_TRY(r1_path_format(d->path, sizeof d->path, err, "%s", path));
    R1_TRY(r1_dir_make(path, err));
    R1_TRY(look_inside(d, err)); /* before the lock: a foreign directory stays as it is */
    R1_TRY(take_lock(d, err));
    R1_TRY(look_inside(d, err));
    if (!d->was_empty && !may_exist) {
        st = R1_FAIL(
            err, R1_USAGE,
            "'%s' holds an earlier run; use --resume auto to continue it, another --output, "
            "or remove it",
            path);
        goto done;
    }
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        R1_TRY(r1_rundir_file(d, folders[i], folder, sizeof folder, err));
        R1_TRY(r1_dir_make(folder, err));
    }
done:
    if (st != R1_OK)
        r1_rundir_close(d);
    return st;
}

r1_status r1_rundir_discard(const r1_rundir *d, r1_err *err) {
    char path[R1_PATH_MAX];
    r1_status st = R1_OK;

    for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
        R1_TRY(r1_rundir_file(d, written[i], path, sizeof path, err));
        if (r1_path_is_dir(path)) {
            R1_TRY(r1_dir_remove(path, err));
            R1_TRY(r1_dir_make(path, err));
        } else if (unlink(path) != 0 && errno != ENOENT) {
            st = R1_FAIL(err, R1_IO, "remove '%s': %s", path, strerror(errno));
            goto done;
        }
    }
done:
    return st;
}

r1_status r1_rundir_write_config(const r1_rundir *d, const char *yaml, r1_err *err) {
    char path[R1_PATH_MAX];
    r1_status st = R1_OK;

    R1_TRY(r1_rundir_file(d, "config.yaml", path, sizeof path, err));
    R1_TRY(r1_file_write_atomic(path, yaml, strlen(yaml), err));
done:
    return st;
}

r1_status r1_rundir_write_exit_status(const r1_rundir *d, int exit_status, r1_err *err) {
    char path[R1_PATH_MAX], text[16];
    r1_status st = R1_OK;

    R1_TRY(r1_rundir_file(d, "exit_status", path, sizeof path, err));
    snprintf(text, sizeof text, "%d\n", exit_status);
    R1_TRY(r1_file_write_atomic(path, text, strlen(text), err));
done:
    return st;
}

r1_status r1_rundir_read_exit_status(const r1_rundir *d, int *ret, r1_err *err) {
    char path[R1_PATH_MAX], *text = NULL, *end;
    size_t len = 0;
    r1_status st = R1_OK;

    R1_TRY(r1_rundir_file(d, "exit_status", path, sizeof path, err));
    if (!r1_path_exists(path)) {
        *ret = -1;
        return R1_OK;
    }
    R1_TRY(r1_file_slurp(path, 64, &text, &len, err));
    long x = strtol(text, &end, 10);
    if (end == text || strcmp(end, "\n") != 0 || x < 0 || x > 255) {
        st = R1_FAIL(err, R1_DATA, "'%s' holds no exit status: '%.20s'", path, text);
        goto done;
    }
    *ret = (int)x;
done:
    r1_free(text);
    return st;
}

r1_status r1_rundir_clear_exit_status(const r1_rundir *d, r1_err *err) {
    char path[R1_PATH_MAX];
    r1_status st = R1_OK;

    R1_TRY(r1_rundir_file(d, "exit_status", path, sizeof path, err));
    if (unlink(path) != 0 && errno != ENOENT)
        st = R1_FAIL(err, R1_IO, "remove '%s': %s", path, strerror(errno));
done:
    return st;
}

void r1_rundir_close(r1_rundir *d) {
    if (d->fd_lock < 0)
        return;
    if (fd_of_child == d->fd_lock)
        fd_of_child = -1;
    flock(d->fd_lock, LOCK_UN); /* also for a child that has not yet run its handler */
    close(d->fd_lock);
    d->fd_lock = -1;
}
