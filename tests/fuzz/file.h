#ifndef R1_TESTS_FUZZ_FILE_H
#define R1_TESTS_FUZZ_FILE_H
/* The bytes of a target as a file with a path. */
#include "common/base/err.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Returns a descriptor; path [64] names it until it is closed. */
static inline int fuzz_file(const uint8_t *data, size_t n, char *path) {
    int fd = memfd_create("r1-fuzz", MFD_CLOEXEC);

    R1_ASSERT(fd >= 0 && write(fd, data, n) == (ssize_t)n);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

/* A refusal says in one line what is wrong. */
static inline void fuzz_check_refusal(r1_status st, const r1_err *err) {
    R1_ASSERT(st == R1_DATA || st == R1_USAGE);
    R1_ASSERT(*err->msg && !strchr(err->msg, '\n'));
}

#endif
