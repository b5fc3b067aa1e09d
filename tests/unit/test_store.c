/* Checkpoints: what is kept, what is used, what is refused, and that nothing is lost. */
#include "tests/unit/model_kit.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/checkpoint.h"
#include "common/store/h5.h"
#include "common/store/manifest.h"
#include "common/store/writer.h"
#include "learner/checkpointing.h"
#include "learner/inputs.h"
#include "learner/output.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static char work[64];
static r1_arch arch;
static r1_layout layout;
static r1_ops *ops;
static float *w, *m, *v; /* [layout.n_params] */
static int64_t metrics_offset;

/* A path below the directory of this test; several may be in use at once. */
typedef struct path {
    char s[R1_PATH_MAX];
} path;
#define AT(...) at(__VA_ARGS__).s

static __attribute__((format(printf, 1, 2))) path at(const char *fmt, ...) {
    char leaf[R1_PATH_MAX / 2];
    va_list ap;
    path p;

    va_start(ap, fmt);
    vsnprintf(leaf, sizeof leaf, fmt, ap);
    va_end(ap);
    snprintf(p.s, sizeof p.s, "%s/%s", work, leaf);
    return p;
}

static int setup(void **state) {
    snprintf(work, sizeof work, "/tmp/r1-test-store-XXXXXX");
    return mkdtemp(work) == NULL;
}

static int teardown(void **state) {
    return r1_dir_remove(work, NULL) != R1_OK;
}

static int open_model(void **state) {
    r1_err err;

    r1_log_init(-1, R1_LOG_ERROR);
    arch = kit_arch(0);
    if (r1_layout_open(&layout, &arch, R1_F32, &err) != R1_OK ||
        r1_ops_open(&ops, R1_F32, "ref", 1, &err) != R1_OK)
        return -1;
    w = calloc(3 * layout.n_params, sizeof *w);
    m = w + layout.n_params;
    v = m + layout.n_params;
    for (size_t i = 0; i < 3 * layout.n_params; i++)
        w[i] = (float)i;
    return 0;
}

static int close_model(void **state) {
    free(w);
    r1_ops_close(ops);
    r1_layout_close(&layout);
    return 0;
}

/* A checkpoint of n shards below work/DIR. */
static void save(const char *dir, int64_t step, int n, const char *reference) {
    r1_ckpt_numbers numbers = {.step = step,
                               .best = (double)NAN,
                               .metrics_offset = metrics_offset,
                               .weights_checksum = 0xfedcba9876543210u};
    r1_ckpt_texts texts = {
        .config = "name: x\n", .numeric_path = "ref", .reference = reference, .stage = "rl"};
    r1_ckpt_shard shards[8];
    uint32_t cut[9];
    char tmp[R1_PATH_MAX], *json = NULL;
    r1_err err;

    ASSERT_OK(r1_dir_make(AT("%s", dir), &err), &err);
    ASSERT_OK(r1_ckpt_begin(AT("%s", dir), step, tmp, sizeof tmp, &err), &err);
    r1_layout_cut(&layout, n, cut);
    for (int i = 0; i < n; i++) {
        size_t first = r1_layout_first(&layout, cut[i]);
        ASSERT_OK(r1_ckpt_write_shard(tmp, i, &layout, cut[i], cut[i + 1], w + first, m + first,
                                      v + first, &shards[i], &err),
                  &err);
    }
    ASSERT_OK(r1_arch_to_json(&arch, "float32", &json, &err), &err);
    texts.model = json;
    ASSERT_OK(r1_ckpt_finish(AT("%s", dir), tmp, &layout, shards, n, &numbers, &texts, &err), &err);
    r1_free(json);
}

/* Change one byte, from the end if at < 0. */
static void flip(const char *file, long offset) {
    FILE *f = fopen(file, "r+b");

    assert_non_null(f);
    fseek(f, offset, offset < 0 ? SEEK_END : SEEK_SET);
    int c = fgetc(f);
    fseek(f, offset, offset < 0 ? SEEK_END : SEEK_SET);
    fputc(c ^ 1, f);
    assert_int_equal(fclose(f), 0);
}

static int64_t newest(const char *dir, r1_status want, const char *message) {
    char found[R1_PATH_MAX];
    int64_t step = -2;
    r1_err err = {0};

    r1_status st = r1_ckpt_newest(AT("%s", dir), INT64_MAX, found, sizeof found, &step, &err);
    if (st != want || !strstr(err.msg, message))
        fail_msg("status %d, message '%s'", st, err.msg);
    return step;
}

