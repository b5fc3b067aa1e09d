/* r1-bench grade: answers that a core judges in a second of its time: made-up responses, and where
 * R1_SHARED has them the worked solutions of GSM8K, one by one and as the trainer's groups, and the
 * slowest of the hard cases. */
#include "tests/bench/measure.h"

#include "common/base/file.h"
#include "common/base/mem.h"
#include "reward/grade.h"
#include "reward/math/math.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ANSWERS 2000
#define GROUP   16

/* Right answers of the usual kinds, each written in another way than its reference. */
static const struct {
    const char *kind, *gold, *answer;
} cases[] = {{"integer", "72", "72"},
             {"fraction", "\\frac{3}{4}", "\\frac{6}{8}"},
             {"polynomial", "x^2+2x+1", "(x+1)^2"},
             {"interval", "(1,2]", "1 < x \\le 2"},
             {"radical", "2\\sqrt{3}", "\\sqrt{12}"},
             {"trigonometric", "\\sin 2x", "2\\sin x\\cos x"}};

/* Of this thread: what else the machine does hardly matters. */
static double cpu_s(void) {
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A response with so many bytes of thinking and a box. */
static r1_status response(r1_buf *b, size_t bytes, const char *answer, r1_err *err) {
    static const char thought[] =
        "We note that $x^2+1=5$, so \\( x = 2 \\); but is that all? Let me "
        "check \\frac{1}{2} of it again.\n";
    r1_status st;

    r1_buf_clear(b);
    R1_TRY(r1_buf_addf(b, err, "<think>"));
    while (b->len < bytes)
        R1_TRY(r1_buf_add(b, thought, sizeof thought - 1, err));
    R1_TRY(r1_buf_addf(b, err, "</think>So the answer is \\boxed{%s}.", answer));
done:
    return st;
}

static r1_status measure(const char *gold, r1_text answer, double *ret_us, r1_err *err) {
    r1_text g = r1_text_of(gold);
    r1_math_gold *handle = NULL;
    r1_math_result r;
    r1_status st;

    R1_TRY(r1_math_gold_open(&handle, &g, 1, &r1_math_defaults, err));
    double t0_s = cpu_s();
    for (int i = 0; i < ANSWERS; i++) {
        R1_TRY(r1_math_grade(handle, r1_text_of(""), answer, &r, err));
        if (r.kind != R1_MATH_EQUAL) {
            st = R1_FAIL(err, R1_BUG, "the right answer to '%s' is not called equal", gold);
            goto done;
        }
    }
    *ret_us = 1e6 * (cpu_s() - t0_s) / ANSWERS;
done:
    r1_math_gold_close(handle);
    return st;
}

/* The rows of a file of R1_SHARED as an array; NULL where there is none. */
static r1_status read_rows(const char *name, json_t **ret, r1_err *err) {
    const char *shared = getenv("R1_SHARED");
    char path[R1_PATH_MAX], *text = NULL;
    r1_status st = R1_OK;
    json_error_t je;
    size_t len;

    *ret = NULL;
    snprintf(path, sizeof path, "%.900s/data/%.100s", shared ? shared : "", name);
    if (!shared || !r1_path_exists(path))
        return R1_OK;
    R1_TRY(r1_file_slurp(path, (size_t)64 << 20, &text, &len, err));
    *ret = json_array();
    for (char *line = text, *end; (end = strchr(line, '\n')) && st == R1_OK; line = end + 1)
        if (json_array_append_new(*ret, json_loadb(line, (size_t)(end - line), 0, &je)) != 0)
            st = R1_FAIL(err, R1_DATA, "%s: %s", path, je.text);
done:
    r1_free(text);
    return st;
}

static r1_text text_of(const json_t *row, const char *key) {
    return r1_text_of(json_string_value(json_object_get(row, key)));
}

static void print_rate(const char *kind, size_t n, double s) {
    printf("{\"what\": \"grade\", \"kind\": \"%s\", \"answers\": %zu, \"us\": %.2f, "
           "\"answers_per_s\": %.0f}\n",
           kind, n, 1e6 * s / (double)n, (double)n / s);
}

/* Each solution against its final number; the reference is read for each. */
static r1_status solutions(const json_t *rows, double *ret_s, r1_err *err) {
    r1_status st = R1_OK;
    double t0_s = cpu_s();

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        r1_text final = text_of(row, "final");
        r1_math_gold *gold = NULL;
        r1_math_result r = {R1_MATH_UNKNOWN};
        st = r1_math_gold_open(&gold, &final, 1, &r1_math_defaults, err);
        if (st == R1_OK)
            st = r1_math_grade(gold, r1_text_of(""), text_of(row, "answer"), &r, err);
        r1_math_gold_close(gold);
        R1_TRY(st);
        if (r.kind != R1_MATH_EQUAL) {
            st = R1_FAIL(err, R1_BUG, "row %zu: the solution is not called right", i + 1);
            goto done;
        }
    }
    *ret_s = cpu_s() - t0_s;
done:
    return st;
}

