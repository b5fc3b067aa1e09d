/* language, length, repetition, loop, cosine, kimi_length_group: how an answer is written, whatever
 * it says.  Values are those of shaping.h and language.h. */
#include "common/base/mem.h"
#include "reward/language.h"
#include "reward/rules.h"
#include "reward/shaping.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* On the thinking, where there is one (R1: the chain of thought). */
r1_verdict r1_rule_language(const r1_reward *r, const r1_grade_input *in) {
    r1_language_unit unit = r->o.unit && *r->o.unit == 'w' ? R1_UNIT_WHITESPACE : R1_UNIT_CHARS;
    int target = r->language >= 0 ? r->language : r1_language_asked(in);
    char note[R1_VERDICT_NOTE_MAX];

    r1_language_share s = r1_language_count(r1_extract_thinking(in->completion), target, unit);
    snprintf(note, sizeof note, "%s: %.5g of %.5g words", r1_language_name(target), s.target,
             s.all);
    return r1_verdict_scored(r1_language_consistency(s, r->o.min_words), 1, note);
}

/* What an answer is made of: its tokens, or without them its words.  NULL: no memory. */
static uint64_t *items_of(const r1_reward *r, const r1_grade_input *in, size_t *ret_n) {
    int words = in->n_ids == 0 || (r->o.unit && *r->o.unit == 'w');
    uint64_t *items = NULL;

    if (words)
        return r1_shape_words(in->completion, &items, ret_n, NULL) == R1_OK ? items : NULL;
    items = r1_calloc((size_t)in->n_ids, sizeof *items);
    for (int i = 0; i < in->n_ids && items; i++)
        items[i] = (uint64_t)in->ids[i];
    *ret_n = (size_t)in->n_ids;
    return items;
}

static const char no_memory[] = "out of memory";

r1_verdict r1_rule_repetition(const r1_reward *r, const r1_grade_input *in) {
    size_t n;
    uint64_t *items = items_of(r, in, &n);
    double share = 0;
    r1_status st =
        items ? r1_shape_repetition(items, n, (size_t)r->o.ngram, &share, NULL) : R1_NOMEM;

    r1_free(items);
    return st == R1_OK ? r1_verdict_scored(share > 0 ? -share : 0, 0, "")
                       : r1_verdict_of(R1_VERDICT_ERROR, no_memory);
}

r1_verdict r1_rule_loop(const r1_reward *r, const r1_grade_input *in) {
    size_t n;
    uint64_t *items = items_of(r, in, &n);

    if (!items)
        return r1_verdict_of(R1_VERDICT_ERROR, no_memory);
    int loops = r1_shape_loops(items, n, (size_t)r->o.max_period, (size_t)r->o.times);
    r1_free(items);
    return r1_verdict_scored(loops ? -1 : 0, 0, loops ? "ends in a loop" : "");
}

r1_verdict r1_rule_length(const r1_reward *r, const r1_grade_input *in) {
    return r1_verdict_scored(r1_shape_length(in->n_ids, r->o.target_len), 0, "");
}

/* ---- by what the first reward says ---- */

void r1_rule_cosine(const r1_reward *r, const r1_grade_input *in, const r1_verdict *first, int n,
                    r1_verdict *ret) {
    r1_cosine c = {r->o.min_wrong,   r->o.max_wrong, r->o.min_correct,
                   r->o.max_correct, r->o.max_len,   1};

    for (int i = 0; i < n; i++) {
        int right = first[i].kind == R1_VERDICT_CORRECT;
        ret[i] = r1_verdict_scorable(first[i].kind)
                     ? r1_verdict_scored(r1_shape_cosine(&c, right, in[i].n_ids), c.max_correct, "")
                     : first[i];
    }
}

/* Samples that cannot be scored are no part of the group. */
void r1_rule_kimi(const r1_reward *r, const r1_grade_input *in, const r1_verdict *first, int n,
                  r1_verdict *ret) {
    double *length = r1_calloc((size_t)n, sizeof *length);
    double *value = r1_calloc((size_t)n, sizeof *value);
    int *correct = r1_calloc((size_t)n, sizeof *correct);
    size_t scored = 0;

    for (int i = 0; i < n && length && value && correct; i++) {
        if (!r1_verdict_scorable(first[i].kind))
            continue;
        length[scored] = in[i].n_ids;
        correct[scored++] = first[i].kind == R1_VERDICT_CORRECT;
    }
    if (length && value && correct)
        r1_shape_kimi(correct, length, scored, value);
    for (int i = 0, k = 0; i < n; i++) {
        if (!r1_verdict_scorable(first[i].kind))
            ret[i] = first[i];
        else if (length && value && correct)
            ret[i] = r1_verdict_scored(value[k++], 0, "");
        else
            ret[i] = r1_verdict_of(R1_VERDICT_ERROR, no_memory);
    }
    r1_free(length);
    r1_free(value);
    r1_free(correct);
}
