/* Files; see file.h. */
#include "common/base/file.h"

#include "common/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Open a regular file for reading and tell its size. */
static r1_status open_regular(const char *path, int *ret_fd, size_t *ret_len, r1_err *err) {
    struct stat sb;

    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return R1_FAIL(err, R1_IO, "cannot open '%s': %s", path, strerror(errno));
    if (fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode)) {
        close(fd);
        return R1_FAIL(err, R1_IO, "'%s' is not a regular file", path);
    }
    *ret_fd = fd;
    *ret_len = (size_t)sb.st_size;
    return R1_OK;
}

static r1_status read_fully(int fd, const char *path, char *data, size_t len, r1_err *err) {
    for (size_t have = 0; have < len;) {
        ssize_t n = read(fd, data + have, len - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return R1_FAIL(err, R1_IO, "cannot read '%s': %s", path,
                           n < 0 ? strerror(errno) : "it became shorter while it was read");
        have += (size_t)n;
    }
    return R1_OK;
}

r1_status r1_file_slurp(const char *path, size_t max_bytes, char **ret_data, size_t *ret_len,
                        r1_err *err) {
    r1_status st;
    char *data = NULL;
    size_t len = 0;
    int fd = -1;

    if ((st = open_regular(path, &fd, &len, err)) != R1_OK)
        return st;
    if (len > max_bytes) {
        st = R1_FAIL(err, R1_DATA, "'%s' has %zu bytes, at most %zu are allowed", path, len,
                     max_bytes);
        goto done;
    }
    R1_TRY(R1_NEW(data, len + 1, err));
    R1_TRY(read_fully(fd, path, data, len, err));
    *ret_data = data;
    *ret_len = len;
    data = NULL; /* the caller's now */
done:
    r1_free(data);
    close(fd);
    return st;
}

/* Under AddressSanitizer a small file is copied to the heap: a byte read behind a mapping is a zero
 * of its last page, and nobody notices. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MAP_COPIES 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(MAP_COPIES)
#define MAP_COPY_MAX ((size_t)16 << 20)
#else
#define MAP_COPY_MAX ((size_t)0)
#endif

static r1_status copy_file(r1_map *m, int fd, size_t len, const char *path, r1_err *err) {
    uint8_t *copy;
    r1_status st = R1_NEW(copy, len, err);

    for (size_t have = 0; st == R1_OK && have < len;) {
        ssize_t n = pread(fd, copy + have, len - have, (off_t)have);
        if (n <= 0)
            st = R1_FAIL(err, R1_IO, "cannot read '%s'", path);
        else
            have += (size_t)n;
    }
    if (st == R1_OK)
        *m = (r1_map){.data = copy, .len = len};
    else
        r1_free(copy);
    return st;
}

r1_status r1_map_open(r1_map *m, const char *path, r1_err *err) {
    size_t len = 0;
    int fd = -1;
    r1_status st = open_regular(path, &fd, &len, err);

    if (st != R1_OK)
        return st;
    if (len == 0) { /* mmap refuses length 0 */
        *m = (r1_map){.data = (const uint8_t *)"", .len = 0};
        close(fd);
        return R1_OK;
    }
    if (len <= MAP_COPY_MAX) {
        st = copy_file(m, fd, len, path, err);
        close(fd);
        return st;
    }
    void *p = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
    int e = errno;
    close(fd);
    if (p == MAP_FAILED)
        return R1_FAIL(err, R1_IO, "cannot map '%s': %s", path, strerror(e));
    *m = (r1_map){.data = p, .len = len};
    return R1_OK;
}

void r1_map_close(r1_map *m) {
    if (m->len && m->len <= MAP_COPY_MAX)
        r1_free((void *)(uintptr_t)m->data);
    else if (m->len)
        munmap((void *)(uintptr_t)m->data, m->len);
    *m = (r1_map){0};
}

r1_status r1_file_fsync(const char *path, r1_err *err) {
    r1_status st = R1_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return R1_FAIL(err, R1_IO, "cannot open '%s': %s", path, strerror(errno));
    if (fsync(fd) != 0)
        st = R1_FAIL(err, R1_IO, "cannot fsync '%s': %s", path, strerror(errno));
    close(fd);
    return st;
}

