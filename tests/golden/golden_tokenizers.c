/* Texts, ids and decoded texts as Hugging Face's tokenizers gives them.  Without arguments: the
 * committed tokenizer; `shared`: three real ones of $R1_SHARED and the vocabulary of the GGUF file in
 * $R1_MODELS. */
#include "common/tokenizer/tokenizer.h"
#include "common/tokenizer/utf8.h"
#include "tests/golden/golden.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static char cases[4][2][1200]; /* tokenizer, rows */
static int n_cases;

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
    for (int c = 0; c < n_cases; c++) {
        FILE *f = fopen(cases[c][1], "r");
        char *line = NULL;
        size_t cap = 0;
        int n = 0;
        r1_tokenizer *t;
        r1_err err;

        assert_non_null(f);
        ASSERT_OK(r1_tokenizer_open(&t, cases[c][0], &err), &err);
        while (getline(&line, &cap, f) > 0) {
            json_t *row = json_loads(line, JSON_ALLOW_NUL, NULL);
            assert_non_null(row);
            check_row(t, row, cases[c][1], ++n);
            json_decref(row);
        }
        assert_true(n >= 200);
        print_message("  %d rows of %s\n", n, cases[c][1]);
        free(line);
        fclose(f);
        r1_tokenizer_free(t);
    }
}

static int add(const char *root, const char *tokenizer, const char *rows_root, const char *rows) {
    const char *path = golden_path(root, tokenizer);

    if (!path)
        return 0;
    snprintf(cases[n_cases][0], sizeof cases[0][0], "%s", path);
    if (!(path = golden_path(rows_root, rows)))
        return 0;
    snprintf(cases[n_cases++][1], sizeof cases[0][1], "%s", path);
    return 1;
}

/* Qwen2.5's tokenizer.json is compressed there. */
static int add_qwen(char *dir) {
    const char *gz = golden_path("R1_SHARED", "data/tokenizers/qwen2_5/tokenizer.json.gz");
    char command[2600];

    if (!gz || !mkdtemp(dir))
        return 0;
    snprintf(command, sizeof command, "gzip -dc '%s' > '%s/tokenizer.json'", gz, dir);
    const char *rows = golden_path("R1_SHARED", "golden/tokenizers/qwen2_5.jsonl");
    if (!rows || system(command) != 0)
        return 0;
    snprintf(cases[n_cases][0], sizeof cases[0][0], "%s/tokenizer.json", dir);
    snprintf(cases[n_cases++][1], sizeof cases[0][1], "%s", rows);
    return 1;
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_rows)};
    char dir[] = "/tmp/r1_tokenizers_XXXXXX", command[64];

    if (argc == 1) {
        if (!add("R1_SOURCE", "tests/golden/tokenizer/tokenizer.json", "R1_SOURCE",
                 "tests/golden/tokenizer/cases.jsonl"))
            return 99;
        return cmocka_run_group_tests(tests, NULL, NULL);
    }
    if (!add("R1_SHARED", "golden/gguf/tokenizer.json", "R1_SHARED",
             "golden/tokenizers/tiny_gpt2.jsonl") ||
        !add("R1_SHARED", "golden/gguf/llama_gqa_tied.gguf", "R1_SHARED",
             "golden/tokenizers/tiny_gpt2.jsonl") ||
        !add("R1_MODELS", "SmolLM2-135M-Instruct.Q4_1.gguf", "R1_SHARED",
             "golden/tokenizers/smollm2.jsonl") ||
        !add_qwen(dir))
        return GOLDEN_SKIPPED;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command) == 0 ? failed : 1;
}
