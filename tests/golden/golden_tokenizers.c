/* Ids and texts of tokenizers against Hugging Face's: the committed ones (make_tokenizer.py), or, with
 * the argument `shared`, those of $R1_SHARED and the vocabulary of the GGUF file in $R1_MODELS, each
 * where its variable is set. */
#include "common/tokenizer/tokenizer.h"
#include "common/tokenizer/utf8.h"
#include "tests/golden/golden.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static char paths[2][1200]; /* tokenizer, rows */
static int least = 200;     /* rows that there have to be */

static void check_row(const r1_tokenizer *t, const json_t *row, const char *where, int line) {
    const json_t *text = json_object_get(row, "text"), *want = json_object_get(row, "ids");
    const json_t *decoded = json_object_get(row, "decoded");
    r1_ids ids = {0};
    r1_buf out, clean;
    r1_err err;

    r1_buf_init(&out, (size_t)1 << 26);
    r1_buf_init(&clean, (size_t)1 << 26);
    ASSERT_OK(
        r1_tokenizer_encode(t, json_string_value(text), json_string_length(text), 1, &ids, &err),
        &err);
    int same = ids.n == json_array_size(want);
    for (size_t i = 0; same && i < ids.n; i++)
        same = json_integer_value(json_array_get(want, i)) == ids.ids[i];
    if (!same)
        fail_msg("%s:%d: other ids", where, line);
    ASSERT_OK(r1_tokenizer_decode(t, ids.ids, ids.n, 0, &out, &err), &err);
    ASSERT_OK(r1_utf8_replace(out.data ? out.data : "", out.len, &clean, &err), &err);
    if (decoded && (clean.len != json_string_length(decoded) ||
                    (clean.len && memcmp(clean.data, json_string_value(decoded), clean.len) != 0)))
        fail_msg("%s:%d: decoded to another text", where, line);
    r1_ids_done(&ids);
    r1_buf_done(&out);
    r1_buf_done(&clean);
}

static void all_rows(void **state) {
    FILE *f = fopen(paths[1], "r");
    char *line = NULL;
    size_t cap = 0;
    int n = 0;
    r1_tokenizer *t;
    r1_err err;

    if (!f)
        fail_msg("no file %s", paths[1]);
    ASSERT_OK(r1_tokenizer_open(&t, paths[0], &err), &err);
    while (getline(&line, &cap, f) > 0) {
        json_t *row = json_loads(line, JSON_ALLOW_NUL, NULL);
        assert_non_null(row);
        check_row(t, row, paths[1], ++n);
        json_decref(row);
    }
    print_message("  %d rows of %s\n", n, paths[1]);
    assert_true(n >= least);
    free(line);
    fclose(f);
    r1_tokenizer_free(t);
}

/* One tokenizer: 1 if its test failed, 0 if not; *ran counts those whose variables are set. */
static int check(const char *root, const char *tokenizer, const char *rows_root, const char *rows,
                 int *ran) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_rows)};
    const char *path = golden_path(root, tokenizer);

    if (!path) {
        print_message("  %s is not set: no %s\n", root, tokenizer);
        return 0;
    }
    snprintf(paths[0], sizeof paths[0], "%s", path);
    if (!(path = golden_path(rows_root, rows)))
        return 0;
    snprintf(paths[1], sizeof paths[1], "%s", path);
    ++*ran;
    return cmocka_run_group_tests_name(tokenizer, tests, NULL, NULL) != 0;
}

static int check_committed(void) {
    static const char *const names[] = {"llama3",      "smollm",       "gpt2_prefix",
                                        "deepseek_v3", "deepseek_llm", "deepseek_coder",
                                        "flags"};
    char files[2][80];
    int ran = 0, failed = check("R1_SOURCE", "tests/golden/tokenizer/tokenizer.json", "R1_SOURCE",
                                "tests/golden/tokenizer/cases.jsonl", &ran);

    least = 100;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(files[0], sizeof files[0], "tests/golden/tokenizer/%s.json", names[i]);
        snprintf(files[1], sizeof files[1], "tests/golden/tokenizer/%s.jsonl", names[i]);
        failed += check("R1_SOURCE", files[0], "R1_SOURCE", files[1], &ran);
    }
    return ran == 8 ? failed : 99;
}

/* Qwen2.5's tokenizer.json is compressed there. */
static int check_qwen(int *ran) {
    const char *gz = golden_path("R1_SHARED", "data/tokenizers/qwen2_5/tokenizer.json.gz");
    char dir[] = "/tmp/r1_tokenizers_XXXXXX", command[2600];
    int failed = 1;

    if (!gz)
        return 0;
    if (!mkdtemp(dir))
        return 1;
    snprintf(command, sizeof command, "gzip -dc '%s' > '%s/tokenizer.json'", gz, dir);
    if (system(command) == 0) {
        setenv("R1_UNPACKED", dir, 1);
        failed = check("R1_UNPACKED", "tokenizer.json", "R1_SHARED",
                       "golden/tokenizers/qwen2_5.jsonl", ran);
    }
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command) == 0 ? failed : 1;
}

int main(int argc, char **argv) {
    int ran = 0, failed;

    if (argc == 1)
        return check_committed();
    failed = check("R1_SHARED", "golden/gguf/tokenizer.json", "R1_SHARED",
                   "golden/tokenizers/tiny_gpt2.jsonl", &ran);
    failed += check("R1_SHARED", "golden/gguf/llama_gqa_tied.gguf", "R1_SHARED",
                    "golden/tokenizers/tiny_gpt2.jsonl", &ran);
    failed += check("R1_MODELS", "SmolLM2-135M-Instruct.Q4_1.gguf", "R1_SHARED",
                    "golden/tokenizers/smollm2.jsonl", &ran);
    failed += check_qwen(&ran);
    return failed ? 1 : ran ? 0 : GOLDEN_SKIPPED;
}
