/* What a path is that was given as a model and is none, and what to give instead; see arch.h. */
#include "common/model/arch.h"

#include "common/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The checkpoint of the highest step in a directory; 0 if there is none. */
static int newest_step(const char *dir, char ret_name[static NAME_MAX + 1]) {
    DIR *d = opendir(dir);
    long best = -1;

    if (!d)
        return 0;
    for (const struct dirent *e; (e = readdir(d));) {
        char *end;
        if (strncmp(e->d_name, "step_", 5) != 0)
            continue;
        long step = strtol(e->d_name + 5, &end, 10);
        if (step <= best || *end)
            continue;
        best = step;
        snprintf(ret_name, NAME_MAX + 1, "%s", e->d_name);
    }
    closedir(d);
    return best >= 0;
}

static r1_status of_directory(const char *path, r1_err *err) {
    char below[R1_PATH_MAX], step[NAME_MAX + 1];
    r1_status st;

    if (newest_step(path, step))
        return R1_FAIL(err, R1_DATA, "'%s' holds checkpoints, give one of them: '%s/%s'", path,
                       path, step);
    R1_TRY(r1_path_format(below, sizeof below, err, "%s/checkpoints", path));
    if (newest_step(below, step))
        st = R1_FAIL(err, R1_DATA,
                     "'%s' is the directory of a run, give one of its checkpoints: '%s/%s'", path,
                     below, step);
    else
        st = R1_FAIL(err, R1_DATA, "'%s' is not a model: it has no config.json", path);
done:
    return st;
}

static int ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

r1_status r1_arch_not_a_model(const char *path, r1_err *err) {
    const char *slash = strrchr(path, '/');
    int n = slash ? (int)(slash - path) : 0;
    char head[8] = "";

    if (r1_path_is_dir(path))
        return of_directory(path, err);
    FILE *f = fopen(path, "rb");
    if (!f)
        return R1_FAIL(err, R1_IO, "cannot open the model '%s': %s", path, strerror(errno));
    size_t have = fread(head, 1, sizeof head, f);
    fclose(f);
    if (have == sizeof head && memcmp(head, "\x89HDF", 4) == 0)
        return R1_FAIL(err, R1_DATA, "'%s' is one file of a checkpoint, give its directory: '%.*s'",
                       path, n ? n : 1, n ? path : ".");
    if (ends_with(path, ".safetensors") || ends_with(path, "config.json"))
        return R1_FAIL(err, R1_DATA, "'%s' is one file of a model, give its directory: '%.*s'",
                       path, n ? n : 1, n ? path : ".");
    if (ends_with(path, ".gguf"))
        return R1_FAIL(err, R1_DATA, "'%s' is not a GGUF file: it does not begin with GGUF", path);
    return R1_FAIL(err, R1_DATA,
                   "'%s' is not a model: neither a directory with config.json nor a GGUF file",
                   path);
}
