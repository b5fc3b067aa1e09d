/* A checkpoint directory that was damaged: its manifest replaced by any bytes, or bytes of its head or
 * of its weights changed.  It is refused in one line, or what it gives is what was saved.
 *
 * An input that begins with 'h' or 's' is a list of edits (place, 2 bytes; new byte) of
 * checkpoint.h5 or of the elements and hashes in a shard; any other is a manifest, tried as it is and
 * with its hash behind it.
 *
 * Limits: libhdf5 itself is not fuzzed.  checkpoint.h5 is hashed against the manifest before it is
 * opened, so edits never reach it; a shard's structure is read before its units' hashes, so edits
 * stay within its datasets.  Whoever can write a manifest and HDF5 files that agree can make
 * libhdf5 read what he likes: checkpoints are to be taken from people that one trusts. */
#include "tests/fuzz/fuzz.h"

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/store/checkpoint.h"
#include "common/store/h5.h"
#include "tests/fuzz/file.h"

#include <stdlib.h>

static const char arch_text[] =
    "{\"model_type\": \"llama\", \"hidden_size\": 16, \"num_hidden_layers\": 1, "
    "\"num_attention_heads\": 2, \"num_key_value_heads\": 1, \"intermediate_size\": 16, "
    "\"vocab_size\": 64, \"max_position_embeddings\": 32, \"rms_norm_eps\": 1e-05, "
    "\"tie_word_embeddings\": true, \"hidden_act\": \"silu\"}";

static struct {
    char root[64], dir[96];
    r1_layout layout;
    r1_ops *ops;
    float *saved, *back; /* w, m and v */
    char *manifest, *head, *shard;
    size_t n_manifest, n_head, n_shard;
    size_t from[6], to[6]; /* of the shard's datasets */
} kit;

static const char *path_of(const char *name) {
    static char path[160];

    snprintf(path, sizeof path, "%s/%s", kit.dir, name);
    return path;
}

static void must(r1_status st, const r1_err *err) {
    if (st != R1_OK)
        fprintf(stderr, "%s\n", err->msg);
    R1_ASSERT(st == R1_OK);
}

static void put(const char *name, const void *data, size_t n) {
    FILE *f = fopen(path_of(name), "wb");

    R1_ASSERT(f && fwrite(data, 1, n, f) == n && fclose(f) == 0);
}

static void find_datasets(r1_err *err) {
    static const char *const names[] = {"/w", "/m", "/v", "/hash/w", "/hash/m", "/hash/v"};
    hid_t file;

    must(r1_h5_open(&file, path_of("shard_0000.h5"), err), err);
    for (int i = 0; i < 6; i++) {
        size_t n;
        hid_t set = H5Dopen2(file, names[i], H5P_DEFAULT);
        uint64_t offset = H5Dget_offset(set);
        R1_ASSERT(set >= 0 && offset != HADDR_UNDEF && H5Dclose(set) >= 0);
        must(r1_h5_length(file, names[i], &n, err), err);
        kit.from[i] = offset;
        kit.to[i] = offset + n * (i < 3 ? sizeof(float) : sizeof(uint64_t));
    }
    must(r1_h5_close(file, "shard", err), err);
}

static void clean_up(void) {
    r1_err err;

    r1_layout_close(&kit.layout);
    r1_ops_close(kit.ops);
    r1_free(kit.saved);
    r1_free(kit.back);
    r1_free(kit.manifest);
    r1_free(kit.head);
    r1_free(kit.shard);
    must(r1_dir_remove(kit.root, &err), &err);
}

