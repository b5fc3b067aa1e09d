/* Kind math of r1-grade: rows of labelled mathematics.
 *
 * Keys: gold (a string, a list of which any is right, or null: pred alone is parsed), pred, id,
 * mode (answer: both are bare answers; text: the answer is looked for, in pred and gold), kind
 * (choice: a letter), opts.  An option that is not known is an error that names row and key. */
#include "reward/grade.h"
#include "reward/math/math.h"

#include <math.h>
#include <string.h>

#define MAX_GOLDS 64

typedef struct task {
    r1_math_opts o;
    r1_text golds[MAX_GOLDS], pred;
    int n_golds;
    int parse_only; /* gold is null */
} task;

static r1_status strings(const json_t *list, const char *key, const char **ret, int most,
                         int *ret_n, r1_err *err) {
    size_t n = json_is_array(list) ? json_array_size(list) : 1;

    if (n > (size_t)most)
        return R1_FAIL(err, R1_DATA, "opts.%s lists %zu texts, at most %d are allowed", key, n,
                       most);
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_is_array(list) ? json_array_get(list, i) : list;
        if (!json_is_string(v))
            return R1_FAIL(err, R1_DATA, "opts.%s is no text", key);
        ret[i] = json_string_value(v);
    }
    *ret_n = (int)n;
    return R1_OK;
}

/* Tolerances may be numbers; their text is written into `room`. */
static r1_status tolerances(const json_t *v, r1_math_opts *o, char room[8][32], r1_err *err) {
    size_t n = json_is_array(v) ? json_array_size(v) : 1;

    if (n > 8)
        return R1_FAIL(err, R1_DATA, "opts.abs_tol lists %zu numbers, at most 8 are allowed", n);
    for (size_t i = 0; i < n; i++) {
        const json_t *t = json_is_array(v) ? json_array_get(v, i) : v;
        if (json_is_string(t)) {
            o->abs_tol[i] = json_string_value(t);
        } else if (json_is_number(t)) {
            snprintf(room[i], sizeof room[i], "%.17g", json_number_value(t));
            o->abs_tol[i] = room[i];
        } else {
            return R1_FAIL(err, R1_DATA, "opts.abs_tol is no number");
        }
    }
    o->n_abs_tol = (int)n;
    return R1_OK;
}

/* What other graders' rows say and what means nothing here. */
static int is_ignored(const char *key) {
    static const char *const keys[] = {"match_types",
                                       "strict",
                                       "boxed_priority",
                                       "language",
                                       "answer_in_brackets",
                                       "reasoning_delimiters",
                                       "allow_set_relation_comp",
                                       "max_ms"};

    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        if (strcmp(key, keys[k]) == 0)
            return 1;
    return 0;
}

static r1_status read_options(const json_t *opts, task *t, char room[8][32], r1_err *err) {
    r1_status st = R1_OK;
    const char *key;
    const json_t *v;

    for (void *it = json_object_iter((json_t *)(uintptr_t)opts); it && st == R1_OK;
         it = json_object_iter_next((json_t *)(uintptr_t)opts, it)) {
        key = json_object_iter_key(it);
        v = json_object_iter_value(it);
        if (strcmp(key, "boxed_only") == 0)
            t->o.boxed_only = json_is_true(v);
        else if (strcmp(key, "answer_after_think") == 0)
            t->o.after_think = json_is_true(v);
        else if (strcmp(key, "answer_tag_only") == 0)
            t->o.answer_tag_only = json_is_true(v);
        else if (strcmp(key, "anchor") == 0 && json_is_string(v))
            t->o.anchor = json_string_value(v);
        else if (strcmp(key, "precision") == 0 && json_is_integer(v) &&
                 json_integer_value(v) >= 0 && json_integer_value(v) <= 100)
            t->o.precision = (int)json_integer_value(v);
        else if (strcmp(key, "abs_tol") == 0)
            st = tolerances(v, &t->o, room, err);
        else if (strcmp(key, "choices") == 0)
            st = strings(v, key, t->o.choices, R1_MATH_CHOICES, &t->o.n_choices, err);
        else if (!is_ignored(key))
            st = R1_FAIL(err, R1_DATA, "opts.%s is unknown or has a wrong value", key);
    }
    return st;
}