/* As the trainer asks: the reward math on groups, a question's solution as reference. */
static r1_status groups(const json_t *rows, double *ret_s, r1_err *err) {
    r1_reward_options o = {.name = "math", .weight = 1};
    r1_grade_input in[GROUP] = {{{0}}};
    r1_rewards rewards = {0};
    char boxed[GROUP][64];
    r1_graded graded[GROUP];
    r1_status st;

    R1_TRY(r1_rewards_open(&rewards, &o, 1, err));
    double t0_s = cpu_s();
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        for (int s = 0; s < GROUP; s++) {
            snprintf(boxed[s], sizeof boxed[s], "\\boxed{%.40s%s}", text_of(row, "final").s,
                     s % 2 ? "1" : "");
            in[s].completion = r1_text_of(boxed[s]);
            in[s].reference = text_of(row, "answer");
        }
        r1_rewards_grade(&rewards, in, GROUP, graded);
        if (!graded[0].correct || graded[1].correct) {
            st = R1_FAIL(err, R1_BUG, "row %zu: a wrong verdict in its group", i + 1);
            goto done;
        }
    }
    *ret_s = cpu_s() - t0_s;
done:
    r1_rewards_close(&rewards);
    return st;
}

static r1_status gsm8k(const bench_options *o, r1_err *err) {
    double one_s = 0, group_s = 0, s;
    json_t *rows = NULL;
    r1_status st;

    R1_TRY(read_rows("gsm8k_train.jsonl", &rows, err));
    for (int rep = 0; rows && rep < o->reps; rep++) {
        R1_TRY(solutions(rows, &s, err));
        one_s = rep == 0 || s < one_s ? s : one_s;
        R1_TRY(groups(rows, &s, err));
        group_s = rep == 0 || s < group_s ? s : group_s;
    }
    if (rows) {
        print_rate("gsm8k solution", json_array_size(rows), one_s);
        print_rate("gsm8k group of 16", GROUP * json_array_size(rows), group_s);
    }
done:
    json_decref(rows);
    return st;
}

/* The best time of each row; of these the worst. */
static r1_status hard(const bench_options *o, r1_err *err) {
    json_t *rows = NULL;
    double worst_s = 0;
    size_t slowest = 0;
    r1_status st;

    R1_TRY(read_rows("math_hard_dev.jsonl", &rows, err));
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const r1_grade_row row = {.json = json_array_get(rows, i), .line = i + 1};
        double best_s = 0;
        for (int rep = 0; rep < o->reps; rep++) {
            r1_row_verdict v = {0};
            double t0_s = cpu_s();
            R1_TRY(r1_grade_math.row(NULL, &row, &v, err));
            double s = cpu_s() - t0_s;
            best_s = rep == 0 || s < best_s ? s : best_s;
        }
        slowest = best_s > worst_s ? i : slowest;
        worst_s = best_s > worst_s ? best_s : worst_s;
    }
    if (rows)
        printf("{\"what\": \"grade\", \"kind\": \"slowest of math_hard_dev\", \"rows\": %zu, "
               "\"id\": \"%s\", \"ms\": %.3f}\n",
               json_array_size(rows), text_of(json_array_get(rows, slowest), "id").s,
               1e3 * worst_s);
done:
    json_decref(rows);
    return st;
}

r1_status bench_grade(const bench_options *o, r1_err *err) {
    r1_status st = R1_OK;
    r1_buf b;

    r1_buf_init(&b, 1 << 20);
    for (size_t bytes = 2000; bytes <= 8000; bytes *= 2)
        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
            double best = 0;
            R1_TRY(response(&b, bytes, cases[k].answer, err));
            for (int rep = 0; rep < o->reps; rep++) {
                double us;
                R1_TRY(measure(cases[k].gold, (r1_text){b.data, b.len}, &us, err));
                best = rep == 0 || us < best ? us : best;
            }
            printf("{\"what\": \"grade\", \"kind\": \"%s\", \"bytes\": %zu, \"us\": %.2f, "
                   "\"answers_per_s\": %.0f}\n",
                   cases[k].kind, b.len, best, 1e6 / best);
        }
    R1_TRY(gsm8k(o, err));
    R1_TRY(hard(o, err));
done:
    r1_buf_done(&b);
    return st;
}
