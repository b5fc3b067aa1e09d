/* Metrics: records, metrics.jsonl, event files, summary, rollouts, phases, run directory. */
#include "common/base/card.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/metrics/json.h"
#include "common/metrics/metrics.h"
#include "common/metrics/phases.h"
#include "common/metrics/rollouts.h"
#include "common/metrics/rundir.h"
#include "common/metrics/summary.h"
#include "common/metrics/tensorboard.h"

#include <fcntl.h>
#include <float.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];

static const char *at(const char *leaf) {
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", dir, leaf);
    return path;
}

#define OK(call)                        \
    do {                                \
        r1_err err_ok = {0};            \
        r1_err *e = &err_ok;            \
        if ((call) != R1_OK)            \
            fail_msg("%s", err_ok.msg); \
    } while (0)

static __attribute__((noinline)) char *slurp(const char *path, size_t *ret_len) {
    char *text = NULL;
    size_t len = 0;

    OK(r1_file_slurp(path, 1 << 20, &text, &len, e));
    if (ret_len)
        *ret_len = len;
    return text;
}

static void fill(r1_record *rec, int step) {
    r1_record_clear(rec);
    r1_record_int(rec, step, "training/global_step");
    r1_record_real(rec, 0.1 * step, "critic/rewards/mean");
    r1_record_real(rec, 1e-300 * step, "actor/%s", "grad_norm");
    r1_record_text(rec, "0123456789abcdef", "weights/checksum");
}

/* Every double comes back with its bits from any JSON reader. */
static void test_numbers(void **state) {
    static const double xs[] = {0,
                                -0.0,
                                1,
                                -1,
                                0.1,
                                1.0 / 3,
                                3e-6,
                                1e300,
                                5e-324,
                                DBL_MAX,
                                1e15,
                                1e16,
                                123456789012345678.0,
                                (double)0.2f,
                                2e9,
                                -7.25,
                                1.5e-10,
                                1e-5,
                                0.0004,
                                99999.5};

    for (size_t i = 0; i < sizeof xs / sizeof *xs; i++) {
        r1_buf b;
        r1_buf_init(&b, 100);
        OK(r1_json_number(&b, xs[i], e));
        json_t *v = json_loads(b.data, JSON_DECODE_ANY, NULL);
        assert_non_null(v);
        assert_true(json_number_value(v) == xs[i]);
        json_decref(v);
        r1_buf_done(&b);
    }
    uint64_t x = 88172645463325252ull;
    for (int i = 0; i < 20000; i++) {
        double d;
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        memcpy(&d, &x, 8);
        r1_buf b;
        r1_buf_init(&b, 100);
        OK(r1_json_number(&b, d, e));
        if (isfinite(d))
            assert_true(strtod(b.data, NULL) == d);
        else
            assert_string_equal(b.data, "null");
        r1_buf_done(&b);
    }
}