void r1_file_write_soon(int fd) {
    (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

void r1_file_read_soon(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
    close(fd);
}

static r1_status write_fully(int fd, const char *path, const char *data, size_t len, r1_err *err) {
    for (size_t have = 0; have < len;) {
        ssize_t n = write(fd, data + have, len - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return R1_FAIL(err, R1_IO, "cannot write '%s': %s", path, strerror(errno));
        have += (size_t)n;
    }
    if (fsync(fd) != 0)
        return R1_FAIL(err, R1_IO, "cannot fsync '%s': %s", path, strerror(errno));
    return R1_OK;
}

r1_status r1_file_write_atomic(const char *path, const void *data, size_t len, r1_err *err) {
    r1_status st;
    char tmp[R1_PATH_MAX], dir[R1_PATH_MAX];

    R1_TRY(r1_path_format(tmp, sizeof tmp, err, "%s.tmp", path));
    R1_TRY(r1_path_format(dir, sizeof dir, err, "%s", path));
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return R1_FAIL(err, R1_IO, "cannot create '%s': %s", tmp, strerror(errno));
    st = write_fully(fd, tmp, data, len, err);
    if (close(fd) != 0 && st == R1_OK)
        st = R1_FAIL(err, R1_IO, "cannot close '%s': %s", tmp, strerror(errno));
    if (st == R1_OK && rename(tmp, path) != 0)
        st = R1_FAIL(err, R1_IO, "cannot rename '%s' to '%s': %s", tmp, path, strerror(errno));
    if (st != R1_OK) {
        unlink(tmp);
        goto done;
    }
    st = r1_file_fsync(dirname(dir), err);
done:
    return st;
}

r1_status r1_dir_make(const char *path, r1_err *err) {
    char part[R1_PATH_MAX];
    r1_status st = r1_path_format(part, sizeof part, err, "%s", path);

    if (st != R1_OK)
        return st;
    for (char *p = part + 1;; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char c = *p;
        *p = '\0';
        if (mkdir(part, 0755) != 0 && errno != EEXIST)
            return R1_FAIL(err, R1_IO, "cannot create directory '%s': %s", part, strerror(errno));
        if (c == '\0')
            break;
        *p = c;
    }
    if (!r1_path_is_dir(path))
        return R1_FAIL(err, R1_IO, "'%s' exists and is not a directory", path);
    return R1_OK;
}

r1_status r1_dir_remove(const char *path, r1_err *err) {
    r1_status st = R1_OK;
    struct dirent *e;
    DIR *d = opendir(path);

    if (!d)
        return errno == ENOENT
                   ? R1_OK
                   : R1_FAIL(err, R1_IO, "cannot open directory '%s': %s", path, strerror(errno));
    while (st == R1_OK && (e = readdir(d))) {
        char child[R1_PATH_MAX];
        struct stat sb;

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if ((st = r1_path_format(child, sizeof child, err, "%s/%s", path, e->d_name)) != R1_OK)
            break;
        if (lstat(child, &sb) == 0 && S_ISDIR(sb.st_mode))
            st = r1_dir_remove(child, err);
        else if (unlink(child) != 0 && errno != ENOENT)
            st = R1_FAIL(err, R1_IO, "cannot remove '%s': %s", child, strerror(errno));
    }
    closedir(d);
    if (st == R1_OK && rmdir(path) != 0 && errno != ENOENT)
        st = R1_FAIL(err, R1_IO, "cannot remove '%s': %s", path, strerror(errno));
    return st;
}

int r1_path_exists(const char *path) {
    return access(path, F_OK) == 0;
}

int r1_path_is_dir(const char *path) {
    struct stat sb;

    return stat(path, &sb) == 0 && S_ISDIR(sb.st_mode);
}

r1_status r1_path_format(char *buf, size_t size, r1_err *err, const char *fmt, ...) {
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(buf, size, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= size)
        return R1_FAIL(err, R1_USAGE, "path of more than %zu bytes: '%.100s...'", size - 1, buf);
    return R1_OK;
}

const char *r1_path_base(const char *path, char *buf, size_t size) {
    char cwd[R1_PATH_MAX];

    buf[0] = '\0';
    if (path[0] != '/' && getcwd(cwd, sizeof cwd))
        snprintf(buf, size, " (relative to %.400s)", cwd);
    return buf;
}
