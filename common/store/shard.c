/* Shard files and the reference policy; see checkpoint.h. */
#include "common/store/checkpoint.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/store/h5.h"
#include "common/store/manifest.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const parts[3] = {"w", "m", "v"};

/* A shard while it is written. */
typedef struct writer {
    const r1_layout *l;
    const r1_ops *ops;
    uint32_t u0, u1;
    uint64_t *hashes; /* [3][units] */
    uint64_t at[3];   /* of each part in the file */
    int stored[3];    /* 0: zeros, which have no place in the file */
} writer;

static size_t count(const writer *s) {
    return r1_layout_first(s->l, s->u1) - r1_layout_first(s->l, s->u0);
}

static r1_status hash_zeros(const writer *s, uint64_t *hashes, r1_err *err) {
    const r1_layout *l = s->l;
    float *zeros = NULL;
    size_t most = 1;
    r1_status st;

    for (uint32_t u = s->u0; u < s->u1; u++)
        most = l->units[u].n > most ? l->units[u].n : most;
    R1_TRY(R1_NEW(zeros, most, err));
    for (uint32_t u = s->u0; u < s->u1; u++)
        r1_layout_hash(l, s->ops, zeros, u, u + 1, &hashes[u - s->u0]);
    r1_free(zeros);
done:
    return st;
}

static r1_status write_part(writer *s, hid_t file, int part, const float *x, r1_err *err) {
    size_t units = s->u1 - s->u0;
    uint64_t *hashes = s->hashes + (size_t)part * units;
    char path[32];
    r1_status st;

    snprintf(path, sizeof path, "/%s", parts[part]);
    R1_TRY(r1_h5_write(file, path, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, x, count(s), err));
    s->stored[part] = x && units;
    if (s->stored[part])
        R1_TRY(r1_h5_offset(file, path, &s->at[part], err));
    if (x)
        r1_layout_hash(s->l, s->ops, x, s->u0, s->u1, hashes);
    else
        R1_TRY(hash_zeros(s, hashes, err));
    snprintf(path, sizeof path, "/hash/%s", parts[part]);
    st = r1_h5_write(file, path, H5T_STD_U64LE, H5T_NATIVE_UINT64, hashes, units, err);
done:
    return st;
}

static r1_status write_file(writer *s, const char *path, int index, const float *const x[3],
                            r1_err *err) {
    hid_t file = -1;
    r1_status st, closed;

    R1_TRY(r1_h5_create(&file, path, err));
    R1_TRY(r1_h5_attribute_text(file, "format", "r1-shard", err));
    R1_TRY(r1_h5_attribute_int(file, "format_version", R1_CKPT_FORMAT, err));
    R1_TRY(r1_h5_attribute_int(file, "shard", index, err));
    R1_TRY(r1_h5_attribute_int(file, "first_unit", s->u0, err));
    R1_TRY(r1_h5_group(file, "/hash", err));
    for (int part = 0; part < 3; part++) {
        R1_TRY(write_part(s, file, part, x[part], err));
        r1_file_write_soon(path); /* the disk works while the next part is copied and hashed */
    }
done:
    if (file >= 0) {
        closed = r1_h5_close(file, path, st == R1_OK ? err : NULL);
        st = st == R1_OK ? closed : st;
    }
    return st;
}

/* Measure the file for the manifest, and compare what it holds with what was in memory: only then
 * may an older checkpoint go.  Before the fsync, as the disk is busy: both see the page cache. */
static r1_status read_back(const writer *s, const char *path, r1_ckpt_shard *ret, r1_err *err) {
    size_t units = s->u1 - s->u0, bytes = count(s) * sizeof(float);
    uint64_t *have = NULL;
    r1_map map = {0};
    r1_status st;

    R1_TRY(r1_map_open(&map, path, err));
    R1_TRY(R1_NEW(have, units + 1, err));
    for (int part = 0; part < 3; part++) {
        if (!s->stored[part])
            continue;
        int good = s->at[part] <= map.len && bytes <= map.len - s->at[part];
        if (good) {
            r1_layout_hash(s->l, s->ops, (const float *)(const void *)(map.data + s->at[part]),
                           s->u0, s->u1, have);
            good = memcmp(have, s->hashes + (size_t)part * units, units * sizeof *have) == 0;
        }
        if (!good) {
            st = R1_FAIL(err, R1_IO, "'%s' does not hold what was written into it: the disk lies",
                         path);
            goto done;
        }
    }
    *ret = (r1_ckpt_shard){
        .u0 = s->u0, .u1 = s->u1, .bytes = map.len, .hash = r1_hash64(map.data, map.len)};
done:
    r1_map_close(&map);
    r1_free(have);
    return st;
}

