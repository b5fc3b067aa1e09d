/* The mathematics verifier on any answer: its extractor, scanner and parser, and gradings against
 * references of several types. */
#include "tests/fuzz/fuzz.h"

#include "reward/math/math.h"

#include <string.h>

static void check(const r1_math_result *r) {
    R1_ASSERT(r->kind >= R1_MATH_EQUAL && r->kind <= R1_MATH_UNKNOWN);
    R1_ASSERT((r->kind == R1_MATH_UNKNOWN) == (r->why != R1_MATH_WHY_NOTHING));
    R1_ASSERT(r1_math_how_name(r->how)[0]);
}

static void grade(r1_text gold, r1_text answer, const r1_math_opts *o) {
    r1_math_gold *g = NULL;
    r1_math_result r, again;
    r1_err err;

    R1_ASSERT(r1_math_gold_open(&g, &gold, 1, o, &err) == R1_OK);
    R1_ASSERT(r1_math_grade(g, r1_text_of(""), answer, &r, &err) == R1_OK);
    R1_ASSERT(r1_math_grade(g, r1_text_of(""), answer, &again, &err) == R1_OK);
    check(&r);
    R1_ASSERT(r.kind == again.kind && r.how == again.how && r.fuel == again.fuel);
    r1_math_gold_close(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static const char *const golds[] = {"\\frac{1}{2}", "x^2+1", "(0,1]", "\\{1,2\\}", "x=5"};
    r1_math_opts lenient = r1_math_defaults, strict = lenient, whole = lenient, choice = lenient;
    r1_text t = {(const char *)data, n};
    r1_math_result r;
    r1_err err;

    strict.strict = whole.whole = choice.choice = 1;
    R1_ASSERT(r1_math_parses(t, &r, &err) == R1_OK);
    check(&r);
    grade(r1_text_of(golds[n % 5]), t, &whole);
    grade(r1_text_of(golds[n % 5]), t, &lenient);
    grade(r1_text_of("7"), t, &strict);
    grade(r1_text_of("B"), t, &choice);
    grade(t, t, &whole); /* any bytes may be a reference too */
    return 0;
}
