/* r1-grade: how rows and files are read, what its kinds say, and the report against labels. */
#include "tests/unit/unit.h"

#include "reward/grade.h"
#include "reward/grade_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N(a) (sizeof(a) / sizeof *(a))

/* One row; *line its verdict line. */
static r1_status grade_row(const char *name, const char *row, r1_buf *line, r1_err *err) {
    r1_grade_options o = {.kind = name, .jobs = 1};
    const r1_grade_kind *kind;
    const char *verdict;
    void *ctx = NULL;

    ASSERT_OK(r1_grade_kind_find(name, &kind, err), err);
    ASSERT_OK(kind->open(&o, &ctx, err), err);
    r1_buf_init(line, 1 << 20);
    r1_status st = r1_grade_line(kind, ctx, r1_text_of(row), 7, 0, line, &verdict, err);
    kind->close(ctx);
    return st;
}

static void assert_row(const char *kind, const char *row, const char *want) {
    r1_err err;
    r1_buf line;

    ASSERT_OK(grade_row(kind, row, &line, &err), &err);
    if (!strstr(line.data, want))
        fail_msg("%s -> %s lacks %s", row, line.data, want);
    json_t *v = json_loadb(line.data, line.len, 0, NULL);
    assert_non_null(v);
    assert_true(json_is_number(json_object_get(v, "us")));
    json_decref(v);
    r1_buf_done(&line);
}

static void rows_are_read_as_documented(void **state) {
    assert_row(
        "number", "{\"id\": \"a\", \"gold\": \"5\", \"pred\": \"so 5\"}",
        "{\"id\": \"a\", \"verdict\": \"correct\", \"score\": 1, \"how\": \"last\", \"why\": "
        "\"\", \"us\": ");
    assert_row("number", "{\"gold\": 5, \"pred\": 5}", "{\"id\": 7, \"verdict\": \"correct\"");
    assert_row("number", "{\"gold\": 0.1, \"pred\": \"1/10\"}", "\"correct\"");
    assert_row("number", "{\"gold\": [\"4\", \"5\"], \"pred\": \"5\"}", "\"correct\"");
    assert_row("number", "{\"gold\": [\"x\", \"5\"], \"pred\": \"4\"}", "\"wrong\"");
    assert_row("number", "{\"gold\": null, \"pred\": \"4\"}",
               "\"unparseable_gold\", \"score\": null");
    assert_row("number", "{\"gold\": [], \"pred\": \"4\"}", "\"score\": null");
    assert_row("number", "{\"question\": \"q\", \"answer\": \"1 #### 5\", \"pred\": \"#### 5\"}",
               "\"correct\", \"score\": 1, \"how\": \"hash\"");
    assert_row("number", "{\"question\": \"q\", \"answer\": \"1 #### 5\", \"final\": \"6\"}",
               "\"wrong\", \"score\": 0");
    assert_row("exact", "{\"gold\": \"yes\", \"pred\": \"yes\"}", "\"correct\"");
    assert_row("format", "{\"prompt\": \"<think>\", \"pred\": \"a</think><answer>b</answer>\"}",
               "\"correct\", \"score\": 1, \"how\": \"tags\"");
    assert_row("countdown", "{\"nums\": [1, 2], \"target\": 3, \"answer\": \"1+2\"}",
               "\"correct\"");
    assert_row("countdown", "{\"nums\": [1, 2], \"answer\": \"1+2\"}",
               "\"unparseable_gold\", \"score\": null");
}

