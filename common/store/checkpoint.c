/* Writing and opening checkpoint directories; see checkpoint.h. */
#include "common/store/checkpoint.h"

#include "common/base/cli.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/h5.h"
#include "common/store/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

r1_status r1_ckpt_tmp(const char *dir, int64_t step, char *ret_tmp, size_t size, r1_err *err) {
    return r1_path_format(ret_tmp, size, err, "%s/.tmp_step_%06lld", dir, (long long)step);
}

r1_status r1_ckpt_begin(const char *dir, int64_t step, char *ret_tmp, size_t size, r1_err *err) {
    r1_status st;

    R1_TRY(r1_ckpt_tmp(dir, step, ret_tmp, size, err));
    R1_TRY(r1_dir_remove(ret_tmp, err));
    st = r1_dir_make(ret_tmp, err);
done:
    return st;
}

/* ---- the view for people: virtual datasets over the shards ---- */

/* Where the elements of units [a, b), all of one tensor, lie in a shard's flat dataset. */
typedef struct run_of_units {
    uint32_t a, b;
    size_t from, shard_n; /* elements */
    const char *file, *set;
} run_of_units;

/* Units of one tensor are contiguous in both spaces: a run is one block of whole rows. */
static r1_status map_run(hid_t plist, hid_t space, const r1_layout *l, const run_of_units *r,
                         r1_err *err) {
    const r1_tensor *t = &l->tensors[l->units[r->a].tensor];
    hsize_t n[1] = {r1_layout_first(l, r->b) - r1_layout_first(l, r->a)};
    hsize_t start[2] = {0, 0}, count[2] = {n[0], 0}, from[1] = {r->from}, dims[1] = {r->shard_n};
    hid_t source = H5Screate_simple(1, dims, NULL);

    if (t->is_matrix) {
        start[0] = (hsize_t)l->units[r->a].row0;
        count[0] = n[0] / (hsize_t)t->cols;
        count[1] = (hsize_t)t->cols;
    }
    int good = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
               H5Sselect_hyperslab(source, H5S_SELECT_SET, from, NULL, n, NULL) >= 0 &&
               H5Pset_virtual(plist, space, r->file, r->set, source) >= 0;
    H5Sclose(source);
    return good ? R1_OK : R1_FAIL(err, R1_IO, "HDF5: cannot map tensor '%s'", t->name);
}

typedef struct view {
    hid_t file;
    const r1_layout *l;
    const r1_ckpt_shard *shards;
    int n_shards;
} view;

