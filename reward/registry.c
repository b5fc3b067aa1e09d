/* Rewards by name, and their weighted sum; see reward.h. */
#include "reward/reward.h"

#include "common/base/mem.h"
#include "common/base/trace.h"
#include "reward/rules.h"

#include <string.h>

typedef enum kind {
    KIND_EXACT,
    KIND_NUMBER,
    KIND_COUNTDOWN,
    KIND_FORMAT,
    KIND_MATH,
    N_KINDS
} kind;

static const char *const kind_names[N_KINDS] = {"exact", "number", "countdown", "format", "math"};
static const char *const from_names[] = {"auto", "last", "boxed", "answer_tag", "hash"};

struct r1_reward {
    const char *name;
    kind kind;
    r1_number_from from;
};

r1_status r1_reward_open(r1_reward **ret, const r1_reward_options *options, r1_err *err) {
    const char *from = options->from ? options->from : "auto";
    r1_reward *r;
    r1_status st;
    int k = 0, f = 0;

    while (k < N_KINDS && strcmp(options->name, kind_names[k]) != 0)
        k++;
    if (k == N_KINDS)
        return R1_FAIL(err, R1_USAGE,
                       "reward '%s' is unknown (exact, number, countdown, format, math)",
                       options->name);
    while (f < 5 && strcmp(from, from_names[f]) != 0)
        f++;
    if (f == 5)
        return R1_FAIL(err, R1_USAGE,
                       "reward '%s': from '%s' is unknown (auto, last, boxed, answer_tag, hash)",
                       options->name, from);
    if ((st = R1_NEW(r, 1, err)) != R1_OK)
        return st;
    *r = (r1_reward){kind_names[k], (kind)k, (r1_number_from)f};
    *ret = r;
    return R1_OK;
}

void r1_reward_close(r1_reward *r) {
    r1_free(r);
}

r1_verdict r1_reward_grade(const r1_reward *r, const r1_grade_input *in) {
    switch (r->kind) {
    case KIND_EXACT:
        return r1_rule_exact(in);
    case KIND_NUMBER:
        return r1_rule_number(r->from, in);
    case KIND_COUNTDOWN:
        return r1_rule_countdown(in);
    case KIND_MATH:
        return r1_rule_math(in);
    case KIND_FORMAT:
    case N_KINDS:
        break;
    }
    return r1_rule_format(in);
}

const char *r1_reward_how(const r1_reward *r, const r1_grade_input *in) {
    r1_text segment = r1_extract_segment(in->question, in->completion), span;
    r1_place place = R1_PLACE_NONE;

    switch (r->kind) {
    case KIND_NUMBER:
        place = r1_number_place(r->from, in, &span);
        break;
    case KIND_COUNTDOWN:
        place = r1_extract_marked(segment, &span);
        break;
    case KIND_MATH:
        place = r1_extract_boxed(segment, &span);
        if (place == R1_PLACE_NONE)
            place = r1_extract_answer_tag(segment, &span);
        break;
    case KIND_EXACT:
        place = r1_extract_answer_tag(segment, &span);
        place = place == R1_PLACE_NONE ? R1_PLACE_LAST : place;
        break;
    case KIND_FORMAT:
    case N_KINDS:
        return "tags";
    }
    return r1_place_name(place);
}

r1_status r1_reward_lint(const r1_reward *r, const r1_grade_input *in, r1_err *err) {
    r1_grade_input probe = *in;

    probe.completion = r1_text_of("x");
    r1_verdict v = r1_reward_grade(r, &probe);
    if (v.kind == R1_VERDICT_UNPARSEABLE_GOLD)
        return R1_FAIL(err, R1_DATA, "reward '%s' cannot judge the reference '%.*s': %s", r->name,
                       (int)(in->reference.n < 80 ? in->reference.n : 80), in->reference.s, v.note);
    return R1_OK;
}

r1_status r1_rewards_open(r1_rewards *ret, const r1_reward_options *options, int n, r1_err *err) {
    r1_reward_options format = {.name = "format"};
    r1_status st;

    *ret = (r1_rewards){0};
    R1_ASSERT(n <= R1_REWARDS_MAX);
    for (int i = 0; i < n; i++) {
        R1_TRY(r1_reward_open(&ret->r[i], &options[i], err));
        ret->options[ret->n++] = options[i];
        if (options[i].require_format && !ret->format)
            R1_TRY(r1_reward_open(&ret->format, &format, err));
    }
    return R1_OK;
done:
    r1_rewards_close(ret);
    return st;
}

void r1_rewards_close(r1_rewards *r) {
    for (int i = 0; i < r->n; i++)
        r1_reward_close(r->r[i]);
    r1_reward_close(r->format);
    *r = (r1_rewards){0};
}

void r1_rewards_grade(const r1_rewards *r, const r1_grade_input *in, r1_graded *ret) {
    int formed = 1;

    R1_TRACE();
    *ret = (r1_graded){.n = r->n, .usable = 1};
    if (r->format)
        formed = r1_reward_grade(r->format, in).kind == R1_VERDICT_CORRECT;
    for (int i = 0; i < r->n; i++) {
        r1_verdict *v = &ret->verdict[i];
        *v = r1_reward_grade(r->r[i], in);
        if (v->kind == R1_VERDICT_CORRECT && r->options[i].require_format && !formed)
            *v = r1_verdict_of(R1_VERDICT_WRONG, "right, but not in the required format");
        if (!r1_verdict_scorable(v->kind) && r->options[i].weight != 0)
            ret->usable = 0;
        else
            ret->total += r->options[i].weight * (double)v->score;
    }
    ret->correct = r->n > 0 && ret->verdict[0].kind == R1_VERDICT_CORRECT;
    if (!ret->usable)
        ret->total = 0;
}

r1_status r1_rewards_lint(const r1_rewards *r, const r1_grade_input *in, r1_err *err) {
    for (int i = 0; i < r->n; i++) {
        r1_status st = r1_reward_lint(r->r[i], in, err);
        if (st != R1_OK)
            return st;
    }
    return R1_OK;
}