static void damaged_ones_are_passed_over(void **state) {
    assert_int_equal(newest("none", R1_OK, ""), -1);
    save("c", 7, 2, "");
    save("c", 14, 1, "");
    assert_int_equal(newest("c", R1_OK, ""), 14);
    flip(AT("c/step_000014/config.json"), 5);
    assert_int_equal(newest("c", R1_OK, ""), 7);
    assert_int_equal(unlink(AT("c/step_000007/manifest")), 0);
    newest("c", R1_DATA, "none of its 2 checkpoints can be used: step_000014 step_000007");
    assert_true(r1_path_exists(AT("c/step_000014/shard_0000.h5")));
    assert_true(r1_path_exists(AT("c/step_000007/shard_0001.h5")));
}

static int lies(const char *dir, int64_t step) {
    return r1_ckpt_is(AT("%s/step_%06lld", dir, (long long)step));
}

static void pruning_leaves_enough(void **state) {
    const int64_t pinned[] = {3, 6};
    r1_err err;

    for (int step = 1; step <= 10; step++)
        save("p", step, 1, "");
    ASSERT_OK(r1_ckpt_prune(AT("p"), 2, 4, pinned, 2, &err), &err);
    for (int step = 1; step <= 10; step++)
        assert_int_equal(lies("p", step), "..34.6.89A"[step - 1] != '.');

    /* A damaged one is neither counted nor removed. */
    assert_int_equal(unlink(AT("p/step_000010/shard_0000.h5")), 0);
    ASSERT_OK(r1_ckpt_prune(AT("p"), 1, 0, pinned, 1, &err), &err);
    assert_true(lies("p", 10) && lies("p", 9) && lies("p", 3));
    assert_false(lies("p", 8) || lies("p", 6) || lies("p", 4));
}

static void references_live_as_long_as_they_are_named(void **state) {
    char name[R1_CKPT_NAME];
    r1_err err;

    for (int step = 1; step <= 3; step++) {
        r1_ckpt_reference_name(step, name);
        ASSERT_OK(r1_dir_make(AT("n"), &err), &err);
        ASSERT_OK(r1_ckpt_write_reference(AT("n"), step, w, 4096, &err), &err);
        save("n", step, 1, name);
    }
    ASSERT_OK(r1_ckpt_prune(AT("n"), 2, 0, NULL, 0, &err), &err);
    assert_false(r1_path_exists(AT("n/reference_000001.h5")));
    assert_true(r1_path_exists(AT("n/reference_000002.h5")));
    /* A manifest that cannot be read may name any. */
    assert_int_equal(rename(AT("n/step_000002/manifest"), AT("n/step_000002/hidden")), 0);
    ASSERT_OK(r1_ckpt_prune(AT("n"), 2, 0, NULL, 0, &err), &err);
    assert_true(r1_path_exists(AT("n/reference_000002.h5")));
    assert_int_equal(rename(AT("n/step_000002/hidden"), AT("n/step_000002/manifest")), 0);
    ASSERT_OK(r1_ckpt_prune(AT("n"), 1, 0, NULL, 0, &err), &err);
    assert_false(r1_path_exists(AT("n/reference_000002.h5")));
    assert_true(r1_path_exists(AT("n/reference_000003.h5")));
}

static void a_damaged_reference_is_written_again(void **state) {
    uint8_t *back = calloc(1, 4096);
    path file = at("reference_000009.h5");
    r1_err err;

    ASSERT_OK(r1_ckpt_write_reference(work, 9, w, 4096, &err), &err);
    ASSERT_OK(r1_ckpt_read_reference(file.s, back, 4096, &err), &err);
    assert_memory_equal(back, w, 4096);
    flip(file.s, -1000);
    ASSERT_FAILS(r1_ckpt_read_reference(file.s, back, 4096, &err), R1_DATA, &err, "damaged");
    ASSERT_OK(r1_ckpt_write_reference(work, 9, w, 4096, &err), &err);
    ASSERT_OK(r1_ckpt_read_reference(file.s, back, 4096, &err), &err);
    assert_int_equal(truncate(file.s, 3000), 0);
    ASSERT_OK(r1_ckpt_write_reference(work, 9, w, 4096, &err), &err);
    ASSERT_OK(r1_ckpt_read_reference(file.s, back, 4096, &err), &err);
    free(back);
}

