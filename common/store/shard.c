/* Reading shard files; see checkpoint.h. */
#include "common/store/checkpoint.h"

#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/store/h5.h"

#include <stdio.h>
#include <string.h>

static const char *const parts[3] = {"w", "m", "v"};

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