static void broken_rows_name_what_is_wrong(void **state) {
    static const struct {
        const char *kind, *row, *message;
    } cases[] = {
        {"number", "{\"gold\": \"5\"}", "'pred'"},
        {"number", "{\"pred\": \"5\"}", "'gold'"},
        {"number", "{\"gold\": \"5\", \"pred\": [5]}", "'pred' is neither"},
        {"number", "{\"gold\": {}, \"pred\": \"5\"}", "'gold' is neither"},
        {"countdown", "{\"nums\": [1], \"target\": 1}", "'answer'"},
        {"number", "[1]", "not a JSON object"},
        {"number", "{\"gold\": \"5\", \"gold\": \"6\", \"pred\": \"5\"}", "duplicate"},
        {"number", "{\"gold\": \"5", "column"},
        {"number", "{\"gold\": \"5\", \"pred\": \"\xff\"}", "0xff"},
    };

    for (size_t i = 0; i < N(cases); i++) {
        r1_err err = {0};
        r1_buf line;
        ASSERT_FAILS(grade_row(cases[i].kind, cases[i].row, &line, &err), R1_DATA, &err,
                     cases[i].message);
        r1_buf_done(&line);
    }
}

/* Verdict lines of a file without their times. */
static char *grade_text(const char *text, int jobs, r1_status want, const char *message) {
    char path[] = "/tmp/r1-test-reward-XXXXXX", *out = NULL;
    size_t n = 0;
    r1_grade_tally tally;
    void *ctx = NULL;
    r1_err err = {0};
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    FILE *to = open_memstream(&out, &n);
    r1_grade_options o = {.kind = "number", .path = path, .jobs = jobs};
    ASSERT_OK(r1_grade_number.open(&o, &ctx, &err), &err);
    r1_status st = r1_grade_file(&r1_grade_number, ctx, &o, to, &tally, &err);
    r1_grade_number.close(ctx);
    unlink(path);
    fclose(to);
    assert_int_equal(st, want);
    if (message && (!strstr(err.msg, message) || !strstr(err.msg, path)))
        fail_msg("message '%s' lacks '%s' or the path", err.msg, message);
    for (char *us = out; (us = strstr(us, "\"us\": "));)
        for (us += 6; *us != '}'; us++)
            *us = '0';
    return out;
}

static void lines_stay_in_order_whatever_the_threads(void **state) {
    r1_buf in;
    r1_err err;

    r1_buf_init(&in, 16 << 20); /* several batches: more than 16384 rows */
    for (int i = 0; i < 40000; i++)
        ASSERT_OK(r1_buf_addf(&in, &err, "{\"id\": %d, \"gold\": \"%d\", \"pred\": \"%d\"}\n%s", i,
                              i % 7, i % 5, i % 10 ? "" : "\n"),
                  &err);
    char *one = grade_text(in.data, 1, R1_OK, NULL), *four = grade_text(in.data, 4, R1_OK, NULL);
    /* Lengths of `us` differ, so compare up to it. */
    char *a = one, *b = four;
    for (int i = 0; i < 40000; i++) {
        size_t n = strcspn(a, "u");
        while (strncmp(a + n, "us\": ", 5) != 0)
            n += 1 + strcspn(a + n + 1, "u");
        assert_memory_equal(a, b, n);
        char id[32];
        assert_int_equal(strncmp(a, id, (size_t)snprintf(id, sizeof id, "{\"id\": %d,", i)), 0);
        a = strchr(a, '\n') + 1;
        b = strchr(b, '\n') + 1;
    }
    assert_int_equal(*a, '\0');
    assert_int_equal(*b, '\0');
    free(one);
    free(four);
    r1_buf_done(&in);
}