r1_status r1_ckpt_write_shard(const char *tmp, int index, const r1_layout *l, const r1_ops *ops,
                              uint32_t u0, uint32_t u1, const float *w, const float *m,
                              const float *v, r1_ckpt_shard *ret, r1_err *err) {
    const float *const x[3] = {w, m, v};
    writer s = {.l = l, .ops = ops, .u0 = u0, .u1 = u1};
    char path[R1_PATH_MAX];
    r1_status st;

    R1_TRY(r1_path_format(path, sizeof path, err, "%s/shard_%04d.h5", tmp, index));
    R1_TRY(R1_NEW(s.hashes, 3 * (size_t)(u1 - u0) + 1, err));
    R1_TRY(write_file(&s, path, index, x, err));
    R1_TRY(read_back(&s, path, ret, err));
    st = r1_file_fsync(path, err);
done:
    r1_free(s.hashes);
    return st;
}

/* ---- reading ---- */

static const char *tensor_of_unit(const r1_layout *l, uint32_t u) {
    return l->tensors[l->units[u].tensor].name;
}

/* One of /w /m /v: units [a, b) of shard s. */
static r1_status read_part(hid_t file, const char *path, const char *name, const r1_ckpt_shard *s,
                           const r1_layout *l, const r1_ops *ops, uint32_t a, uint32_t b, float *x,
                           r1_err *err) {
    size_t first = r1_layout_first(l, a) - r1_layout_first(l, s->u0);
    size_t n = r1_layout_first(l, b) - r1_layout_first(l, a);
    uint64_t *want = NULL, *have = NULL;
    char set[32];
    r1_status st;

    snprintf(set, sizeof set, "/%s", name);
    R1_TRY(r1_h5_read(file, set, H5T_FLOAT, H5T_NATIVE_FLOAT, first, n, x, err));
    R1_TRY(R1_NEW(want, (size_t)(b - a) + 1, err));
    R1_TRY(R1_NEW(have, (size_t)(b - a) + 1, err));
    snprintf(set, sizeof set, "/hash/%s", name);
    R1_TRY(r1_h5_read(file, set, H5T_INTEGER, H5T_NATIVE_UINT64, a - s->u0, b - a, want, err));
    r1_layout_hash(l, ops, x, a, b, have);
    for (uint32_t u = a; u < b; u++)
        if (want[u - a] != have[u - a]) {
            st = R1_FAIL(err, R1_DATA, "'%s' is damaged: %s of tensor '%s', rows from %d", path,
                         strcmp(name, "w") == 0 ? "the weights" : "a moment", tensor_of_unit(l, u),
                         l->units[u].row0);
            goto done;
        }
done:
    r1_free(want);
    r1_free(have);
    return st;
}

static r1_status read_shard(const r1_ckpt *c, int i, const r1_layout *l, const r1_ops *ops,
                            uint32_t a, uint32_t b, float *const x[3], r1_err *err) {
    char path[R1_PATH_MAX];
    hid_t file = -1;
    r1_status st;

    R1_TRY(r1_path_format(path, sizeof path, err, "%s/shard_%04d.h5", c->path, i));
    r1_file_read_soon(path); /* the disk works while a part is hashed */
    R1_TRY(r1_h5_open(&file, path, err));
    for (int p = 0; p < 3; p++)
        if (x[p])
            R1_TRY(read_part(file, path, parts[p], &c->shards[i], l, ops, a, b, x[p], err));
done:
    if (file >= 0)
        H5Fclose(file);
    return st;
}

r1_status r1_ckpt_read(const r1_ckpt *c, const r1_layout *l, const r1_ops *ops, uint32_t u0,
                       uint32_t u1, float *w, float *m, float *v, r1_err *err) {
    uint32_t at = u0;
    r1_status st = R1_OK;

    if (c->shards[c->n_shards - 1].u1 != l->n_units)
        return R1_FAIL(err, R1_DATA, "'%s' holds %u units of weights, the model has %u", c->path,
                       c->shards[c->n_shards - 1].u1, l->n_units);
    for (int i = 0; i < c->n_shards && st == R1_OK; i++) {
        uint32_t a = c->shards[i].u0 > u0 ? c->shards[i].u0 : u0;
        uint32_t b = c->shards[i].u1 < u1 ? c->shards[i].u1 : u1;
        if (a >= b)
            continue;
        size_t skip = r1_layout_first(l, a) - r1_layout_first(l, u0);
        float *x[3] = {w ? w + skip : NULL, m ? m + skip : NULL, v ? v + skip : NULL};
        st = read_shard(c, i, l, ops, a, b, x, err);
        at = b;
    }
    if (st == R1_OK && at != u1)
        st = R1_FAIL(err, R1_DATA, "'%s': no shard holds unit %u", c->path, at);
    return st;
}