static void save(void) {
    r1_ckpt_numbers numbers = {.step = 1};
    r1_ckpt_texts texts = {.config = "name: x\n",
                           .model = arch_text,
                           .numeric_path = "ref",
                           .reference = "",
                           .stage = "rl"};
    char tmp[160];
    r1_ckpt_shard shard;
    r1_arch arch;
    r1_err err;

    snprintf(kit.root, sizeof kit.root, "/tmp/r1-fuzz-store-XXXXXX");
    R1_ASSERT(mkdtemp(kit.root) != NULL);
    snprintf(kit.dir, sizeof kit.dir, "%s/step_000001", kit.root);
    must(r1_arch_from_json(&arch, arch_text, sizeof arch_text - 1, "config.json", &err), &err);
    must(r1_layout_open(&kit.layout, &arch, R1_F32, &err), &err);
    must(r1_ops_open(&kit.ops, R1_F32, "ref", 1, &err), &err);
    size_t n = kit.layout.n_params;
    must(R1_NEW(kit.saved, 3 * n, &err), &err);
    must(R1_NEW(kit.back, 3 * n, &err), &err);
    for (size_t i = 0; i < 3 * n; i++)
        kit.saved[i] = (float)i;
    must(r1_ckpt_begin(kit.root, 1, tmp, sizeof tmp, &err), &err);
    must(r1_ckpt_write_shard(tmp, 0, &kit.layout, 0, kit.layout.n_units, kit.saved, kit.saved + n,
                             kit.saved + 2 * n, &shard, &err),
         &err);
    must(r1_ckpt_finish(kit.root, tmp, &kit.layout, &shard, 1, &numbers, &texts, &err), &err);
    must(r1_file_slurp(path_of("manifest"), 1 << 20, &kit.manifest, &kit.n_manifest, &err), &err);
    must(r1_file_slurp(path_of("checkpoint.h5"), 1 << 24, &kit.head, &kit.n_head, &err), &err);
    must(r1_file_slurp(path_of("shard_0000.h5"), 1 << 24, &kit.shard, &kit.n_shard, &err), &err);
    find_datasets(&err);
    atexit(clean_up);
}

/* One line says what is wrong, or all is as it was saved. */
static void read_back(void) {
    static r1_ckpt c;
    size_t n = kit.layout.n_params;
    r1_err err = {0};
    r1_status st = r1_ckpt_open(&c, kit.dir, &err);

    if (st == R1_OK) {
        st = r1_ckpt_read(&c, &kit.layout, kit.ops, 0, kit.layout.n_units, kit.back, kit.back + n,
                          kit.back + 2 * n, &err);
        r1_ckpt_close(&c);
        if (st == R1_OK)
            R1_ASSERT(memcmp(kit.back, kit.saved, 3 * n * sizeof *kit.saved) == 0);
    }
    if (st != R1_OK && st != R1_IO) /* a manifest may name what is no file */
        fuzz_check_refusal(st, &err);
    R1_ASSERT(st == R1_OK || *err.msg);
}

static void edit_head(const uint8_t *data, size_t n) {
    char *copy = malloc(kit.n_head);

    memcpy(copy, kit.head, kit.n_head);
    for (size_t i = 0; i + 3 <= n; i += 3)
        copy[(size_t)(data[i] | data[i + 1] << 8) % kit.n_head] = (char)data[i + 2];
    put("checkpoint.h5", copy, kit.n_head);
    read_back();
    put("checkpoint.h5", kit.head, kit.n_head);
    free(copy);
}

static void edit_shard(const uint8_t *data, size_t n) {
    char *copy = malloc(kit.n_shard);

    memcpy(copy, kit.shard, kit.n_shard);
    for (size_t i = 0; i + 3 <= n; i += 3) {
        size_t set = data[i] % 6, room = kit.to[set] - kit.from[set];
        copy[kit.from[set] + (size_t)(data[i] / 6 | data[i + 1] << 6) % room] = (char)data[i + 2];
    }
    put("shard_0000.h5", copy, kit.n_shard);
    read_back();
    put("shard_0000.h5", kit.shard, kit.n_shard);
    free(copy);
}

static void replace_manifest(const uint8_t *data, size_t n) {
    char line[64];
    int more =
        snprintf(line, sizeof line, "%016llx manifest\n", (unsigned long long)r1_hash64(data, n));
    char *sealed = malloc(n + (size_t)more);

    if (n)
        memcpy(sealed, data, n);
    memcpy(sealed + n, line, (size_t)more);
    put("manifest", data, n);
    read_back();
    put("manifest", sealed, n + (size_t)more);
    read_back();
    put("manifest", kit.manifest, kit.n_manifest);
    free(sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (!kit.ops)
        save();
    if (n > 0 && data[0] == 'h') {
        edit_head(data + 1, n - 1);
    } else if (n > 0 && data[0] == 's') {
        edit_shard(data + 1, n - 1);
    } else {
        replace_manifest(data, n);
    }
    return 0;
}
