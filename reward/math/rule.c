/* The reward `math`: the trainer's use of the verifier.  Extraction is strict (a box or an answer
 * tag), an answer that is unknown earns nothing, a reference that cannot be judged says nothing. */
#include "reward/math/math.h"
#include "reward/rules.h"

r1_verdict r1_rule_math(const r1_reward *reward, const r1_grade_input *in) {
    r1_math_opts o = r1_math_defaults;
    r1_math_gold *gold = NULL;
    r1_math_result r;
    r1_verdict v;
    r1_err err;

    o.strict = 1;
    if (r1_math_gold_open(&gold, &in->reference, 1, &o, &err) != R1_OK)
        return r1_verdict_of(R1_VERDICT_ERROR, "out of memory");
    if (r1_math_gold_lint(gold, NULL) != R1_OK)
        v = r1_verdict_of(R1_VERDICT_UNPARSEABLE_GOLD, "the reference cannot be read");
    else if (r1_math_grade(gold, in->question, in->completion, &r, &err) != R1_OK)
        v = r1_verdict_of(R1_VERDICT_ERROR, "out of memory");
    else if (r.kind == R1_MATH_EQUAL)
        v = r1_verdict_of(R1_VERDICT_CORRECT, "");
    else if (r.kind == R1_MATH_NOT_EQUAL)
        v = r1_verdict_of(R1_VERDICT_WRONG, "another answer");
    else
        v = r1_verdict_of(R1_VERDICT_NO_ANSWER, r1_math_why_name(r.why));
    r1_math_gold_close(gold);
    return v;
}
