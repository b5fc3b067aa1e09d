/* exact and number. */
#include "reward/rules.h"

#include "reward/extract.h"
#include "reward/number.h"

#include <stdio.h>
#include <string.h>

r1_verdict r1_verdict_of(r1_verdict_kind kind, const char *note) {
    r1_verdict v = {.kind = kind, .score = kind == R1_VERDICT_CORRECT ? 1.0f : 0.0f};

    snprintf(v.note, sizeof v.note, "%s", note);
    return v;
}

r1_verdict r1_verdict_scored(double value, double best, const char *note) {
    r1_verdict v = r1_verdict_of(value >= best ? R1_VERDICT_CORRECT : R1_VERDICT_WRONG, note);

    v.score = (float)value;
    return v;
}

/* ---- number ---- */

r1_place r1_number_place(r1_number_from from, const r1_grade_input *in, r1_text *ret) {
    r1_text segment = r1_extract_segment(in->question, in->completion);

    switch (from) {
    case R1_FROM_LAST:
        *ret = segment;
        return R1_PLACE_LAST;
    case R1_FROM_BOXED:
        return r1_extract_boxed(segment, ret);
    case R1_FROM_ANSWER_TAG:
        return r1_extract_answer_tag(segment, ret);
    case R1_FROM_HASH:
        return r1_extract_hash(segment, ret);
    case R1_FROM_AUTO:
        break;
    }
    return r1_extract_marked(segment, ret);
}

/* "x = 5" says 5: the text behind one letter and =, else the whole. */
static r1_text drop_name(r1_text t) {
    t = r1_text_trim(t);
    size_t i = t.n && t.s[0] == '$', name = i;

    if (i < t.n && ((t.s[i] >= 'a' && t.s[i] <= 'z') || (t.s[i] >= 'A' && t.s[i] <= 'Z')))
        i++;
    while (i > name && i < t.n && t.s[i] == ' ')
        i++;
    if (i == name || i >= t.n || t.s[i] != '=')
        return t;
    return (r1_text){t.s + i + 1, t.n - i - 1};
}

/* 1 and the number, 0 none, -1 something else than one number. */
static int answer_number(r1_number_from from, const r1_grade_input *in, mpq_t ret) {
    r1_text span;

    switch (r1_number_place(from, in, &span)) {
    case R1_PLACE_NONE:
    case R1_PLACE_CUT:
        return 0;
    case R1_PLACE_LAST:
        return r1_number_last(span, ret);
    case R1_PLACE_BOXED:
    case R1_PLACE_ANSWER_TAG:
    case R1_PLACE_HASH:
        break;
    }
    return r1_number_only(drop_name(span), ret);
}

r1_verdict r1_rule_number(const r1_reward *r, const r1_grade_input *in) {
    r1_text gold_text = in->reference;
    r1_verdict v;
    mpq_t gold, got;

    mpq_inits(gold, got, NULL);
    r1_extract_hash(in->reference, &gold_text); /* GSM8K keeps the answer behind #### */
    if (r1_number_only(gold_text, gold) != 1) {
        v = r1_verdict_of(R1_VERDICT_UNPARSEABLE_GOLD, "the reference is not one number");
    } else {
        int n = answer_number(r->from, in, got);
        v = n == 0  ? r1_verdict_of(R1_VERDICT_NO_ANSWER, "no number where the answer belongs")
            : n < 0 ? r1_verdict_of(R1_VERDICT_WRONG, "something else than one number")
            : mpq_equal(gold, got) ? r1_verdict_of(R1_VERDICT_CORRECT, "")
                                   : r1_verdict_of(R1_VERDICT_WRONG, "another number");
    }
    mpq_clears(gold, got, NULL);
    return v;
}

/* ---- exact ---- */

r1_verdict r1_rule_exact(const r1_reward *r, const r1_grade_input *in) {
    r1_text got = r1_extract_segment(in->question, in->completion),
            gold = r1_text_trim(in->reference);
    r1_place place = r1_extract_answer_tag(got, &got);

    got = r1_text_trim(got);
    if (gold.n == 0)
        return r1_verdict_of(R1_VERDICT_UNPARSEABLE_GOLD, "the reference is empty");
    if (place == R1_PLACE_CUT)
        return r1_verdict_of(R1_VERDICT_NO_ANSWER, "the answer tag is not closed");
    if (got.n == 0)
        return r1_verdict_of(R1_VERDICT_NO_ANSWER, "the answer is empty");
    return got.n == gold.n && memcmp(got.s, gold.s, gold.n) == 0
               ? r1_verdict_of(R1_VERDICT_CORRECT, "")
               : r1_verdict_of(R1_VERDICT_WRONG, "another text");
}
