/* The judge's parts that need no sandbox: comparing, plain data, requests, code blocks, rows; and
 * the reward `code`, which is skipped where there is none. */
#include "reward/judge/code_block.h"
#include "reward/judge/judge_row.h"
#include "reward/judge/literal.h"
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int same(const char *mode, const char *expected, const char *printed) {
    r1_compare c;

    assert_true(r1_compare_parse(mode, &c));
    return r1_compare_equal(&c, r1_text_of(expected), r1_text_of(printed));
}

static void compares(void **state) {
    static const struct {
        const char *mode, *expected, *printed;
        int same;
    } rows[] = {
        {"tokens", "a b\n", "a\tb", 1},
        {"tokens", "a b\n", "a\r\nb\r\n", 1},
        {"tokens", "a b", "ab", 0},
        {"tokens", "", "", 1},
        {"tokens", "", " \n", 1},
        {"tokens", "", "x", 0},
        {"tokens", "0.5", "0.50", 0},
        {"tokens", "a", "a a", 0},
        {NULL, "0.5", "0.50", 1},
        {NULL, "0.5", ".5", 1},
        {NULL, "5", "5.0", 0},
        {NULL, "5.0", "5", 1},
        {NULL, "1e3", "1000", 1},
        {NULL, "1000", "1e3", 0},
        {NULL, "0.5", "0.500000002", 0},
        {NULL, "1e20", "100000000001000000000", 1},
        {NULL, "1.5", "1,5", 0},
        {NULL, "1.5", "0x1.8", 0},
        {NULL, "1.5", "1.5.0", 0},
        {NULL, "1.5", "1.5e", 0},
        {NULL, "1.5", "+1.5", 1},
        {NULL, "0.0", "-0.0", 1},
        {NULL, "0.0", "1e-10", 1},
        {NULL, "nan", "nan", 1},
        {NULL, "1e999", "1e998", 0},
        {"tokens+float1e-5", "1.0", "1.000009", 1},
        {"tokens+float1e-5", "1.0", "1.00002", 0},
        {"tokens+float0.1", "100.0", "109", 1},
        {"lines", "a\nb\n", "a \nb", 1},
        {"lines", "a\nb\n", "a\r\nb\r\n", 1},
        {"lines", "a\nb\n", "a b\n", 0},
        {"lines", "a\nb\n", "a\nb\n\n", 0},
        {"lines", " a", "a", 0},
        {"lines", "", "", 1},
        {"lines", "", "\n", 0},
        {"exact", "a\n", "a\n", 1},
        {"exact", "a\n", "a", 0},
        {"exact", "a\n", "a\r\n", 0},
    };
    r1_compare c;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (same(rows[i].mode, rows[i].expected, rows[i].printed) != rows[i].same)
            fail_msg("%s: '%s' and '%s'", rows[i].mode ? rows[i].mode : "default", rows[i].expected,
                     rows[i].printed);
    assert_int_equal(r1_compare_parse("checker", &c) && c.mode == R1_COMPARE_CHECKER, 1);
    const char *const unknown[] = {
        "token",         "tokens+float",      "tokens+float-1", "tokens+float2",
        "tokens+floatx", "tokens+float1e-5x", "lines ",         ""};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_false(r1_compare_parse(unknown[i], &c));
    /* NUL is a byte like others. */
    assert_true(r1_compare_parse("tokens", &c));
    assert_false(r1_compare_equal(&c, (r1_text){"a\0b", 3}, (r1_text){"a\0c", 3}));
}

#define CHECK(bytes) r1_literal_check((bytes), sizeof(bytes) - 1)