/* Invalid bytes become U+FFFD one by one, everything else comes back. */
static void test_text(void **state) {
    static const struct {
        const char *in;
        size_t n;
        const char *out;
    } rows[] = {
        {"a\"b\\c\n\t\x01\x7f", 9, "\"a\\\"b\\\\c\\n\\u0009\\u0001\\u007f\""},
        {"\0x", 2, "\"\\u0000x\""},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {"\xff", 1, "\"\xef\xbf\xbd\""},
        {"\xc0\x80", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 /* overlong */
        {"\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* surrogate */
        {"\xf4\x90\x80\x80", 4, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xe2\x82", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""}, /* cut short */
        {"", 0, "\"\""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        r1_buf b;
        r1_buf_init(&b, 1000);
        OK(r1_json_text(&b, rows[i].in, rows[i].n, e));
        assert_string_equal(b.data, rows[i].out);
        r1_buf_done(&b);
    }
    /* Any bytes at all make a line that a strict reader takes. */
    for (int a = 0; a < 256; a++) {
        char bytes[512];
        for (int c = 0; c < 256; c++) {
            bytes[2 * c] = (char)a;
            bytes[2 * c + 1] = (char)c;
        }
        r1_buf b;
        r1_buf_init(&b, 1 << 16);
        OK(r1_json_text(&b, bytes, sizeof bytes, e));
        json_t *v = json_loads(b.data, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(v);
        json_decref(v);
        r1_buf_done(&b);
    }
}

static void test_record(void **state) {
    r1_record *rec = calloc(1, sizeof *rec);
    r1_buf b;
    int bad = -1;

    fill(rec, 3);
    r1_record_real(rec, (double)NAN, "actor/kl_loss");
    r1_record_real(rec, 7, "critic/rewards/mean"); /* the place stays, the value is new */
    assert_true(r1_record_value(rec, "critic/rewards/mean") == 7);
    assert_true(isnan(r1_record_value(rec, "absent")));
    r1_buf_init(&b, 1 << 16);
    OK(r1_record_json(rec, &b, &bad, e));
    assert_int_equal(bad, 1);
    assert_string_equal(b.data,
                        "{\"training/global_step\": 3, \"critic/rewards/mean\": 7, "
                        "\"actor/grad_norm\": 3.0e-300, \"weights/checksum\": "
                        "\"0123456789abcdef\", \"actor/kl_loss\": null, \"metrics/nonfinite\": 1}");
    r1_buf_done(&b);
    free(rec);
}

/* A resumed run that repeats its steps leaves the bytes of one that never stopped. */
static void test_append_and_cut(void **state) {
    r1_record *rec = calloc(1, sizeof *rec);
    const char *path = at("metrics.jsonl");
    r1_metrics m;
    r1_err err = {0};
    int64_t cut = 0;
    size_t len, again_len;

    OK(r1_metrics_open(&m, path, -1, 0, e));
    for (int step = 1; step <= 5; step++) {
        fill(rec, step);
        OK(r1_metrics_append(&m, rec, e));
        if (step == 3)
            cut = r1_metrics_offset(&m);
    }
    r1_metrics_close(&m);
    char *whole = slurp(path, &len);

    assert_int_equal(r1_metrics_open(&m, path, (int64_t)len + 1, 0, &err), R1_DATA);
    assert_int_equal(r1_metrics_open(&m, path, cut - 1, 0, &err), R1_DATA);
    assert_non_null(strstr(err.msg, "metrics.jsonl"));
    OK(r1_metrics_open(&m, path, cut, 1, e));
    assert_int_equal(r1_metrics_offset(&m), cut);
    for (int step = 4; step <= 5; step++) {
        fill(rec, step);
        OK(r1_metrics_append(&m, rec, e));
    }
    r1_metrics_close(&m);
    char *again = slurp(path, &again_len);
    assert_int_equal(len, again_len);
    assert_memory_equal(whole, again, len);

    /* A line that a crash tore is cut off. */
    FILE *f = fopen(path, "a");
    fputs("{\"training/glo", f);
    fclose(f);
    OK(r1_metrics_open(&m, path, -1, 0, e));
    assert_int_equal(r1_metrics_offset(&m), (int64_t)len);
    r1_metrics_close(&m);
    OK(r1_metrics_open(&m, path, 0, 0, e));
    assert_int_equal(r1_metrics_offset(&m), 0);
    r1_metrics_close(&m);
    r1_free(whole);
    r1_free(again);
    free(rec);
}

static void test_console(void **state) {
    r1_record *rec = calloc(1, sizeof *rec);
    char buf[256], small[12];

    r1_record_real(rec, 0.4119, "critic/rewards/mean");
    r1_record_real(rec, 31.25, "response_length/mean");
    r1_record_real(rec, -0.0123, "actor/pg_loss");
    r1_record_real(rec, 4123.4, "perf/throughput");
    assert_string_equal(
        r1_console_line(rec, "rl", 12, 150, 83, buf, sizeof buf),
        "rl  12/150  reward 0.412  len 31.2  loss -0.0123  4123 tok/s  stage eta 1:23");
    r1_console_line(rec, "rl", 12, 150, 3723, buf, sizeof buf);
    assert_non_null(strstr(buf, "stage eta 1:02:03"));
    assert_int_equal(strlen(r1_console_line(rec, "rl", 12, 150, 83, small, sizeof small)), 11);
    r1_record_real(rec, (double)-NAN, "actor/grad_norm");
    assert_non_null(
        strstr(r1_console_line(rec, "rl", 12, 150, 83, buf, sizeof buf), "  grad -  4123"));
    free(rec);
}

static void test_accuracy(void **state) {
    char buf[R1_ACCURACY_TEXT];

    assert_string_equal(r1_accuracy_text(0.48812, 0.0221, 1, buf), "48.8 % +- 2.2");
    assert_string_equal(r1_accuracy_text(1, 0, 2, buf), "100.00 % +- 0.00");
    assert_string_equal(r1_accuracy_text((double)-NAN, (double)NAN, 1, buf), "-");
}

/* Vectors of RFC 3720, appendix B.4. */
static void test_crc32c(void **state) {
    uint8_t bytes[32];

    memset(bytes, 0, sizeof bytes);
    assert_int_equal(r1_crc32c(bytes, 32), 0x8a9136aau);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(r1_crc32c(bytes, 32), 0x62a8ab43u);
    for (int i = 0; i < 32; i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(r1_crc32c(bytes, 32), 0x46dd794eu);
    for (int i = 0; i < 32; i++)
        bytes[i] = (uint8_t)(31 - i);
    assert_int_equal(r1_crc32c(bytes, 32), 0x113fdb5cu);
    assert_int_equal(r1_crc32c("123456789", 9), 0xe3069283u);
}

/* The file is compared with bytes taken apart by hand; that TensorBoard's own reader takes such a
 * file was tried with its Python package. */
static void test_tensorboard(void **state) {
    r1_record *rec = calloc(1, sizeof *rec);
    r1_tensorboard tb;
    size_t len, first, again_len;
    float x;

    r1_record_real(rec, 0.5, "a/b");
    r1_record_real(rec, (double)NAN, "skipped");
    r1_record_text(rec, "skipped", "text");
    OK(r1_tensorboard_open(&tb, dir, -1, e));
    OK(r1_tensorboard_append(&tb, rec, 300, 2.0, e));
    first = (size_t)tb.offset;
    OK(r1_tensorboard_append(&tb, rec, 301, 3.0, e));
    r1_tensorboard_close(&tb);
    unsigned char *data = (unsigned char *)slurp(tb.path, &len);

    size_t n0 = 9 + 2 + 13, n1 = 9 + 3 + 2 + 2 + 5 + 5; /* version record; wall, step, summary */
    assert_int_equal(first, 16 + n0 + 16 + n1);
    assert_int_equal(len, first + 16 + n1);
    assert_int_equal(data[0], n0);
    assert_memory_equal(data + 12 + 11, "brain.Event:2", 13);
    const unsigned char *event = data + 16 + n0 + 12;
    assert_int_equal(event[9], 0x10);
    assert_int_equal(event[10] | event[11] << 8, 0x02ac); /* 300 as a varint: ac 02 */
    assert_int_equal(event[12], 0x2a);
    assert_memory_equal(event + 14,
                        "\x0a\x0a\x0a\x03"
                        "a/b\x15",
                        8);
    memcpy(&x, event + 22, 4);
    assert_true(x == 0.5f);
    uint32_t crc, want = r1_crc32c_masked(event, n1);
    memcpy(&crc, event + n1, 4);
    assert_int_equal(crc, want);

    OK(r1_tensorboard_open(&tb, dir, (int64_t)first, e));
    OK(r1_tensorboard_append(&tb, rec, 301, 3.0, e));
    r1_tensorboard_close(&tb);
    char *again = slurp(tb.path, &again_len);
    assert_int_equal(again_len, len);
    assert_memory_equal(again, data, len);
    r1_free(again);
    r1_free(data);
    free(rec);
}

static void test_summary(void **state) {
    r1_summary *s = calloc(1, sizeof *s), *back = calloc(1, sizeof *back);
    const char *path = at("summary.json");
    r1_err err = {0};

    r1_summary_init(s);
    r1_summary_stage *stage = r1_summary_stage_of(s, "rl", "grpo");
    stage->steps = 150;
    stage->updates = 300;
    stage->wall_s = 1.25;
    stage->has_eval = 1;
    stage->eval.accuracy = 0.98;
    stage->eval.stderr_ = 0.006;
    stage->eval.n = 512;
    stage->eval.greedy_accuracy = (double)NAN;
    r1_summary_stage_of(s, "last", "sft");
    assert_ptr_equal(r1_summary_stage_of(s, "rl", "grpo"), stage);
    strcpy(s->weights_checksum, "00ff00ff00ff00ff");
    OK(r1_summary_write(s, path, e));

    json_t *root = json_load_file(path, 0, NULL);
    assert_non_null(root);
    assert_true(json_is_null(json_object_get(root, "resumed_from")));
    assert_true(json_is_null(json_object_get(root, "optimizer_checksum")));
    assert_true(json_is_null(json_object_get(root, "exit_status"))); /* of a run that goes on */
    json_t *j = json_array_get(json_object_get(root, "stages"), 0);
    assert_true(json_is_null(json_object_get(json_object_get(j, "eval"), "greedy_accuracy")));
    assert_true(
        json_is_null(json_object_get(json_array_get(json_object_get(root, "stages"), 1), "eval")));
    json_decref(root);

    OK(r1_summary_read(back, path, e));
    assert_int_equal(back->n_stages, 2);
    assert_int_equal(back->resumed_from, -1);
    assert_string_equal(back->weights_checksum, "00ff00ff00ff00ff");
    assert_true(back->stage[0].eval.accuracy == 0.98 && back->stage[0].eval.n == 512);
    assert_true(isnan(back->stage[0].eval.greedy_accuracy) && !back->stage[1].has_eval);
    assert_int_equal(back->stage[0].updates, 300);
    assert_int_equal(back->exit_status, -1);
    r1_summary_cut(back, "none");
    assert_int_equal(back->n_stages, 2);
    r1_summary_cut(back, "rl");
    assert_int_equal(back->n_stages, 1);

    OK(r1_file_write_atomic(path, "{\"stages\": [", 12, e));
    assert_int_equal(r1_summary_read(back, path, &err), R1_DATA);
    OK(r1_file_write_atomic(path, "{\"stages\": 1}", 13, e));
    assert_int_equal(r1_summary_read(back, path, &err), R1_DATA);
    free(s);
    free(back);
}

static void test_rollouts(void **state) {
    r1_rollout_verdict v[2] = {{"number", {R1_VERDICT_CORRECT, 1.0f, "note"}},
                               {"format", {R1_VERDICT_TIMEOUT, 1.0f, "slow"}}};
    r1_rollout_row row = {.stage = "rl",
                          .step = 12,
                          .weights_version = 3,
                          .deal = 1ull << 40,
                          .sample = 5,
                          .prompt = "1+1=",
                          .len_prompt = 4,
                          .completion = "2\xff\0",
                          .len_completion = 3,
                          .finish_reason = "eos",
                          .reward = 1.0,
                          .advantage = (double)NAN,
                          .verdicts = v,
                          .n_verdicts = 2};
    r1_buf b;

    r1_buf_init(&b, R1_ROLLOUTS_BYTES_MAX);
    OK(r1_rollout_add(&b, &row, e));
    OK(r1_rollout_add(&b, &row, e));
    OK(r1_rollouts_write(dir, 12, &b, e));
    r1_buf_done(&b);
    size_t len;
    char *text = slurp(at("step_000012.jsonl"), &len);
    char *second = strchr(text, '\n') + 1;
    assert_int_equal(strlen(text), len);
    assert_memory_equal(text, second, (size_t)(second - text));
    second[-1] = 0;
    json_t *j = json_loads(text, JSON_ALLOW_NUL, NULL);
    assert_non_null(j);
    assert_memory_equal(json_string_value(json_object_get(j, "completion")), "2\xef\xbf\xbd\0", 5);
    assert_int_equal(json_integer_value(json_object_get(j, "deal")), 1ll << 40);
    assert_true(json_is_null(json_object_get(j, "reference")));
    assert_true(json_is_null(json_object_get(j, "advantage")));
    json_t *verdicts = json_object_get(j, "verdicts");
    assert_true(json_is_null(json_object_get(json_object_get(verdicts, "format"), "score")));
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(verdicts, "number"), "verdict")),
        "correct");
    json_decref(j);
    r1_free(text);
}

/* What others see of it. */
static void assert_phase(const char *name) {
    char text[R1_CARD_TEXT];

    r1_card_get(&r1_my_card->phase, text);
    assert_string_equal(text, name);
}

static void test_phases(void **state) {
    r1_phases p;
    double sum = 0;

    r1_phases_init(&p);
    assert_phase("other");
    r1_phase_begin(&p, R1_PHASE_ROLLOUT);
    r1_sleep_us(20000);
    r1_phase_begin(&p, R1_PHASE_REWARD);
    assert_phase("reward");
    r1_sleep_us(10000);
    r1_phase_end(&p, R1_PHASE_REWARD);
    assert_phase("rollout");
    r1_phase_end(&p, R1_PHASE_ROLLOUT);
    double wall = r1_phases_flush(&p);
    assert_true(p.seconds[R1_PHASE_ROLLOUT] >= 0.02 && p.seconds[R1_PHASE_REWARD] >= 0.01);
    for (int i = 0; i < R1_PHASE_COUNT; i++)
        sum += p.seconds[i];
    assert_true(fabs(sum - wall) < 1e-9);
}

static void test_phase_table(void **state) {
    enum {
        N = R1_PHASE_COUNT
    };
    double s[3 * N] = {0};
    const int roles[] = {R1_ROLE_LEARNER, R1_ROLE_ACTOR, R1_ROLE_ACTOR};
    const int both[] = {3, 3, 3};
    r1_phase_stats stats[N];
    r1_buf b;

    s[R1_PHASE_FORWARD] = 2, s[R1_PHASE_BACKWARD] = 2, s[R1_PHASE_WAIT_ACTORS] = 6;
    s[N + R1_PHASE_ROLLOUT] = 10, s[2 * N + R1_PHASE_ROLLOUT] = 6;
    s[2 * N + R1_PHASE_WAIT_LEARNER] = 4;
    r1_phase_gather(s, roles, 3, 10, stats);
    assert_int_equal(stats[R1_PHASE_ROLLOUT].ranks, 2);
    assert_true(stats[R1_PHASE_ROLLOUT].min == 6 && stats[R1_PHASE_ROLLOUT].avg == 8 &&
                stats[R1_PHASE_ROLLOUT].max == 10 && stats[R1_PHASE_ROLLOUT].imbalance == 25 &&
                stats[R1_PHASE_ROLLOUT].of_wall == 80);
    assert_int_equal(stats[R1_PHASE_FORWARD].ranks, 1);
    assert_int_equal(stats[R1_PHASE_CHECKPOINT].ranks, 1); /* actors write none */
    r1_buf_init(&b, 1 << 16);
    OK(r1_phase_table(s, roles, 3, 10, &b, e));
    assert_non_null(strstr(b.data, "rollout            2       6.00       8.00      10.00        "
                                   "25.0      80.0"));
    assert_non_null(strstr(b.data,
                           "Bottleneck: the actors (learners waited 60 % of the wall time); "
                           "an even division of the work is 1 learner and 2 actors"));
    assert_null(strstr(b.data, "optimizer"));
    r1_buf_clear(&b);
    OK(r1_phase_table(s, both, 3, 10, &b, e));
    assert_non_null(strstr(b.data, "Bottleneck: rollout (53 % of the wall time, unevenly"));
    r1_buf_done(&b);
}

static void test_rundir(void **state) {
    r1_rundir d, other;
    r1_err err = {0};
    char path[128], file[256];
    int status = 0;

    snprintf(path, sizeof path, "%s/runs/one", dir);
    OK(r1_rundir_open(&d, path, 0, e));
    assert_true(d.was_empty);
    assert_int_equal(r1_rundir_open(&other, path, 1, &err), R1_USAGE);
    assert_non_null(strstr(err.msg, "another run holds its lock"));
    OK(r1_rundir_read_exit_status(&d, &status, e));
    assert_int_equal(status, -1);
    OK(r1_rundir_write_exit_status(&d, 85, e));
    OK(r1_rundir_read_exit_status(&d, &status, e));
    assert_int_equal(status, 85);
    OK(r1_rundir_write_config(&d, "name: one\n", e));

    /* A child that outlives us does not keep the lock. */
    int pipe_fd[2];
    assert_int_equal(pipe(pipe_fd), 0);
    pid_t child = fork();
    if (child == 0) {
        char c;
        close(pipe_fd[1]);
        _exit(read(pipe_fd[0], &c, 1) == 0 ? 0 : 1);
    }
    close(pipe_fd[0]);
    r1_rundir_close(&d);
    assert_int_equal(r1_rundir_open(&other, path, 0, &err), R1_USAGE);
    assert_non_null(strstr(err.msg, "holds an earlier run"));
    OK(r1_rundir_open(&other, path, 1, e));
    close(pipe_fd[1]);
    assert_int_equal(waitpid(child, &status, 0), child);

    assert_false(other.was_empty);
    OK(r1_rundir_discard(&other, e));
    OK(r1_rundir_file(&other, "config.yaml", file, sizeof file, e));
    assert_false(r1_path_exists(file));
    OK(r1_rundir_read_exit_status(&other, &status, e));
    assert_int_equal(status, -1);
    OK(r1_rundir_file(&other, "exit_status", file, sizeof file, e));
    OK(r1_file_write_atomic(file, "x\n", 2, e));
    assert_int_equal(r1_rundir_read_exit_status(&other, &status, &err), R1_DATA);
    OK(r1_rundir_clear_exit_status(&other, e));
    OK(r1_rundir_clear_exit_status(&other, e));
    r1_rundir_close(&other);
    r1_rundir_close(&other);
}

/* A start that failed before its run began does not count as a run; files of others are refused. */
static void test_rundir_contents(void **state) {
    r1_rundir d;
    r1_err err = {0};
    char path[128], file[256];

    snprintf(path, sizeof path, "%s/runs/two", dir);
    OK(r1_rundir_open(&d, path, 0, e));
    OK(r1_rundir_write_exit_status(&d, 64, e));
    OK(r1_rundir_file(&d, "logs/rank-0.log", file, sizeof file, e));
    OK(r1_file_write_atomic(file, "x\n", 2, e));
    r1_rundir_close(&d);
    OK(r1_rundir_open(&d, path, 0, e));
    assert_true(d.was_empty);
    OK(r1_rundir_file(&d, "checkpoints/step_000001", file, sizeof file, e));
    OK(r1_dir_make(file, e));
    r1_rundir_close(&d);
    for (int may_exist = 0; may_exist < 2; may_exist++) {
        assert_int_equal(r1_rundir_open(&d, path, may_exist, &err), R1_USAGE);
        assert_non_null(strstr(err.msg, "'checkpoints' but no config.yaml"));
    }
    assert_true(r1_path_is_dir(file));

    snprintf(path, sizeof path, "%s/runs/foreign", dir);
    OK(r1_dir_make(path, e));
    snprintf(file, sizeof file, "%s/thesis.tex", path);
    OK(r1_file_write_atomic(file, "x\n", 2, e));
    assert_int_equal(r1_rundir_open(&d, path, 1, &err), R1_USAGE);
    assert_non_null(strstr(err.msg, "'thesis.tex' but no config.yaml"));
    snprintf(file, sizeof file, "%s/lock", path);
    assert_false(r1_path_exists(file));
}

static int make_dir(void **state) {
    snprintf(dir, sizeof dir, "/tmp/r1_metrics_XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state) {
    return r1_dir_remove(dir, NULL) == R1_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_text),
        cmocka_unit_test(test_record),  cmocka_unit_test(test_append_and_cut),
        cmocka_unit_test(test_console), cmocka_unit_test(test_accuracy),
        cmocka_unit_test(test_crc32c),  cmocka_unit_test(test_tensorboard),
        cmocka_unit_test(test_summary), cmocka_unit_test(test_rollouts),
        cmocka_unit_test(test_phases),  cmocka_unit_test(test_phase_table),
        cmocka_unit_test(test_rundir),  cmocka_unit_test(test_rundir_contents),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
