/* Programs from standard input to standard output; see job.h. */
#include "reward/judge/job.h"
#include "reward/extract.h"

#include <stdio.h>
#include <string.h>

#define COPY_BYTES           8
#define CHECKER_OUTPUT_BYTES (R1_BOX_DISK_BYTES / 2)

/* Checkers are trusted, but they are programs, and what they read is not. */
static const r1_judge_limits checker_limits = {.cpu_s = 10,
                                               .wall_s = 30,
                                               .memory_mb = 512,
                                               .output_kb = 64,
                                               .file_kb = 1024,
                                               .procs = 8,
                                               .open_files = 32};

typedef struct work {
    const r1_launcher *l;
    r1_judge_job *job;
    r1_runnable program, checker;
    r1_buf binary, checker_binary;
} work;

/* In the manner of Codeforces: input, output, answer -> exit status. */
static r1_judge_verdict ask_checker(work *w, const r1_judge_test *t, r1_text printed, char *why,
                                    size_t size) {
    static const char *const names[] = {"input", "output", "answer"};
    const r1_text contents[] = {t->input, printed, t->output};
    r1_box_io run = {.input = "", .fetch_fd = -1};
    r1_box_request b;
    r1_err err;

    if (printed.n > CHECKER_OUTPUT_BYTES) {
        snprintf(why, size, "printed more than fits into a checker's box");
        return R1_JUDGE_OLE;
    }
    r1_runnable_request(&w->checker, &checker_limits, &b);
    for (int i = 0; i < 3; i++) {
        r1_box_add_file(&b, names[i], contents[i], 0400);
        b.words[b.n_words++] = names[i];
    }
    r1_buf_init(&run.output, (size_t)(1024 * checker_limits.output_kb));
    r1_status st = r1_run_box(w->l, &b, &run, &err);
    r1_buf_done(&run.output);
    if (st != R1_OK) {
        r1_plain_text(why, size, err.msg);
        return R1_JUDGE_IE;
    }
    if (run.result.end == R1_BOX_EXITED && run.result.code == 0)
        return R1_JUDGE_AC;
    if (r1_box_verdict(&run.result, why, size) == R1_JUDGE_IE)
        return R1_JUDGE_IE;
    /* Also one that crashed: an output that kills the checker must not escape a bad verdict. */
    r1_plain_text(why, size, *run.message ? run.message : "the checker rejects it");
    return R1_JUDGE_WA;
}

static r1_judge_verdict compare(work *w, const r1_judge_test *t, r1_text printed, char *why,
                                size_t size) {
    if (w->job->compare.mode == R1_COMPARE_CHECKER)
        return ask_checker(w, t, printed, why, size);
    if (r1_compare_equal(&w->job->compare, t->output, printed))
        return R1_JUDGE_AC;
    snprintf(why, size, "%s", printed.n ? "another output" : "no output");
    return R1_JUDGE_WA;
}

/* The last line of what a program said when it died. */
static const char *last_line(char *message) {
    size_t n = strlen(message);

    while (n && message[n - 1] == '\n')
        message[--n] = '\0';
    char *nl = strrchr(message, '\n');
    return nl ? nl + 1 : message;
}

static r1_judge_verdict run_test(work *w, const r1_judge_test *t, char *why, size_t size) {
    const r1_judge_limits *limits = &w->job->limits;
    r1_box_io run = {.input = t->input.s, .n_input = t->input.n, .fetch_fd = -1};
    r1_judge_verdict v = R1_JUDGE_IE;
    r1_box_request b;
    r1_err err;

    r1_runnable_request(&w->program, limits, &b);
    r1_buf_init(&run.output, (size_t)(1024 * limits->output_kb));
    if (r1_run_box(w->l, &b, &run, &err) != R1_OK) {
        r1_plain_text(why, size, err.msg);
    } else {
        v = r1_box_verdict(&run.result, why, size);
        size_t used = strlen(why);
        if (v == R1_JUDGE_RTE && *run.message && used + 3 < size) {
            snprintf(why + used, size - used, ": ");
            r1_plain_text(why + used + 2, size - used - 2, last_line(run.message));
        }
        if (run.too_much && v != R1_JUDGE_IE)
            v = R1_JUDGE_OLE;
        if (v == R1_JUDGE_AC)
            v = compare(w, t, (r1_text){run.output.data, run.output.len}, why, size);
        r1_note_use(&w->job->result, &run.result);
    }
    r1_buf_done(&run.output);
    return v;
}

/* A source as it can be run. */
static r1_judge_verdict prepare(work *w, r1_language language, r1_text source, r1_runnable *ret,
                                r1_buf *binary) {
    *ret = (r1_runnable){language, source};
    if (language == R1_LANGUAGE_PYTHON)
        return R1_JUDGE_AC;
    r1_judge_verdict v =
        r1_compile(w->l, language, source, &w->job->limits, binary, &w->job->result);
    ret->code = (r1_text){binary->data, binary->len};
    return v;
}

static void run_tests(work *w) {
    r1_judge_job *job = w->job;
    r1_judge_result *r = &job->result;
    char why[sizeof r->why - 24];

    for (int i = 0; i < job->n_tests && !job->dropped; i++) {
        *why = '\0';
        r1_judge_verdict v = run_test(w, &job->tests[i], why, sizeof why);
        if (v == R1_JUDGE_AC) {
            r->n_passed++;
            continue;
        }
        if (r->verdict == R1_JUDGE_AC || v == R1_JUDGE_IE) {
            r->verdict = v;
            snprintf(r->why, sizeof r->why, "test %d: %s", i + 1, why);
        }
        if (!job->fraction || v == R1_JUDGE_IE)
            return;
    }
}

/* Solutions may say what is expected instead of working it out; nothing is decided by that. */
static void count_copies(r1_judge_job *job) {
    r1_judge_result *r = &job->result;

    for (int i = 0; i < job->n_tests; i++) {
        r1_text out = r1_text_trim(job->tests[i].output);
        r->n_copied += out.n > COPY_BYTES && memmem(job->source.s, job->source.n, out.s, out.n);
    }
    if (r->verdict == R1_JUDGE_AC && r->n_copied)
        snprintf(r->why, sizeof r->why, "the source holds the output of %d of %d tests",
                 r->n_copied, r->n_tests);
}

void r1_job_stdio(const r1_launcher *l, r1_judge_job *job) {
    work w = {.l = l, .job = job};
    r1_judge_result *r = &job->result;

    r1_buf_init(&w.binary, 1);
    r1_buf_init(&w.checker_binary, 1);
    *r = (r1_judge_result){.n_tests = job->n_tests};
    r->verdict = prepare(&w, job->language, job->source, &w.program, &w.binary);
    if (r->verdict == R1_JUDGE_AC && job->compare.mode == R1_COMPARE_CHECKER) {
        r->verdict =
            prepare(&w, job->checker_language, job->checker_source, &w.checker, &w.checker_binary);
        if (r->verdict == R1_JUDGE_CE)
            r->verdict = R1_JUDGE_IE;
    }
    if (r->verdict == R1_JUDGE_AC)
        run_tests(&w);
    count_copies(job);
    r1_buf_done(&w.binary);
    r1_buf_done(&w.checker_binary);
}
