/* Which checkpoints there are, and which may go; see checkpoint.h. */
#include "common/store/checkpoint.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEPS_MAX 100000

static int newest_first(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x < y) - (x > y);
}

/* Steps of all directories step_N, newest first. */
static r1_status list(const char *dir, int64_t **ret_steps, int *ret_n, r1_err *err) {
    DIR *d = opendir(dir);
    int64_t *steps = NULL;
    int n = 0;
    r1_status st = R1_OK;

    *ret_steps = NULL;
    *ret_n = 0;
    if (!d)
        return errno == ENOENT ? R1_OK : R1_FAIL(err, R1_IO, "open '%s': %s", dir, strerror(errno));
    for (const struct dirent *e; (e = readdir(d)) && n < STEPS_MAX;) {
        char *end;
        if (strncmp(e->d_name, "step_", 5) != 0)
            continue;
        long long step = strtoll(e->d_name + 5, &end, 10);
        if (*end || end == e->d_name + 5 || step < 0)
            continue;
        int64_t *more = r1_realloc(steps, (size_t)n + 1, sizeof *steps);
        if (!more) {
            st = R1_FAIL(err, R1_NOMEM, "out of memory: list of checkpoints");
            break;
        }
        steps = more;
        steps[n++] = step;
    }
    closedir(d);
    if (st != R1_OK) {
        r1_free(steps);
        return st;
    }
    if (n)
        qsort(steps, (size_t)n, sizeof *steps, newest_first);
    *ret_steps = steps;
    *ret_n = n;
    return R1_OK;
}

static r1_status path_of(const char *dir, int64_t step, char *path, size_t size, r1_err *err) {
    return r1_path_format(path, size, err, "%s/step_%06lld", dir, (long long)step);
}

static r1_status check(const char *path, r1_manifest *m, r1_err *err) {
    r1_status st = r1_manifest_read(m, path, err);

    return st == R1_OK ? r1_manifest_check(m, path, R1_MANIFEST_HEAD, err) : st;
}

/* All were passed over: say which, as far as the message is long. */
static r1_status none_readable(const char *dir, const int64_t *steps, int n, r1_err *err) {
    char names[600] = "";
    size_t len = 0;
    int i = 0;

    for (; i < n && len < sizeof names - 32; i++)
        len +=
            (size_t)snprintf(names + len, sizeof names - len, " step_%06lld", (long long)steps[i]);
    return R1_FAIL(err, R1_DATA, "'%s': none of its %d checkpoints can be used:%s%s; all are kept",
                   dir, n, names, i < n ? " ..." : "");
}

r1_status r1_ckpt_newest(const char *dir, int64_t before, char *ret_path, size_t size,
                         int64_t *ret_step, r1_err *err) {
    r1_manifest *m = NULL;
    int64_t *steps;
    int n;
    r1_status st = list(dir, &steps, &n, err);

    if (st != R1_OK)
        return st;
    R1_TRY(R1_NEW(m, 1, err));
    for (int i = 0; i < n; i++) {
        r1_err why = {0};
        if (steps[i] >= before)
            continue;
        R1_TRY(path_of(dir, steps[i], ret_path, size, err));
        r1_status state = check(ret_path, m, &why);
        if (state == R1_OK) {
            *ret_step = steps[i];
            goto done;
        }
        if (state == R1_NOMEM) { /* says nothing about the checkpoint */
            st = R1_FAIL(err, state, "%s", why.msg);
            goto done;
        }
        r1_warn("passing over '%s': %s", ret_path, why.msg);
    }
    *ret_step = -1;
    if (n > 0)
        st = none_readable(dir, steps, n, err);
done:
    r1_free(m);
    r1_free(steps);
    return st;
}

r1_status r1_ckpt_count(const char *dir, int *ret, r1_err *err) {
    int64_t *steps;
    r1_status st = list(dir, &steps, ret, err);

    r1_free(steps);
    return st;
}

r1_status r1_ckpt_sweep(const char *dir, r1_err *err) {
    char path[R1_PATH_MAX];
    DIR *d = opendir(dir);
    r1_status st = R1_OK;

    if (!d)
        return errno == ENOENT ? R1_OK : R1_FAIL(err, R1_IO, "open '%s': %s", dir, strerror(errno));
    for (const struct dirent *e; (e = readdir(d));) {
        if (strncmp(e->d_name, ".tmp_", 5) != 0)
            continue;
        R1_TRY(r1_path_format(path, sizeof path, err, "%s/%s", dir, e->d_name));
        if (r1_path_is_dir(path))
            R1_TRY(r1_dir_remove(path, err));
        else
            unlink(path);
    }
done:
    closedir(d);
    return st;
}

