/* A reward model against transformers in float64 (make_score.py): the ids of chats and their scores,
 * alone and together. */
#include "tests/unit/unit.h"

#include "actor/scorer.h"
#include "common/base/file.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHATS_MAX 32

static char root[R1_PATH_MAX / 2];
static json_t *rows; /* of score.jsonl */

static const char *below(const char *leaf) {
    static char path[2][R1_PATH_MAX];
    static int turn;

    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/tests/golden/%s", root, leaf);
    return path[turn];
}

static int setup(void **state) {
    r1_err err;
    char *text;
    size_t len;

    snprintf(root, sizeof root, "%s", getenv("R1_SOURCE"));
    ASSERT_OK(r1_file_slurp(below("score.jsonl"), 1 << 20, &text, &len, &err), &err);
    rows = json_array();
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
        assert_int_equal(
            json_array_append_new(rows, json_loadb(line, (size_t)(end - line), 0, NULL)), 0);
    r1_free(text);
    return 0;
}

static int teardown(void **state) {
    json_decref(rows);
    return 0;
}

static r1_scorer *open_scorer(const char *chat_template, r1_dtype dtype, int max_sequences) {
    const char *model = below("models/qwen2_score");
    const r1_scorer_options o = {.policy = {.model = model,
                                            .tokenizer = below("tokenizer/tokenizer.json"),
                                            .chat_template = chat_template,
                                            .dtype = dtype,
                                            .threads = 1},
                                 .max_sequences = max_sequences};
    r1_scorer *s = NULL;
    r1_err err;

    ASSERT_OK(r1_scorer_open(&s, &o, &err), &err);
    return s;
}

static const char *text_of(const json_t *row, const char *key) {
    return json_string_value(json_object_get(row, key));
}

/* The chats of one template: ids as Hugging Face's, scores within `bound`; returns how many. */
static int check(const char *chat_template, r1_dtype dtype, double bound) {
    r1_scorer *all = open_scorer(chat_template, dtype, CHATS_MAX);
    r1_scorer *two = open_scorer(chat_template, dtype, 2);
    r1_ids ids[CHATS_MAX] = {0};
    double want[CHATS_MAX], worst = 0;
    float have[CHATS_MAX], again[CHATS_MAX];
    int n = 0;
    r1_err err;

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i), *list = json_object_get(row, "ids");
        if (strcmp(text_of(row, "template"), chat_template) != 0)
            continue;
        ASSERT_OK(r1_scorer_encode(all, text_of(row, "prompt"), text_of(row, "completion"), &ids[n],
                                   &err),
                  &err);
        assert_int_equal(ids[n].n, json_array_size(list));
        for (size_t k = 0; k < ids[n].n; k++)
            assert_int_equal(ids[n].ids[k], json_integer_value(json_array_get(list, k)));
        want[n++] = json_number_value(json_object_get(row, "score"));
    }
    r1_scorer_run(all, ids, n, have);
    r1_scorer_run(two, ids, n, again);
    assert_memory_equal(have, again, (size_t)n * sizeof *have);
    for (int i = n - 1; i >= 0; i--) { /* alone, and with blocks that others have used */
        r1_scorer_run(all, &ids[i], 1, again);
        assert_memory_equal(&have[i], again, sizeof *have);
        worst = fmax(worst, fabs((double)have[i] - want[i]));
        r1_ids_done(&ids[i]);
    }
    print_message("  %s: off by %.2e (allowed %.0e)\n", chat_template, worst, bound);
    assert_true(worst <= bound);
    r1_scorer_close(two);
    r1_scorer_close(all);
    return n;
}

/* Scores reach from -2.1 to 2.8; measured: 1.9e-6 in fp32, 1.8e-2 in bf16 (AMX). */
static void scores_are_those_of_transformers(void **state) {
    assert_int_equal(check("plain", R1_F32, 1e-5), 7);
    assert_int_equal(check("chatml", R1_F32, 1e-5), 5);
    assert_int_equal(check("plain", R1_BF16, 0.06), 7);
    assert_int_equal(check("chatml", R1_BF16, 0.06), 5);
}

static void what_does_not_fit_is_refused(void **state) {
    r1_scorer *s = open_scorer("plain", R1_F32, 2);
    char *text = calloc(1, 5001);
    r1_ids ids = {0};
    r1_err err;

    for (int i = 0; i < 5000; i++)
        text[i] = "ab cd,"[i % 6];
    ASSERT_FAILS(r1_scorer_encode(s, "Why?", text, &ids, &err), R1_DATA, &err,
                 "the reward model has 1024 positions");
    ASSERT_FAILS(r1_scorer_encode(s, "", "", &ids, &err), R1_DATA, &err, "no tokens");
    ASSERT_OK(r1_scorer_encode(s, "", "a", &ids, &err), &err);
    r1_ids_done(&ids);
    free(text);
    r1_scorer_close(s);
}

static void each_kind_of_model_knows_its_place(void **state) {
    r1_arch a;
    r1_err err;

    ASSERT_FAILS(r1_arch_open(&a, below("models/qwen2_score"), &err), R1_DATA, &err,
                 "is a reward model (Qwen2ForSequenceClassification)");
    ASSERT_FAILS(r1_arch_open_reward_model(&a, below("models/qwen2"), &err), R1_DATA, &err,
                 "is no reward model (Qwen2ForSequenceClassification)");
    ASSERT_OK(r1_arch_open_reward_model(&a, below("models/qwen2_score"), &err), &err);
    assert_true(a.scores && a.kind == R1_ARCH_QWEN2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_those_of_transformers),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(each_kind_of_model_knows_its_place),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
