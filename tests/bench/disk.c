/* Rates of the file system; see disk.h. */
#include "tests/bench/disk.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PIECE ((size_t)8 << 20)

static int write_all(int fd, const char *memory, size_t len, size_t bytes) {
    for (size_t at = 0; at < bytes;) {
        size_t n = bytes - at < len ? bytes - at : len;
        ssize_t got = write(fd, memory, n);
        if (got <= 0)
            return 0;
        at += (size_t)got;
    }
    return fsync(fd) == 0;
}

static int read_all(int fd, char *piece, size_t bytes) {
    for (size_t at = 0; at < bytes;) {
        ssize_t got = read(fd, piece, PIECE);
        if (got <= 0)
            return 0;
        at += (size_t)got;
    }
    return 1;
}

r1_status bench_disk(const char *dir, const void *memory, size_t len, size_t bytes,
                     double *ret_write_gbs, double *ret_read_gbs, r1_err *err) {
    char path[R1_PATH_MAX], *piece = NULL;
    int fd = -1;
    r1_status st;

    R1_TRY(R1_NEW(piece, PIECE, err));
    R1_TRY(r1_path_format(path, sizeof path, err, "%s/disk", dir));
    if ((fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0) {
        st = R1_FAIL(err, R1_IO, "cannot create '%s': %s", path, strerror(errno));
        goto done;
    }
    double t0 = r1_now_s();
    int good = write_all(fd, memory, len < PIECE ? len : PIECE, bytes);
    double t1 = r1_now_s();
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    good = good && lseek(fd, 0, SEEK_SET) == 0;
    double t2 = r1_now_s();
    good = good && read_all(fd, piece, bytes);
    if (!good)
        st = R1_FAIL(err, R1_IO, "cannot write and read '%s': %s", path, strerror(errno));
    *ret_write_gbs = (double)bytes / (t1 - t0) * 1e-9;
    *ret_read_gbs = (double)bytes / (r1_now_s() - t2) * 1e-9;
    unlink(path);
done:
    if (fd >= 0)
        close(fd);
    r1_free(piece);
    return st;
}

void bench_drop_cache(const char *dir) {
    char path[R1_PATH_MAX];
    DIR *d = opendir(dir);

    if (!d)
        return;
    for (const struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.' ||
            r1_path_format(path, sizeof path, NULL, "%s/%s", dir, e->d_name) != R1_OK)
            continue;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        close(fd);
    }
    closedir(d);
}
