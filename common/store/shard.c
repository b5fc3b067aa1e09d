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

static r1_status write_part(hid_t file, const char *name, const r1_layout *l, const r1_ops *ops,
                            uint32_t u0, uint32_t u1, const float *x, uint64_t *hashes,
                            r1_err *err) {
    char path[32];
    r1_status st;

    snprintf(path, sizeof path, "/%s", name);
    R1_TRY(r1_h5_write(file, path, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, x,
                       r1_layout_first(l, u1) - r1_layout_first(l, u0), err));
    r1_layout_hash(l, ops, x, u0, u1, hashes);
    snprintf(path, sizeof path, "/hash/%s", name);
    st = r1_h5_write(file, path, H5T_STD_U64LE, H5T_NATIVE_UINT64, hashes, u1 - u0, err);
done:
    return st;
}

static r1_status fill_shard(hid_t file, int index, const r1_layout *l, const r1_ops *ops,
                            uint32_t u0, uint32_t u1, const float *w, const float *m,
                            const float *v, r1_err *err) {
    uint64_t *hashes = NULL;
    r1_status st;

    R1_TRY(r1_h5_attribute_text(file, "format", "r1-shard", err));
    R1_TRY(r1_h5_attribute_int(file, "format_version", R1_CKPT_FORMAT, err));
    R1_TRY(r1_h5_attribute_int(file, "shard", index, err));
    R1_TRY(r1_h5_attribute_int(file, "first_unit", u0, err));
    R1_TRY(r1_h5_group(file, "/hash", err));
    R1_TRY(R1_NEW(hashes, (size_t)(u1 - u0) + 1, err));
    R1_TRY(write_part(file, "w", l, ops, u0, u1, w, hashes, err));
    R1_TRY(write_part(file, "m", l, ops, u0, u1, m, hashes, err));
    st = write_part(file, "v", l, ops, u0, u1, v, hashes, err);
done:
    r1_free(hashes);
    return st;
}

r1_status r1_ckpt_write_shard(const char *tmp, int index, const r1_layout *l, const r1_ops *ops,
                              uint32_t u0, uint32_t u1, const float *w, const float *m,
                              const float *v, r1_ckpt_shard *ret, r1_err *err) {
    char path[R1_PATH_MAX];
    hid_t file = -1;
    r1_status st, closed;

    R1_TRY(r1_path_format(path, sizeof path, err, "%s/shard_%04d.h5", tmp, index));
    R1_TRY(r1_h5_create(&file, path, err));
    st = fill_shard(file, index, l, ops, u0, u1, w, m, v, err);
    closed = r1_h5_close(file, path, st == R1_OK ? err : NULL);
    st = st == R1_OK ? closed : st;
    if (st != R1_OK)
        goto done;
    R1_TRY(r1_file_fsync(path, err));
    *ret = (r1_ckpt_shard){.u0 = u0, .u1 = u1};
    st = r1_manifest_measure(path, &ret->bytes, &ret->hash, err);
done:
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
                            uint32_t a, uint32_t b, float *const parts[3], r1_err *err) {
    static const char *const names[] = {"w", "m", "v"};
    char path[R1_PATH_MAX];
    hid_t file = -1;
    r1_status st;

    R1_TRY(r1_path_format(path, sizeof path, err, "%s/shard_%04d.h5", c->path, i));
    R1_TRY(r1_h5_open(&file, path, err));
    for (int p = 0; p < 3; p++)
        if (parts[p])
            R1_TRY(read_part(file, path, names[p], &c->shards[i], l, ops, a, b, parts[p], err));
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
        float *parts[3] = {w ? w + skip : NULL, m ? m + skip : NULL, v ? v + skip : NULL};
        st = read_shard(c, i, l, ops, a, b, parts, err);
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
