/* Converting models: what goes out and comes back has the same bits, and what fails leaves nothing. */
#include "tests/unit/unit.h"

#include "common/base/dtype.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/formats/tensors.h"
#include "common/model/export.h"
#include "common/store/checkpoint.h"
#include "learner/convert.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char models[R1_PATH_MAX / 2], ggufs[R1_PATH_MAX / 2], work[64];
static const char *const names[] = {"llama_tied", "llama_linear", "llama3_untied", "qwen2",
                                    "qwen3"};
#define N_NAMES (sizeof names / sizeof *names)

/* A path; several may be in use at once. */
typedef struct path {
    char s[R1_PATH_MAX];
} path;
#define AT(dir, name) at(dir, name).s

static path at(const char *dir, const char *name) {
    path p;

    if (snprintf(p.s, sizeof p.s, "%s/%s", dir, name) >= (int)sizeof p.s)
        fail_msg("a path is too long");
    return p;
}

static r1_status convert(const char *in, const char *out, const char *dtype, r1_err *err) {
    const r1_convert_options o = {
        .in = in, .out = out, .dtype = dtype, .to = "auto", .shard_mb = 5000};

    return r1_convert_run(&o, err);
}

static int setup(void **state) {
    snprintf(work, sizeof work, "/tmp/r1-test-convert-XXXXXX");
    return mkdtemp(work) == NULL;
}

static int teardown(void **state) {
    r1_err err;

    return r1_dir_remove(work, &err) != R1_OK;
}

