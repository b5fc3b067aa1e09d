/* Sources of tensors; see tensors.h. */
#include "common/formats/source.h"

#include "common/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ENTRIES ((size_t)1 << 20)

r1_status r1_source_add(r1_tensors *t, const r1_tensor_entry *e, r1_err *err) {
    if (t->n_entries >= MAX_ENTRIES)
        return R1_FAIL(err, R1_DATA, "%s: more than %zu tensors", e->file, MAX_ENTRIES);
    if (t->n_entries == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 64;
        r1_tensor_entry *more = r1_realloc(t->entries, cap, sizeof *more);
        if (!more)
            return R1_FAIL(err, R1_NOMEM, "out of memory: the tensors of '%s'", e->file);
        t->entries = more;
        t->cap = cap;
    }
    t->entries[t->n_entries] = *e;
    if (!(t->entries[t->n_entries].name = r1_strdup(e->name)))
        return R1_FAIL(err, R1_NOMEM, "out of memory: the tensors of '%s'", e->file);
    t->n_entries++;
    return R1_OK;
}

r1_status r1_source_size(r1_tensor_entry *e, size_t *ret_bytes, r1_err *err) {
    const r1_type_info *info = &r1_type_infos[e->type];

    e->n = 1;
    for (int i = 0; i < e->n_dims; i++)
        if (__builtin_mul_overflow(e->n, (size_t)e->dims[i], &e->n))
            return R1_FAIL(err, R1_DATA, "%s: tensor '%s': its shape overflows", e->file, e->name);
    if (info->elements > 1 && (e->n_dims == 0 || e->dims[e->n_dims - 1] % info->elements))
        return R1_FAIL(err, R1_DATA, "%s: tensor '%s': rows are not whole blocks of %zu (%s)",
                       e->file, e->name, info->elements, info->name);
    if (__builtin_mul_overflow(e->n / info->elements, info->bytes, ret_bytes))
        return R1_FAIL(err, R1_DATA, "%s: tensor '%s': its size overflows", e->file, e->name);
    return R1_OK;
}

static r1_status add_dir(r1_tensors *t, const char *dir, r1_err *err) {
    char path[R1_PATH_MAX];
    r1_status st;

    R1_TRY(r1_path_format(path, sizeof path, err, "%s/model.safetensors", dir));
    if (r1_path_exists(path))
        return r1_source_safetensors(t, path, err);
    R1_TRY(r1_path_format(path, sizeof path, err, "%s/model.safetensors.index.json", dir));
    if (r1_path_exists(path))
        return r1_source_index(t, dir, path, err);
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
    R1_TRY(R1_NEW(t->files, R1_SOURCE_MAX_FILES, err));
    if (!(t->path = r1_strdup(path))) {
        st = R1_FAIL(err, R1_NOMEM, "out of memory: '%s'", path);
        goto done;
    }
    R1_TRY(r1_path_is_dir(path) ? add_dir(t, path, err)
           : r1_gguf_is(path)   ? r1_source_gguf(t, path, err)
                                : r1_source_safetensors(t, path, err));
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
    if (t->gguf.path)
        r1_gguf_close(&t->gguf);
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

const r1_gguf *r1_tensors_gguf(const r1_tensors *t) {
    return t->gguf.path ? &t->gguf : NULL;
}

/* Elements as they lie in the file. */
static void read_run(const r1_tensor_entry *e, size_t first, size_t n, float *out) {
    const r1_type_info *info = &r1_type_infos[e->type];
    float block[R1_BLOCK_MAX];

    if (e->type == R1_TENSOR_F32) {
        memcpy(out, e->data + first * info->bytes, n * sizeof *out);
        return;
    }
    while (n > 0) {
        size_t skip = first % info->elements, have = info->elements - skip;
        const uint8_t *from = e->data + first / info->elements * info->bytes;
        have = have < n ? have : n;
        if (have == info->elements) {
            r1_block_decode(e->type, from, out);
        } else {
            r1_block_decode(e->type, from, block);
            memcpy(out, block + skip, have * sizeof *out);
        }
        first += have;
        out += have;
        n -= have;
    }
}

void r1_tensors_read(const r1_tensor_entry *e, size_t first, size_t n, float *out) {
    R1_ASSERT(first <= e->n && n <= e->n - first);
    if (!e->pair_rows) {
        read_run(e, first, n, out);
        return;
    }
    size_t width = e->n / (size_t)e->dims[0], half = (size_t)e->pair_rows / 2;
    while (n > 0) { /* row i of the first half lies at 2i, of the second at 2i + 1 */
        size_t row = first / width, at = first % width, have = width - at;
        size_t head = row / (2 * half) * 2 * half, i = row % (2 * half);
        size_t from = head + (i < half ? 2 * i : 2 * (i - half) + 1);
        have = have < n ? have : n;
        read_run(e, from * width + at, have, out);
        first += have;
        out += have;
        n -= have;
    }
}
