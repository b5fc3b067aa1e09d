/* Hugging Face directories; see export.h. */
#include "common/model/export.h"

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/formats/json_pretty.h"
#include "common/formats/safetensors_write.h"

#include <string.h>

#define MAX_CONFIG ((size_t)16 << 20)

/* torch's name of a dtype, as config.json has it. */
static const char *torch_name(r1_dtype t) {
    return t == R1_F32 ? "float32" : t == R1_BF16 ? "bfloat16" : "float16";
}

/* A run of a tensor is a run of its units: runs start at multiples of a unit's elements. */
static r1_status read_run(void *ctx, size_t tensor, size_t first, size_t n, float *out,
                          r1_err *err) {
    const r1_export *e = ctx;
    const r1_layout *l = e->layout;
    uint32_t u0 =
        l->tensors[tensor].unit0 + (uint32_t)(first / l->units[l->tensors[tensor].unit0].n);
    uint32_t u1 = u0;

    for (size_t have = 0; have < n; u1++)
        have += l->units[u1].n;
    return e->read(e->ctx, u0, u1, out, err);
}

r1_status r1_export_from_slab(void *ctx, uint32_t u0, uint32_t u1, float *w, r1_err *err) {
    const r1_export_slab *s = ctx;

    for (uint32_t u = u0; u < u1; u++)
        memcpy(w + (s->layout->units[u].offset - s->layout->units[u0].offset),
               s->w + s->layout->units[u].offset, s->layout->units[u].n * sizeof *w);
    return R1_OK;
}

r1_status r1_export_weights(const r1_export *e, const char *dir, r1_err *err) {
    const r1_layout *l = e->layout;
    r1_export mine = *e;
    r1_write_tensor *tensors = NULL;
    r1_status st;

    R1_TRY(R1_NEW(tensors, l->n_tensors, err));
    for (uint32_t i = 0; i < l->n_tensors; i++) {
        const r1_tensor *t = &l->tensors[i];
        tensors[i] = (r1_write_tensor){
            .name = t->name,
            .dtype = e->dtypes[i],
            .n_dims = t->is_matrix ? 2 : 1,
            .dims = {(uint64_t)(t->is_matrix ? t->rows : t->cols), (uint64_t)t->cols},
            .n = (size_t)t->rows * (size_t)t->cols,
            .grain = l->units[t->unit0].n};
    }
    r1_write_job job = {.tensors = tensors,
                        .n_tensors = l->n_tensors,
                        .shard_bytes = e->shard_bytes,
                        .read = read_run,
                        .ctx = &mine};
    st = r1_safetensors_write(&job, dir, err);
done:
    r1_free(tensors);
    return st;
}

/* ---- the small files ---- */

static r1_status write_text(const char *dir, const char *name, const char *text, r1_err *err) {
    char path[R1_PATH_MAX];
    r1_status st;

    R1_TRY(r1_path_format(path, sizeof path, err, "%s/%s", dir, name));
    st = r1_file_write_atomic(path, text, strlen(text), err);
done:
    return st;
}

static r1_status write_generation(const r1_arch *a, const char *dir, r1_err *err) {
    char path[R1_PATH_MAX], *text = NULL;
    json_t *root = json_object(), *eos = json_array();
    int good = root && eos;
    r1_status st;

    R1_TRY(r1_path_format(path, sizeof path, err, "%s/generation_config.json", dir));
    if (r1_path_exists(path) || (a->n_eos == 0 && a->bos_id < 0))
        goto done;
    if (a->bos_id >= 0)
        good = good && json_object_set_new(root, "bos_token_id", json_integer(a->bos_id)) == 0;
    for (int i = 0; i < a->n_eos; i++)
        good = good && json_array_append_new(eos, json_integer(a->eos_ids[i])) == 0;
    if (a->n_eos > 0)
        good = good && json_object_set(root, "eos_token_id",
                                       a->n_eos == 1 ? json_array_get(eos, 0) : eos) == 0;
    if (!good) {
        st = R1_FAIL(err, R1_NOMEM, "out of memory: '%s'", path);
        goto done;
    }
    R1_TRY(r1_json_pretty(root, "generation_config.json", &text, err));
    st = write_text(dir, "generation_config.json", text, err);
done:
    r1_free(text);
    json_decref(root);
    json_decref(eos);
    return st;
}

r1_status r1_export_config(const r1_arch *arch, r1_dtype dtype, const char *dir, r1_err *err) {
    char *text = NULL;
    r1_status st;

    R1_TRY(r1_arch_to_json(arch, torch_name(dtype), &text, err));
    R1_TRY(write_text(dir, "config.json", text, err));
    st = write_generation(arch, dir, err);
done:
    r1_free(text);
    return st;
}

r1_status r1_export_copy_config(const char *from, r1_dtype dtype, const char *dir, r1_err *err) {
    const char *key, *have;
    char path[R1_PATH_MAX], *text = NULL;
    json_t *root = NULL;
    json_error_t je;
    size_t len;
    r1_status st;

    R1_TRY(r1_path_format(path, sizeof path, err, "%s/config.json", from));
    R1_TRY(r1_file_slurp(path, MAX_CONFIG, &text, &len, err));
    if ((st = r1_json_parse(&root, text, len, 0, &je)) != R1_OK) {
        r1_err_set(err, st, "%s:%d: %s", path, je.line, je.text);
        goto done;
    }
    /* transformers 4 says torch_dtype, transformers 5 dtype. */
    key = json_object_get(root, "dtype") ? "dtype" : "torch_dtype";
    have = json_string_value(json_object_get(root, key));
    if (!have || strcmp(have, torch_name(dtype)) != 0) { /* else byte for byte as it is */
        if (json_object_set_new(root, key, json_string(torch_name(dtype))) != 0) {
            st = R1_FAIL(err, R1_NOMEM, "out of memory: '%s'", path);
            goto done;
        }
        r1_free(text);
        text = NULL;
        R1_TRY(r1_json_pretty(root, "config.json", &text, err));
    }
    st = write_text(dir, "config.json", text, err);
done:
    json_decref(root);
    r1_free(text);
    return st;
}