static void reads_plain_data(void **state) {
    char deep[R1_LITERAL_DEPTH_MAX * 5 + 6];

    assert_null(CHECK("N"));
    assert_null(CHECK("i\1\0\0\0\5"));
    assert_null(CHECK("f12345678"));
    assert_null(CHECK("c1234567812345678"));
    assert_null(CHECK("s\3\0\0\0abc"));
    assert_null(CHECK("t\2\0\0\0NT"));
    assert_null(CHECK("d\1\0\0\0s\1\0\0\0kF"));
    assert_null(CHECK("e\0\0\0\0"));
    assert_string_equal(CHECK(""), "cut off");
    assert_string_equal(CHECK("i\1\0\0\0"), "cut off");
    assert_string_equal(CHECK("i\0\0\0\0"), "an integer without digits");
    assert_string_equal(CHECK("f1234567"), "cut off");
    assert_string_equal(CHECK("l\2\0\0\0N"), "cut off");
    assert_string_equal(CHECK("l\xff\xff\xff\xff"), "cut off");
    assert_string_equal(CHECK("d\1\0\0\0N"), "cut off");
    assert_string_equal(CHECK("o"), "not plain data");
    assert_string_equal(CHECK("NN"), "bytes behind the value");
    for (size_t i = 0; i < R1_LITERAL_DEPTH_MAX + 1; i++)
        memcpy(deep + 5 * i, i < R1_LITERAL_DEPTH_MAX ? "l\1\0\0\0" : "N",
               i < R1_LITERAL_DEPTH_MAX ? 5 : 1);
    assert_null(r1_literal_check(deep, 5 * R1_LITERAL_DEPTH_MAX + 1));
    char deeper[sizeof deep + 5] = "l\1\0\0\0";
    memcpy(deeper + 5, deep, sizeof deep);
    assert_string_equal(r1_literal_check(deeper, 5 * R1_LITERAL_DEPTH_MAX + 6), "nested too deep");
    char *large = calloc(1, R1_LITERAL_BYTES_MAX + 1);
    assert_string_equal(r1_literal_check(large, R1_LITERAL_BYTES_MAX + 1), "longer than 1 MiB");
    free(large);
}

static r1_box_request request(void) {
    return (r1_box_request){.limits = {1, 2, 3, 4, 5, 6, 7, 8},
                            .words = {"/usr/bin/x", "-y"},
                            .n_words = 2,
                            .env = {"A=b"},
                            .n_env = 1,
                            .files = {{"x", "a\0b", 3, 0400}, {"y", "", 0, 0500}},
                            .n_files = 2,
                            .fetch = "z"};
}

static void carries_requests(void **state) {
    r1_box_request b = request(), back;
    r1_buf bytes;
    r1_err err;

    r1_buf_init(&bytes, 1 << 20);
    ASSERT_OK(r1_box_encode(&b, &bytes, &err), &err);
    ASSERT_OK(r1_box_decode(bytes.data, bytes.len, &back, &err), &err);
    assert_memory_equal(&back.limits, &b.limits, sizeof b.limits);
    assert_int_equal(back.n_words, 2);
    assert_string_equal(back.words[0], "/usr/bin/x");
    assert_string_equal(back.words[1], "-y");
    assert_null(back.words[2]);
    assert_string_equal(back.env[0], "A=b");
    assert_int_equal(back.n_files, 2);
    assert_string_equal(back.files[0].name, "x");
    assert_int_equal(back.files[0].n, 3);
    assert_memory_equal(back.files[0].data, "a\0b", 3);
    assert_int_equal(back.files[1].mode, 0500);
    assert_string_equal(back.fetch, "z");
    size_t whole = 0;
    for (size_t n = 0; n < bytes.len; n++) /* cut off anywhere: an error, or whole records */
        whole += r1_box_decode(bytes.data, n, &back, NULL) == R1_OK;
    assert_int_equal(whole, 5); /* behind words, environment and files */
    r1_buf_done(&bytes);
}