static r1_status view_tensor(const view *v, const r1_tensor *t, const char *group, const char *set,
                             r1_err *err) {
    const r1_layout *l = v->l;
    hsize_t dims[2] = {t->is_matrix ? (hsize_t)t->rows : (hsize_t)t->cols, (hsize_t)t->cols};
    hid_t space = H5Screate_simple(t->is_matrix ? 2 : 1, dims, NULL);
    hid_t plist = r1_h5_dataset_properties(), data = -1;
    uint32_t end = t + 1 < l->tensors + l->n_tensors ? t[1].unit0 : l->n_units;
    float missing = __builtin_nanf("");
    char path[160], file[32];
    r1_status st = R1_OK;

    H5Pset_fill_value(plist, H5T_NATIVE_FLOAT, &missing);
    for (int i = 0; i < v->n_shards; i++) {
        const r1_ckpt_shard *s = &v->shards[i];
        size_t first = r1_layout_first(l, s->u0);
        run_of_units r = {.a = t->unit0 > s->u0 ? t->unit0 : s->u0,
                          .b = end < s->u1 ? end : s->u1,
                          .shard_n = r1_layout_first(l, s->u1) - first,
                          .file = file,
                          .set = set};
        if (r.a >= r.b)
            continue;
        r.from = r1_layout_first(l, r.a) - first;
        snprintf(file, sizeof file, "shard_%04d.h5", i);
        R1_TRY(map_run(plist, space, l, &r, err));
    }
    H5Sselect_all(space);
    snprintf(path, sizeof path, "%s/%s", group, t->name);
    data = H5Dcreate2(v->file, path, H5T_IEEE_F32LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    if (data < 0)
        st = R1_FAIL(err, R1_IO, "HDF5: cannot create '%s'", path);
done:
    if (data >= 0)
        H5Dclose(data);
    H5Pclose(plist);
    H5Sclose(space);
    return st;
}

static r1_status view_all(const view *v, r1_err *err) {
    static const char *const groups[][2] = {
        {"/model", "/w"}, {"/optimizer/m", "/m"}, {"/optimizer/v", "/v"}};
    r1_status st;

    R1_TRY(r1_h5_group(v->file, "/optimizer", err));
    for (int g = 0; g < 3; g++) {
        R1_TRY(r1_h5_group(v->file, groups[g][0], err));
        for (uint32_t i = 0; i < v->l->n_tensors; i++)
            R1_TRY(view_tensor(v, &v->l->tensors[i], groups[g][0], groups[g][1], err));
    }
done:
    return st;
}

static r1_status write_hash(hid_t file, const char *name, r1_ckpt_hash x, const char *unit,
                            r1_err *err) {
    char text[17];

    r1_hash_text(x, text);
    return r1_h5_write_text(file, name, text, err);
}

static r1_status write_numbers(hid_t file, const r1_ckpt_numbers *n, r1_err *err) {
    r1_status st;

    R1_TRY(r1_h5_group(file, "/train", err));
    R1_TRY(r1_h5_group(file, "/rng", err));
    R1_TRY(r1_h5_group(file, "/data", err));
#define PUT_int64_t      r1_h5_write_int
#define PUT_double       r1_h5_write_real
#define PUT_r1_ckpt_hash write_hash
#define X(type, name, group, unit) \
    R1_TRY(PUT_##type(file, "/" group "/" #name, n->name, unit, err));
    R1_CKPT_NUMBERS(X)
#undef X
done:
    return st;
}

static r1_status write_texts(hid_t file, const r1_ckpt_texts *t, r1_err *err) {
    r1_status st;

    R1_TRY(r1_h5_group(file, "/config", err));
    R1_TRY(r1_h5_write_text(file, "/config/resolved", t->config, err));
    R1_TRY(r1_h5_write_text(file, "/config/model", t->model, err));
    R1_TRY(r1_h5_write_text(file, "/config/numeric_path", t->numeric_path, err));
    R1_TRY(r1_h5_write_text(file, "/config/stage", t->stage, err));
    R1_TRY(r1_h5_write_text(file, "/config/inputs", t->inputs ? t->inputs : "", err));
    st = r1_h5_write_text(file, "/config/reference", t->reference, err);
done:
    return st;
}

static r1_status write_head(const char *path, const view *v, const r1_ckpt_numbers *numbers,
                            const r1_ckpt_texts *texts, r1_err *err) {
    view mine = *v;
    char now[32];
    hid_t file = -1;
    r1_status st, closed;

    R1_TRY(r1_h5_create(&file, path, err));
    mine.file = file;
    r1_utc_text(now, sizeof now);
    R1_TRY(r1_h5_attribute_text(file, "format", "r1-checkpoint", err));
    R1_TRY(r1_h5_attribute_int(file, "format_version", R1_CKPT_FORMAT, err));
    R1_TRY(r1_h5_attribute_int(file, "shards", v->n_shards, err));
    R1_TRY(r1_h5_attribute_text(file, "created_utc", now, err));
    R1_TRY(r1_h5_attribute_text(file, "writer", r1_version, err));
    R1_TRY(write_numbers(file, numbers, err));
    R1_TRY(write_texts(file, texts, err));
    R1_TRY(view_all(&mine, err));
    st = r1_h5_attribute_int(file, "complete", 1, err);
done:
    if (file >= 0) {
        closed = r1_h5_close(file, path, st == R1_OK ? err : NULL);
        st = st == R1_OK ? closed : st;
    }
    return st == R1_OK ? r1_file_fsync(path, err) : st;
}

/* ---- finishing ---- */

/* All files of the directory: shards as measured by their writers, the others now. */
static r1_status make_manifest(const char *tmp, const r1_ckpt_shard *shards, int n_shards,
                               const char *reference, r1_manifest *m, r1_err *err) {
    char path[R1_PATH_MAX], name[96];
    uint64_t bytes, hash;
    DIR *d = NULL;
    r1_status st = R1_OK;

    for (int i = 0; i < n_shards; i++) {
        snprintf(name, sizeof name, "shard_%04d.h5", i);
        R1_TRY(r1_manifest_add(m, name, shards[i].bytes, shards[i].hash, err));
    }
    if ((d = opendir(tmp)) == NULL)
        return R1_FAIL(err, R1_IO, "open '%s': %s", tmp, strerror(errno));
    for (const struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.' || r1_manifest_is_shard(e->d_name))
            continue;
        R1_TRY(r1_path_format(path, sizeof path, err, "%s/%s", tmp, e->d_name));
        R1_TRY(r1_file_fsync(path, err));
        R1_TRY(r1_manifest_measure(path, NULL, 0, &bytes, &hash, err));
        R1_TRY(r1_manifest_add(m, e->d_name, bytes, hash, err));
    }
    if (*reference) {
        R1_TRY(r1_path_format(path, sizeof path, err, "%s/../%s", tmp, reference));
        R1_TRY(r1_manifest_measure(path, NULL, 0, &bytes, &hash, err));
        snprintf(name, sizeof name, "../%s", reference);
        R1_TRY(r1_manifest_add(m, name, bytes, hash, err));
    }
done:
    if (d)
        closedir(d);
    return st;
}

r1_status r1_ckpt_finish(const char *dir, const char *tmp, const r1_layout *l,
                         const r1_ckpt_shard *shards, int n_shards, const r1_ckpt_numbers *numbers,
                         const r1_ckpt_texts *texts, r1_err *err) {
    char path[R1_PATH_MAX];
    view v = {.l = l, .shards = shards, .n_shards = n_shards};
    r1_manifest *m = NULL;
    r1_status st;

    R1_TRY(r1_path_format(path, sizeof path, err, "%s/config.json", tmp));
    R1_TRY(r1_file_write_atomic(path, texts->model, strlen(texts->model), err));
    R1_TRY(r1_path_format(path, sizeof path, err, "%s/checkpoint.h5", tmp));
    R1_TRY(write_head(path, &v, numbers, texts, err));
    R1_TRY(R1_NEW(m, 1, err));
    R1_TRY(make_manifest(tmp, shards, n_shards, texts->reference, m, err));
    R1_TRY(r1_manifest_write(m, tmp, err));
    R1_TRY(r1_file_fsync(tmp, err));
    R1_TRY(r1_path_format(path, sizeof path, err, "%s/step_%06lld", dir, (long long)numbers->step));
    R1_TRY(r1_dir_remove(path, err)); /* of an attempt that this run goes beyond */
    if (rename(tmp, path) != 0)
        st = R1_FAIL(err, R1_IO, "rename '%s' to '%s': %s", tmp, path, strerror(errno));
    else
        st = r1_file_fsync(dir, err);
done:
    r1_free(m);
    return st;
}

/* ---- opening ---- */

int r1_ckpt_is(const char *path) {
    char manifest[R1_PATH_MAX];

    return r1_path_format(manifest, sizeof manifest, NULL, "%s/manifest", path) == R1_OK &&
           r1_path_exists(manifest);
}

static r1_status check_version(hid_t file, const char *path, r1_err *err) {
    int64_t version;
    r1_status st = r1_h5_attribute_read_int(file, "format_version", &version, err);

    if (st == R1_OK && version != R1_CKPT_FORMAT)
        st = R1_FAIL(err, R1_DATA, "'%s' has format version %lld, this program reads %d", path,
                     (long long)version, R1_CKPT_FORMAT);
    return st;
}

static r1_status check_head(hid_t file, const char *path, r1_err *err) {
    int64_t complete;
    r1_status st;

    R1_TRY(check_version(file, path, err));
    R1_TRY(r1_h5_attribute_read_int(file, "complete", &complete, err));
    if (complete != 1)
        st = R1_FAIL(err, R1_DATA, "'%s' is not complete", path);
done:
    return st;
}

static r1_status read_hash(hid_t file, const char *name, r1_ckpt_hash *ret, r1_err *err) {
    char *text = NULL, *end;
    r1_status st = r1_h5_read_text(file, name, &text, err);

    if (st != R1_OK)
        return st;
    *ret = strtoull(text, &end, 16);
    if (strlen(text) != 16 || *end)
        st = R1_FAIL(err, R1_DATA, "'%s': '%.20s' is no checksum", name, text);
    r1_free(text);
    return st;
}

static r1_status read_numbers(hid_t file, r1_ckpt_numbers *n, r1_err *err) {
    r1_status st;

#define GET_int64_t                r1_h5_read_int
#define GET_double                 r1_h5_read_real
#define GET_r1_ckpt_hash           read_hash
#define X(type, name, group, unit) R1_TRY(GET_##type(file, "/" group "/" #name, &n->name, err));
    R1_CKPT_NUMBERS(X)
#undef X
done:
    return st;
}

static r1_status read_shard_ranges(r1_ckpt *c, const r1_manifest *m, r1_err *err) {
    char name[32], path[R1_PATH_MAX];
    uint32_t at = 0;
    r1_status st = R1_OK;

    for (c->n_shards = 0; c->n_shards < R1_CKPT_SHARDS_MAX; c->n_shards++) {
        r1_ckpt_shard *s = &c->shards[c->n_shards];
        size_t units = 0;
        hid_t file = -1;
        snprintf(name, sizeof name, "shard_%04d.h5", c->n_shards);
        if (!r1_manifest_find(m, name))
            break;
        R1_TRY(r1_path_format(path, sizeof path, err, "%s/%s", c->path, name));
        R1_TRY(r1_h5_open(&file, path, err));
        st = check_version(file, path, err);
        st = st == R1_OK ? r1_h5_length(file, "/hash/w", &units, err) : st;
        H5Fclose(file);
        if (st != R1_OK || units > UINT32_MAX - at)
            return st == R1_OK ? R1_FAIL(err, R1_DATA, "'%s' is no shard", path) : st;
        *s = (r1_ckpt_shard){.u0 = at, .u1 = at + (uint32_t)units};
        at = s->u1;
    }
    if (c->n_shards == 0)
        st = R1_FAIL(err, R1_DATA, "'%s' has no shard", c->path);
done:
    return st;
}

/* Without the KL reference, which lies beside the checkpoint and serves resuming alone. */
static void forget_reference(r1_manifest *m) {
    int n = 0;

    for (int i = 0; i < m->n; i++)
        if (strncmp(m->entry[i].name, "../", 3) != 0)
            m->entry[n++] = m->entry[i];
    m->n = n;
}

static r1_status open_checkpoint(r1_ckpt *c, const char *path, int with_reference, r1_err *err) {
    char file_path[R1_PATH_MAX];
    r1_manifest *m = NULL;
    hid_t file = -1;
    r1_status st;

    memset(c, 0, sizeof *c);
    R1_TRY(r1_path_format(c->path, sizeof c->path, err, "%s", path));
    if (!r1_ckpt_is(path))
        return R1_FAIL(err, R1_DATA, "'%s' is no complete checkpoint: it has no manifest", path);
    R1_TRY(R1_NEW(m, 1, err));
    R1_TRY(r1_manifest_read(m, path, err));
    if (!with_reference)
        forget_reference(m);
    R1_TRY(r1_manifest_check(m, path, R1_MANIFEST_HEAD, err));
    R1_TRY(r1_path_format(file_path, sizeof file_path, err, "%s/checkpoint.h5", path));
    R1_TRY(r1_h5_open(&file, file_path, err));
    R1_TRY(check_head(file, file_path, err));
    R1_TRY(read_numbers(file, &c->numbers, err));
    R1_TRY(r1_h5_read_text(file, "/config/resolved", &c->config, err));
    R1_TRY(r1_h5_read_text(file, "/config/model", &c->model, err));
    R1_TRY(r1_h5_read_text(file, "/config/numeric_path", &c->numeric_path, err));
    R1_TRY(r1_h5_read_text(file, "/config/stage", &c->stage, err));
    R1_TRY(r1_h5_read_text(file, "/config/reference", &c->reference, err));
    R1_TRY(r1_h5_read_text(file, "/config/inputs", &c->inputs, err));
    st = read_shard_ranges(c, m, err);
done:
    if (file >= 0)
        H5Fclose(file);
    r1_free(m);
    if (st != R1_OK)
        r1_ckpt_close(c);
    return st;
}

r1_status r1_ckpt_open(r1_ckpt *c, const char *path, r1_err *err) {
    return open_checkpoint(c, path, 1, err);
}

r1_status r1_ckpt_open_model(r1_ckpt *c, const char *path, r1_err *err) {
    return open_checkpoint(c, path, 0, err);
}

void r1_ckpt_close(r1_ckpt *c) {
    r1_free(c->config);
    r1_free(c->model);
    r1_free(c->numeric_path);
    r1_free(c->reference);
    r1_free(c->stage);
    r1_free(c->inputs);
    memset(c, 0, sizeof *c);
}
