/* r1-bench grade: answers that one core judges in a second. */
#include "tests/bench/measure.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "reward/math/math.h"

#include <stdio.h>
#include <string.h>

#define ANSWERS 2000

/* Right answers of the usual kinds, each written in another way than its reference. */
static const struct {
    const char *kind, *gold, *answer;
} cases[] = {{"integer", "72", "72"},
             {"fraction", "\\frac{3}{4}", "\\frac{6}{8}"},
             {"polynomial", "x^2+2x+1", "(x+1)^2"},
             {"interval", "(1,2]", "1 < x \\le 2"},
             {"radical", "2\\sqrt{3}", "\\sqrt{12}"},
             {"trigonometric", "\\sin 2x", "2\\sin x\\cos x"}};

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
    double t0_s = r1_now_s();
    for (int i = 0; i < ANSWERS; i++) {
        R1_TRY(r1_math_grade(handle, r1_text_of(""), answer, &r, err));
        if (r.kind != R1_MATH_EQUAL) {
            st = R1_FAIL(err, R1_BUG, "the right answer to '%s' is not called equal", gold);
            goto done;
        }
    }
    *ret_us = 1e6 * (r1_now_s() - t0_s) / ANSWERS;
done:
    r1_math_gold_close(handle);
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
done:
    r1_buf_done(&b);
    return st;
}
