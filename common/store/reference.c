/* The reference policy's files; see checkpoint.h. */
#include "common/store/checkpoint.h"

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/store/h5.h"

#include <stdio.h>
#include <string.h>

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
