/* The reward `math`: the trainer's use of the verifier.  Extraction is strict (a box or an answer
 * tag), an answer that is unknown earns nothing, a reference that cannot be judged says nothing.
 * A group has one reference, which is read once. */
#include "reward/math/math.h"
#include "reward/rules.h"

static r1_verdict judge(const r1_math_gold *gold, const r1_grade_input *in) {
    r1_math_result r;
    r1_err err;

    if (r1_math_gold_lint(gold, NULL) != R1_OK)
        return r1_verdict_of(R1_VERDICT_UNPARSEABLE_GOLD, "the reference cannot be read");
    if (r1_math_grade(gold, in->question, in->completion, &r, &err) != R1_OK)
        return r1_verdict_of(R1_VERDICT_ERROR, "out of memory");
    if (r.kind == R1_MATH_EQUAL)
        return r1_verdict_of(R1_VERDICT_CORRECT, "");
    if (r.kind == R1_MATH_NOT_EQUAL)
        return r1_verdict_of(R1_VERDICT_WRONG, "another answer");
    return r1_verdict_of(R1_VERDICT_NO_ANSWER, r1_math_why_name(r.why));
}

void r1_rule_math(const r1_reward *reward, const r1_grade_input *in, const r1_verdict *first, int n,
                  r1_verdict *ret) {
    r1_math_opts o = r1_math_defaults;
    r1_math_gold *gold = NULL;
    r1_err err;

    o.strict = 1;
    r1_status st = r1_math_gold_open(&gold, &in->reference, 1, &o, &err);
    for (int s = 0; s < n; s++)
        ret[s] =
            st == R1_OK ? judge(gold, &in[s]) : r1_verdict_of(R1_VERDICT_ERROR, "out of memory");
    r1_math_gold_close(gold);
}
