/* Sources of tensors; see tensors.h.  The safetensors format: 8 bytes of header length, a JSON
 * object name -> {dtype, shape, data_offsets}, then the data. */
#include "common/formats/tensors.h"

#include "common/base/dtype.h"
#include "common/base/file.h"
#include "common/base/mem.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HEADER  ((size_t)100 << 20)
#define MAX_INDEX   ((size_t)100 << 20)
#define MAX_FILES   4096
#define MAX_ENTRIES ((size_t)1 << 20)

typedef struct source_file {
    char *path;
    r1_map map;
} source_file;

struct r1_tensors {
    char *path;
    source_file *files;
    size_t n_files;
    r1_tensor_entry *entries;
    size_t n_entries, cap;
};

static const struct {
    const char *name;
    size_t bytes;
} types[] = {
    [R1_TENSOR_F32] = {"F32", 4}, [R1_TENSOR_F16] = {"F16", 2}, [R1_TENSOR_BF16] = {"BF16", 2},
    [R1_TENSOR_F64] = {"F64", 8}, [R1_TENSOR_I32] = {"I32", 4}, [R1_TENSOR_I64] = {"I64", 8}};

static r1_status read_type(const json_t *spec, r1_tensor_entry *e, r1_err *err) {
    const char *dtype = json_string_value(json_object_get(spec, "dtype"));

    for (size_t i = 0; dtype && i < sizeof types / sizeof *types; i++) {
        if (strcmp(dtype, types[i].name) == 0) {
            e->type = (r1_tensor_type)i;
            return R1_OK;
        }
    }
    return R1_FAIL(err, R1_DATA, "%s: tensor '%s': dtype '%s' is not supported", e->file, e->name,
                   dtype ? dtype : "(none)");
}

static r1_status read_shape(const json_t *spec, r1_tensor_entry *e, r1_err *err) {
    const json_t *shape = json_object_get(spec, "shape");
    size_t n_dims = json_array_size(shape);

    if (!json_is_array(shape) || n_dims > R1_TENSOR_MAX_DIMS)
        return R1_FAIL(err, R1_DATA, "%s: tensor '%s': shape is not a list of at most %d sizes",
                       e->file, e->name, R1_TENSOR_MAX_DIMS);
    e->n_dims = (int)n_dims;
    e->n = 1;
    for (size_t i = 0; i < n_dims; i++) {
        const json_t *v = json_array_get(shape, i);
        json_int_t d = json_is_integer(v) ? json_integer_value(v) : -1;
        if (d < 0 || __builtin_mul_overflow(e->n, (size_t)d, &e->n))
            return R1_FAIL(err, R1_DATA, "%s: tensor '%s': bad size in its shape", e->file,
                           e->name);
        e->dims[i] = (uint64_t)d;
    }
    return R1_OK;
}

static r1_status read_place(const json_t *spec, const uint8_t *data, size_t data_len,
                            r1_tensor_entry *e, r1_err *err) {
    const json_t *offsets = json_object_get(spec, "data_offsets");
    const json_t *a = json_array_get(offsets, 0), *b = json_array_get(offsets, 1);
    size_t bytes;

    if (json_array_size(offsets) != 2 || !json_is_integer(a) || !json_is_integer(b))
        return R1_FAIL(err, R1_DATA, "%s: tensor '%s': data_offsets are not two integers", e->file,
                       e->name);
    json_int_t first = json_integer_value(a), end = json_integer_value(b);
    if (first < 0 || end < first || (uint64_t)end > data_len ||
        __builtin_mul_overflow(e->n, types[e->type].bytes, &bytes) ||
        (uint64_t)(end - first) != bytes)
        return R1_FAIL(err, R1_DATA,
                       "%s: tensor '%s': data_offsets [%lld, %lld] do not fit its shape and the "
                       "%zu data bytes of the file",
                       e->file, e->name, (long long)first, (long long)end, data_len);
    e->data = data + first;
    return R1_OK;
}

