/* The mathematics verifier against labelled rows: the committed ones (math.jsonl), or, with the
 * argument `shared`, the case files of R1_SHARED with their gates.  Wrong accepts and wrong rejects
 * are counted apart; a gate that is missed fails the test and names its rows. */
#include "tests/golden/golden.h"

#include "common/base/file.h"
#include "common/base/mem.h"
#include "reward/grade.h"
#include "reward/math/math.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char folder[R1_PATH_MAX];

typedef struct tally {
    int n, right, accepts, rejects; /* wrong accepts, wrong rejects */
} tally;

typedef struct report {
    tally core, policy, hostile, parse, refuse;
    double worst_ms; /* thread CPU time of a row */
} report;

static double cpu_ms(void) {
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int is(const json_t *row, const char *key, const char *value) {
    const char *s = json_string_value(json_object_get(row, key));
    return s && strcmp(s, value) == 0;
}

/* The verdict and the reason that the row's line gives. */
static void grade(const json_t *row, char verdict[16], char why[16]) {
    char *text = json_dumps(row, 0);
    const char *kind;
    r1_buf out;
    r1_err err;

    assert_non_null(text);
    r1_buf_init(&out, 1 << 20);
    ASSERT_OK(r1_grade_line(&r1_grade_math, NULL, r1_text_of(text), 1, 0, &out, &kind, &err), &err);
    free(text);
    json_t *line = json_loadb(out.data, out.len, 0, NULL);
    assert_non_null(line);
    snprintf(verdict, 16, "%s", json_string_value(json_object_get(line, "verdict")));
    snprintf(why, 16, "%s", json_string_value(json_object_get(line, "why")));
    json_decref(line);
    r1_buf_done(&out);
}

static tally *tally_of(report *r, const json_t *row) {
    if (is(row, "category", "time-limit"))
        return &r->hostile;
    if (json_is_true(json_object_get(row, "expect_parse_error")))
        return &r->refuse;
    if (is(row, "tier", "parser"))
        return &r->parse;
    return is(row, "tier", "core") ? &r->core : &r->policy;
}

static void count(report *r, const json_t *row, const char *name, size_t number) {
    char verdict[16], why[16];
    int want = json_is_true(json_object_get(row, "expected"));
    tally *t = tally_of(r, row);

    double t0 = cpu_ms();
    grade(row, verdict, why);
    double ms = cpu_ms() - t0;
    r->worst_ms = ms > r->worst_ms ? ms : r->worst_ms;
    int got = strcmp(verdict, "equal") == 0, unknown = strcmp(verdict, "unknown") == 0;
    int right = t == &r->hostile  ? unknown || got == want
                : t == &r->refuse ? unknown && strcmp(why, "NO_PARSE") == 0
                                  : got == want;
    t->n++;
    t->right += right;
    t->accepts += !right && got;
    t->rejects += !right && !got;
    if (!right && t != &r->policy)
        print_error("%s:%zu: %s %s: %.80s\n", name, number, verdict, why,
                    json_string_value(json_object_get(row, "id")));
}

typedef void each_row(void *to, json_t *row, const char *name, size_t number);

static size_t for_each(const char *name, each_row *each, void *to) {
    char path[R1_PATH_MAX], *text;
    size_t len, n = 0;
    r1_err err;

    snprintf(path, sizeof path, "%.900s/%.100s", folder, name);
    ASSERT_OK(r1_file_slurp(path, (size_t)64 << 20, &text, &len, &err), &err);
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1, n++) {
        json_t *row = json_loadb(line, (size_t)(end - line), 0, NULL);
        assert_non_null(row);
        each(to, row, name, n + 1);
        json_decref(row);
    }
    r1_free(text);
    return n;
}

static void labelled(void *to, json_t *row, const char *name, size_t number) {
    /* undecided: a matter of choice; waived: the label is another system's convention */
    if (!json_is_null(json_object_get(row, "expected")) && !json_object_get(row, "waived"))
        count(to, row, name, number);
}

static void print_tally(const char *what, const tally *t) {
    if (t->n)
        print_message("  %-8s %4d of %4d right (%.2f %%), wrong accepts %d, wrong rejects %d\n",
                      what, t->right, t->n, 100.0 * t->right / t->n, t->accepts, t->rejects);
}

static report run_file(const char *name) {
    report r = {.worst_ms = 0};

    size_t n = for_each(name, labelled, &r);
    print_message("%s: %zu rows, the slowest %.1f ms\n", name, n, r.worst_ms);
    print_tally("core", &r.core);
    print_tally("policy", &r.policy);
    print_tally("hostile", &r.hostile);
    print_tally("parse", &r.parse);
    print_tally("refused", &r.refuse);
    return r;
}

static void assert_gate(const tally *t, double least) {
    assert_true(t->n > 0);
    assert_int_equal(t->accepts, 0);
    assert_true(t->right >= least * t->n);
}

static void gate_grading(void **state) {
    report r = run_file("math_grading_dev.jsonl");
    assert_gate(&r.core, 0.99);
}