static r1_status set_aside(const char *from, r1_err *err) {
    char to[R1_PATH_MAX];
    int i = 1;
    r1_status st;

    do
        R1_TRY(r1_path_format(to, sizeof to, err, "%s.aside%d", from, i++));
    while (r1_path_exists(to));
    if (rename(from, to) != 0)
        return R1_FAIL(err, R1_IO, "rename '%s' to '%s': %s", from, to, strerror(errno));
    r1_warn("'%s' lies beyond where this run goes on: kept as '%s'", from, to);
done:
    return st;
}

r1_status r1_ckpt_set_aside(const char *dir, int64_t step, r1_err *err) {
    char path[R1_PATH_MAX];
    int64_t *steps;
    int n;
    r1_status st = list(dir, &steps, &n, err);

    for (int i = 0; i < n && st == R1_OK && steps[i] > step; i++) {
        R1_TRY(path_of(dir, steps[i], path, sizeof path, err));
        st = set_aside(path, err);
    }
    if (st == R1_OK && n > 0 && steps[0] > step)
        st = r1_file_fsync(dir, err);
done:
    r1_free(steps);
    return st;
}

static int is_pinned(int64_t step, const int64_t *pinned, int n_pinned) {
    for (int p = 0; p < n_pinned; p++)
        if (pinned[p] == step)
            return 1;
    return 0;
}

/* Does any directory that is left name this reference?  Also one that was set aside; one whose
 * manifest cannot be read might. */
static int is_named(const char *dir, const char *leaf, r1_manifest *m) {
    char path[R1_PATH_MAX], name[R1_CKPT_NAME];
    int named = 0;
    DIR *d = opendir(dir);

    if (!d || r1_path_format(name, sizeof name, NULL, "../%s", leaf) != R1_OK)
        named = 1;
    for (const struct dirent *e; !named && (e = readdir(d));)
        if (strncmp(e->d_name, "step_", 5) == 0)
            named = r1_path_format(path, sizeof path, NULL, "%s/%s", dir, e->d_name) != R1_OK ||
                    r1_manifest_read(m, path, NULL) != R1_OK || r1_manifest_find(m, name);
    if (d)
        closedir(d);
    return named;
}

static r1_status prune_references(const char *dir, r1_manifest *m, r1_err *err) {
    char path[R1_PATH_MAX];
    DIR *d = opendir(dir);
    r1_status st = R1_OK;

    if (!d)
        return R1_FAIL(err, R1_IO, "open '%s': %s", dir, strerror(errno));
    for (const struct dirent *e; (e = readdir(d));) {
        if (strncmp(e->d_name, "reference_", 10) != 0 || is_named(dir, e->d_name, m))
            continue;
        R1_TRY(r1_path_format(path, sizeof path, err, "%s/%s", dir, e->d_name));
        unlink(path);
    }
done:
    closedir(d);
    return st;
}

r1_status r1_ckpt_prune(const char *dir, int keep_last, int keep_every, const int64_t *pinned,
                        int n_pinned, r1_err *err) {
    char path[R1_PATH_MAX];
    r1_manifest *m = NULL;
    int64_t *steps;
    int n, n_good = 0;
    r1_status st = list(dir, &steps, &n, err);

    if (st != R1_OK)
        return st;
    R1_TRY(R1_NEW(m, 1, err));
    for (int i = 0; i < n; i++) {
        R1_TRY(path_of(dir, steps[i], path, sizeof path, err));
        if (r1_manifest_read(m, path, NULL) != R1_OK ||
            r1_manifest_check(m, path, R1_MANIFEST_SIZES, NULL) != R1_OK)
            continue; /* damaged: it neither counts nor goes */
        if (n_good++ < keep_last || (keep_every > 0 && steps[i] % keep_every == 0) ||
            is_pinned(steps[i], pinned, n_pinned))
            continue;
        R1_TRY(r1_dir_remove(path, err));
    }
    st = prune_references(dir, m, err);
done:
    r1_free(m);
    r1_free(steps);
    return st;
}
