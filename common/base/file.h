#ifndef R1_BASE_FILE_H
#define R1_BASE_FILE_H
/* Files as whole objects: read, map, write so that a reader sees the old or the new one. */
#include "common/base/err.h"

#include <stdint.h>

/* Read a regular file of at most max_bytes.  *ret_data has a NUL behind its ret_len bytes and
 * belongs to the caller (r1_free). */
R1_MUST_USE r1_status r1_file_slurp(const char *path, size_t max_bytes, char **ret_data,
                                    size_t *ret_len, r1_err *err);

/* A read-only view of a whole file. */
typedef struct r1_map {
    const uint8_t *data;
    size_t len;
} r1_map;

R1_MUST_USE r1_status r1_map_open(r1_map *m, const char *path, r1_err *err);
void r1_map_close(r1_map *m);

/* Write under a temporary name in the same directory, fsync, rename, fsync the directory. */
R1_MUST_USE r1_status r1_file_write_atomic(const char *path, const void *data, size_t len,
                                           r1_err *err);
R1_MUST_USE r1_status r1_file_fsync(const char *path, r1_err *err); /* file or directory */
/* Hints, which may do nothing: the disk begins to write what a file has got so far, or to read it. */
void r1_file_write_soon(int fd);
void r1_file_read_soon(const char *path);

R1_MUST_USE r1_status r1_dir_make(const char *path, r1_err *err); /* with parents; may exist */
/* Remove a directory and what is in it; a path that does not exist is no error. */
R1_MUST_USE r1_status r1_dir_remove(const char *path, r1_err *err);
int r1_path_exists(const char *path);
int r1_path_is_dir(const char *path);

/* snprintf for paths that fails instead of cutting. */
R1_MUST_USE r1_status r1_path_format(char *buf, size_t size, r1_err *err, const char *fmt, ...)
    R1_PRINTF(4, 5);

#define R1_PATH_MAX 1024

/* " (relative to /home/me)", the directory that a relative path starts from, for messages; an empty
 * text for an absolute one. */
const char *r1_path_base(const char *path, char *buf, size_t size);

#endif
