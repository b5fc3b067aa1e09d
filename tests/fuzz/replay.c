/* Feeds a fuzz target with every file of some folders, each as it is, cut at every length (up to a
 * limit) and in seeded mutations.  Usage: fuzz_NAME SEED_FOLDER... */
#include "tests/fuzz/fuzz.h"

#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/rng.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED_MAX  ((size_t)1 << 20)
#define CUTS      512
#define GROWTH    64
#define MUTATIONS 3000

/* A count or length that readers get wrong, in either byte order, over 4 or 8 bytes at `at`. */
static void put_length(uint8_t *s, size_t n, size_t at, uint32_t which) {
    const uint64_t lengths[] = {0,          1,         n,          n - 1,          n + 1,
                                INT32_MAX,  INT64_MAX, UINT32_MAX, UINT64_MAX,     1u << 31,
                                1ull << 63, 1u << 24,  1ull << 32, UINT64_MAX / 8, n - at};
    uint64_t x = lengths[which / 4 % (sizeof lengths / sizeof *lengths)];
    size_t width = which & 1 ? 8 : 4;

    for (size_t i = 0; i < width && at + i < n; i++)
        s[at + i] = (uint8_t)(x >> 8 * (which & 2 ? width - 1 - i : i));
}

/* One to eight edits: a byte set, a bit turned, a piece repeated, removed or overwritten by
 * another, a length. */
static size_t mutate(uint8_t *s, size_t n, const r1_rng_key *key) {
    static const uint8_t bytes[] = {0,   0xff, '"', '\\', '{', '}', '<',
                                    '>', '\n', '9', '-',  '/', '(', 'e'};
    uint32_t w = 1, edits = 1 + r1_rng_below(key, 0, 8);

    for (uint32_t e = 0; e < edits && n > 0; e++) {
        uint32_t kind = r1_rng_below(key, w++, 6), at = r1_rng_below(key, w++, (uint32_t)n);
        uint32_t from = r1_rng_below(key, w++, (uint32_t)n), len = r1_rng_below(key, w++, 8) + 1;
        len = len < n - at ? len : (uint32_t)n - at;
        len = len < n - from ? len : (uint32_t)n - from;
        if (kind == 0) {
            s[at] = bytes[from % sizeof bytes];
        } else if (kind == 1) {
            s[at] ^= (uint8_t)(1 << (from % 8));
        } else if (kind == 2) {
            memmove(s + at, s + at + len, n - at - len);
            n -= len;
        } else if (kind == 5) {
            put_length(s, n, at, r1_rng_below(key, w++, 1 << 16));
        } else if (kind == 3) {
            memmove(s + at, s + from, len);
        } else {
            memmove(s + at + len, s + at, n - at);
            n += len;
        }
    }
    return n;
}

/* In a block of just this size, so that a sanitizer sees any byte read behind it. */
static r1_status feed(const void *data, size_t n, r1_err *err) {
    uint8_t *exact;
    r1_status st = R1_NEW(exact, n ? n : 1, err);

    if (st != R1_OK)
        return st;
    if (n)
        memcpy(exact, data, n);
    LLVMFuzzerTestOneInput(exact, n);
    r1_free(exact);
    return R1_OK;
}

static r1_status replay(const char *path, uint64_t ordinal, uint64_t mutations, r1_err *err) {
    uint8_t *copy = NULL;
    char *seed = NULL;
    size_t n;
    r1_status st;

    R1_TRY(r1_file_slurp(path, SEED_MAX, &seed, &n, err));
    R1_TRY(feed(seed, n, err));
    for (size_t cut = 0; cut < n && cut < CUTS; cut++)
        R1_TRY(feed(seed, cut, err));
    R1_TRY(R1_NEW(copy, n + GROWTH, err));
    for (uint64_t m = 0; m < mutations; m++) {
        r1_rng_key key = {.seed = ordinal, .index = m, .purpose = R1_RNG_TASK};
        memcpy(copy, seed, n);
        R1_TRY(feed(copy, mutate(copy, n, &key), err));
    }
done:
    r1_free(copy);
    r1_free(seed);
    return st;
}

static int visible(const struct dirent *e) {
    return e->d_name[0] != '.';
}

static r1_status replay_folder(const char *folder, r1_err *err) {
    struct dirent **list = NULL;
    r1_status st = R1_OK;
    int n = scandir(folder, &list, visible, alphasort);

    if (n <= 0)
        st = R1_FAIL(err, R1_IO, "no seeds in '%s'", folder);
    for (int i = 0; i < n; i++) {
        char path[R1_PATH_MAX];
        if (st == R1_OK)
            st = r1_path_format(path, sizeof path, err, "%s/%s", folder, list[i]->d_name);
        if (st == R1_OK)
            st = replay(path, (uint64_t)i, MUTATIONS, err);
        free(list[i]);
    }
    free(list);
    return st;
}

int main(int argc, char **argv) {
    r1_err err = {0};
    r1_status st = argc > 1 ? R1_OK : R1_FAIL(&err, R1_USAGE, "usage: %s SEED_FOLDER...", argv[0]);

    for (int i = 1; i < argc && st == R1_OK; i++)
        st = replay_folder(argv[i], &err);
    if (st != R1_OK)
        fprintf(stderr, "%s: %s\n", argv[0], err.msg);
    return st != R1_OK;
}