static void gate_hard(void **state) {
    report r = run_file("math_hard_dev.jsonl");
    assert_gate(&r.core, 0.97);
    assert_gate(&r.hostile, 1);
}

static void gate_variants(void **state) {
    report r = run_file("math_variants_dev.jsonl");
    assert_gate(&r.core, 0.995);
}

static void gate_equivalences(void **state) {
    report r = run_file("math_equivalences_dev.jsonl");
    assert_gate(&r.core, 1);
}

static void gate_parse(void **state) {
    report r = run_file("math_parse_dev.jsonl");
    assert_gate(&r.parse, 0.95);
    assert_gate(&r.refuse, 1);
}

/* A reference is equal to itself, by a type, not as an unreadable text. */
static void itself(void *to, json_t *row, const char *name, size_t number) {
    const char *answer = json_string_value(json_object_get(row, "answer"));
    r1_math_opts o = r1_math_defaults;
    r1_text t = r1_text_of(answer);
    r1_math_gold *g = NULL;
    r1_math_result r;
    r1_err err;

    o.whole = 1;
    ASSERT_OK(r1_math_gold_open(&g, &t, 1, &o, &err), &err);
    ASSERT_OK(r1_math_gold_lint(g, &err), &err);
    ASSERT_OK(r1_math_grade(g, r1_text_of(""), t, &r, &err), &err);
    r1_math_gold_close(g);
    if (r.kind != R1_MATH_EQUAL || r.how == R1_MATH_HOW_TEXT)
        fail_msg("%s:%zu: %s is not equal to itself", name, number, answer);
}

static void gate_synthetic(void **state) {
    assert_true(for_each("math_synth_train.jsonl", itself, NULL) >= 4000);
}

/* A worked solution against its final number, and against one more. */
static void solution(void *to, json_t *row, const char *name, size_t number) {
    const char *final = json_string_value(json_object_get(row, "final")),
               *text = json_string_value(json_object_get(row, "answer"));
    char more[64];
    r1_err err;

    snprintf(more, sizeof more, "%lld", 1 + atoll(final));
    r1_text golds[2] = {r1_text_of(final), r1_text_of(more)};
    for (int k = 0; k < 2; k++) {
        r1_math_gold *g = NULL;
        r1_math_result r;
        ASSERT_OK(r1_math_gold_open(&g, &golds[k], 1, &r1_math_defaults, &err), &err);
        ASSERT_OK(r1_math_grade(g, r1_text_of(""), r1_text_of(text), &r, &err), &err);
        r1_math_gold_close(g);
        if (r.kind != (k == 0 ? R1_MATH_EQUAL : R1_MATH_NOT_EQUAL))
            fail_msg("%s:%zu: the solution of %s against %s", name, number, final, golds[k].s);
    }
}

static void gate_gsm8k(void **state) {
    assert_true(for_each("gsm8k_train.jsonl", solution, NULL) >= 7473);
}

static void exactly(void *to, json_t *row, const char *name, size_t number) {
    char verdict[16], why[16];
    int want = json_is_true(json_object_get(row, "expected")), *wrong = to;

    grade(row, verdict, why);
    if ((strcmp(verdict, "equal") == 0) == want)
        return;
    (*wrong)++;
    print_error("%s:%zu: %s %s: %s against %s\n", name, number, verdict, why,
                json_string_value(json_object_get(row, "pred")),
                json_string_value(json_object_get(row, "gold")));
}

/* Pairs labelled by hand, about half of them traps; none may be missed. */
static void committed_rows(void **state) {
    int wrong = 0;

    assert_true(for_each("math.jsonl", exactly, &wrong) >= 780);
    assert_int_equal(wrong, 0);
}

static void never(void *to, json_t *row, const char *name, size_t number) {
    char verdict[16], why[16];

    grade(row, verdict, why);
    if (strcmp(verdict, "equal") == 0 && !json_is_true(json_object_get(row, "expected")))
        fail_msg("%s:%zu: a wrong answer is accepted", name, number);
}

/* Pairs for the optional layer of exact.h (see verdicts.sh): no build accepts a wrong one. */
static void optional_rows(void **state) {
    assert_true(for_each("exact.jsonl", never, NULL) >= 40);
}

int main(int argc, char **argv) {
    const struct CMUnitTest committed[] = {cmocka_unit_test(committed_rows),
                                           cmocka_unit_test(optional_rows)};
    const struct CMUnitTest gates[] = {
        cmocka_unit_test(gate_grading),  cmocka_unit_test(gate_hard),
        cmocka_unit_test(gate_variants), cmocka_unit_test(gate_equivalences),
        cmocka_unit_test(gate_parse),    cmocka_unit_test(gate_synthetic),
        cmocka_unit_test(gate_gsm8k),
    };
    const char *at =
        argc == 1 ? golden_path("R1_SOURCE", "tests/golden") : golden_path("R1_SHARED", "data");

    if (!at)
        return GOLDEN_SKIPPED;
    snprintf(folder, sizeof folder, "%.900s", at);
    return argc == 1 ? cmocka_run_group_tests(committed, NULL, NULL)
                     : cmocka_run_group_tests(gates, NULL, NULL);
}
