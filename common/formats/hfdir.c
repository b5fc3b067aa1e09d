/* Directories that appear whole; see hfdir.h. */
#include "common/formats/hfdir.h"

#include "common/base/file.h"
#include "common/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_EXTRA ((size_t)1 << 30)

static int is_empty_dir(const char *path) {
    DIR *d = opendir(path);
    int n = 0;

    if (!d)
        return 0;
    for (const struct dirent *e; (e = readdir(d));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n == 0;
}

/* Length without slashes at the end. */
static int trimmed(const char *path) {
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    return (int)n;
}

static r1_status parent_of(const char *path, char *ret, size_t size, r1_err *err) {
    int n = trimmed(path);

    while (n > 0 && path[n - 1] != '/')
        n--;
    return n == 0 ? r1_path_format(ret, size, err, ".")
                  : r1_path_format(ret, size, err, "%.*s", n, path);
}

r1_status r1_hfdir_begin(const char *out, char *ret_tmp, size_t size, r1_err *err) {
    char parent[R1_PATH_MAX];
    r1_status st;

    ret_tmp[0] = '\0';
    if (r1_path_exists(out) && !is_empty_dir(out))
        return R1_FAIL(err, R1_USAGE, "'%s' exists already and is not an empty directory", out);
    R1_TRY(parent_of(out, parent, sizeof parent, err));
    if (mkdir(parent, 0755) != 0 && errno != EEXIST)
        return R1_FAIL(err, R1_IO, "cannot create '%s' for '%s': %s", parent, out, strerror(errno));
    R1_TRY(r1_path_format(ret_tmp, size, err, "%.*s.tmp-%ld", trimmed(out), out, (long)getpid()));
    R1_TRY(r1_dir_remove(ret_tmp, err));
    st = r1_dir_make(ret_tmp, err);
done:
    if (st != R1_OK)
        ret_tmp[0] = '\0';
    return st;
}

r1_status r1_hfdir_finish(const char *out, const char *tmp, r1_err *err) {
    char parent[R1_PATH_MAX], to[R1_PATH_MAX];
    r1_status st;

    R1_TRY(r1_path_format(to, sizeof to, err, "%.*s", trimmed(out), out));
    R1_TRY(parent_of(out, parent, sizeof parent, err));
    R1_TRY(r1_file_fsync(tmp, err));
    if (rename(tmp, to) != 0)
        return R1_FAIL(err, R1_IO, "rename '%s' to '%s': %s", tmp, to, strerror(errno));
    st = r1_file_fsync(parent, err);
done:
    return st;
}

void r1_hfdir_drop(const char *tmp) {
    r1_err ignored;

    if (tmp[0] && r1_dir_remove(tmp, &ignored) != R1_OK)
        return;
}

r1_status r1_hfdir_copy_extras(const char *from, const char *to, r1_err *err) {
    static const char *const names[] = {"tokenizer.json",
                                        "tokenizer_config.json",
                                        "special_tokens_map.json",
                                        "added_tokens.json",
                                        "vocab.json",
                                        "merges.txt",
                                        "chat_template.jinja",
                                        "tokenizer_bytes.json",
                                        "tokenizer.model",
                                        "generation_config.json"};
    char path[R1_PATH_MAX], *data = NULL;
    size_t len;
    r1_status st = R1_OK;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        R1_TRY(r1_path_format(path, sizeof path, err, "%s/%s", from, names[i]));
        if (!r1_path_exists(path))
            continue;
        R1_TRY(r1_file_slurp(path, MAX_EXTRA, &data, &len, err));
        R1_TRY(r1_path_format(path, sizeof path, err, "%s/%s", to, names[i]));
        R1_TRY(r1_file_write_atomic(path, data, len, err));
        r1_free(data);
        data = NULL;
    }
done:
    r1_free(data);
    return st;
}
