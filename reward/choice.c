/* choice: one letter of several.
 *
 * C, (C), C., \text{(C)}, $C$, **C**, "(C) 42" where the row's choices say that C is 42, and in
 * running text what stands behind the last "answer is" or "answer:".  Two letters are wrong, never
 * a choice between them.  The row may hold choices: letters (those there are), or texts (of A, B
 * and so on). */
#include "common/base/json.h"
#include "reward/rules.h"

#include <string.h>

static int starts(r1_text t, const char *s) {
    return t.n >= strlen(s) && memcmp(t.s, s, strlen(s)) == 0;
}

static r1_text drop(r1_text t, size_t n) {
    return r1_text_trim((r1_text){t.s + n, t.n - n});
}

/* Without marks around the whole: $..$, **..**, \(..\), \text{..}, final punctuation. */
static r1_text unwrap(r1_text t) {
    static const char *const pairs[][2] = {
        {"$", "$"},         {"**", "**"},       {"\\(", "\\)"},
        {"\\text{", "}"},   {"\\textbf{", "}"}, {"\\mathrm{", "}"},
        {"\\mathbf{", "}"}, {"\\boxed{", "}"},  {"`", "`"}};
    size_t before;

    t = r1_text_trim(t);
    do {
        before = t.n;
        while (t.n > 1 && (t.s[t.n - 1] == '.' || t.s[t.n - 1] == ','))
            t = r1_text_trim((r1_text){t.s, t.n - 1});
        for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++) {
            size_t open = strlen(pairs[k][0]), close = strlen(pairs[k][1]);
            if (t.n > open + close && starts(t, pairs[k][0]) &&
                memcmp(t.s + t.n - close, pairs[k][1], close) == 0)
                t = r1_text_trim((r1_text){t.s + open, t.n - open - close});
        }
    } while (t.n < before);
    return t;
}

static int is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int is_name(char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

/* The letter that a text begins with, as a capital, and what stands behind it; 0: none. */
static char leading_letter(r1_text t, r1_text *ret_rest) {
    int bracket = starts(t, "(") || starts(t, "[");
    r1_text at = bracket ? drop(t, 1) : t;

    if (at.n == 0 || !is_letter(at.s[0]) || (at.n > 1 && is_name(at.s[1])))
        return 0;
    char letter = (char)(at.s[0] & ~0x20);
    at = (r1_text){at.s + 1, at.n - 1};
    if (bracket && !starts(r1_text_trim(at), ")") && !starts(r1_text_trim(at), "]"))
        return 0;
    at = bracket ? drop(r1_text_trim(at), 1) : at;
    int marked =
        bracket || starts(at, ".") || starts(at, ")") || starts(at, ":") || starts(at, ",");
    if (!bracket && marked)
        at = drop(at, 1);
    if (r1_text_trim(at).n && !marked && at.s[0] != '\n')
        return 0; /* "A cat": a word */
    *ret_rest = r1_text_trim(at);
    return letter;
}

/* Another capital letter that stands alone. */
static int has_letter(r1_text t) {
    for (size_t i = 0; i < t.n; i++)
        if (t.s[i] >= 'A' && t.s[i] <= 'Z' && (i == 0 || !is_name(t.s[i - 1])) &&
            (i + 1 == t.n || !is_name(t.s[i + 1])))
            return 1;
    return 0;
}

/* The choices of the row; NULL: it lists none. */
static json_t *read_choices(const json_t *root) {
    json_t *choices = json_object_get(root, "choices");
    choices = choices ? choices : json_object_get(json_object_get(root, "opts"), "choices");
    return json_array_size(choices) > 0 ? choices : NULL;
}

static int is_one_letter(const json_t *v) {
    return json_string_length(v) == 1 && is_letter(json_string_value(v)[0]);
}

/* NULL, or why the letter with that text behind it is no choice. */
static const char *fault_of(const json_t *choices, char letter, r1_text rest) {
    size_t n = json_array_size(choices), index = (size_t)(letter - 'A');
    int letters = n > 0, listed = n == 0;

    for (size_t i = 0; i < n; i++) {
        const json_t *c = json_array_get(choices, i);
        letters &= is_one_letter(c);
        listed |= is_one_letter(c) && (json_string_value(c)[0] & ~0x20) == letter;
    }
    if (n && !letters)
        listed = index < n;
    if (!listed)
        return "not one of the choices";
    if (rest.n == 0)
        return NULL;
    if (n && !letters) {
        const json_t *c = json_array_get(choices, index);
        r1_text want = {json_string_value(c), json_string_length(c)};
        want = unwrap(want);
        rest = unwrap(rest);
        return want.n == rest.n && memcmp(want.s, rest.s, rest.n) == 0
                   ? NULL
                   : "the text behind the letter is another choice's";
    }
    return has_letter(rest) ? "more than one letter" : NULL;
}

#define ANSWER_IS "\xe7\xad\x94\xe6\xa1\x88\xe6\x98\xaf" /* Chinese */

/* What stands behind the last phrase that announces an answer, up to the line's end. */
static int announced(r1_text t, r1_text *ret) {
    static const char *const phrases[] = {
        "answer is", "answer:", "Answer:", "option is", "choice is", ANSWER_IS};
    long last = -1;

    for (size_t k = 0; k < sizeof phrases / sizeof *phrases; k++) {
        long at = r1_text_find_last(t, phrases[k]);
        if (at >= 0 && at + (long)strlen(phrases[k]) > last)
            last = at + (long)strlen(phrases[k]);
    }
    if (last < 0)
        return 0;
    *ret = drop(t, (size_t)last);
    if (starts(*ret, ":"))
        *ret = drop(*ret, 1);
    const char *end = memchr(ret->s, '\n', ret->n);
    ret->n = end ? (size_t)(end - ret->s) : ret->n;
    return 1;
}

static r1_verdict judge(const r1_grade_input *in, const json_t *choices) {
    r1_text segment = r1_extract_segment(in->question, in->completion), span, rest, gold_rest;
    char gold = leading_letter(unwrap(in->reference), &gold_rest);
    r1_place place = r1_extract_marked(segment, &span);

    if (place == R1_PLACE_LAST)
        announced(segment, &span);
    char letter = place == R1_PLACE_CUT ? 0 : leading_letter(unwrap(span), &rest);
    if (!gold)
        return r1_verdict_of(R1_VERDICT_UNPARSEABLE_GOLD, "the reference is not one letter");
    if (!letter)
        return r1_verdict_of(place == R1_PLACE_LAST || place == R1_PLACE_CUT ? R1_VERDICT_NO_ANSWER
                                                                             : R1_VERDICT_WRONG,
                             "no letter where the answer belongs");
    const char *why = fault_of(choices, letter, rest);
    if (why)
        return r1_verdict_of(R1_VERDICT_WRONG, why);
    return letter == gold ? r1_verdict_of(R1_VERDICT_CORRECT, "")
                          : r1_verdict_of(R1_VERDICT_WRONG, "another letter");
}

r1_verdict r1_rule_choice(const r1_reward *r, const r1_grade_input *in) {
    json_t *root = NULL;
    json_error_t je;

    if (in->extra.n &&
        r1_json_parse(&root, in->extra.s, in->extra.n, JSON_ALLOW_NUL, &je) == R1_NOMEM)
        return r1_verdict_of(R1_VERDICT_ERROR, "out of memory");
    r1_verdict v = judge(in, read_choices(root));
    json_decref(root);
    return v;
}