static r1_status read_golds(const json_t *gold, task *t, r1_err *err) {
    size_t n = json_is_array(gold) ? json_array_size(gold) : 1;

    if (!gold)
        return R1_FAIL(err, R1_DATA, "key 'gold' is missing");
    t->parse_only = json_is_null(gold);
    if (t->parse_only)
        return R1_OK;
    if (n == 0 || n > MAX_GOLDS)
        return R1_FAIL(err, R1_DATA, "key 'gold' lists %zu answers, 1 to %d are allowed", n,
                       MAX_GOLDS);
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_is_array(gold) ? json_array_get(gold, i) : gold;
        if (!json_is_string(v))
            return R1_FAIL(err, R1_DATA, "key 'gold' is no text");
        t->golds[t->n_golds++] = (r1_text){json_string_value(v), json_string_length(v)};
    }
    return R1_OK;
}

static r1_status read_row(const json_t *row, task *t, char room[8][32], r1_err *err) {
    const json_t *pred = json_object_get(row, "pred"), *opts = json_object_get(row, "opts");
    const char *mode = json_string_value(json_object_get(row, "mode")),
               *kind = json_string_value(json_object_get(row, "kind"));
    r1_status st;

    *t = (task){.o = r1_math_defaults};
    if (!json_is_string(pred))
        return R1_FAIL(err, R1_DATA, "key 'pred' is missing or no text");
    t->pred = (r1_text){json_string_value(pred), json_string_length(pred)};
    if (mode && strcmp(mode, "answer") != 0 && strcmp(mode, "text") != 0)
        return R1_FAIL(err, R1_DATA, "key 'mode' is '%.40s' (answer, text)", mode);
    t->o.whole = mode && strcmp(mode, "answer") == 0;
    t->o.choice = kind && strcmp(kind, "choice") == 0;
    if ((st = read_golds(json_object_get(row, "gold"), t, err)) != R1_OK)
        return st;
    return json_is_object(opts) ? read_options(opts, t, room, err) : R1_OK;
}

static r1_status grade(const task *t, r1_math_result *ret, r1_err *err) {
    r1_math_gold *g = NULL;
    r1_status st;

    if (t->parse_only)
        return r1_math_parses(t->pred, ret, err);
    if ((st = r1_math_gold_open(&g, t->golds, t->n_golds, &t->o, err)) == R1_OK)
        st = r1_math_grade(g, r1_text_of(""), t->pred, ret, err);
    r1_math_gold_close(g);
    return st;
}

static r1_status open_kind(const r1_grade_options *o, void **ret_ctx, r1_err *err) {
    *ret_ctx = NULL;
    return R1_OK;
}

static void close_kind(void *ctx) {
}

static r1_status grade_row(void *ctx, const r1_grade_row *row, r1_row_verdict *ret, r1_err *err) {
    static const char *const kinds[] = {"equal", "not_equal", "unknown"};
    const char *id = json_string_value(json_object_get(row->json, "id"));
    char room[8][32];
    r1_math_result r;
    r1_status st;
    task t;

    st = read_row(row->json, &t, room, err);
    if (st == R1_OK)
        st = grade(&t, &r, err);
    if (st != R1_OK) {
        if (id)
            r1_err_prefix(err, "id %.80s", id);
        return st;
    }
    ret->verdict = kinds[r.kind];
    ret->score = r.why == R1_MATH_WHY_GOLD ? (double)NAN : r.kind == R1_MATH_EQUAL;
    snprintf(ret->how, sizeof ret->how, "%s", r1_math_how_name(r.how));
    snprintf(ret->why, sizeof ret->why, "%s", r1_math_why_name(r.why));
    return R1_OK;
}

const r1_grade_kind r1_grade_math = {
    .name = "math",
    .help = "pred; gold (a list: any of them; null: pred alone is parsed);\n"
            "mode (answer, text), kind (choice), opts",
    .open = open_kind,
    .row = grade_row,
    .close = close_kind,
};