static r1_status add_entry(r1_tensors *t, const source_file *f, const char *name,
                           const json_t *spec, size_t header, r1_err *err) {
    r1_tensor_entry e = {.file = f->path, .name = name};
    r1_status st;

    R1_TRY(read_type(spec, &e, err));
    R1_TRY(read_shape(spec, &e, err));
    R1_TRY(read_place(spec, f->map.data + 8 + header, f->map.len - 8 - header, &e, err));
    if (t->n_entries >= MAX_ENTRIES)
        return R1_FAIL(err, R1_DATA, "%s: more than %zu tensors", f->path, MAX_ENTRIES);
    if (t->n_entries == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 64;
        r1_tensor_entry *more = r1_realloc(t->entries, cap, sizeof *more);
        if (!more)
            return R1_FAIL(err, R1_NOMEM, "out of memory: the tensors of '%s'", f->path);
        t->entries = more;
        t->cap = cap;
    }
    if (!(e.name = r1_strdup(name)))
        return R1_FAIL(err, R1_NOMEM, "out of memory: the tensors of '%s'", f->path);
    t->entries[t->n_entries++] = e;
    return R1_OK;
done:
    return st;
}

static r1_status add_file(r1_tensors *t, const char *path, r1_err *err) {
    source_file *f = &t->files[t->n_files];
    json_t *root = NULL, *spec;
    json_error_t je;
    r1_status st = R1_OK;
    const char *name;
    uint64_t header = 0;

    R1_TRY(r1_map_open(&f->map, path, err));
    t->n_files++;
    if (!(f->path = r1_strdup(path)))
        return R1_FAIL(err, R1_NOMEM, "out of memory: '%s'", path);
    if (f->map.len >= 8)
        memcpy(&header, f->map.data, 8);
    if (f->map.len < 8 || header > f->map.len - 8 || header > MAX_HEADER)
        return R1_FAIL(err, R1_DATA,
                       "'%s' is no safetensors file: %llu header bytes in a file of %zu", path,
                       (unsigned long long)header, f->map.len);
    root = json_loadb((const char *)f->map.data + 8, (size_t)header, JSON_REJECT_DUPLICATES, &je);
    if (!json_is_object(root)) {
        st = R1_FAIL(err, R1_DATA, "'%s' is no safetensors file: its header: %s", path,
                     root ? "not an object" : je.text);
        goto done;
    }
    json_object_foreach(root, name, spec) {
        if (strcmp(name, "__metadata__") != 0)
            R1_TRY(add_entry(t, f, name, spec, (size_t)header, err));
    }
done:
    json_decref(root);
    return st;
}

/* The shards that an index names, each once. */
static r1_status add_shards(r1_tensors *t, const char *dir, const json_t *map, const char *index,
                            r1_err *err) {
    char path[R1_PATH_MAX];
    const char *name;
    json_t *value;
    r1_status st = R1_OK;

    json_object_foreach((json_t *)(uintptr_t)map, name, value) {
        const char *file = json_string_value(value);
        size_t i = 0;
        if (!file || strchr(file, '/') || file[0] == '.')
            return R1_FAIL(err, R1_DATA, "%s: tensor '%s' is not in a file of this directory",
                           index, name);
        R1_TRY(r1_path_format(path, sizeof path, err, "%s/%s", dir, file));
        while (i < t->n_files && strcmp(t->files[i].path, path) != 0)
            i++;
        if (i < t->n_files)
            continue;
        if (t->n_files == MAX_FILES)
            return R1_FAIL(err, R1_DATA, "%s: more than %d files", index, MAX_FILES);
        R1_TRY(add_file(t, path, err));
    }
done:
    return st;
}

static r1_status add_index(r1_tensors *t, const char *dir, const char *index, r1_err *err) {
    json_t *root = NULL;
    json_error_t je;
    r1_status st;
    char *text = NULL;
    size_t len;

    R1_TRY(r1_file_slurp(index, MAX_INDEX, &text, &len, err));
    root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &je);
    if (!root)
        st = R1_FAIL(err, R1_DATA, "%s:%d: %s", index, je.line, je.text);
    else if (!json_is_object(json_object_get(root, "weight_map")))
        st = R1_FAIL(err, R1_DATA, "%s: key 'weight_map' is missing", index);
    else
        st = add_shards(t, dir, json_object_get(root, "weight_map"), index, err);
done:
    json_decref(root);
    r1_free(text);
    return st;
}

