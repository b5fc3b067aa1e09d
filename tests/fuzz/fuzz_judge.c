/* What the judge reads: requests to the launcher, plain data of a candidate, a checker's verdict,
 * code blocks of a completion, outputs, rows, and files of problems. */
#include "tests/fuzz/file.h"
#include "tests/fuzz/fuzz.h"

#include "reward/judge/code_block.h"
#include "reward/judge/job.h"
#include "reward/judge/judge_row.h"
#include "reward/judge/literal.h"

#include <string.h>

#define TOKEN "0123456789abcdef0123456789abcdef"

/* What was read points into the bytes, and says the same when it is sent again. */
static void check_request(const uint8_t *data, size_t n) {
    const char *first = (const char *)data, *end = first + n;
    r1_box_request r, again;
    r1_buf bytes;
    r1_err err;

    r1_status st = r1_box_decode(data, n, &r, &err);
    R1_ASSERT(st == R1_OK || (st == R1_DATA && err.msg[0]));
    if (st != R1_OK)
        return;
    for (int i = 0; i < r.n_words; i++)
        R1_ASSERT(r.words[i] >= first && r.words[i] + strlen(r.words[i]) < end);
    for (int i = 0; i < r.n_files; i++) {
        const r1_box_file *f = &r.files[i];
        R1_ASSERT((const char *)f->data >= first && (const char *)f->data + f->n <= end);
        R1_ASSERT(!strchr(f->name, '/') && strcmp(f->name, "..") != 0 && *f->name);
    }
    r1_buf_init(&bytes, R1_BOX_BYTES_MAX);
    R1_ASSERT(r1_box_encode(&r, &bytes, &err) == R1_OK);
    R1_ASSERT(r1_box_decode(bytes.data, bytes.len, &again, &err) == R1_OK);
    R1_ASSERT(again.n_words == r.n_words && again.n_env == r.n_env && again.n_files == r.n_files);
    r1_buf_done(&bytes);
}

/* A value is read whole: with a byte more or less it is none. */
static void check_literal(const uint8_t *data, size_t n) {
    if (n && r1_literal_check(data, n) == NULL)
        R1_ASSERT(r1_literal_check(data, n - 1) != NULL);
}

/* No verdict without the token, and none that counts more tests than there are. */
static void check_verdict(const uint8_t *data, size_t n) {
    static char text[1280];
    r1_judge_result r = {.n_tests = 3, .n_passed = -1};

    n = n < sizeof text ? n : sizeof text - 1;
    memcpy(text, data, n);
    text[n] = '\0';
    if (!r1_verdict_read(text, TOKEN, &r)) {
        R1_ASSERT(r.n_passed == -1 && r.verdict == R1_JUDGE_AC && !*r.why);
        return;
    }
    R1_ASSERT(strstr(text, TOKEN) && r.n_passed >= 0 && r.n_passed <= r.n_tests);
    R1_ASSERT(r.verdict != R1_JUDGE_AC || r.n_passed == r.n_tests);
    for (const char *s = r.why; *s; s++)
        R1_ASSERT(*s >= ' ' && *s <= '~' && *s != '"' && *s != '\\');
}

static void check_block(r1_text t) {
    r1_text block;

    for (int l = 0; l < R1_LANGUAGE_COUNT; l++)
        if (r1_code_block(t, (r1_language)l, &block))
            R1_ASSERT(block.s >= t.s && block.s + block.n <= t.s + t.n);
}

/* Every output is right where it is itself expected, and comparing has no side. */
static void check_compare(r1_text t) {
    static const char *const modes[] = {"tokens", "lines", "exact"};
    r1_text a = {t.s, t.n / 2}, b = {t.s + t.n / 2, t.n - t.n / 2};
    r1_compare c;

    R1_ASSERT(r1_compare_parse(NULL, &c) && r1_compare_equal(&c, t, t));
    (void)r1_compare_equal(&c, a, b);
    for (int i = 0; i < 3; i++) {
        R1_ASSERT(r1_compare_parse(modes[i], &c) && r1_compare_equal(&c, t, t));
        R1_ASSERT(r1_compare_equal(&c, a, b) == r1_compare_equal(&c, b, a));
    }
}

static void check_row(r1_text t) {
    json_t *row = json_loadb(t.s, t.n, JSON_ALLOW_NUL, NULL);
    r1_text source = {NULL, 0};
    r1_row_job j;
    r1_err err;

    if (!json_is_object(row)) {
        json_decref(row);
        return;
    }
    r1_status st = r1_row_tests(row, NULL, &j, &err);
    if (st == R1_OK)
        st = r1_row_program(row, j.job.language, &source, &err);
    if (st == R1_OK)
        st = r1_row_source(row, source, &j, &err);
    R1_ASSERT(st == R1_OK || (st == R1_DATA && err.msg[0]));
    R1_ASSERT(st != R1_OK || j.job.n_tests > 0 || j.job.n_cases > 0);
    r1_row_job_done(&j);
    json_decref(row);
}

/* A problem "p" is one that a row may name. */
static void check_problems(const uint8_t *data, size_t n) {
    char path[64];
    r1_problems *problems = NULL;
    r1_row_job j;
    r1_err err;

    int fd = fuzz_file(data, n, path);
    r1_status st = r1_problems_read(path, &problems, &err);
    close(fd);
    if (st != R1_OK) {
        fuzz_check_refusal(st, &err);
        return;
    }
    json_t *row = json_pack("{ss}", "problem_id", "p");
    st = r1_row_tests(row, problems, &j, &err);
    R1_ASSERT(st == R1_OK || (st == R1_DATA && err.msg[0]));
    R1_ASSERT(st != R1_OK || j.job.n_tests > 0);
    r1_row_job_done(&j);
    json_decref(row);
    r1_problems_free(problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    r1_text t = {(const char *)data, n};

    check_request(data, n);
    check_literal(data, n);
    check_verdict(data, n);
    check_block(t);
    check_compare(t);
    check_row(t);
    check_problems(data, n);
    return 0;
}
