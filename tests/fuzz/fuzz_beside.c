/* The small files beside a model's large ones, of any bytes: refused in one line, or what they say
 * makes sense.  The first byte says which: 'c' tokenizer_config.json and 'g' generation_config.json
 * beside a good tokenizer.json, 'b' tokenizer_bytes.json, 'i' the index of sharded safetensors beside
 * a good shard; the rest is the file. */
#include "tests/fuzz/fuzz.h"

#include "common/base/file.h"
#include "common/formats/tensors.h"
#include "common/tokenizer/tokenizer.h"
#include "tests/fuzz/file.h"

#include <stdlib.h>

static const char tokenizer_json[] =
    "{\"added_tokens\": [{\"id\": 4, \"content\": \"<|end|>\", \"special\": true}],"
    " \"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": false},"
    " \"decoder\": {\"type\": \"ByteLevel\"},"
    " \"model\": {\"type\": \"BPE\", \"unk_token\": \"?\","
    " \"vocab\": {\"?\": 0, \"a\": 1, \"b\": 2, \"ab\": 3}, \"merges\": [\"a b\"]}}";
static const char shard_header[] =
    "{\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 8]}}    ";

static void open_tokenizer(const r1_tokenizer_file *files, int n_files) {
    int32_t eos[R1_EOS_MAX];
    r1_err err = {0};
    r1_tokenizer *t;
    r1_status st = r1_tokenizer_open_files(&t, files, n_files, "here", &err);

    if (st != R1_OK) {
        fuzz_check_refusal(st, &err);
        return;
    }
    int vocab = r1_tokenizer_vocab_size(t), n = r1_tokenizer_eos(t, eos, R1_EOS_MAX);
    R1_ASSERT(vocab > 0 && n >= 0 && n <= R1_EOS_MAX);
    R1_ASSERT(r1_tokenizer_prefix(t) >= -1 && r1_tokenizer_prefix(t) < vocab);
    r1_tokenizer_free(t);
}

static char dir[64];

static void put(const char *name, const void *data, size_t n) {
    char path[128];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    R1_ASSERT(f && fwrite(data, 1, n, f) == n && fclose(f) == 0);
}

static void clean_up(void) {
    R1_ASSERT(r1_dir_remove(dir, NULL) == R1_OK);
}

static void make_shard(void) {
    uint8_t file[8 + sizeof shard_header - 1 + 8] = {sizeof shard_header - 1};

    snprintf(dir, sizeof dir, "/tmp/r1-fuzz-beside-XXXXXX");
    R1_ASSERT(mkdtemp(dir) != NULL);
    atexit(clean_up);
    memcpy(file + 8, shard_header, sizeof shard_header - 1);
    put("shard.safetensors", file, sizeof file);
}

static void open_index(const uint8_t *data, size_t n) {
    r1_err err = {0};
    r1_tensors *t;

    if (!*dir)
        make_shard();
    put("model.safetensors.index.json", data, n);
    r1_status st = r1_tensors_open(&t, dir, &err);
    if (st != R1_OK) {
        if (st != R1_IO) /* it may name what is no file */
            fuzz_check_refusal(st, &err);
        R1_ASSERT(*err.msg);
        return;
    }
    R1_ASSERT(r1_tensors_count(t) <= 1); /* of an index that names no file, none */
    r1_tensors_close(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    r1_tokenizer_file files[2] = {
        {.name = "tokenizer.json", .data = tokenizer_json, .n = sizeof tokenizer_json - 1},
        {.data = (const char *)data + 1, .n = n - 1}};

    if (n == 0)
        return 0;
    switch (data[0]) {
    case 'c':
        files[1].name = "tokenizer_config.json";
        open_tokenizer(files, 2);
        break;
    case 'g':
        files[1].name = "generation_config.json";
        open_tokenizer(files, 2);
        break;
    case 'b':
        files[1].name = "tokenizer_bytes.json";
        open_tokenizer(files + 1, 1);
        break;
    case 'i':
        open_index(data + 1, n - 1);
        break;
    }
    return 0;
}
