/* Rewards against labelled rows: the committed ones (make_rewards.py, make_shaping.py), or, with the
 * argument `shared`, Countdown cases and solutions, shaping functions as other trainers' tests have
 * them, and all of GSM8K's training answers. */
#include "tests/golden/golden.h"

#include "common/base/file.h"
#include "common/base/mem.h"
#include "reward/grade.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[R1_PATH_MAX];

/* A row becomes what is graded and the verdict that it must get. */
typedef json_t *prepare_fn(json_t *row, const char **ret_kind, const char **ret_want);

/* Grade every row of a file; returns how many there are. */
static size_t check_rows(const char *name, prepare_fn *prepare) {
    char path[R1_PATH_MAX], *text;
    size_t len, n = 0, wrong = 0;
    r1_err err;

    snprintf(path, sizeof path, "%.900s/%.100s", folder, name);
    ASSERT_OK(r1_file_slurp(path, (size_t)64 << 20, &text, &len, &err), &err);
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1, n++) {
        json_t *row = json_loadb(line, (size_t)(end - line), 0, NULL);
        const char *kind, *want, *got;
        const r1_grade_kind *how;
        void *ctx = NULL;
        r1_buf out;

        assert_non_null(row);
        json_t *graded = prepare(row, &kind, &want);
        char *s = json_dumps(graded, 0);
        r1_buf_init(&out, 1 << 20);
        ASSERT_OK(r1_grade_kind_find(kind, &how, &err), &err);
        ASSERT_OK(how->open(&(r1_grade_options){.kind = kind, .jobs = 1}, &ctx, &err), &err);
        ASSERT_OK(r1_grade_line(how, ctx, r1_text_of(s), n + 1, 0, &out, &got, &err), &err);
        if (strcmp(got, want) != 0) {
            print_error("%s:%zu: %s instead of %s: %s\n", name, n + 1, got, want, s);
            wrong++;
        }
        how->close(ctx);
        r1_buf_done(&out);
        free(s);
        json_decref(graded);
        json_decref(row);
    }
    r1_free(text);
    assert_int_equal(wrong, 0);
    return n;
}

static json_t *as_labelled(json_t *row, const char **ret_kind, const char **ret_want) {
    *ret_kind = json_string_value(json_object_get(row, "kind"));
    *ret_want = json_string_value(json_object_get(row, "expected"));
    return json_incref(row);
}

static void committed_rows(void **state) {
    assert_int_equal(check_rows("rewards.jsonl", as_labelled), 261);
}

/* Numbers within the row's tolerance, lists element by element. */
static int is_near(const json_t *want, const json_t *got, double tolerance) {
    size_t n = json_array_size(want);

    if (json_is_number(want))
        return json_is_number(got) &&
               fabs(json_number_value(want) - json_number_value(got)) <= tolerance;
    if (n == 0 || n != json_array_size(got))
        return 0;
    for (size_t i = 0; i < n; i++)
        if (!is_near(json_array_get(want, i), json_array_get(got, i), tolerance))
            return 0;
    return 1;
}

/* Every row's value; returns how many rows there are. */
static size_t check_values(const char *name) {
    char path[R1_PATH_MAX], *text;
    size_t len, n = 0, wrong = 0;
    r1_err err;

    snprintf(path, sizeof path, "%.900s/%.100s", folder, name);
    ASSERT_OK(r1_file_slurp(path, (size_t)64 << 20, &text, &len, &err), &err);
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1, n++) {
        json_t *row = json_loadb(line, (size_t)(end - line), 0, NULL);
        const char *verdict;
        r1_buf out;

        r1_buf_init(&out, 1 << 20);
        ASSERT_OK(r1_grade_line(&r1_grade_shaping, NULL, (r1_text){line, (size_t)(end - line)},
                                n + 1, 0, &out, &verdict, &err),
                  &err);
        json_t *got = json_loadb(out.data, out.len, 0, NULL);
        if (!is_near(json_object_get(row, "expected"), json_object_get(got, "score"),
                     json_number_value(json_object_get(row, "tolerance")))) {
            print_error("%s:%zu: %s", name, n + 1, out.data);
            wrong++;
        }
        json_decref(got);
        json_decref(row);
        r1_buf_done(&out);
    }
    r1_free(text);
    assert_int_equal(wrong, 0);
    return n;
}

static void committed_shaping(void **state) {
    assert_int_equal(check_values("shaping.jsonl"), 124);
}

static void shared_shaping(void **state) {
    assert_true(check_values("reward_shaping_dev.jsonl") >= 72);
}

static json_t *as_countdown_case(json_t *row, const char **ret_kind, const char **ret_want) {
    const char *answer = json_string_value(json_object_get(row, "answer"));

    *ret_kind = "countdown";
    *ret_want = !*answer                                         ? "no_answer"
                : json_is_true(json_object_get(row, "expected")) ? "correct"
                                                                 : "wrong";
    return json_incref(row);
}

static json_t *as_countdown_solution(json_t *row, const char **ret_kind, const char **ret_want) {
    *ret_kind = "countdown";
    *ret_want = "correct";
    json_object_set(row, "answer", json_object_get(row, "solution"));
    return json_incref(row);
}

static void shared_countdown(void **state) {
    assert_true(check_rows("countdown_verify_dev.jsonl", as_countdown_case) >= 24);
    assert_true(check_rows("countdown_train.jsonl", as_countdown_solution) >= 2000);
}

/* The number behind #### is what the data set's own `final` says. */
static json_t *as_gold(json_t *row, const char **ret_kind, const char **ret_want) {
    *ret_kind = "number";
    *ret_want = "correct";
    return json_pack("{sOsO}", "gold", json_object_get(row, "answer"), "pred",
                     json_object_get(row, "final"));
}

/* The worked solution, graded like a model's, against `final`. */
static json_t *as_solution(json_t *row, const char **ret_kind, const char **ret_want) {
    *ret_kind = "number";
    *ret_want = "correct";
    return json_pack("{sOsO}", "gold", json_object_get(row, "final"), "pred",
                     json_object_get(row, "answer"));
}

/* One too many is wrong, whatever else the solution mentions. */
static json_t *as_off_by_one(json_t *row, const char **ret_kind, const char **ret_want) {
    char gold[64];

    *ret_kind = "number";
    *ret_want = "wrong";
    snprintf(gold, sizeof gold, "%lld",
             1 + atoll(json_string_value(json_object_get(row, "final"))));
    return json_pack("{sssO}", "gold", gold, "pred", json_object_get(row, "answer"));
}

static void shared_gsm8k(void **state) {
    assert_true(check_rows("gsm8k_train.jsonl", as_gold) >= 7473);
    assert_true(check_rows("gsm8k_train.jsonl", as_solution) >= 7473);
    assert_true(check_rows("gsm8k_train.jsonl", as_off_by_one) >= 7473);
}

int main(int argc, char **argv) {
    const struct CMUnitTest committed[] = {cmocka_unit_test(committed_rows),
                                           cmocka_unit_test(committed_shaping)};
    const struct CMUnitTest shared[] = {cmocka_unit_test(shared_countdown),
                                        cmocka_unit_test(shared_shaping),
                                        cmocka_unit_test(shared_gsm8k)};
    const char *at =
        argc == 1 ? golden_path("R1_SOURCE", "tests/golden") : golden_path("R1_SHARED", "data");

    if (!at)
        return GOLDEN_SKIPPED;
    snprintf(folder, sizeof folder, "%.900s", at);
    return argc == 1 ? cmocka_run_group_tests(committed, NULL, NULL)
                     : cmocka_run_group_tests(shared, NULL, NULL);
}
