/* common/tokenizer: how families of models cut text, the byte tokenizer, templates, what is refused
 * by name, and that no list or text takes quadratic time.  Ids against Hugging Face's are in
 * tests/golden. */
#include "tests/unit/unit.h"

#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/tokenizer/added.h"
#include "common/tokenizer/pretokenize.h"
#include "common/tokenizer/template.h"
#include "common/tokenizer/utf8.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define N(a) (sizeof(a) / sizeof *(a))

static double seconds(void) {
    return (double)clock() / CLOCKS_PER_SEC;
}

/* ---- cuts ---- */

static r1_status keep_piece(void *ctx, const char *piece, size_t n, r1_err *err) {
    return r1_buf_addf(ctx, err, "[%.*s]", (int)n, piece);
}

static r1_pretok *named(const char *name) {
    r1_pretok *p = NULL;
    int nfc, ignore_merges;
    json_t *pre = NULL;
    r1_err err;

    ASSERT_OK(r1_pretok_named(name, &pre, &nfc, &ignore_merges, &err), &err);
    ASSERT_OK(r1_pretok_new(&p, pre, &err), &err);
    json_decref(pre);
    return p;
}

/* Every name of a GGUF becomes expressions that compile and are read again. */
static void families_cut_as_published(void **state) {
    static const char *const cases[][3] = {
        {"gpt-2", "it's 123  a!", "[it]['s][ 123][ ][ a][!]"},
        {"smollm", "a 123", "[a][ ][1][2][3]"},
        {"qwen2", "I'LL 123\n\n x", "[I]['LL][ ][1][2][3][\n\n][ x]"},
        {"deepseek-r1-qwen", "12", "[1][2]"},
        {"llama-bpe", "I'LL 12345\n\n x", "[I]['LL][ ][123][45][\n\n][ x]"},
        {"llama3", "$x1234.5", "[$x][123][4][.][5]"},
        {"deepseek-v3", "a1234日本x \"if", "[a][123][4][日本][x][ \"][if]"},
        {"deepseek-v3", "x.foo\n  y", "[x][.foo][\n][ ][ y]"},
        {"deepseek-llm", "the x,12  \nb", "[the][ x][,][1][2][  ][\n][b]"},
        {"deepseek-llm", "b \xe1\xbd\xbd\xe2\x84\xa6 ՠ", "[b][ ][\xe1\xbd\xbd\xe2\x84\xa6][ ՠ]"},
        {"deepseek-coder", "ab, c 12漢字", "[ab][,][ c][ ][1][2][漢字]"},
    };

    for (size_t i = 0; i < N(cases); i++) {
        r1_pretok *p = named(cases[i][0]);
        r1_buf out;
        r1_err err;
        r1_buf_init(&out, 1 << 16);
        ASSERT_OK(r1_pretok_run(p, cases[i][1], strlen(cases[i][1]), keep_piece, &out, &err), &err);
        if (strcmp(out.data, cases[i][2]) != 0)
            fail_msg("%s: %s, not %s", cases[i][0], out.data, cases[i][2]);
        r1_buf_done(&out);
        r1_pretok_free(p);
    }
    r1_err err;
    json_t *pre;
    int a, b;
    ASSERT_FAILS(r1_pretok_named("mpt-9", &pre, &a, &b, &err), R1_DATA, &err, "mpt-9");
}

static r1_status drop_piece(void *ctx, const char *piece, size_t n, r1_err *err) {
    *(size_t *)ctx += n;
    return R1_OK;
}

/* A megabyte of one thing takes linear time in every family. */
static void long_runs_are_cut_in_linear_time(void **state) {
    static const char *const names[] = {"gpt-2",       "smollm",       "qwen2",         "llama3",
                                        "deepseek-v3", "deepseek-llm", "deepseek-coder"};
    static const char runs[] = " a1.\n";
    size_t n = 1 << 20;
    char *text = malloc(n);
    double t0 = seconds();

    for (size_t k = 0; k < N(names); k++) {
        r1_pretok *p = named(names[k]);
        for (const char *c = runs; *c; c++) {
            size_t total = 0;
            r1_err err;
            memset(text, *c, n);
            ASSERT_OK(r1_pretok_run(p, text, n, drop_piece, &total, &err), &err);
            assert_int_equal(total, n);
        }
        r1_pretok_free(p);
    }
    assert_true(seconds() - t0 < 30); /* measured: 2 s; a quadratic one takes hours */
    free(text);
}