/* A byte that differs anywhere but in the weights is found when the checkpoint is opened. */
static void opening_checks_every_small_file(void **state) {
    static const char *const files[] = {"config.json", "checkpoint.h5"};
    r1_ckpt *c = calloc(1, sizeof *c);
    r1_err err;

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        for (long offset = 100; offset < 2000; offset += 311) {
            save("o", 1, 1, "");
            path file = at("o/step_000001/%s", files[i]);
            flip(file.s, i == 0 ? -1 - offset % 300 : -offset);
            ASSERT_FAILS(r1_ckpt_open(c, AT("o/step_000001"), &err), R1_DATA, &err, file.s);
        }
    }
    save("o", 1, 1, "");
    ASSERT_OK(r1_ckpt_open(c, AT("o/step_000001"), &err), &err);
    r1_ckpt_close(c);
    free(c);
}

/* Rewrites an attribute and the manifest's line for the file. */
static void set_attribute(const char *dir, const char *name, const char *attribute, int64_t x) {
    char file[R1_PATH_MAX];
    r1_manifest *list = calloc(1, sizeof *list);
    r1_err err;

    snprintf(file, sizeof file, "%s/%s", dir, name);
    hid_t h5 = H5Fopen(file, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t a = H5Aopen(h5, attribute, H5P_DEFAULT);
    assert_true(H5Awrite(a, H5T_NATIVE_INT64, &x) >= 0);
    H5Aclose(a);
    assert_true(H5Fclose(h5) >= 0);
    ASSERT_OK(r1_manifest_read(list, dir, &err), &err);
    r1_manifest_entry *e = (r1_manifest_entry *)(uintptr_t)r1_manifest_find(list, name);
    ASSERT_OK(r1_manifest_measure(file, NULL, 0, &e->bytes, &e->hash, &err), &err);
    ASSERT_OK(r1_manifest_write(list, dir, &err), &err);
    free(list);
}

static void other_versions_are_refused_by_number(void **state) {
    r1_ckpt *c = calloc(1, sizeof *c);
    path dir = at("f/step_000001");
    r1_err err;

    save("f", 1, 1, "");
    set_attribute(dir.s, "checkpoint.h5", "format_version", 3);
    ASSERT_FAILS(r1_ckpt_open(c, dir.s, &err), R1_DATA, &err, "format version 3");
    set_attribute(dir.s, "checkpoint.h5", "format_version", R1_CKPT_FORMAT);
    set_attribute(dir.s, "checkpoint.h5", "complete", 0);
    ASSERT_FAILS(r1_ckpt_open(c, dir.s, &err), R1_DATA, &err, "not complete");
    set_attribute(dir.s, "checkpoint.h5", "complete", 1);
    set_attribute(dir.s, "shard_0000.h5", "format_version", 1);
    ASSERT_FAILS(r1_ckpt_open(c, dir.s, &err), R1_DATA, &err, "format version 1");
    set_attribute(dir.s, "shard_0000.h5", "format_version", R1_CKPT_FORMAT);
    ASSERT_OK(r1_ckpt_open(c, dir.s, &err), &err);
    assert_true(c->numbers.weights_checksum == 0xfedcba9876543210u);
    r1_ckpt_close(c);
    free(c);
}

/* The view for people: whole tensors with their own numbers, one mapping per tensor and shard. */
static void the_view_shows_whole_tensors(void **state) {
    static const char *const groups[] = {"/model", "/optimizer/m", "/optimizer/v"};
    float *x = calloc(layout.n_params, sizeof *x);

    for (int n = 1; n <= 3; n++) {
        save("v", n, n, "");
        hid_t file = H5Fopen(AT("v/step_%06d/checkpoint.h5", n), H5F_ACC_RDONLY, H5P_DEFAULT);
        assert_true(file >= 0);
        for (uint32_t i = 0; i < 3 * layout.n_tensors; i++) {
            const r1_tensor *t = &layout.tensors[i / 3];
            size_t count = (size_t)t->rows * (size_t)t->cols;
            char name[160];
            snprintf(name, sizeof name, "%s/%s", groups[i % 3], t->name);
            hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
            hid_t plist = H5Dget_create_plist(set);
            size_t mappings = 0;
            assert_true(set >= 0 && H5Pget_virtual_count(plist, &mappings) >= 0);
            assert_true(mappings >= 1 && mappings <= (size_t)n);
            assert_true(H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0);
            assert_memory_equal(x, w + i % 3 * layout.n_params + t->offset, count * sizeof *x);
            H5Pclose(plist);
            H5Dclose(set);
        }
        H5Fclose(file);
    }
    free(x);
}

/* Every byte is accounted for: data by tensor and file, anything else by file. */
static void verify_names_what_is_damaged(void **state) {
    path dir = at("w/step_000001"), shard = at("w/step_000001/shard_0001.h5");
    char reference[R1_CKPT_NAME], *data;
    size_t len, found = 0;
    uint32_t cut[3];
    r1_err err;

    r1_ckpt_reference_name(1, reference);
    ASSERT_OK(r1_dir_make(AT("w"), &err), &err);
    ASSERT_OK(r1_ckpt_write_reference(AT("w"), 1, w, 4096, &err), &err);
    save("w", 1, 2, reference);
    ASSERT_OK(r1_ckpt_verify(dir.s, &err), &err);
    r1_layout_cut(&layout, 2, cut);
    const r1_unit *u = &layout.units[cut[1] + 1];
    ASSERT_OK(r1_file_slurp(shard.s, (size_t)1 << 24, &data, &len, &err), &err);
    while (memcmp(data + found, m + u->offset, 4 * sizeof *m) != 0)
        found++;
    r1_free(data);
    flip(shard.s, (long)found);
    ASSERT_FAILS(r1_ckpt_verify(dir.s, &err), R1_DATA, &err, "shard_0001.h5");
    assert_non_null(strstr(err.msg, "a moment"));
    assert_non_null(strstr(err.msg, layout.tensors[u->tensor].name));
    flip(shard.s, (long)found);
    flip(shard.s, 9); /* of HDF5's own */
    ASSERT_FAILS(r1_ckpt_verify(dir.s, &err), R1_DATA, &err, "shard_0001.h5");
    flip(shard.s, 9);
    flip(AT("w/%s", reference), -500);
    ASSERT_FAILS(r1_ckpt_verify(dir.s, &err), R1_DATA, &err, reference);
    flip(AT("w/%s", reference), -500);
    flip(AT("w/step_000001/checkpoint.h5"), -500);
    ASSERT_FAILS(r1_ckpt_verify(dir.s, &err), R1_DATA, &err, "checkpoint.h5");
    flip(AT("w/step_000001/checkpoint.h5"), -500);
    path manifest = at("w/step_000001/manifest");
    ASSERT_OK(r1_file_slurp(manifest.s, 1 << 20, &data, &len, &err), &err);
    r1_free(data);
    for (long i = 0; i < (long)len; i++) {
        flip(manifest.s, i);
        ASSERT_FAILS(r1_ckpt_verify(dir.s, &err), R1_DATA, &err, manifest.s);
        flip(manifest.s, i);
    }
    ASSERT_OK(r1_ckpt_verify(dir.s, &err), &err);
}

static time_t library_time_s; /* what HDF5 takes the time for */

__attribute__((visibility("default"))) int gettimeofday(struct timeval *ret, void *zone) {
    *ret = (struct timeval){.tv_sec = library_time_s};
    return 0;
}

/* The same state is the same bytes, whenever it is saved (checkpoint.h5 says when). */
static void a_shard_does_not_say_when_it_was_made(void **state) {
    char *a, *b;
    size_t na, nb;
    r1_err err;

    library_time_s = 1;
    save("x", 1, 1, "");
    library_time_s = 2;
    save("y", 1, 1, "");
    ASSERT_OK(r1_file_slurp(AT("x/step_000001/shard_0000.h5"), 1 << 24, &a, &na, &err), &err);
    ASSERT_OK(r1_file_slurp(AT("y/step_000001/shard_0000.h5"), 1 << 24, &b, &nb, &err), &err);
    assert_int_equal(na, nb);
    assert_memory_equal(a, b, na);
    r1_free(a);
    r1_free(b);
}

/* A disk (here: the library's write) that stores something else. */
static int lies_from_now; /* writes until one that is changed; 0: none is */

herr_t H5Dwrite(hid_t set, hid_t type, hid_t to, hid_t from, hid_t plist, const void *data) {
    herr_t (*real)(hid_t, hid_t, hid_t, hid_t, hid_t, const void *);
    void *symbol = dlsym(RTLD_NEXT, "H5Dwrite");

    memcpy(&real, &symbol, sizeof real);
    herr_t rc = real(set, type, to, from, plist, data);
    if (lies_from_now > 0 && --lies_from_now == 0) {
        hid_t file_space = H5Dget_space(set);
        hsize_t one[1] = {1}, at[1] = {(hsize_t)H5Sget_simple_extent_npoints(file_space) - 1};
        hid_t memory = H5Screate_simple(1, one, NULL);
        float other = -1;
        H5Sselect_hyperslab(file_space, H5S_SELECT_SET, at, NULL, one, NULL);
        rc = real(set, type, memory, file_space, H5P_DEFAULT, &other);
        H5Sclose(memory);
        H5Sclose(file_space);
    }
    return rc;
}

static void what_was_written_is_read_back(void **state) {
    char tmp[R1_PATH_MAX];
    r1_ckpt_shard shard;
    r1_err err;

    for (int part = 0; part < 3; part++) { /* each part is followed by its hashes */
        ASSERT_OK(r1_ckpt_begin(work, 1, tmp, sizeof tmp, &err), &err);
        lies_from_now = 1 + 2 * part;
        ASSERT_FAILS(r1_ckpt_write_shard(tmp, 0, &layout, 0, layout.n_units, w, m, v, &shard, &err),
                     R1_IO, &err, "does not hold what was written");
        assert_int_equal(lies_from_now, 0);
    }
}

/* A part of several pieces, read back while it is written, has the hash of the file on the disk. */
static void a_large_shard_is_followed(void **state) {
    r1_arch large = kit_arch(0);
    r1_layout l;
    char tmp[R1_PATH_MAX];
    r1_ckpt_shard shard;
    uint64_t bytes, hash;
    r1_err err;

    large.vocab_size = 9500001 / large.hidden_size;
    ASSERT_OK(r1_layout_open(&l, &large, R1_F32, &err), &err);
    float *x = malloc(l.n_params * sizeof *x);
    for (size_t i = 0; i < l.n_params; i++)
        x[i] = (float)i;
    ASSERT_OK(r1_ckpt_begin(work, 1, tmp, sizeof tmp, &err), &err);
    ASSERT_OK(r1_ckpt_write_shard(tmp, 0, &l, 0, l.n_units, x, x, NULL, &shard, &err), &err);
    ASSERT_OK(
        r1_manifest_measure(AT(".tmp_step_000001/shard_0000.h5"), NULL, 0, &bytes, &hash, &err),
        &err);
    assert_true(bytes > 2 * l.n_params * sizeof *x && bytes == shard.bytes && hash == shard.hash);
    flip(AT(".tmp_step_000001/shard_0000.h5"), (long)bytes / 2);
    ASSERT_OK(
        r1_manifest_measure(AT(".tmp_step_000001/shard_0000.h5"), NULL, 0, &bytes, &hash, &err),
        &err);
    assert_true(hash != shard.hash);
    lies_from_now = 2; /* in the last piece of the first part */
    ASSERT_FAILS(r1_ckpt_write_shard(tmp, 0, &l, 0, l.n_units, x, x, NULL, &shard, &err), R1_IO,
                 &err, "does not hold what was written");
    free(x);
    r1_layout_close(&l);
}

/* The thread writes what was there when it started, whatever happens to it since. */
static void the_background_writes_the_snapshot(void **state) {
    uint32_t n = layout.n_units;
    size_t bytes = 3 * layout.n_params * sizeof *w;
    float *copy = malloc(bytes);
    char tmp[R1_PATH_MAX];
    r1_ckpt_writer *writer;
    r1_ckpt_shard now, then;
    r1_err err = {0};

    memcpy(copy, w, bytes);
    ASSERT_OK(r1_ckpt_begin(work, 1, tmp, sizeof tmp, &err), &err);
    ASSERT_OK(r1_ckpt_write_shard(tmp, 0, &layout, 0, n, w, m, v, &then, &err), &err);
    ASSERT_OK(r1_ckpt_writer_open(&writer, &layout, 0, 0, n, 1, 1, &err), &err);
    for (int i = 0; i < 3; i++) {
        ASSERT_OK(r1_ckpt_writer_start(writer, tmp, w, m, v, &err), &err);
        memset(w, 0xff, bytes);
        while (i == 1 && r1_ckpt_writer_busy(writer))
            usleep(100);
        ASSERT_OK(r1_ckpt_writer_wait(writer, &now, &err), &err);
        memcpy(w, copy, bytes);
        assert_int_equal(r1_ckpt_writer_busy(writer), 0);
        assert_true(now.hash == then.hash && now.bytes == then.bytes && now.u1 == n);
    }
    /* A failure keeps its cause, and the next start is a new one. */
    ASSERT_OK(r1_ckpt_writer_start(writer, AT("nowhere"), w, m, v, &err), &err);
    ASSERT_FAILS(r1_ckpt_writer_wait(writer, &now, &err), R1_IO, &err, "nowhere/shard_0000.h5");
    ASSERT_OK(r1_ckpt_writer_start(writer, tmp, w, m, v, &err), &err);
    r1_ckpt_writer_close(writer); /* under way */
    r1_ckpt_writer_close(NULL);
    free(copy);
}

/* ---- what a run does with its directory ---- */

static const char config_text[] =
    "name: x\n"
    "model: {init: random, config: {arch: llama, hidden_size: 64, layers: 1, heads: 2,\n"
    "        kv_heads: 2, intermediate_size: 64}}\n"
    "tokenizer: {kind: bytes}\n"
    "data: {train: {task: arithmetic}}\n"
    "stages:\n"
    "  - {name: one, kind: sft, total_updates: 10, batch: 8}\n"
    "  - {name: two, kind: sft, total_updates: 20, batch: 8}\n";

typedef struct job {
    r1_world world;
    r1_ops ops;
    r1_trainer trainer;
    r1_run run;
    r1_resume found;
} job;

/* Take work/DIR as r1-train does and look where it would go on. */
static r1_status look(job *j, const char *dir, const char *resume, const char *from, r1_err *err) {
    r1_config *cfg;
    r1_status st;

    memset(j, 0, sizeof *j);
    j->world.all.size = j->world.learners.size = j->ops.threads = 1;
    j->trainer.ops = &j->ops;
    j->run.world = &j->world;
    j->run.trainer = &j->trainer;
    j->run.at.best = (double)NAN;
    ASSERT_OK(r1_config_parse(&cfg, config_text, strlen(config_text), "x.yaml", 0, NULL, err), err);
    j->run.cfg = cfg;
    if ((st = r1_rundir_open(&j->run.dir, AT("%s", dir), 1, err)) == R1_OK)
        st = r1_resume_find(&j->run, resume, from, &j->found, err);
    return st;
}

static void done(job *j) {
    r1_rundir_close(&j->run.dir);
    r1_config_free((r1_config *)(uintptr_t)j->run.cfg);
}

/* The directory of a run that was interrupted. */
static void begin_run(const char *dir) {
    job j;
    r1_err err;
    char *yaml;

    ASSERT_OK(look(&j, dir, "auto", NULL, &err), &err);
    ASSERT_OK(r1_config_dump(j.run.cfg, 0, &yaml, &err), &err);
    ASSERT_OK(r1_rundir_write_config(&j.run.dir, yaml, &err), &err);
    ASSERT_OK(r1_file_write_atomic(AT("%s/metrics.jsonl", dir), "{}\n", 3, &err), &err);
    r1_free(yaml);
    done(&j);
}

static void resume_keeps_what_it_cannot_read(void **state) {
    job j;
    r1_err err = {0};

    begin_run("r");
    ASSERT_OK(look(&j, "r", "auto", NULL, &err), &err);
    assert_false(j.found.found);
    assert_false(r1_path_exists(AT("r/metrics.jsonl"))); /* partial output */
    done(&j);

    begin_run("r");
    save("r/checkpoints", 5, 1, "");
    ASSERT_OK(look(&j, "r", "auto", NULL, &err), &err);
    assert_true(j.found.found && j.found.step == 5);
    done(&j);
    assert_int_equal(truncate(AT("r/checkpoints/step_000005/shard_0000.h5"), 100), 0);
    ASSERT_FAILS(look(&j, "r", "auto", NULL, &err), R1_DATA, &err, "step_000005");
    done(&j);
    ASSERT_FAILS(look(&j, "r", "no", "one", &err), R1_USAGE, &err, "another --output");
    done(&j);
    assert_true(r1_path_exists(AT("r/checkpoints/step_000005/shard_0000.h5")));
    assert_true(r1_path_exists(AT("r/metrics.jsonl")));
}

/* Going on behind an older checkpoint: the later ones are out of the way, not gone. */
static void later_checkpoints_are_set_aside(void **state) {
    r1_err err;

    for (int step = 5; step <= 20; step += 5)
        save("a", step, 1, "");
    ASSERT_OK(r1_ckpt_set_aside(AT("a"), 10, &err), &err);
    assert_int_equal(newest("a", R1_OK, ""), 10);
    assert_true(r1_ckpt_is(AT("a/step_000015.aside1")) && r1_ckpt_is(AT("a/step_000020.aside1")));
    save("a", 15, 1, "");
    ASSERT_OK(r1_ckpt_set_aside(AT("a"), 10, &err), &err);
    assert_true(r1_ckpt_is(AT("a/step_000015.aside2")));
    ASSERT_OK(r1_ckpt_prune(AT("a"), 1, 0, NULL, 0, &err), &err);
    assert_true(lies("a", 10) && r1_ckpt_is(AT("a/step_000015.aside1")));
    assert_false(lies("a", 5));
}

static void sweeping_takes_only_what_was_not_finished(void **state) {
    char tmp[R1_PATH_MAX];
    r1_err err;

    save("s", 5, 1, "");
    ASSERT_OK(r1_ckpt_begin(AT("s"), 7, tmp, sizeof tmp, &err), &err);
    ASSERT_OK(r1_file_write_atomic(AT("s/.tmp_step_000007/shard_0000.h5"), "x", 1, &err), &err);
    ASSERT_OK(r1_file_write_atomic(AT("s/.tmp_reference_000003.h5"), "x", 1, &err), &err);
    ASSERT_OK(r1_ckpt_sweep(AT("s"), &err), &err);
    assert_false(r1_path_exists(tmp) || r1_path_exists(AT("s/.tmp_reference_000003.h5")));
    assert_true(lies("s", 5));
    ASSERT_OK(r1_ckpt_sweep(AT("nothing"), &err), &err);
}

/* A metrics file that lost its end: the newest checkpoint that it reaches, else the newest. */
static void records_decide_where_to_go_on(void **state) {
    job j;
    r1_err err;

    begin_run("d");
    metrics_offset = 3;
    save("d/checkpoints", 5, 1, "");
    metrics_offset = 6;
    save("d/checkpoints", 10, 1, "");
    metrics_offset = 0;
    ASSERT_OK(look(&j, "d", "auto", NULL, &err), &err);
    assert_int_equal(j.found.step, 5);
    done(&j);
    assert_int_equal(unlink(AT("d/metrics.jsonl")), 0);
    ASSERT_OK(look(&j, "d", "auto", NULL, &err), &err);
    assert_int_equal(j.found.step, 10);
    j.run.resumed_from = 10;
    j.run.metrics_keep = 6;
    j.run.events_keep = 100;
    ASSERT_OK(r1_output_open(&j.run, &err), &err); /* with a warning */
    assert_int_equal(r1_metrics_offset(&j.run.metrics), 0);
    r1_metrics_close(&j.run.metrics);
    r1_tensorboard_close(&j.run.tensorboard);
    done(&j);
}

static void a_checkpoint_of_another_directory_is_known_as_such(void **state) {
    job j;
    r1_err err;
    path from = at("x/checkpoints/step_000005");

    begin_run("x");
    save("x/checkpoints", 5, 1, "");
    ASSERT_OK(look(&j, "x", from.s, NULL, &err), &err);
    assert_false(j.found.elsewhere);
    done(&j);
    ASSERT_OK(look(&j, "y", from.s, NULL, &err), &err);
    assert_true(j.found.found && j.found.elsewhere);
    done(&j);
    begin_run("z");
    save("z/checkpoints", 9, 1, "");
    ASSERT_FAILS(look(&j, "z", from.s, NULL, &err), R1_USAGE, &err, "another --output");
    done(&j);
    assert_true(lies("z/checkpoints", 9));
}

static void best_is_a_metric_that_all_ranks_agree_on(void **state) {
    static const struct {
        const char *name;
        int good;
    } rows[] = {{"eval/accuracy", 1},   {"critic/rewards/mean", 1}, {"timing_s/step", 0},
                {"perf/throughput", 0}, {"actor/loss", 0},          {"accuracy", 0}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char key[64], *overrides[] = {key};
        r1_config *cfg = NULL;
        r1_err err = {0};
        snprintf(key, sizeof key, "checkpoint.best=%s", rows[i].name);
        r1_status st =
            r1_config_parse(&cfg, config_text, strlen(config_text), "x.yaml", 1, overrides, &err);
        assert_int_equal(st, rows[i].good ? R1_OK : R1_USAGE);
        if (st == R1_OK)
            r1_config_free(cfg);
        else
            assert_non_null(strstr(err.msg, "checkpoint.best"));
    }
}

/* Other rows behind the same path are another run. */
static void changed_data_is_named_with_both_hashes(void **state) {
    static const char text[] = "name: x\n"
                               "model: {init: random, config: {arch: llama, hidden_size: 64, "
                               "layers: 1, heads: 2, kv_heads: 2, intermediate_size: 64}}\n"
                               "tokenizer: {kind: bytes}\n"
                               "stages: [{name: one, kind: sft, total_updates: 1, batch: 8}]\n";
    char key[R1_PATH_MAX + 32], *overrides[] = {key}, *now[3];
    path rows = at("rows.jsonl");
    r1_trainer trainer = {0};
    r1_model model = {.arch = arch};
    r1_run run = {.trainer = &trainer};
    r1_tokenizer *bytes;
    r1_config *cfg;
    r1_err err = {0};

    snprintf(key, sizeof key, "data.train.file=%s", rows.s);
    ASSERT_OK(r1_config_parse(&cfg, text, strlen(text), "x.yaml", 1, overrides, &err), &err);
    ASSERT_OK(r1_tokenizer_new_bytes(&bytes, NULL, 0, &err), &err);
    trainer.o.model = &model;
    run.cfg = cfg;
    run.tokenizer = bytes;
    for (int i = 0; i < 3; i++) {
        const char *row = i < 2 ? "{\"prompt\": \"1\"}\n" : "{\"prompt\": \"2\"}\n";
        ASSERT_OK(r1_file_write_atomic(rows.s, row, strlen(row), &err), &err);
        ASSERT_OK(r1_inputs_text(&run, &now[i], &err), &err);
    }
    ASSERT_OK(r1_inputs_same(now[0], now[1], "step_1", &err), &err);
    ASSERT_FAILS(r1_inputs_same(now[0], now[2], "step_1", &err), R1_USAGE, &err,
                 "data.train of stage one is not what it was when 'step_1' was written");
    ASSERT_FAILS(r1_inputs_same("", now[2], "step_1", &err), R1_USAGE, &err, "model is not");
    for (int i = 0; i < 3; i++)
        r1_free(now[i]);
    r1_tokenizer_free(bytes);
    r1_config_free(cfg);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(damaged_ones_are_passed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(pruning_leaves_enough, setup, teardown),
        cmocka_unit_test_setup_teardown(references_live_as_long_as_they_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_reference_is_written_again, setup, teardown),
        cmocka_unit_test_setup_teardown(opening_checks_every_small_file, setup, teardown),
        cmocka_unit_test_setup_teardown(other_versions_are_refused_by_number, setup, teardown),
        cmocka_unit_test_setup_teardown(later_checkpoints_are_set_aside, setup, teardown),
        cmocka_unit_test_setup_teardown(sweeping_takes_only_what_was_not_finished, setup, teardown),
        cmocka_unit_test_setup_teardown(records_decide_where_to_go_on, setup, teardown),
        cmocka_unit_test_setup_teardown(a_checkpoint_of_another_directory_is_known_as_such, setup,
                                        teardown),
        cmocka_unit_test(best_is_a_metric_that_all_ranks_agree_on),
        cmocka_unit_test_setup_teardown(changed_data_is_named_with_both_hashes, setup, teardown),
        cmocka_unit_test_setup_teardown(the_view_shows_whole_tensors, setup, teardown),
        cmocka_unit_test_setup_teardown(a_shard_does_not_say_when_it_was_made, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_written_is_read_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_large_shard_is_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(verify_names_what_is_damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(the_background_writes_the_snapshot, setup, teardown),
        cmocka_unit_test_setup_teardown(resume_keeps_what_it_cannot_read, setup, teardown),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