static void refuses_requests(void **state) {
    static const char *const names[] = {"", ".", "..", "a/b", "/etc/passwd", "../x"};
    r1_box_request b, back;
    r1_buf bytes;
    r1_err err;

    r1_buf_init(&bytes, 1 << 20);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        b = request();
        b.files[0].name = names[i];
        r1_buf_clear(&bytes);
        ASSERT_OK(r1_box_encode(&b, &bytes, &err), &err);
        ASSERT_FAILS(r1_box_decode(bytes.data, bytes.len, &back, &err), R1_DATA, &err, "'F'");
    }
    b = request();
    b.words[0] = "sh";
    r1_buf_clear(&bytes);
    ASSERT_OK(r1_box_encode(&b, &bytes, &err), &err);
    ASSERT_FAILS(r1_box_decode(bytes.data, bytes.len, &back, &err), R1_DATA, &err, "full path");
    b = request();
    b.limits.wall_s = -1;
    r1_buf_clear(&bytes);
    ASSERT_OK(r1_box_encode(&b, &bytes, &err), &err);
    ASSERT_FAILS(r1_box_decode(bytes.data, bytes.len, &back, &err), R1_DATA, &err, "limits");
    b = request();
    b.files[0].mode = 04755;
    r1_buf_clear(&bytes);
    ASSERT_OK(r1_box_encode(&b, &bytes, &err), &err);
    ASSERT_FAILS(r1_box_decode(bytes.data, bytes.len, &back, &err), R1_DATA, &err, "'F'");
    r1_buf_done(&bytes);
}

static void finds_blocks(void **state) {
    static const struct {
        const char *text, *block;
    } rows[] = {
        {"no code", NULL},
        {"```python\nx\n```", "x\n"},
        {"```python\nx\n```\n```python\ny\n```", "y\n"},
        {"```\nx\n```", "x\n"},
        {"```python\nx\n```\n```\noutput\n```", "x\n"}, /* a matching tag is preferred */
        {"```cpp\nx\n```", NULL},
        {"```cpp\nx\n```\n```py\ny\n```\n", "y\n"},
        {"```Python3 title=x\nx\n```", "x\n"},
        {"~~~python\n```\n~~~", "```\n"},
        {"````python\n```\n````", "```\n"},
        {"```python\nx", NULL},                    /* never closed */
        {"```python\nx\n```\n```python\ny", NULL}, /* the last one is cut off */
        {"text ```python\nx\n```", NULL},          /* the fence is a line of its own */
        {"```inline``` code\n```python\nx\n```", "x\n"},
        {"```python\r\nx\r\n```\r\n", "x\r\n"},
        {"   ```python\nx\n   ```", "x\n"},
        {"```python\n```", ""},
        {"```", NULL},
    };
    r1_text t;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int found = r1_code_block(r1_text_of(rows[i].text), R1_LANGUAGE_PYTHON, &t);
        if (found != (rows[i].block != NULL) ||
            (found && (t.n != strlen(rows[i].block) || memcmp(t.s, rows[i].block, t.n) != 0)))
            fail_msg("'%s' gives %s'%.*s'", rows[i].text,
                     found ? "" : "nothing: ", found ? (int)t.n : 0, found ? t.s : "");
    }
}

static void refuses_rows(void **state) {
    static const struct {
        const char *row, *message;
    } rows[] = {
        {"{\"source_code\": \"\"}", "'expected_stdout'"},
        {"{\"expected_stdout\": 1}", "'expected_stdout' is no string"},
        {"{\"expected_stdout\": \"\", \"language\": \"rust\"}", "'rust' is unknown"},
        {"{\"expected_stdout\": \"\", \"compare\": \"fuzzy\"}", "'fuzzy' is unknown"},
        {"{\"expected_stdout\": \"\", \"compare\": \"checker\"}", "'checker' is missing"},
        {"{\"expected_stdout\": \"\", \"mode\": \"x\"}", "neither stdio nor function"},
        {"{\"expected_stdout\": \"\", \"limits\": []}", "'limits' is no object"},
        {"{\"expected_stdout\": \"\", \"limits\": {\"cpu_s\": -1}}", "'cpu_s'"},
        {"{\"expected_stdout\": \"\", \"limits\": {\"mem_mb\": \"1\"}}", "'mem_mb'"},
        {"{\"expected_stdout\": \"\", \"time_limit_s\": 1e9}", "'time_limit_s'"},
        {"{\"tests\": []}", "'tests'"},
        {"{\"tests\": [{\"stdin\": \"\"}]}", "number 1 has no stdin and stdout"},
        {"{\"mode\": \"function f\"}", "'mode'"},
        {"{\"mode\": \"function f: \"}", "no expression"},
        {"{\"mode\": \"function f: f()\", \"language\": \"c\"}", "in Python only"},
        {"{\"entry_point\": \"f\"}", "belong together"},
        {"{\"test_list\": [1]}", "number 1 is no string"},
        {"{\"problem_id\": \"p\"}", "--problems"},
    };
    r1_row_job j;
    r1_err err;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *row = json_loads(rows[i].row, 0, NULL);
        ASSERT_FAILS(r1_row_tests(row, NULL, &j, &err), R1_DATA, &err, rows[i].message);
        r1_row_job_done(&j);
        json_decref(row);
    }
}

