/* format, format_code, tag_count, reasoning_steps: the form of a completion. */
#include "reward/rules.h"
#include "reward/shaping.h"

#include <string.h>

static const char *const tags[] = {"<think>", "</think>", "<answer>", "</answer>"};

/* ---- look-alikes ---- */

/* U+FF1C and U+FF1E, the full-width brackets, have 3 bytes. */
static size_t bracket(r1_text t, size_t i, char ascii, const char *wide) {
    if (i < t.n && t.s[i] == ascii)
        return 1;
    return t.n - i >= 3 && i < t.n && memcmp(t.s + i, wide, 3) == 0 ? 3 : 0;
}

static size_t skip_blanks(r1_text t, size_t i) {
    while (i < t.n && (t.s[i] == ' ' || t.s[i] == '\t'))
        i++;
    return i;
}

/* think or answer in any case; bytes of it. */
static size_t tag_name(r1_text t, size_t i) {
    static const char *const names[] = {"think", "answer"};

    for (int k = 0; k < 2; k++) {
        size_t n = strlen(names[k]);
        if (t.n - i >= n && strncasecmp(t.s + i, names[k], n) == 0)
            return n;
    }
    return 0;
}

/* "< think>", "</Answer >", full-width brackets: what reads like a tag and is none. */
static int has_look_alike(r1_text t) {
    for (size_t i = 0; i < t.n; i++) {
        size_t width = bracket(t, i, '<', "\xef\xbc\x9c");
        if (!width)
            continue;
        size_t at = skip_blanks(t, i + width);
        at = skip_blanks(t, at + (at < t.n && t.s[at] == '/'));
        size_t name = tag_name(t, at), end = skip_blanks(t, at + name);
        size_t close = bracket(t, end, '>', "\xef\xbc\x9e");
        if (!name || !close)
            continue;
        int exact = 0;
        for (int k = 0; k < 4; k++)
            exact |= end + close - i == strlen(tags[k]) &&
                     memcmp(t.s + i, tags[k], strlen(tags[k])) == 0;
        if (!exact)
            return 1;
    }
    return 0;
}

/* ---- format ---- */

/* Each of the tags from..to once, in order, with something between a pair and nothing but white
 * space elsewhere; *ret_rest is what stands behind the last.  A prompt that opened <think> has
 * from = 1. */
static const char *fault_of_tags(r1_text t, int from, int to, size_t min_think, r1_text *ret_rest) {
    size_t at = 0;

    for (int k = 0; k < 4; k++)
        if (r1_text_count(t, tags[k]) != (k >= from && k < to))
            return "a tag is missing or repeated";
    for (int k = from; k < to; k++) {
        long found = r1_text_find(t, at, tags[k]);
        if (found < 0)
            return "tags out of order";
        r1_text between = r1_text_trim((r1_text){t.s + at, (size_t)found - at});
        int is_content = k == 1 || k == 3;
        if (!is_content && between.n)
            return "text outside of the tags";
        if (is_content && between.n < (k == 1 ? min_think : 1))
            return between.n ? "the thinking is too short" : "nothing between two tags";
        at = (size_t)found + strlen(tags[k]);
    }
    *ret_rest = (r1_text){t.s + at, t.n - at};
    return NULL;
}

/* <think>reasoning</think> <answer>answer</answer>, or behind the thinking one box that is closed
 * and not empty.  A box may stand in a sentence. */
static const char *fault_of(const r1_reward *r, const r1_grade_input *in) {
    r1_text t = r1_text_trim(in->completion), rest, span;
    int boxed = r->o.answer && strcmp(r->o.answer, "boxed") == 0;
    const char *why = fault_of_tags(t, r1_extract_opened(in->question), boxed ? 2 : 4,
                                    r->o.min_think > 0 ? (size_t)r->o.min_think : 1, &rest);

    if (why)
        return why;
    if (has_look_alike(t))
        return "something that only looks like a tag";
    if (!boxed)
        return rest.n ? "text behind </answer>" : NULL;
    if (r1_text_count(rest, "\\boxed{") != 1)
        return "no box behind the thinking, or more than one";
    if (r1_extract_boxed(rest, &span) != R1_PLACE_BOXED)
        return "the box is not closed";
    return r1_text_trim(span).n ? NULL : "the box is empty";
}

static r1_verdict verdict_of_fault(const char *why) {
    return r1_verdict_of(why ? R1_VERDICT_WRONG : R1_VERDICT_CORRECT, why ? why : "");
}

r1_verdict r1_rule_format(const r1_reward *r, const r1_grade_input *in) {
    return verdict_of_fault(fault_of(r, in));
}

r1_verdict r1_rule_format_code(const r1_reward *r, const r1_grade_input *in) {
    const char *why = fault_of(r, in);
    r1_text answer;

    if (!why && (r1_extract_answer_tag(in->completion, &answer) != R1_PLACE_ANSWER_TAG ||
                 !r1_shape_has_code(answer, r->o.code_language)))
        why = "no code of that language in the answer";
    return verdict_of_fault(why);
}

/* ---- partial credit ---- */

r1_verdict r1_rule_tag_count(const r1_reward *r, const r1_grade_input *in) {
    int opened = r1_extract_opened(in->question), once = opened;

    for (int k = opened; k < 4; k++)
        once += r1_text_count(in->completion, tags[k]) == 1;
    return r1_verdict_scored(0.25 * once, 1, "");
}

r1_verdict r1_rule_reasoning_steps(const r1_reward *r, const r1_grade_input *in) {
    return r1_verdict_scored(r1_shape_steps(in->completion, r->o.min_steps), 1, "");
}
