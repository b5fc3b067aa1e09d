/* Writing safetensors; see safetensors_write.h. */
#include "common/formats/safetensors_write.h"

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/formats/json_pretty.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Elements that are asked for at once, rounded to the tensor's grain. */
#define RUN ((size_t)4 << 20)

typedef struct writer {
    const r1_write_job *job;
    const char *dir;
    size_t *shard_of; /* [n_tensors] */
    size_t n_shards;
    float *run; /* longest run; converted in place */
    FILE *file; /* the shard that is being written */
    char path[R1_PATH_MAX];
    r1_progress progress;
    double done_bytes;
} writer;

static size_t bytes_of(const r1_write_tensor *t) {
    return t->n * r1_dtype_bytes(t->dtype);
}

static size_t run_of(const r1_write_tensor *t) {
    size_t grains = RUN / t->grain > 0 ? RUN / t->grain : 1;

    return grains * t->grain < t->n ? grains * t->grain : t->n;
}

/* Tensors go into shards in the order in which they are given. */
static r1_status plan(writer *w, r1_err *err) {
    const r1_write_job *job = w->job;
    size_t filled = 0, longest = 0, shard = 0;
    double total = 0;
    r1_status st;

    R1_TRY(R1_NEW(w->shard_of, job->n_tensors, err));
    for (size_t i = 0; i < job->n_tensors; i++) {
        const r1_write_tensor *t = &job->tensors[i];
        R1_ASSERT(t->n > 0 && t->grain > 0);
        if (filled > 0 && bytes_of(t) > job->shard_bytes - filled) {
            shard++;
            filled = 0;
        }
        filled = bytes_of(t) < job->shard_bytes - filled ? filled + bytes_of(t) : job->shard_bytes;
        w->shard_of[i] = shard;
        longest = run_of(t) > longest ? run_of(t) : longest;
        total += (double)bytes_of(t);
    }
    w->n_shards = shard + 1;
    R1_TRY(R1_NEW(w->run, longest, err));
    r1_progress_start(&w->progress, "writing weights", total);
done:
    return st;
}

static void name_of(const writer *w, size_t shard, char *name, size_t size) {
    if (w->n_shards == 1)
        snprintf(name, size, "model.safetensors");
    else
        snprintf(name, size, "model-%05zu-of-%05zu.safetensors", shard + 1, w->n_shards);
}

static r1_status put(writer *w, const void *data, size_t n, r1_err *err) {
    if (fwrite(data, 1, n, w->file) != n)
        return R1_FAIL(err, R1_IO, "write '%s': %s", w->path, strerror(errno));
    return R1_OK;
}

/* ---- the header ---- */

static json_t *entry_json(const r1_write_tensor *t, size_t at) {
    json_t *shape = json_array();
    int good = 1;

    for (int i = 0; i < t->n_dims; i++)
        good = good && json_array_append_new(shape, json_integer((json_int_t)t->dims[i])) == 0;
    if (!good) {
        json_decref(shape);
        return NULL;
    }
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", r1_dtype_name(t->dtype), "shape", shape,
                     "data_offsets", (json_int_t)at, (json_int_t)(at + bytes_of(t)));
}

/* Four-byte elements in the first pass, the others in the second. */
static int in_pass(const writer *w, size_t i, size_t shard, int pass) {
    return w->shard_of[i] == shard && (w->job->tensors[i].dtype == R1_F32) == (pass == 0);
}

/* {"format": "pt"} is what Hugging Face's loaders ask for before they read a file. */
static r1_status header_text(const writer *w, size_t shard, char **ret, r1_err *err) {
    json_t *root = json_pack("{s:{s:s}}", "__metadata__", "format", "pt");
    size_t at = 0;
    int good = root != NULL;

    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < w->job->n_tensors; i++) {
            const r1_write_tensor *t = &w->job->tensors[i];
            if (!in_pass(w, i, shard, pass))
                continue;
            good = good && json_object_set_new(root, t->name, entry_json(t, at)) == 0;
            at += bytes_of(t);
        }
    }
    r1_status st = r1_json_dump(good ? root : NULL, JSON_COMPACT, w->path, ret, err);
    json_decref(root);
    return st;
}

static r1_status write_header(writer *w, size_t shard, r1_err *err) {
    static const char blanks[8] = "        ";
    char *text = NULL;
    r1_status st;

    R1_TRY(header_text(w, shard, &text, err));
    size_t len = strlen(text);
    uint64_t padded = (uint64_t)r1_align_up(len, 8);
    R1_TRY(put(w, &padded, sizeof padded, err));
    R1_TRY(put(w, text, len, err));
    st = put(w, blanks, (size_t)padded - len, err);
done:
    r1_free(text);
    return st;
}