static void splits_expressions(void **state) {
    json_t *row =
        json_pack("{ss}", "mode", "function  f : f(1, [2, {3: 4}])==',' , f(\"\\\",(\")==1,");
    r1_row_job j;
    r1_err err;

    ASSERT_OK(r1_row_tests(row, NULL, &j, &err), &err);
    assert_int_equal(j.job.n_cases, 2);
    assert_int_equal(j.name.n, 1);
    assert_int_equal(
        strncmp(j.job.cases[0].s, "assert (f(1, [2, {3: 4}])==',')\n", j.job.cases[0].n), 0);
    assert_int_equal(strncmp(j.job.cases[1].s, "assert (f(\"\\\",(\")==1)\n", j.job.cases[1].n), 0);
    r1_row_job_done(&j);
    json_decref(row);
}

/* The same verdicts when samples come in another order, beside a group that is dropped. */
static void come_one_by_one(const r1_rewards *rewards, const r1_grade_input in[static 4],
                            const r1_graded want[static 4]) {
    r1_grading *g, *other;
    r1_graded got[4];
    r1_err err;

    ASSERT_OK(r1_grading_open(&other, rewards, 4, &err), &err);
    ASSERT_OK(r1_grading_open(&g, rewards, 4, &err), &err);
    for (int i = 0; i < 4; i++) {
        assert_false(r1_grading_ready(g));
        r1_grading_add(other, i, &in[3]);
        r1_grading_add(g, (i + 2) % 4, &in[(i + 2) % 4]);
    }
    r1_grading_drop(other);
    while (!r1_grading_ready(g))
        usleep(1000);
    r1_grading_end(g, got);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(got[i].verdict[0].kind, want[i].verdict[0].kind);
        assert_string_equal(got[i].verdict[0].note, want[i].verdict[0].note);
        assert_true(got[i].total == want[i].total && got[i].usable == want[i].usable);
    }
}