static int entries(const char *dir) {
    DIR *d = opendir(dir);
    int n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static void same_file(const char *a, const char *b) {
    char *x, *y;
    size_t nx, ny;
    r1_err err;

    ASSERT_OK(r1_file_slurp(a, 1 << 20, &x, &nx, &err), &err);
    ASSERT_OK(r1_file_slurp(b, 1 << 20, &y, &ny, &err), &err);
    assert_int_equal(nx, ny);
    assert_memory_equal(x, y, nx);
    r1_free(x);
    r1_free(y);
}

/* Same tensors; raw: same types and bytes in the files too. */
static void same_weights(const char *a, const char *b, int raw) {
    r1_tensors *x, *y;
    r1_err err;

    ASSERT_OK(r1_tensors_open(&x, a, &err), &err);
    ASSERT_OK(r1_tensors_open(&y, b, &err), &err);
    assert_int_equal(r1_tensors_count(x), r1_tensors_count(y));
    for (size_t i = 0; i < r1_tensors_count(x); i++) {
        const r1_tensor_entry *e = r1_tensors_at(x, i),
                              *f = r1_tensors_find(y, r1_tensors_at(x, i)->name);
        float *p = calloc(e->n, sizeof *p), *q = calloc(e->n, sizeof *q);
        assert_non_null(f);
        assert_int_equal(e->n_dims, f->n_dims);
        assert_memory_equal(e->dims, f->dims, sizeof *e->dims * (size_t)e->n_dims);
        r1_tensors_read(e, 0, e->n, p);
        r1_tensors_read(f, 0, f->n, q);
        assert_memory_equal(p, q, e->n * sizeof *p);
        if (raw) {
            assert_int_equal(e->type, f->type);
            assert_memory_equal(e->data, f->data, e->n * r1_type_infos[e->type].bytes);
        }
        free(p);
        free(q);
    }
    r1_tensors_close(x);
    r1_tensors_close(y);
}

static void same_arch(const char *a, const char *b) {
    r1_arch x, y;
    r1_err err;

    ASSERT_OK(r1_arch_open(&x, a, &err), &err);
    ASSERT_OK(r1_arch_open(&y, b, &err), &err);
    assert_memory_equal(&x, &y, sizeof x);
}

static void directories_keep_their_bytes(void **state) {
    r1_err err;

    for (size_t i = 0; i < N_NAMES; i++) {
        path in = at(models, names[i]), out = at(work, names[i]);
        ASSERT_OK(convert(in.s, out.s, NULL, &err), &err);
        same_weights(in.s, out.s, 1);
        same_file(AT(in.s, "config.json"), AT(out.s, "config.json"));
    }
    assert_int_equal(entries(work), N_NAMES);
}

static void checkpoints_and_back(void **state) {
    r1_err err;

    for (size_t i = 0; i < N_NAMES; i++) {
        char ckpt[128], back[128];
        path in = at(models, names[i]);
        snprintf(ckpt, sizeof ckpt, "%s/c%zu/step_000000", work, i);
        snprintf(back, sizeof back, "%s/b%zu/", work, i);
        ASSERT_OK(convert(in.s, ckpt, NULL, &err), &err);
        ASSERT_OK(r1_ckpt_verify(ckpt, &err), &err);
        ASSERT_OK(convert(ckpt, back, NULL, &err), &err);
        same_weights(in.s, back, 0);
        same_arch(in.s, ckpt);
        same_arch(in.s, back);
        ASSERT_FAILS(convert(ckpt, AT(work, "step_000001"), NULL, &err), R1_USAGE, &err,
                     "is a checkpoint already");
    }
}

static void gguf_becomes_its_twin(void **state) {
    char gguf[R1_PATH_MAX];
    r1_err err;

    for (size_t i = 0; i < N_NAMES; i++) {
        path in = at(models, names[i]), out = at(work, names[i]);
        snprintf(gguf, sizeof gguf, "%s/%s.gguf", ggufs, names[i]);
        ASSERT_OK(convert(gguf, out.s, NULL, &err), &err);
        same_weights(in.s, out.s, 0);
        same_arch(gguf, out.s);
    }
}

/* Narrower types: to nearest even, as common/base/dtype.h rounds; a value beyond the largest is an
 * error, not an infinity. */
static void narrows(void **state) {
    r1_tensors *x, *y;
    r1_err err;

    ASSERT_OK(convert(AT(models, "qwen3"), AT(work, "bf16"), "BF16", &err), &err);
    ASSERT_OK(r1_tensors_open(&x, AT(models, "qwen3"), &err), &err);
    ASSERT_OK(r1_tensors_open(&y, AT(work, "bf16"), &err), &err);
    for (size_t i = 0; i < r1_tensors_count(x); i++) {
        const r1_tensor_entry *e = r1_tensors_at(x, i), *f = r1_tensors_at(y, i);
        assert_int_equal(f->type, R1_TENSOR_BF16);
        for (size_t j = 0; j < e->n; j++) {
            float v;
            uint16_t b;
            r1_tensors_read(e, j, 1, &v);
            memcpy(&b, f->data + 2 * j, 2);
            assert_int_equal(b, r1_f32_to_bf16(v));
        }
    }
    r1_tensors_close(x);
    r1_tensors_close(y);
    ASSERT_FAILS(convert(AT(models, "qwen3"), AT(work, "step_1"), "BF16", &err), R1_USAGE, &err,
                 "master weights");
    ASSERT_FAILS(convert(AT(models, "qwen3"), AT(work, "f64"), "F64", &err), R1_USAGE, &err, "F64");
    assert_false(r1_path_exists(AT(work, "f64")));
}

/* From memory, in several files: the reader of formats puts them together again. */
static void shards(void **state) {
    r1_tensors *src;
    r1_layout l;
    r1_arch arch;
    r1_err err;
    r1_dtype dtypes[64] = {R1_F32};

    ASSERT_OK(r1_arch_open(&arch, AT(models, "qwen3"), &err), &err);
    ASSERT_OK(r1_layout_open(&l, &arch, R1_F32, &err), &err);
    ASSERT_OK(r1_tensors_open(&src, AT(models, "qwen3"), &err), &err);
    float *w = calloc(l.n_params, sizeof *w);
    ASSERT_OK(r1_layout_load(&l, src, 0, l.n_units, w, &err), &err);
    r1_tensors_close(src);
    r1_export_slab slab = {&l, w};
    r1_export e = {.layout = &l,
                   .dtypes = dtypes,
                   .shard_bytes = 4000,
                   .read = r1_export_from_slab,
                   .ctx = &slab};
    ASSERT_OK(r1_export_weights(&e, work, &err), &err);
    assert_true(entries(work) > 5);
    assert_true(r1_path_exists(AT(work, "model.safetensors.index.json")));
    same_weights(AT(models, "qwen3"), work, 1);
    w[l.tensors[3].offset + 1] = 65520.0f; /* the first that rounds to F16's infinity */
    dtypes[3] = R1_F16;
    ASSERT_FAILS(r1_export_weights(&e, work, &err), R1_DATA, &err, l.tensors[3].name);
    w[l.tensors[3].offset + 1] = 65519.0f;
    ASSERT_OK(r1_export_weights(&e, work, &err), &err);
    w[l.tensors[5].offset + 1] = NAN; /* would show only as nonsense much later */
    ASSERT_OK(r1_export_weights(&e, work, &err), &err);
    ASSERT_OK(r1_tensors_open(&src, work, &err), &err);
    ASSERT_FAILS(r1_layout_load(&l, src, 0, l.n_units, w, &err), R1_DATA, &err, l.tensors[5].name);
    r1_tensors_close(src);
    free(w);
    r1_layout_close(&l);
}

static void what_fails_leaves_nothing(void **state) {
    path in = at(models, "llama_tied"), out = at(work, "out");
    char shard[R1_PATH_MAX];
    r1_err err;

    ASSERT_OK(convert(in.s, AT(work, "step_0"), NULL, &err), &err);
    snprintf(shard, sizeof shard, "%s/step_0/shard_0000.h5", work);
    FILE *f = fopen(shard, "r+b");
    assert_non_null(f);
    fseek(f, -4000, SEEK_END);
    int c = fgetc(f);
    fseek(f, -4000, SEEK_END);
    fputc(c ^ 1, f);
    fclose(f);
    ASSERT_FAILS(r1_ckpt_verify(AT(work, "step_0"), &err), R1_DATA, &err, "shard_0000.h5");
    ASSERT_FAILS(convert(AT(models, "nothing"), out.s, NULL, &err), R1_IO, &err, "nothing");
    ASSERT_FAILS(convert(in.s, work, NULL, &err), R1_USAGE, &err, "exists already");
    assert_int_equal(entries(work), 1);
}

/* A weight's bit flipped in a checkpoint is found while it is read. */
static void damage_is_found(void **state) {
    char shard[R1_PATH_MAX], *data;
    size_t len, i = 0;
    float first;
    r1_tensors *src;
    r1_err err;

    ASSERT_OK(convert(AT(models, "llama_tied"), AT(work, "step_0"), NULL, &err), &err);
    ASSERT_OK(r1_tensors_open(&src, AT(models, "llama_tied"), &err), &err);
    r1_tensors_read(r1_tensors_find(src, "model.norm.weight"), 0, 1, &first);
    r1_tensors_close(src);
    snprintf(shard, sizeof shard, "%s/step_0/shard_0000.h5", work);
    ASSERT_OK(r1_file_slurp(shard, 1 << 20, &data, &len, &err), &err);
    while (i + 4 <= len && memcmp(data + i, &first, 4) != 0)
        i++;
    assert_true(i + 4 <= len);
    data[i] ^= 1;
    ASSERT_OK(r1_file_write_atomic(shard, data, len, &err), &err);
    r1_free(data);
    ASSERT_FAILS(convert(AT(work, "step_0"), AT(work, "out"), NULL, &err), R1_DATA, &err,
                 "model.norm.weight");
    assert_int_equal(entries(work), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(directories_keep_their_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(checkpoints_and_back, setup, teardown),
        cmocka_unit_test_setup_teardown(gguf_becomes_its_twin, setup, teardown),
        cmocka_unit_test_setup_teardown(narrows, setup, teardown),
        cmocka_unit_test_setup_teardown(shards, setup, teardown),
        cmocka_unit_test_setup_teardown(what_fails_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(damage_is_found, setup, teardown),
    };
    const char *source = getenv("R1_SOURCE");

    if (!source)
        return 77;
    snprintf(models, sizeof models, "%s/tests/golden/models", source);
    snprintf(ggufs, sizeof ggufs, "%s/tests/golden/gguf", source);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