static r1_status add_dir(r1_tensors *t, const char *dir, r1_err *err) {
    char path[R1_PATH_MAX];
    r1_status st;

    R1_TRY(r1_path_format(path, sizeof path, err, "%s/model.safetensors", dir));
    if (r1_path_exists(path))
        return add_file(t, path, err);
    R1_TRY(r1_path_format(path, sizeof path, err, "%s/model.safetensors.index.json", dir));
    if (r1_path_exists(path))
        return add_index(t, dir, path, err);
    st = R1_FAIL(err, R1_IO, "'%s' has neither model.safetensors nor model.safetensors.index.json",
                 dir);
done:
    return st;
}

static int by_name(const void *x, const void *y) {
    return strcmp(((const r1_tensor_entry *)x)->name, ((const r1_tensor_entry *)y)->name);
}

r1_status r1_tensors_open(r1_tensors **ret, const char *path, r1_err *err) {
    r1_tensors *t = NULL;
    r1_status st;

    R1_TRY(R1_NEW(t, 1, err));
    R1_TRY(R1_NEW(t->files, MAX_FILES, err));
    if (!(t->path = r1_strdup(path))) {
        st = R1_FAIL(err, R1_NOMEM, "out of memory: '%s'", path);
        goto done;
    }
    R1_TRY(r1_path_is_dir(path) ? add_dir(t, path, err) : add_file(t, path, err));
    if (t->n_entries)
        qsort(t->entries, t->n_entries, sizeof *t->entries, by_name);
    for (size_t i = 1; i < t->n_entries; i++) {
        if (strcmp(t->entries[i - 1].name, t->entries[i].name) == 0) {
            st = R1_FAIL(err, R1_DATA, "tensor '%s' is in '%s' and in '%s'", t->entries[i].name,
                         t->entries[i - 1].file, t->entries[i].file);
            goto done;
        }
    }
    *ret = t;
    return R1_OK;
done:
    r1_tensors_close(t);
    return st;
}

void r1_tensors_close(r1_tensors *t) {
    if (!t)
        return;
    for (size_t i = 0; i < t->n_entries; i++)
        r1_free((void *)(uintptr_t)t->entries[i].name);
    for (size_t i = 0; i < t->n_files; i++) {
        r1_map_close(&t->files[i].map);
        r1_free(t->files[i].path);
    }
    r1_free(t->entries);
    r1_free(t->files);
    r1_free(t->path);
    r1_free(t);
}

const char *r1_tensors_path(const r1_tensors *t) {
    return t->path;
}

size_t r1_tensors_count(const r1_tensors *t) {
    return t->n_entries;
}

const r1_tensor_entry *r1_tensors_at(const r1_tensors *t, size_t i) {
    R1_ASSERT(i < t->n_entries);
    return &t->entries[i];
}

const r1_tensor_entry *r1_tensors_find(const r1_tensors *t, const char *name) {
    r1_tensor_entry key = {.name = name};

    return t->n_entries ? bsearch(&key, t->entries, t->n_entries, sizeof key, by_name) : NULL;
}

/* Element i of unaligned data in the type of a file. */
#define CONVERT(type, expr)                        \
    for (size_t i = 0; i < n; i++) {               \
        type x;                                    \
        memcpy(&x, from + i * sizeof x, sizeof x); \
        out[i] = (expr);                           \
    }                                              \
    break

void r1_tensors_read(const r1_tensor_entry *e, size_t first, size_t n, float *out) {
    const uint8_t *from = e->data + first * types[e->type].bytes;

    R1_ASSERT(first <= e->n && n <= e->n - first);
    switch (e->type) {
    case R1_TENSOR_F32:
        memcpy(out, from, n * sizeof *out);
        break;
    case R1_TENSOR_F16:
        CONVERT(uint16_t, r1_f16_to_f32(x));
    case R1_TENSOR_BF16:
        CONVERT(uint16_t, r1_bf16_to_f32(x));
    case R1_TENSOR_F64:
        CONVERT(double, (float)x);
    case R1_TENSOR_I32:
        CONVERT(int32_t, (float)x);
    case R1_TENSOR_I64:
        CONVERT(int64_t, (float)x);
    }
}