/* ---- the data ---- */

/* fp32 -> dtype, in place. */
static r1_status convert(const writer *w, const r1_write_tensor *t, size_t first, size_t n,
                         r1_err *err) {
    uint16_t *to = (uint16_t *)w->run;

    if (t->dtype == R1_F32)
        return R1_OK;
    for (size_t i = 0; i < n; i++) {
        float x = w->run[i], back;
        uint16_t half = t->dtype == R1_BF16 ? r1_f32_to_bf16(x) : r1_f32_to_f16(x);
        back = t->dtype == R1_BF16 ? r1_bf16_to_f32(half) : r1_f16_to_f32(half);
        if (isinf(back) && !isinf(x))
            return R1_FAIL(err, R1_DATA, "tensor '%s', element %zu: %g does not fit %s", t->name,
                           first + i, (double)x, r1_dtype_name(t->dtype));
        memcpy(to + i, &half, sizeof half);
    }
    return R1_OK;
}

static r1_status write_tensor(writer *w, size_t index, r1_err *err) {
    const r1_write_tensor *t = &w->job->tensors[index];
    size_t run = run_of(t);
    r1_status st = R1_OK;

    for (size_t first = 0; first < t->n; first += run) {
        size_t n = t->n - first < run ? t->n - first : run;
        R1_TRY(w->job->read(w->job->ctx, index, first, n, w->run, err));
        R1_TRY(convert(w, t, first, n, err));
        R1_TRY(put(w, w->run, n * r1_dtype_bytes(t->dtype), err));
        w->done_bytes += (double)(n * r1_dtype_bytes(t->dtype));
        r1_progress_update(&w->progress, w->done_bytes);
    }
done:
    return st;
}

static r1_status write_shard(writer *w, size_t shard, r1_err *err) {
    char name[64];
    r1_status st;

    name_of(w, shard, name, sizeof name);
    if ((st = r1_path_format(w->path, sizeof w->path, err, "%s/%s", w->dir, name)) != R1_OK)
        return st;
    if (!(w->file = fopen(w->path, "wb")))
        return R1_FAIL(err, R1_IO, "create '%s': %s", w->path, strerror(errno));
    R1_TRY(write_header(w, shard, err));
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < w->job->n_tensors; i++)
            if (in_pass(w, i, shard, pass))
                R1_TRY(write_tensor(w, i, err));
done:
    if (fclose(w->file) != 0 && st == R1_OK)
        st = R1_FAIL(err, R1_IO, "write '%s': %s", w->path, strerror(errno));
    w->file = NULL;
    return st == R1_OK ? r1_file_fsync(w->path, err) : st;
}

static r1_status write_index(const writer *w, r1_err *err) {
    json_t *map = json_object(), *root = NULL;
    char name[64], path[R1_PATH_MAX], *text = NULL;
    json_int_t total = 0;
    int good = 1;
    r1_status st;

    for (size_t i = 0; i < w->job->n_tensors; i++) {
        name_of(w, w->shard_of[i], name, sizeof name);
        good = good && json_object_set_new(map, w->job->tensors[i].name, json_string(name)) == 0;
        total += (json_int_t)bytes_of(&w->job->tensors[i]);
    }
    if (good)
        root = json_pack("{s:{s:I}, s:O}", "metadata", "total_size", total, "weight_map", map);
    json_decref(map);
    R1_TRY(root ? r1_json_pretty(root, "the index of the weights", &text, err)
                : R1_FAIL(err, R1_NOMEM, "out of memory: the index of '%s'", w->dir));
    R1_TRY(r1_path_format(path, sizeof path, err, "%s/model.safetensors.index.json", w->dir));
    st = r1_file_write_atomic(path, text, strlen(text), err);
done:
    json_decref(root);
    r1_free(text);
    return st;
}

r1_status r1_safetensors_write(const r1_write_job *job, const char *dir, r1_err *err) {
    writer w = {.job = job, .dir = dir};
    r1_status st;

    R1_TRY(plan(&w, err));
    for (size_t i = 0; i < w.n_shards; i++)
        R1_TRY(write_shard(&w, i, err));
    if (w.n_shards > 1)
        st = write_index(&w, err);
    r1_progress_finish(&w.progress);
done:
    r1_free(w.shard_of);
    r1_free(w.run);
    return st;
}