/* The reward, over a group: right, wrong, no program, and a row that nobody can judge. */
static void rewards_code(void **state) {
    const char *extra = "{\"tests\": [{\"stdin\": \"2\", \"stdout\": \"4\"}, {\"stdin\": \"3\", "
                        "\"stdout\": \"9\"}], \"limits\": {\"cpu_s\": 5, \"wall_s\": 60}}";
    const char *const answers[] = {
        "<think>hm</think>\n```python\nprint(int(input()) ** 2)\n```",
        "```python\nprint(int(input()) + 2)\n```",
        "<think>\n```python\nprint(int(input()) ** 2)\n```\n</think> I give up",
        "```python\nraise SystemExit(1)\n```",
    };
    static const r1_verdict_kind kinds[] = {R1_VERDICT_CORRECT, R1_VERDICT_WRONG,
                                            R1_VERDICT_NO_ANSWER, R1_VERDICT_WRONG};
    static const double scores[] = {1, 0.5, 0, 0};
    r1_grade_input in[4];
    r1_graded graded[4];
    r1_rewards rewards;
    r1_judge *judge;
    r1_err err;
    r1_status st = r1_judge_open(&judge, &(r1_judge_options){.boxes = 2}, &err);

    if (st == R1_UNAVAILABLE) {
        print_message("%s\n", err.msg);
        skip();
    }
    ASSERT_OK(st, &err);
    r1_reward_options o = {.name = "code", .weight = 1, .fraction = 1, .judge = judge};
    ASSERT_OK(r1_rewards_open(&rewards, &o, 1, &err), &err);
    for (int i = 0; i < 4; i++)
        in[i] = (r1_grade_input){.completion = r1_text_of(answers[i]), .extra = r1_text_of(extra)};
    r1_rewards_grade(&rewards, in, 4, graded);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(graded[i].verdict[0].kind, kinds[i]);
        assert_true(graded[i].usable && graded[i].total > scores[i] - 1e-6 &&
                    graded[i].total < scores[i] + 1e-6);
    }
    assert_non_null(strstr(graded[3].verdict[0].note, "RTE: test 1: exit status 1"));
    come_one_by_one(&rewards, in, graded);
    ASSERT_OK(r1_rewards_lint(&rewards, in, &err), &err);
    in[0].extra = r1_text_of("{\"answer\": \"4\"}");
    ASSERT_FAILS(r1_rewards_lint(&rewards, in, &err), R1_DATA, &err, "expected_stdout");
    r1_rewards_close(&rewards);
    r1_judge_close(judge);
    o.judge = NULL;
    ASSERT_FAILS(r1_rewards_open(&rewards, &o, 1, &err), R1_USAGE, &err,
                 "reward 'code': it runs programs");
}

/* A launcher that is none is no verdict on anybody. */
static void needs_a_launcher(void **state) {
    r1_judge *judge;
    r1_err err;

    ASSERT_FAILS(r1_judge_open(&judge, &(r1_judge_options){.program = "/nosuch"}, &err), R1_IO,
                 &err, "cannot start the launcher '/nosuch'");
    ASSERT_FAILS(r1_judge_open(&judge, &(r1_judge_options){.program = "/bin/true"}, &err), R1_IO,
                 &err, "ended at once");
}

/* The judge outlives its launcher: what is judged then is an error of the judge, tried twice. */
static void survives_its_launcher(void **state) {
    const r1_judge_test test = {r1_text_of(""), r1_text_of("1")};
    r1_judge_job job = {.language = R1_LANGUAGE_PYTHON,
                        .source = r1_text_of("print(1)"),
                        .tests = &test,
                        .n_tests = 1};
    r1_launcher *l;
    r1_judge *judge;
    r1_err err;
    r1_status st = r1_launcher_open(&l, NULL, &err);

    if (st == R1_UNAVAILABLE)
        skip();
    ASSERT_OK(st, &err);
    ASSERT_OK(r1_judge_open(&judge, &(r1_judge_options){.launcher = l, .boxes = 1}, &err), &err);
    r1_judge_submit(judge, &job);
    r1_judge_wait(judge, &job);
    assert_int_equal(job.result.verdict, R1_JUDGE_AC);
    assert_true(r1_judge_poll(judge, &job));
    kill(r1_launcher_pid(l), SIGKILL);
    r1_judge_submit(judge, &job);
    r1_judge_wait(judge, &job);
    assert_int_equal(job.result.verdict, R1_JUDGE_IE);
    assert_non_null(strstr(job.result.why, "the launcher is gone"));
    r1_judge_close(judge);
    r1_launcher_close(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),           cmocka_unit_test(reads_plain_data),
        cmocka_unit_test(carries_requests),   cmocka_unit_test(refuses_requests),
        cmocka_unit_test(finds_blocks),       cmocka_unit_test(refuses_rows),
        cmocka_unit_test(splits_expressions), cmocka_unit_test(needs_a_launcher),
        cmocka_unit_test(rewards_code),       cmocka_unit_test(survives_its_launcher),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
