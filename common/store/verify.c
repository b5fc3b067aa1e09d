/* Checking a whole checkpoint; see checkpoint.h. */
#include "common/store/checkpoint.h"

#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/store/manifest.h"

#include <stdio.h>
#include <string.h>

#define PIECE ((size_t)1 << 20) /* elements, but at least a unit */

/* Units from a on, below end, that are read at once. */
static uint32_t piece_end(const r1_layout *l, uint32_t a, uint32_t end) {
    uint32_t b = a + 1;

    while (b < end && r1_layout_first(l, b + 1) - r1_layout_first(l, a) <= PIECE)
        b++;
    return b;
}

static size_t largest_piece(const r1_layout *l) {
    size_t most = PIECE;

    for (uint32_t u = 0; u < l->n_units; u++)
        most = l->units[u].n > most ? l->units[u].n : most;
    return most;
}

/* Read shard i by units: the first damaged one is the error. */
static r1_status read_units(const r1_ckpt *c, int i, const r1_layout *l, const r1_ops *ops,
                            r1_err *err) {
    size_t most = largest_piece(l);
    float *x = NULL;
    r1_status st;

    R1_TRY(R1_NEW(x, 3 * most, err));
    for (uint32_t a = c->shards[i].u0, b; a < c->shards[i].u1; a = b) {
        b = piece_end(l, a, c->shards[i].u1);
        R1_TRY(r1_ckpt_read(c, l, ops, a, b, x, x + most, x + 2 * most, err));
    }
done:
    r1_free(x);
    return st;
}

/* A shard whose hash differs: which tensor is it?  The checkpoint's other files are sound. */
static r1_status blame(const char *path, int shard, r1_err *err) {
    r1_arch arch;
    r1_layout layout = {0};
    r1_ops *ops = NULL;
    r1_ckpt *c = NULL;
    r1_status st;

    R1_TRY(R1_NEW(c, 1, err));
    R1_TRY(r1_ckpt_open(c, path, err));
    R1_TRY(r1_arch_open(&arch, path, err));
    R1_TRY(r1_layout_open(&layout, &arch, R1_F32, err));
    R1_TRY(r1_ops_open(&ops, R1_F32, "ref", 1, err));
    R1_TRY(read_units(c, shard, &layout, ops, err));
    st = R1_FAIL(err, R1_DATA,
                 "'%s/shard_%04d.h5' is damaged, but not in its tensors: its hash differs from the "
                 "manifest's",
                 path, shard);
done:
    if (ops)
        r1_ops_close(ops);
    r1_layout_close(&layout);
    if (c)
        r1_ckpt_close(c);
    r1_free(c);
    return st;
}

r1_status r1_ckpt_verify(const char *path, r1_err *err) {
    char file[R1_PATH_MAX];
    r1_manifest *m = NULL;
    r1_status st;

    R1_TRY(R1_NEW(m, 1, err));
    R1_TRY(r1_manifest_read(m, path, err));
    R1_TRY(r1_manifest_check(m, path, R1_MANIFEST_HEAD, err));
    for (int i = 0; i < m->n; i++) {
        const r1_manifest_entry *e = &m->entry[i];
        uint64_t bytes, hash;
        int shard;
        R1_TRY(r1_path_format(file, sizeof file, err, "%s/%s", path, e->name));
        R1_TRY(r1_manifest_measure(file, NULL, 0, &bytes, &hash, err));
        if (hash == e->hash && bytes == e->bytes)
            continue;
        st = sscanf(e->name, "shard_%4d.h5", &shard) == 1
                 ? blame(path, shard, err)
                 : R1_FAIL(err, R1_DATA, "'%s' is damaged: its hash differs from the manifest's",
                           file);
        goto done;
    }
done:
    r1_free(m);
    return st;
}
