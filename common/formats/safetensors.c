/* Hugging Face's safetensors files: 8 bytes of header length, a JSON object name -> {dtype, shape,
 * data_offsets}, then the data; and the index that names the shards of a large model. */
#include "common/formats/source.h"

#include "common/base/json.h"
#include "common/base/mem.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HEADER ((size_t)100 << 20)
#define MAX_INDEX  ((size_t)100 << 20)

static r1_status read_type(const json_t *spec, r1_tensor_entry *e, r1_err *err) {
    const char *dtype = json_string_value(json_object_get(spec, "dtype"));

    for (int i = R1_TENSOR_F32; dtype && i <= R1_TENSOR_I64; i++) {
        if (strcmp(dtype, r1_type_infos[i].name) == 0) {
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
    for (size_t i = 0; i < n_dims; i++) {
        const json_t *v = json_array_get(shape, i);
        if (!json_is_integer(v) || json_integer_value(v) < 0)
            return R1_FAIL(err, R1_DATA, "%s: tensor '%s': bad size in its shape", e->file,
                           e->name);
        e->dims[i] = (uint64_t)json_integer_value(v);
    }
    return R1_OK;
}

static r1_status read_place(const json_t *spec, const uint8_t *data, size_t data_len,
                            r1_tensor_entry *e, r1_err *err) {
    const json_t *offsets = json_object_get(spec, "data_offsets");
    const json_t *a = json_array_get(offsets, 0), *b = json_array_get(offsets, 1);
    size_t bytes;
    r1_status st;

    R1_TRY(r1_source_size(e, &bytes, err));
    if (json_array_size(offsets) != 2 || !json_is_integer(a) || !json_is_integer(b))
        return R1_FAIL(err, R1_DATA, "%s: tensor '%s': data_offsets are not two integers", e->file,
                       e->name);
    json_int_t first = json_integer_value(a), end = json_integer_value(b);
    if (first < 0 || end < first || (uint64_t)end > data_len || (uint64_t)(end - first) != bytes)
        return R1_FAIL(err, R1_DATA,
                       "%s: tensor '%s': data_offsets [%lld, %lld] do not fit its shape and the "
                       "%zu data bytes of the file",
                       e->file, e->name, (long long)first, (long long)end, data_len);
    e->data = data + first;
    return R1_OK;
done:
    return st;
}

static r1_status add_entry(r1_tensors *t, const r1_source_file *f, const char *name,
                           const json_t *spec, size_t header, r1_err *err) {
    r1_tensor_entry e = {.file = f->path, .name = name};
    r1_status st;

    R1_TRY(read_type(spec, &e, err));
    R1_TRY(read_shape(spec, &e, err));
    R1_TRY(read_place(spec, f->map.data + 8 + header, f->map.len - 8 - header, &e, err));
    st = r1_source_add(t, &e, err);
done:
    return st;
}

/* Data bytes of one tensor. */
typedef struct place {
    const char *name;
    size_t from, bytes;
} place;

static int by_place(const void *x, const void *y) {
    const place *a = x, *b = y;

    return a->from != b->from
               ? (a->from > b->from) - (a->from < b->from)
               : (a->bytes > b->bytes) - (a->bytes < b->bytes); /* empty ones first */
}

/* The format has neither overlaps nor holes: each byte of data belongs to one tensor.  A file that
 * differs was cut, joined or forged. */
static r1_status check_places(const r1_tensors *t, size_t first, const uint8_t *data, size_t len,
                              const char *path, r1_err *err) {
    size_t n = t->n_entries - first, at = 0;
    place *places = NULL;
    r1_status st;

    R1_TRY(R1_NEW(places, n, err));
    for (size_t i = 0; i < n; i++) {
        r1_tensor_entry *e = &t->entries[first + i];
        places[i] = (place){.name = e->name, .from = (size_t)(e->data - data)};
        R1_TRY(r1_source_size(e, &places[i].bytes, err));
    }
    if (n)
        qsort(places, n, sizeof *places, by_place);
    for (size_t i = 0; i < n; at += places[i++].bytes) {
        if (places[i].from == at)
            continue;
        st = R1_FAIL(err, R1_DATA, "%s: tensor '%s' begins at data byte %zu, %s byte %zu", path,
                     places[i].name, places[i].from,
                     places[i].from < at ? "the one before it ends at" : "behind a gap from", at);
        goto done;
    }
    if (at != len)
        st = R1_FAIL(err, R1_DATA, "%s: %zu bytes behind the last tensor belong to none", path,
                     len - at);
done:
    r1_free(places);
    return st;
}

/* jansson says where the second of two equal keys ends. */
static void name_duplicate(const char *text, size_t len, const json_error_t *je, r1_err *err) {
    size_t end = je->position > 0 && (size_t)je->position <= len ? (size_t)je->position : 0, from;

    while (end > 0 && text[end - 1] != '"')
        end--;
    for (from = end > 0 ? end - 1 : 0; from > 0 && text[from - 1] != '"';)
        from--;
    if (strncmp(je->text, "duplicate", 9) == 0 && from > 0)
        r1_err_prefix(err, "tensor '%.*s' is listed twice", (int)(end - 1 - from), text + from);
}

r1_status r1_source_safetensors(r1_tensors *t, const char *path, r1_err *err) {
    r1_source_file *f = &t->files[t->n_files];
    json_t *root = NULL, *spec;
    json_error_t je;
    r1_status st = R1_OK;
    const char *name;
    uint64_t header = 0;
    size_t n_before = t->n_entries;

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
    st = r1_json_parse(&root, (const char *)f->map.data + 8, (size_t)header, JSON_REJECT_DUPLICATES,
                       &je);
    if (st == R1_NOMEM) {
        r1_err_set(err, st, "out of memory: the header of '%s'", path);
        goto done;
    }
    if (!json_is_object(root)) {
        st = R1_FAIL(err, R1_DATA, "'%s' is no safetensors file: its header: %s", path,
                     root ? "not an object" : je.text);
        if (!root)
            name_duplicate((const char *)f->map.data + 8, (size_t)header, &je, err);
        goto done;
    }
    json_object_foreach(root, name, spec) {
        if (strcmp(name, "__metadata__") != 0)
            R1_TRY(add_entry(t, f, name, spec, (size_t)header, err));
    }
    st = check_places(t, n_before, f->map.data + 8 + header, f->map.len - 8 - header, path, err);
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
        if (t->n_files == R1_SOURCE_MAX_FILES)
            return R1_FAIL(err, R1_DATA, "%s: more than %d files", index, R1_SOURCE_MAX_FILES);
        R1_TRY(r1_source_safetensors(t, path, err));
    }
done:
    return st;
}

r1_status r1_source_index(r1_tensors *t, const char *dir, const char *index, r1_err *err) {
    json_t *root = NULL;
    json_error_t je;
    r1_status st;
    char *text = NULL;
    size_t len;

    R1_TRY(r1_file_slurp(index, MAX_INDEX, &text, &len, err));
    st = r1_json_parse(&root, text, len, JSON_REJECT_DUPLICATES, &je);
    if (st != R1_OK)
        r1_err_set(err, st, "%s:%d: %s", index, je.line, je.text);
    else if (!json_is_object(json_object_get(root, "weight_map")))
        st = R1_FAIL(err, R1_DATA, "%s: key 'weight_map' is missing", index);
    else
        st = add_shards(t, dir, json_object_get(root, "weight_map"), index, err);
done:
    json_decref(root);
    r1_free(text);
    return st;
}