/* ---- the byte tokenizer ---- */

static r1_tokenizer *bytes(const char *const *added, int n) {
    r1_tokenizer *t = NULL;
    r1_err err;

    ASSERT_OK(r1_tokenizer_new_bytes(&t, added, n, &err), &err);
    return t;
}

static void assert_decoded(const r1_tokenizer *t, const r1_ids *ids, int skip, const char *want) {
    r1_buf text;
    r1_err err;

    r1_buf_init(&text, 1 << 20);
    ASSERT_OK(r1_tokenizer_decode(t, ids->ids, ids->n, skip, &text, &err), &err);
    assert_string_equal(text.data ? text.data : "", want);
    r1_buf_done(&text);
}

static void bytes_are_their_own_ids(void **state) {
    static const char *const added[] = {"<think>", "</think>"};
    static const char text[] = "a<think>\xff\xc3";
    static const int32_t want[] = {'a', 257, 0xff, 0xc3};
    r1_tokenizer *t = bytes(added, 2), *again;
    r1_tokenizer_file files[R1_TOKENIZER_FILES_MAX];
    char dir[] = "/tmp/r1-test-tok-XXXXXX", path[64];
    r1_ids ids = {0};
    int32_t eos[4];
    r1_err err;

    assert_int_equal(r1_tokenizer_vocab_size(t), 259);
    assert_int_equal(r1_tokenizer_eos(t, eos, 4), 1);
    assert_int_equal(eos[0], 256);
    assert_int_equal(r1_tokenizer_prefix(t), -1);
    assert_int_equal(r1_tokenizer_id(t, "</think>"), 258);
    assert_int_equal(r1_tokenizer_id(t, "<thin"), -1);
    ASSERT_OK(r1_tokenizer_encode(t, text, sizeof text - 1, 1, &ids, &err), &err);
    assert_int_equal(ids.n, N(want));
    assert_memory_equal(ids.ids, want, sizeof want);
    ids.n = 0;
    ASSERT_OK(r1_tokenizer_encode(t, "<think>", 7, 0, &ids, &err), &err);
    assert_int_equal(ids.n, 7); /* plain text whatever it looks like */
    assert_decoded(t, &ids, 1, "<think>");

    int n = r1_tokenizer_files(t, files); /* through its files, and through a folder */
    ASSERT_OK(r1_tokenizer_open_files(&again, files, n, "here", &err), &err);
    assert_int_equal(r1_tokenizer_id(again, "</think>"), 258);
    r1_tokenizer_free(again);
    assert_non_null(mkdtemp(dir));
    ASSERT_OK(r1_tokenizer_save(t, dir, &err), &err);
    ASSERT_OK(r1_tokenizer_open(&again, dir, &err), &err);
    assert_int_equal(r1_tokenizer_vocab_size(again), 259);
    r1_tokenizer_free(again);
    snprintf(path, sizeof path, "%s/tokenizer_bytes.json", dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
    r1_ids_done(&ids);
    r1_tokenizer_free(t);
}

static void bad_added_tokens_are_named(void **state) {
    static const char *const twice[] = {"<a>", "<b>", "<a>"}, *const empty[] = {"<a>", ""};
    r1_tokenizer *t;
    r1_err err;

    ASSERT_FAILS(r1_tokenizer_new_bytes(&t, twice, 3, &err), R1_USAGE, &err,
                 "'<a>' is there twice");
    ASSERT_FAILS(r1_tokenizer_new_bytes(&t, empty, 2, &err), R1_USAGE, &err, "token 1 is empty");
}

/* Two hundred thousand added tokens, in the byte tokenizer and as added_tokens_decoder. */
static void many_added_tokens_take_linear_time(void **state) {
    int n = 200000;
    char *texts = malloc((size_t)n * 16);
    const char **added = malloc((size_t)n * sizeof *added);
    double t0 = seconds();

    for (int i = 0; i < n; i++) {
        snprintf(texts + i * 16, 16, "<t%d>", i);
        added[i] = texts + i * 16;
    }
    r1_tokenizer *t = bytes(added, n);
    assert_true(seconds() - t0 < 10); /* measured: 0.2 s; asking for each in turn takes 100 s */
    r1_tokenizer_free(t);
    free(texts);
    free(added);
}

static r1_status count_span(void *ctx, size_t at, size_t end, int32_t id, r1_err *err) {
    *(size_t *)ctx += 1;
    return R1_OK;
}

/* A token of white space that takes more white space along, in a run of it. */
static void blanks_that_strip_blanks_take_linear_time(void **state) {
    size_t n = 4 << 20, spans = 0;
    char blank[] = "  ", *text = malloc(n);
    r1_added a = {0};
    r1_added_token token = {.text = blank, .n = 2, .id = 1, .rstrip = 1, .lstrip = 1};
    double t0 = seconds();
    r1_err err;

    memset(text, ' ', n);
    ASSERT_OK(r1_added_add(&a, &token, &err), &err);
    r1_added_sort(&a);
    ASSERT_OK(r1_added_split(&a, text, n, NULL, 0, count_span, &spans, &err), &err);
    assert_int_equal(spans, n / 2);
    assert_true(seconds() - t0 < 10); /* measured: 0.1 s */
    r1_added_done(&a);
    free(text);
}

/* ---- templates ---- */

static void assert_rendered(const r1_tokenizer *t, const char *kind, const char *system,
                            const char *prompt, int injected, const char *want) {
    r1_ids ids = {0};
    int n = -1;
    r1_err err;

    ASSERT_OK(r1_template_encode(t, kind, system, prompt, &ids, &n, &err), &err);
    assert_decoded(t, &ids, 0, want);
    assert_int_equal(n, injected);
    r1_ids_done(&ids);
}

static void templates_render_as_published(void **state) {
    static const char *const added[] = {"<|im_start|>", "<|im_end|>", "<|eot_id|>"};
    r1_tokenizer *t = bytes(added, 3);
    r1_ids ids = {0};
    r1_err err;

    assert_string_equal(r1_template_of(t), "plain");
    assert_rendered(t, "plain", NULL, "2+3", 0, "2+3");
    assert_rendered(t, "chatml", NULL, "2+3", 0,
                    "<|im_start|>user\n2+3<|im_end|>\n<|im_start|>assistant\n");
    assert_rendered(t, "chatml", "Be brief.", "2+3", 0,
                    "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n2+3<|im_end|>\n"
                    "<|im_start|>assistant\n");
    assert_rendered(t, "llama3", "S", " 2+3\n", 0,
                    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|>"
                    "<|start_header_id|>user<|end_header_id|>\n\n2+3<|eot_id|>"
                    "<|start_header_id|>assistant<|end_header_id|>\n\n");
    assert_rendered(t, "deepseek", "S", "2+3", 0,
                    "<｜begin▁of▁sentence｜>S<｜User｜>2+3<｜Assistant｜>");
    assert_rendered(t, "Q: {prompt} ({system}) A:", "s", "2+3", 0, "Q: 2+3 (s) A:");
    ASSERT_OK(r1_template_encode(t, "r1_zero", NULL, "2+3", &ids, NULL, &err), &err);
    assert_true(ids.n > 400 && ids.ids[0] == 'A');
    ids.n = 0;
    /* The template's own marks are tokens; the same text in a question is text. */
    ASSERT_OK(r1_template_encode(t, "chatml", NULL, "<|im_end|>", &ids, NULL, &err), &err);
    int marks = 0;
    for (size_t i = 0; i < ids.n; i++)
        marks += ids.ids[i] >= 257;
    assert_int_equal(marks, 3);
    r1_ids_done(&ids);
    ASSERT_FAILS(r1_template_check("alpaca", &err), R1_USAGE, &err, "alpaca");
    r1_tokenizer_free(t);
}

/* What stands in a chat that is over, and with how many marks of its own. */
static void assert_answered(const r1_tokenizer *t, const char *kind, const char *answer, int marks,
                            const char *want) {
    r1_ids ids = {0};
    int n = 0;
    r1_err err;

    ASSERT_OK(r1_template_encode_answered(t, kind, NULL, "2+3", answer, &ids, &err), &err);
    assert_decoded(t, &ids, 0, want);
    for (size_t i = 0; i < ids.n; i++)
        n += ids.ids[i] >= 257;
    assert_int_equal(n, marks);
    r1_ids_done(&ids);
}

static void answers_stand_behind_prompts(void **state) {
    static const char *const added[] = {"<|im_start|>", "<|im_end|>", "<|eot_id|>"};
    r1_tokenizer *t = bytes(added, 3);

    assert_answered(t, "plain", " 5\n", 0, "2+3 5\n");
    assert_answered(t, "plain", "<|im_end|>", 0, "2+3<|im_end|>");
    assert_answered(t, "chatml", "5", 4,
                    "<|im_start|>user\n2+3<|im_end|>\n<|im_start|>assistant\n5<|im_end|>\n");
    assert_answered(t, "chatml", "<|im_end|>\n<|im_start|>user", 4,
                    "<|im_start|>user\n2+3<|im_end|>\n<|im_start|>assistant\n<|im_end|>\n"
                    "<|im_start|>user<|im_end|>\n");
    assert_answered(t, "llama3", " 5\n", 2,
                    "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n2+3<|eot_id|>"
                    "<|start_header_id|>assistant<|end_header_id|>\n\n5<|eot_id|>");
    assert_answered(t, "deepseek", "5", 0,
                    "<｜begin▁of▁sentence｜><｜User｜>2+3<｜Assistant｜>5<｜end▁of▁sentence｜>");
    assert_answered(t, "Q: {prompt} A:", "{prompt}", 0, "Q: 2+3 A:{prompt}");
    r1_tokenizer_free(t);
}

/* ---- streams ---- */

static void unfinished_characters_wait(void **state) {
    static const struct {
        const char *s;
        size_t n, complete;
    } cases[] = {
        {"", 0, 0},
        {"ab", 2, 2},
        {"a\xc3", 2, 1},
        {"a\xc3\xa9", 3, 3},
        {"\xe6\x97", 2, 0},
        {"\xe6\x97\xa5", 3, 3},
        {"\xf0\x9f\x99", 3, 0},
        {"\xf0\x9f\x99\x82", 4, 4},
        {"a\xff", 2, 2},
        {"\xe6"
         "a",
         2, 2},
        {"\xc0", 1, 1},
    };

    for (size_t i = 0; i < N(cases); i++)
        assert_int_equal(r1_utf8_complete(cases[i].s, cases[i].n), cases[i].complete);
}

/* ---- tokenizer.json ---- */

static r1_status open_json(json_t *root, r1_tokenizer **ret, r1_err *err) {
    char *text = json_dumps(root, 0);
    r1_tokenizer_file file = {.name = "tokenizer.json", .data = text, .n = strlen(text)};
    r1_status st = r1_tokenizer_open_files(ret, &file, 1, "here", err);

    free(text);
    return st;
}

static json_t *base_json(void) {
    const char *source = getenv("R1_SOURCE");
    char path[R1_PATH_MAX];

    snprintf(path, sizeof path, "%.900s/tests/golden/tokenizer/llama3.json", source ? source : ".");
    json_t *root = json_load_file(path, JSON_ALLOW_NUL, NULL);
    assert_non_null(root);
    return root;
}

/* One part of a good file replaced; in model where the key says so. */
static void unknown_parts_are_refused_by_name(void **state) {
    static const char *const cases[][3] = {
        {"normalizer", "{\"type\": \"NFKC\"}", "NFKC"},
        {"normalizer", "{\"type\": \"Lowercase\"}", "Lowercase"},
        {"decoder", "{\"type\": \"WordPiece\"}", "WordPiece"},
        {"post_processor", "{\"type\": \"BertProcessing\"}", "BertProcessing"},
        {"post_processor",
         "{\"type\": \"TemplateProcessing\", \"single\": [{\"Sequence\": {\"id\": \"A\"}}, "
         "{\"SpecialToken\": {\"id\": \"<|end|>\"}}], \"special_tokens\": {}}",
         "one special token"},
        {"post_processor",
         "{\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": "
         "\"<|end|>\"}},"
         "{\"SpecialToken\": {\"id\": \"<|end|>\"}}, {\"Sequence\": {\"id\": \"A\"}}], "
         "\"special_tokens\": {}}",
         "one special token"},
        {"pre_tokenizer", "{\"type\": \"Whitespace\"}", "Whitespace"},
        {"pre_tokenizer",
         "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Split\", \"pattern\": "
         "{\"Regex\": "
         "\"[a-z]+\"}, \"behavior\": \"Isolated\", \"invert\": false}, {\"type\": \"ByteLevel\"}]}",
         "[a-z]+"},
        {"pre_tokenizer",
         "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"ByteLevel\"}, {\"type\": "
         "\"Digits\"}]}",
         "ByteLevel has to be the last"},
        {"pre_tokenizer", "{\"type\": \"Sequence\", \"pretokenizers\": []}", "empty Sequence"},
        {"added_tokens",
         "[{\"id\": 1, \"content\": \"<|end|>\"}, {\"id\": 2, \"content\": "
         "\"<|end|>\"}]",
         "<|end|>"},
        {"added_tokens", "{}", "added_tokens is not a list"},
        {"model.type", "\"Unigram\"", "Unigram"},
        {"model.dropout", "0.1", "dropout"},
        {"model.byte_fallback", "true", "byte_fallback"},
        {"model.continuing_subword_prefix", "\"##\"", "continuing_subword_prefix"},
        {"model.merges", "[\"a\"]", "model.merges: entry 0"},
        {"model.merges", "7", "model.merges"},
        {"model.vocab", "[]", "model.vocab"},
        {"model.vocab", "{\"a\": -1}", "'a'"},
        {"model", "null", "model"},
    };

    for (size_t i = 0; i < N(cases); i++) {
        json_t *root = base_json(), *model = json_object_get(root, "model");
        json_t *value = json_loads(cases[i][1], JSON_DECODE_ANY, NULL);
        const char *key = cases[i][0];
        r1_tokenizer *t;
        r1_err err;
        assert_non_null(value);
        if (strncmp(key, "model.", 6) == 0)
            json_object_set_new(model, key + 6, value);
        else
            json_object_set_new(root, key, value);
        ASSERT_FAILS(open_json(root, &t, &err), R1_DATA, &err, cases[i][2]);
        json_decref(root);
    }
    json_t *root = base_json();
    char *text = malloc(1101);
    memset(text, 'a', 1100);
    text[1100] = '\0';
    json_array_append_new(json_object_get(root, "added_tokens"),
                          json_pack("{s:i, s:s}", "id", 1, "content", text));
    r1_tokenizer *t;
    r1_err err;
    ASSERT_FAILS(open_json(root, &t, &err), R1_DATA, &err, "longer than");
    free(text);
    json_decref(root);
}

/* "<bos> A" puts the token in front of every text. */
static void a_template_of_one_token_is_the_prefix(void **state) {
    json_t *root = base_json();
    r1_tokenizer *t;
    r1_err err;

    json_object_set_new(
        root, "post_processor",
        json_loads("{\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": "
                   "\"<|end|>\"}}, {\"Sequence\": {\"id\": \"A\"}}], \"special_tokens\": "
                   "{\"<|end|>\": {\"ids\": [420]}}}",
                   0, NULL));
    ASSERT_OK(open_json(root, &t, &err), &err);
    assert_int_equal(r1_tokenizer_prefix(t), 420);
    r1_tokenizer_free(t);
    json_decref(root);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_cut_as_published),
        cmocka_unit_test(long_runs_are_cut_in_linear_time),
        cmocka_unit_test(bytes_are_their_own_ids),
        cmocka_unit_test(bad_added_tokens_are_named),
        cmocka_unit_test(many_added_tokens_take_linear_time),
        cmocka_unit_test(blanks_that_strip_blanks_take_linear_time),
        cmocka_unit_test(templates_render_as_published),
        cmocka_unit_test(answers_stand_behind_prompts),
        cmocka_unit_test(unfinished_characters_wait),
        cmocka_unit_test(unknown_parts_are_refused_by_name),
        cmocka_unit_test(a_template_of_one_token_is_the_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