static void what_stands_before_a_broken_line_is_written(void **state) {
    static const char text[] = "{\"id\": 1, \"gold\": \"5\", \"pred\": \"5\"}\n\n"
                               "{\"id\": 2, \"gold\": \"5\", \"pred\": \"6\"}\n"
                               "{\"id\": 3, \"gold\": \"5\", \"pred\": \n"
                               "{\"id\": 4, \"gold\": \"5\"}\n";

    for (int jobs = 1; jobs <= 3; jobs += 2) {
        char *out = grade_text(text, jobs, R1_DATA, ":4: ");
        assert_non_null(strstr(out, "{\"id\": 1, \"verdict\": \"correct\""));
        assert_non_null(strstr(out, "{\"id\": 2, \"verdict\": \"wrong\""));
        assert_null(strstr(out, "{\"id\": 3"));
        assert_null(strstr(out, "{\"id\": 4"));
        free(out);
    }
    char *out = grade_text("{\"gold\": \"5\", \"pred\": \"5\"}", 1, R1_OK, NULL);
    assert_non_null(
        strstr(out, "{\"id\": 1, \"verdict\": \"correct\"")); /* no newline at the end */
    free(out);
    out = grade_text("", 2, R1_OK, NULL);
    assert_true(!out || !*out);
    free(out);
}

static void a_line_may_have_16_mib(void **state) {
    size_t max = (size_t)16 << 20, head;
    char *text = malloc(max + 64);

    for (int over = 0; over < 2; over++) {
        head = (size_t)sprintf(text, "{\"id\": 1, \"gold\": \"5\", \"pred\": \"");
        memset(text + head, 'a', max);
        size_t end = max + (size_t)over - 4; /* the line has max bytes, or one more */
        strcpy(text + end, " 5\"}\n{\"gold\": \"5\", \"pred\": \"5\"}\n");
        char *out = grade_text(text, 2, over ? R1_DATA : R1_OK, over ? ":1: line of" : NULL);
        if (!over)
            assert_non_null(strstr(out, "{\"id\": 1, \"verdict\": \"correct\""));
        free(out);
    }
    free(text);
}

/* ---- lint ---- */

static void lint_names_the_rewards_that_can(void **state) {
    assert_row("lint", "{\"answer\": \"so #### 5\"}",
               "\"judged\", \"score\": 1, \"how\": \"exact,number\", \"why\": \"\"");
    assert_row("lint", "{\"gold\": \"a lot\"}",
               "\"partly\", \"score\": 0.5, \"how\": \"exact\", \"why\": \"reward 'number' cannot");
    assert_row("lint", "{\"gold\": null}", "\"unparseable_gold\", \"score\": 0, \"how\": \"\"");
    assert_row("lint", "{\"gold\": [\"a\", \"5\"]}", "\"judged\"");
}

/* ---- report ---- */

