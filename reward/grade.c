/* Rows in, verdict lines out; see grade.h. */
#include "reward/grade.h"

#include "common/base/clock.h"
#include "common/base/json.h"
#include "reward/math/math_row.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MAX_GOLDS 64

/* The first of the keys (NULL at the end) that is there; *ret_key its name. */
static json_t *first_of(json_t *row, const char *const *keys, const char **ret_key) {
    for (; *keys; keys++) {
        json_t *v = json_object_get(row, *keys);
        if (v) {
            *ret_key = *keys;
            return v;
        }
    }
    return NULL;
}

/* A number as the shortest text that reads back to it: 0.1, not 0.10000000000000001. */
static r1_status number_text(const json_t *v, const char *key, char **ret, r1_err *err) {
    for (size_t precision = 15;; precision++) {
        r1_status st =
            r1_json_dump(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(precision), key, ret, err);
        if (st != R1_OK || precision == 17 || json_is_integer(v) ||
            strtod(*ret, NULL) == json_real_value(v))
            return st;
        r1_free(*ret);
        *ret = NULL;
    }
}

/* A string or number as text; *ret_own, if set, is for the caller to free (r1_free). */
static r1_status text_of(const json_t *v, const char *key, r1_text *ret, char **ret_own,
                         r1_err *err) {
    *ret_own = NULL;
    if (json_is_null(v)) {
        *ret = r1_text_of(NULL);
    } else if (json_is_string(v)) {
        *ret = (r1_text){json_string_value(v), json_string_length(v)};
    } else if (json_is_number(v)) {
        r1_status st = number_text(v, key, ret_own, err);
        if (st != R1_OK)
            return st;
        *ret = r1_text_of(*ret_own);
    } else {
        return R1_FAIL(err, R1_DATA, "key '%s' is neither a string nor a number", key);
    }
    return R1_OK;
}

typedef struct fields {
    json_t *completion, *gold, *question;
    const char *completion_key, *gold_key, *question_key;
} fields;

static r1_status find_fields(json_t *row, const char *kind, fields *f, r1_err *err) {
    static const char *const completions[] = {"completion", "pred", "response", NULL};
    static const char *const golds[] = {"gold", "reference", "answer", "final", NULL};
    static const char *const questions[] = {"prompt", "question", NULL};
    static const char *const answer[] = {"answer", NULL}, *const final[] = {"final", NULL};
    int countdown = strcmp(kind, "countdown") == 0, needs_gold = !countdown;

    *f = (fields){.completion = NULL};
    f->completion = first_of(row, completions, &f->completion_key);
    f->question = first_of(row, questions, &f->question_key);
    if (countdown) {
        if (!f->completion)
            f->completion = first_of(row, answer, &f->completion_key);
    } else if (strcmp(kind, "format") == 0) {
        needs_gold = 0;
    } else if (!f->completion && json_object_get(row, "final")) {
        f->completion = first_of(row, answer, &f->completion_key);
        f->gold = first_of(row, final, &f->gold_key);
    } else {
        f->gold = first_of(row, golds, &f->gold_key);
    }
    if (!f->completion)
        return R1_FAIL(err, R1_DATA, "key '%s' (or 'completion') is missing",
                       countdown ? "answer" : "pred");
    if (needs_gold && !f->gold)
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
        if (gold && (st = text_of(gold, f->gold_key, &in->reference, &own, err)) != R1_OK)
            return st;
        r1_verdict v = r1_reward_grade(r, in);
        if (i == 0 || v.kind == R1_VERDICT_CORRECT || !r1_verdict_scorable(ret->kind))
            *ret = v;
        r1_free(own);
    }
    return st;
}

static r1_status write_line(const json_t *id, uint64_t line_number, const r1_verdict *v,
                            const char *how, double us, r1_buf *out, r1_err *err) {
    char *name = NULL;
    r1_status st;

    if (id)
        R1_TRY(
            r1_json_dump(id, JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_COMPACT, "id", &name, err));
    R1_TRY(r1_buf_addf(out, err, "{\"id\": "));
    st = name ? r1_buf_add(out, name, strlen(name), err)
              : r1_buf_addf(out, err, "%llu", (unsigned long long)line_number);
    if (st != R1_OK)
        goto done;
    R1_TRY(r1_buf_addf(out, err, ", \"verdict\": \"%s\", \"score\": ", r1_verdict_name(v->kind)));
    st = r1_verdict_scorable(v->kind) ? r1_buf_addf(out, err, "%g", (double)v->score)
                                      : r1_buf_addf(out, err, "null");
    if (st != R1_OK)
        goto done;
    R1_TRY(r1_buf_addf(out, err, ", \"how\": \"%s\", \"why\": \"%s\", \"us\": %.1f}\n", how,
                       v->note, us));
done:
    r1_free(name);
    return st;
}

r1_status r1_grade_row(const r1_reward *r, const char *kind, r1_text row, uint64_t line_number,
                       r1_buf *out, r1_verdict_kind *ret_verdict, r1_err *err) {
    r1_grade_input in = {.extra = row};
    char *completion = NULL, *question = NULL;
    json_error_t je;
    r1_verdict v;
    fields f;

    json_t *obj = NULL;
    r1_status st = r1_json_parse(&obj, row.s, row.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &je);
    if (st != R1_OK)
        return R1_FAIL(err, st, "column %d: %s", je.column, je.text);
    if (!json_is_object(obj)) {
        st = R1_FAIL(err, R1_DATA, "not a JSON object");
        goto done;
    }
    if (strcmp(kind, "math") == 0) {
        st = r1_math_grade_row(obj, line_number, out, ret_verdict, err);
        goto done;
    }
    R1_TRY(find_fields(obj, kind, &f, err));
    R1_TRY(text_of(f.completion, f.completion_key, &in.completion, &completion, err));
    if (f.question)
        R1_TRY(text_of(f.question, f.question_key, &in.question, &question, err));
    double t0_s = r1_now_s();
    R1_TRY(grade_any(r, &f, &in, &v, err));
    double us = 1e6 * (r1_now_s() - t0_s);
    R1_TRY(write_line(json_object_get(obj, "id"), line_number, &v, r1_reward_how(r, &in), us, out,
                      err));
    *ret_verdict = v.kind;
done:
    r1_free(completion);
    r1_free(question);
    json_decref(obj);
    return st;
}
