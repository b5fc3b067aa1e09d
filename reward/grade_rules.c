/* Kinds that are one reward: number, exact, choice, countdown, format, language.
 *
 * What is read from a row, the first key that is there:
 *   completion   completion, pred, response; for countdown also answer
 *   reference    gold, reference, answer, final; a list means: any of these
 *   question     prompt, question
 * and the row itself goes to the reward (countdown: nums, target).  A row of GSM8K as it is
 * published, with answer and final but nothing to grade, has its own solution graded against
 * final. */
#include "reward/grade.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_GOLDS 64

typedef struct fields {
    const json_t *completion, *gold, *question;
    const char *completion_key, *gold_key, *question_key;
} fields;

static r1_status find_completion(const json_t *row, const char *const *keys, const char *name,
                                 fields *f, r1_err *err) {
    static const char *const questions[] = {"prompt", "question", NULL};

    f->question = r1_row_first(row, questions, &f->question_key);
    if (!f->completion)
        f->completion = r1_row_first(row, keys, &f->completion_key);
    return f->completion ? R1_OK
                         : R1_FAIL(err, R1_DATA, "key '%s' (or 'completion') is missing", name);
}

static const char *const completions[] = {"completion", "pred", "response", NULL};

/* The fields of a rule that compares with a reference. */
static r1_status find_fields(const json_t *row, fields *f, r1_err *err) {
    static const char *const golds[] = {"gold", "reference", "answer", "final", NULL};
    static const char *const answer[] = {"answer", NULL}, *const final[] = {"final", NULL};
    r1_status st;

    f->completion = r1_row_first(row, completions, &f->completion_key);
    if (!f->completion && json_object_get(row, "final")) {
        f->completion = r1_row_first(row, answer, &f->completion_key);
        f->gold = r1_row_first(row, final, &f->gold_key);
    } else {
        f->gold = r1_row_first(row, golds, &f->gold_key);
    }
    if ((st = find_completion(row, completions, "pred", f, err)) != R1_OK)
        return st;
    if (!f->gold)
        return R1_FAIL(err, R1_DATA, "key 'gold' (or 'answer') is missing");
    if (json_array_size(f->gold) > MAX_GOLDS)
        return R1_FAIL(err, R1_DATA, "key '%s' lists %zu answers, at most %d are allowed",
                       f->gold_key, json_array_size(f->gold), MAX_GOLDS);
    return R1_OK;
}

/* Against each of the references: the first that agrees, else the first that can be judged. */
static r1_status grade_any(const r1_reward *r, const fields *f, r1_grade_input *in, r1_verdict *ret,
                           r1_err *err) {
    size_t n = json_is_array(f->gold) ? json_array_size(f->gold) : 1;
    r1_status st = R1_OK;

    *ret = (r1_verdict){.kind = R1_VERDICT_UNPARSEABLE_GOLD, .note = "the reference is empty"};
    for (size_t i = 0; i < n && ret->kind != R1_VERDICT_CORRECT; i++) {
        const json_t *gold = json_is_array(f->gold) ? json_array_get(f->gold, i) : f->gold;
        char *own = NULL;
        if (gold && (st = r1_row_text(gold, f->gold_key, &in->reference, &own, err)) != R1_OK)
            return st;
        r1_verdict v = r1_reward_grade(r, in);
        if (i == 0 || v.kind == R1_VERDICT_CORRECT || !r1_verdict_scorable(ret->kind))
            *ret = v;
        r1_free(own);
    }
    return st;
}

static r1_status grade_row(const r1_reward *r, const fields *f, const r1_grade_row *row,
                           r1_row_verdict *ret, r1_err *err) {
    r1_grade_input in = {.extra = row->text};
    char *completion = NULL, *question = NULL;
    r1_verdict v;
    r1_status st;

    R1_TRY(r1_row_text(f->completion, f->completion_key, &in.completion, &completion, err));
    if (f->question)
        R1_TRY(r1_row_text(f->question, f->question_key, &in.question, &question, err));
    R1_TRY(grade_any(r, f, &in, &v, err));
    ret->verdict = r1_verdict_name(v.kind);
    ret->score = r1_verdict_scorable(v.kind) ? (double)v.score : (double)NAN;
    snprintf(ret->how, sizeof ret->how, "%s", r1_reward_how(r, &in));
    snprintf(ret->why, sizeof ret->why, "%s", v.note);
done:
    r1_free(completion);
    r1_free(question);
    return st;
}

static r1_status row_with_gold(void *ctx, const r1_grade_row *row, r1_row_verdict *ret,
                               r1_err *err) {
    fields f = {.completion = NULL};
    r1_status st = find_fields(row->json, &f, err);

    return st == R1_OK ? grade_row(ctx, &f, row, ret, err) : st;
}

static r1_status row_alone(void *ctx, const r1_grade_row *row, r1_row_verdict *ret, r1_err *err) {
    fields f = {.completion = NULL};
    r1_status st = find_completion(row->json, completions, "pred", &f, err);

    return st == R1_OK ? grade_row(ctx, &f, row, ret, err) : st;
}

static r1_status row_of_countdown(void *ctx, const r1_grade_row *row, r1_row_verdict *ret,
                                  r1_err *err) {
    static const char *const keys[] = {"completion", "pred", "response", "answer", NULL};
    fields f = {.completion = NULL};
    r1_status st = find_completion(row->json, keys, "answer", &f, err);

    return st == R1_OK ? grade_row(ctx, &f, row, ret, err) : st;
}

static r1_status open_reward(const r1_grade_options *o, void **ret_ctx, r1_err *err) {
    r1_reward_options options = {.name = o->kind, .from = o->from, .target = o->target};
    r1_reward *r = NULL;
    r1_status st = r1_reward_open(&r, &options, err);

    *ret_ctx = r;
    return st;
}

static void close_reward(void *ctx) {
    r1_reward_close(ctx);
}

const r1_grade_kind r1_grade_number = {
    "number",
    "pred (or completion, response); gold (or reference, answer, final), a list:\n"
    "any of them.  GSM8K's rows with answer and final grade their own solution",
    "from",
    open_reward,
    row_with_gold,
    close_reward};
const r1_grade_kind r1_grade_exact = {
    "exact",       "the same keys; the texts must agree byte for byte",
    NULL,          open_reward,
    row_with_gold, close_reward};
const r1_grade_kind r1_grade_choice = {
    "choice",      "the same keys; choices (or opts.choices), letters or texts: one letter",
    NULL,          open_reward,
    row_with_gold, close_reward};
const r1_grade_kind r1_grade_countdown = {
    "countdown", "nums, target; answer (or completion, pred)", NULL, open_reward, row_of_countdown,
    close_reward};
const r1_grade_kind r1_grade_format = {
    "format",  "completion (or pred, response); prompt or question, if it opens <think>",
    NULL,      open_reward,
    row_alone, close_reward};
const r1_grade_kind r1_grade_language = {
    "language",
    "completion (or pred, response); prompt or question, whose language is the\n"
    "target without --target.  score: the share of words of the thinking (of\n"
    "all, where there is none) that are of the target language",
    "target",
    open_reward,
    row_alone,
    close_reward};
