/* Files of rows, or stdin; see input.h. */
#include "actor/input.h"

#include "common/comm/collect.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STDIN_MAX ((size_t)4 << 30)
#define PIECE     ((size_t)1 << 20)

static r1_status read_stdin(r1_buf *all, r1_err *err) {
    r1_status st = R1_OK;
    size_t got;

    do {
        size_t at = all->len;
        R1_TRY(r1_buf_extend(all, PIECE, err));
        got = fread(all->data + at, 1, PIECE, stdin);
        all->len = at + got;
    } while (got == PIECE);
    if (ferror(stdin))
        st = R1_FAIL(err, R1_IO, "cannot read stdin: %m");
done:
    return st;
}

static r1_status share(r1_buf *all, const r1_comm *c, r1_err *err) {
    uint64_t n = all->len;
    r1_status st;

    R1_TRY(r1_bcast(c, &n, sizeof n, 0, "stdin", err));
    R1_TRY(r1_agree(c, c->rank ? r1_buf_extend(all, n, err) : R1_OK, err));
    if (n > 0)
        st = r1_bcast(c, all->data, n, 0, "stdin", err);
done:
    return st;
}

/* The bytes as a file of memory, which can be mapped as any other. */
static r1_status open_bytes(r1_jsonl *j, const r1_buf *all, r1_err *err) {
    int fd = memfd_create("r1-stdin", MFD_CLOEXEC);
    char path[64];
    r1_status st = R1_OK;

    for (size_t at = 0; fd >= 0 && at < all->len && st == R1_OK;) {
        ssize_t n = write(fd, all->data + at, all->len - at);
        if (n < 0)
            st = R1_FAIL(err, R1_IO, "cannot keep stdin in memory: %m");
        at += n > 0 ? (size_t)n : 0;
    }
    if (fd < 0)
        return R1_FAIL(err, R1_IO, "cannot keep stdin in memory: %m");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (st == R1_OK)
        st = r1_jsonl_open(j, path, err);
    if (st == R1_OK)
        snprintf(j->path, sizeof j->path, "stdin");
    close(fd);
    return st;
}

r1_status r1_input_open(r1_jsonl *j, const r1_world *world, const char *path, r1_err *err) {
    r1_buf all;
    r1_status st;

    if (strcmp(path, "-") != 0)
        return r1_agree(&world->all, r1_jsonl_open(j, path, err), err);
    r1_buf_init(&all, STDIN_MAX);
    st = world->all.rank == 0 ? read_stdin(&all, err) : R1_OK;
    R1_TRY(r1_agree(&world->all, st, err));
    R1_TRY(share(&all, &world->all, err));
    st = r1_agree(&world->all, open_bytes(j, &all, err), err);
done:
    r1_buf_done(&all);
    return st;
}
