/* The list of a checkpoint's files; see manifest.h. */
#include "common/store/manifest.h"

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char first_line[] = "r1-manifest 3\n", last_line[] = "%016" PRIx64 " manifest\n";
#define LAST_LINE_BYTES ((size_t)16 + sizeof " manifest\n" - 1)

static size_t pieces_of(size_t bytes) {
    return (bytes + R1_MANIFEST_PIECE - 1) / R1_MANIFEST_PIECE;
}

r1_status r1_manifest_measure(const char *path, const uint64_t *known, size_t n_known,
                              uint64_t *ret_bytes, uint64_t *ret_hash, r1_err *err) {
    uint64_t *hash = NULL;
    r1_map map = {0};
    r1_status st;

    R1_TRY(r1_map_open(&map, path, err));
    size_t n = pieces_of(map.len);
    R1_TRY(R1_NEW(hash, n + 1, err));
    for (size_t i = 0; i < n; i++) {
        size_t at = i * R1_MANIFEST_PIECE, left = map.len - at;
        hash[i] =
            i < n_known && known[i]
                ? known[i]
                : r1_hash64(map.data + at, left < R1_MANIFEST_PIECE ? left : R1_MANIFEST_PIECE);
    }
    *ret_bytes = map.len;
    *ret_hash = r1_hash64(hash, n * sizeof *hash);
done:
    r1_free(hash);
    r1_map_close(&map);
    return st;
}

r1_status r1_manifest_add(r1_manifest *m, const char *name, uint64_t bytes, uint64_t hash,
                          r1_err *err) {
    r1_manifest_entry *e = &m->entry[m->n];

    if (m->n == R1_MANIFEST_MAX || strlen(name) >= sizeof e->name)
        return R1_FAIL(err, R1_DATA, "manifest: too many files, or too long a name: '%.100s'",
                       name);
    snprintf(e->name, sizeof e->name, "%s", name);
    e->bytes = bytes;
    e->hash = hash;
    m->n++;
    return R1_OK;
}

const r1_manifest_entry *r1_manifest_find(const r1_manifest *m, const char *name) {
    for (int i = 0; i < m->n; i++)
        if (strcmp(m->entry[i].name, name) == 0)
            return &m->entry[i];
    return NULL;
}

r1_status r1_manifest_write(const r1_manifest *m, const char *dir, r1_err *err) {
    char path[R1_PATH_MAX];
    r1_buf text;
    r1_status st;

    r1_buf_init(&text, (size_t)1 << 20);
    R1_TRY(r1_buf_addf(&text, err, "%s", first_line));
    for (int i = 0; i < m->n; i++)
        R1_TRY(r1_buf_addf(&text, err, "%016" PRIx64 " %" PRIu64 " %s\n", m->entry[i].hash,
                           m->entry[i].bytes, m->entry[i].name));
    R1_TRY(r1_buf_addf(&text, err, last_line, r1_hash64(text.data, text.len)));
    R1_TRY(r1_path_format(path, sizeof path, err, "%s/manifest", dir));
    st = r1_file_write_atomic(path, text.data, text.len, err);
done:
    r1_buf_done(&text);
    return st;
}

/* A file beside the manifest, or one directory up; nothing else can be named. */
static int good_name(const char *name) {
    const char *leaf = strncmp(name, "../", 3) == 0 ? name + 3 : name;

    return *leaf && !strchr(leaf, '/') && strcmp(leaf, "..") != 0;
}

/* A whole manifest: NUL in place of the last line, which holds the hash of all that is before. */
static int is_whole(char *text, size_t len) {
    char want[LAST_LINE_BYTES + 1];
    size_t body = len < LAST_LINE_BYTES ? 0 : len - LAST_LINE_BYTES;

    snprintf(want, sizeof want, last_line, r1_hash64(text, body));
    if (body == 0 || memcmp(text + body, want, LAST_LINE_BYTES) != 0)
        return 0;
    text[body] = '\0';
    return strlen(text) == body;
}

r1_status r1_manifest_read(r1_manifest *m, const char *dir, r1_err *err) {
    char path[R1_PATH_MAX], *text = NULL, *save = NULL;
    size_t len = 0;
    int line = 1;
    r1_status st;

    m->n = 0;
    R1_TRY(r1_path_format(path, sizeof path, err, "%s/manifest", dir));
    R1_TRY(r1_file_slurp(path, (size_t)1 << 20, &text, &len, err));
    if (!is_whole(text, len)) {
        st = R1_FAIL(err, R1_DATA, "'%s' is damaged or cut off: its last line is not its hash",
                     path);
        goto done;
    }
    if (strncmp(text, first_line, strlen(first_line)) != 0) {
        st = R1_FAIL(err, R1_DATA, "'%s' is a manifest of another version", path);
        goto done;
    }
    for (char *at = strtok_r(text + strlen(first_line), "\n", &save); at;
         at = strtok_r(NULL, "\n", &save)) {
        char name[96];
        uint64_t hash, bytes;
        line++;
        if (sscanf(at, "%16" SCNx64 " %" SCNu64 " %95s", &hash, &bytes, name) != 3 ||
            !good_name(name)) {
            st = R1_FAIL(err, R1_DATA, "%s:%d: not 'xxh3 size name'", path, line);
            goto done;
        }
        R1_TRY(r1_manifest_add(m, name, bytes, hash, err));
    }
done:
    r1_free(text);
    return st;
}

int r1_manifest_is_shard(const char *name) {
    return strncmp(name, "shard_", 6) == 0;
}

static int has_own_hashes(const char *name) {
    return r1_manifest_is_shard(name) || strncmp(name, "../", 3) == 0;
}

r1_status r1_manifest_check(const r1_manifest *m, const char *dir, r1_manifest_depth depth,
                            r1_err *err) {
    char path[R1_PATH_MAX];
    r1_status st = R1_OK;

    for (int i = 0; i < m->n; i++) {
        const r1_manifest_entry *e = &m->entry[i];
        struct stat info;
        uint64_t bytes, hash;
        R1_TRY(r1_path_format(path, sizeof path, err, "%s/%s", dir, e->name));
        if (stat(path, &info) != 0)
            return R1_FAIL(err, R1_DATA, "'%s' is missing: %s", path, strerror(errno));
        if ((uint64_t)info.st_size != e->bytes)
            return R1_FAIL(err, R1_DATA, "'%s' has %lld bytes, the manifest says %" PRIu64, path,
                           (long long)info.st_size, e->bytes);
        if (depth == R1_MANIFEST_SIZES || has_own_hashes(e->name))
            continue;
        R1_TRY(r1_manifest_measure(path, NULL, 0, &bytes, &hash, err));
        if (hash != e->hash)
            return R1_FAIL(err, R1_DATA, "'%s' is damaged: its hash differs from the manifest's",
                           path);
    }
done:
    return st;
}