/* A file of that text in a temporary place; the caller unlinks it. */
static void write_file(char path[static 32], const char *text) {
    strcpy(path, "/tmp/r1-test-grade-XXXXXX");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static char *report(const char *cases, const char *out, r1_status want, const char *message) {
    char cases_path[32], out_path[32], *text = NULL;
    size_t n = 0;
    r1_err err = {0};

    write_file(cases_path, cases);
    write_file(out_path, out);
    FILE *to = open_memstream(&text, &n);
    r1_status st = r1_grade_report(cases_path, out_path, to, &err);
    fclose(to);
    unlink(cases_path);
    unlink(out_path);
    if (st != want || (message && !strstr(err.msg, message)))
        fail_msg("status %d, message '%s'", (int)st, err.msg);
    return text;
}

static const char cases_text[] =
    "{\"id\": \"a\", \"tier\": \"core\", \"class\": \"x\", \"expected\": true}\n"
    "{\"id\": \"b\", \"tier\": \"core\", \"class\": \"x\", \"expected\": false}\n"
    "{\"id\": \"c\", \"tier\": \"core\", \"class\": \"y\", \"expected\": true}\n"
    "{\"id\": \"d\", \"tier\": \"policy\", \"expected\": null}\n"
    "{\"id\": \"e\", \"expected\": [0.5, -1], \"tolerance\": 0.01}\n"
    "{\"id\": \"f\", \"expected\": 0.5}\n"
    "{\"verdict\": \"AC_or_TLE\"}\n"
    "{\"id\": \"h\", \"verdict_in\": [\"WA\", \"RTE\"]}\n"
    "{\"id\": \"i\", \"expected\": true, \"corrected\": false}\n"
    "{\"id\": \"j\", \"expected\": false, \"expect_parse_error\": true}\n"
    "{\"id\": \"k\", \"expected\": true, \"waived\": \"convention\"}\n"
    "{\"id\": \"l\", \"verdict\": \"PARTIAL\"}\n";

static void report_counts_and_lists_what_differs(void **state) {
    static const char out[] =
        "{\"id\": \"a\", \"verdict\": \"equal\", \"score\": 1, \"us\": 2000}\n"
        "{\"id\": \"b\", \"verdict\": \"correct\", \"score\": 1, \"why\": \"because\"}\n"
        "{\"id\": \"c\", \"verdict\": \"unknown\", \"score\": null}\n"
        "{\"id\": \"d\", \"verdict\": \"wrong\", \"score\": 0}\n"
        "{\"id\": \"e\", \"verdict\": \"scored\", \"score\": [0.509, -1]}\n"
        "{\"id\": \"f\", \"verdict\": \"scored\", \"score\": 0.625}\n"
        "{\"id\": 7, \"verdict\": \"TLE\", \"score\": 0}\n"
        "{\"id\": \"h\", \"verdict\": \"AC\", \"score\": 1}\n"
        "{\"id\": \"i\", \"verdict\": \"not_equal\", \"score\": 0}\n"
        "{\"id\": \"j\", \"verdict\": \"not_equal\", \"score\": 0}\n"
        "{\"id\": \"k\", \"verdict\": \"not_equal\", \"score\": 0}\n"
        "{\"id\": \"l\", \"verdict\": \"WA\", \"score\": 0.5}\n";
    static const char *const want[] = {
        "core                                          3      1    33.33 %      1      1      0    "
        "  0",
        "  x                                           2      1    50.00 %      1      0      0    "
        "  0",
        "policy                                        0      0          -      0      0      0    "
        "  1",
        "all                                          10      5    50.00 %      2      1      2    "
        "  2",
        "Accepted, though wrong: 2\n  b (core, x): correct 1, label false: because\n  h (-, -): AC "
        "1",
        "Rejected, though right: 1\n  c (core, y): unknown null, label true\n",
        "Another score or verdict: 2\n  f (-, -): scored 0.625",
        "  j (-, -): not_equal 0, label false\n",
        "Slowest: a, 2.000 ms",
    };
    char *text = report(cases_text, out, R1_OK, NULL);

    for (size_t i = 0; i < N(want); i++)
        if (!strstr(text, want[i]))
            fail_msg("lacks '%s':\n%s", want[i], text);
    free(text);
}

static void report_refuses_what_does_not_fit(void **state) {
    static const char one[] = "{\"id\": \"a\", \"verdict\": \"wrong\", \"score\": 0}\n";
    char twice[sizeof one * 2];

    free(report(cases_text, one, R1_DATA, ":2: case 'b' has no verdict"));
    snprintf(twice, sizeof twice, "%s%s", one, one);
    free(report(cases_text, twice, R1_DATA, ":2: id 'a' is there twice"));
    free(report("{\"id\": \"a\"}\n", one, R1_DATA, ":1: neither 'expected' nor 'verdict'"));
    free(report(cases_text, "{\"id\": 1}\n", R1_DATA, "no output of r1-grade"));
    free(report("[1]\n", one, R1_DATA, "not a JSON object"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_read_as_documented),
        cmocka_unit_test(broken_rows_name_what_is_wrong),
        cmocka_unit_test(lines_stay_in_order_whatever_the_threads),
        cmocka_unit_test(what_stands_before_a_broken_line_is_written),
        cmocka_unit_test(a_line_may_have_16_mib),
        cmocka_unit_test(lint_names_the_rewards_that_can),
        cmocka_unit_test(report_counts_and_lists_what_differs),
        cmocka_unit_test(report_refuses_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