/* ---- the reference policy ---- */

void r1_ckpt_reference_name(int64_t update, char name[R1_CKPT_NAME]) {
    snprintf(name, R1_CKPT_NAME, "reference_%06lld.h5", (long long)update);
}

#define PIECE ((size_t)4 << 20)

/* Does the file hold exactly this payload?  Anything that cannot be read is a no. */
static int holds_payload(const char *path, const uint8_t *payload, size_t bytes, uint64_t hash) {
    uint64_t stored;
    uint8_t *piece = NULL;
    size_t have = 0, n = 0;
    hid_t file = -1;
    r1_status st;

    R1_TRY(r1_h5_open(&file, path, NULL));
    R1_TRY(r1_h5_length(file, "/payload", &have, NULL));
    R1_TRY(r1_h5_read(file, "/hash", H5T_INTEGER, H5T_NATIVE_UINT64, 0, 1, &stored, NULL));
    R1_TRY(R1_NEW(piece, PIECE, NULL));
    if (have != bytes || stored != hash)
        st = R1_DATA;
    for (size_t at = 0; at < bytes && st == R1_OK; at += n) {
        n = bytes - at < PIECE ? bytes - at : PIECE;
        st = r1_h5_read(file, "/payload", H5T_INTEGER, H5T_NATIVE_UINT8, at, n, piece, NULL);
        if (st == R1_OK && memcmp(piece, payload + at, n) != 0)
            st = R1_DATA;
    }
done:
    if (file >= 0)
        H5Fclose(file);
    r1_free(piece);
    return st == R1_OK;
}

r1_status r1_ckpt_write_reference(const char *dir, int64_t update, const void *payload,
                                  size_t bytes, r1_err *err) {
    char name[R1_CKPT_NAME], path[R1_PATH_MAX], tmp[R1_PATH_MAX];
    uint64_t hash = r1_hash64(payload, bytes);
    hid_t file = -1;
    r1_status st, closed;

    r1_ckpt_reference_name(update, name);
    R1_TRY(r1_path_format(path, sizeof path, err, "%s/%s", dir, name));
    R1_TRY(r1_path_format(tmp, sizeof tmp, err, "%s/.tmp_%s", dir, name));
    if (r1_path_exists(path) && holds_payload(path, payload, bytes, hash))
        return R1_OK;
    R1_TRY(r1_h5_create(&file, tmp, err));
    st = r1_h5_write(file, "/payload", H5T_STD_U8LE, H5T_NATIVE_UINT8, payload, bytes, err);
    if (st == R1_OK)
        st = r1_h5_write(file, "/hash", H5T_STD_U64LE, H5T_NATIVE_UINT64, &hash, 1, err);
    closed = r1_h5_close(file, tmp, st == R1_OK ? err : NULL);
    st = st == R1_OK ? closed : st;
    if (st != R1_OK)
        goto done;
    R1_TRY(r1_file_fsync(tmp, err));
    if (rename(tmp, path) != 0)
        st = R1_FAIL(err, R1_IO, "rename '%s'", tmp);
    else
        st = r1_file_fsync(dir, err);
done:
    return st;
}

r1_status r1_ckpt_read_reference(const char *path, void *payload, size_t bytes, r1_err *err) {
    size_t have = 0;
    uint64_t hash;
    hid_t file = -1;
    r1_status st;

    R1_TRY(r1_h5_open(&file, path, err));
    R1_TRY(r1_h5_length(file, "/payload", &have, err));
    if (have != bytes) {
        st = R1_FAIL(err, R1_DATA, "'%s' holds %zu bytes, the model's weights are %zu", path, have,
                     bytes);
        goto done;
    }
    R1_TRY(r1_h5_read(file, "/payload", H5T_INTEGER, H5T_NATIVE_UINT8, 0, bytes, payload, err));
    R1_TRY(r1_h5_read(file, "/hash", H5T_INTEGER, H5T_NATIVE_UINT64, 0, 1, &hash, err));
    if (hash != r1_hash64(payload, bytes))
        st = R1_FAIL(err, R1_DATA, "'%s' is damaged: the reference policy's hash differs", path);
done:
    if (file >= 0)
        H5Fclose(file);
    return st;
}
