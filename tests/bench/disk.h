#ifndef R1_TESTS_BENCH_DISK_H
#define R1_TESTS_BENCH_DISK_H
/* What the file system can do, in the same run as the checkpoints that are measured against it. */
#include "common/base/err.h"

#include <stddef.h>

/* Write `bytes` bytes (the first `len` of memory again and again) to a file in dir with fsync, drop
 * it from the page cache, read it back and remove it.  Rates in GB/s. */
R1_MUST_USE r1_status bench_disk(const char *dir, const void *memory, size_t len, size_t bytes,
                                 double *ret_write_gbs, double *ret_read_gbs, r1_err *err);

/* Ask the system to forget the pages of a directory's files, so that the disk is what is read. */
void bench_drop_cache(const char *dir);

#endif
