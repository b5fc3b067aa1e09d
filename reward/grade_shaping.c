/* Kind shaping: the formulas of shaping.h and language.h on rows {"function", "params", "input"}.
 *
 * The score is the function's value, a number or for a group a list; verdict scored.  What cannot
 * be computed (an unknown function or parameter, an input of another form) is verdict error with
 * the reason, score null.  Parameters that are texts and unknown are taken for documentation: data
 * sets describe patterns and units there. */
#include "reward/grade.h"

#include "common/base/mem.h"
#include "reward/extract.h"
#include "reward/language.h"
#include "reward/math/math.h"
#include "reward/shaping.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS_MAX 65536
#define TAGS_MAX  32
#define VOTES_MAX 1024

typedef struct call {
    const json_t *params, *input;
    r1_row_verdict *ret;
    r1_err *err;
} call;

/* NULL, or why there is no value. */
typedef const char *shape_fn(call *c);

static double number(const call *c, const char *key, double preset) {
    const json_t *v = json_object_get(c->params, key);

    return json_is_number(v) ? json_number_value(v) : preset;
}

static const char *word(const call *c, const char *key, const char *preset) {
    const json_t *v = json_object_get(c->params, key);

    return json_is_string(v) ? json_string_value(v) : preset;
}

static r1_text text_of(const json_t *v) {
    return (r1_text){json_string_value(v), json_string_length(v)};
}

static const char not_text[] = "the input is not a text";

/* ---- lengths ---- */

static const char *cosine_length(call *c) {
    const json_t *correct = json_object_get(c->input, "correct"),
                 *length = json_object_get(c->input, "length");
    r1_cosine p = {.min_wrong = number(c, "min_value_wrong", -1.0),
                   .max_wrong = number(c, "max_value_wrong", -0.5),
                   .min_correct = number(c, "min_value_correct", 0.5),
                   .max_correct = number(c, "max_value_correct", 1.0),
                   .max_len = number(c, "max_len", 1000),
                   .clamp = !json_is_false(json_object_get(c->params, "clamp"))};

    if (!json_is_boolean(correct) || !json_is_number(length))
        return "the input lacks correct or length";
    if (p.max_len <= 0)
        return "max_len is not above 0";
    c->ret->score = r1_shape_cosine(&p, json_is_true(correct), json_number_value(length));
    return NULL;
}

static const char *kimi_length_group(call *c) {
    const json_t *correct = json_object_get(c->input, "correct"),
                 *length = json_object_get(c->input, "length");
    size_t n = json_array_size(correct);
    const char *why = NULL;
    double *lengths = NULL;
    int *right = NULL;

    if (n == 0 || n != json_array_size(length) || n > ITEMS_MAX)
        return "the input lacks lists correct and length of one size";
    if (R1_NEW(lengths, n, c->err) != R1_OK || R1_NEW(right, n, c->err) != R1_OK ||
        R1_NEW(c->ret->list, n, c->err) != R1_OK)
        why = "out of memory";
    for (size_t i = 0; i < n && !why; i++) {
        right[i] = json_is_true(json_array_get(correct, i));
        lengths[i] = json_number_value(json_array_get(length, i));
        if (!json_is_boolean(json_array_get(correct, i)) ||
            !json_is_number(json_array_get(length, i)))
            why = "correct and length hold something else than truth values and numbers";
    }
    if (!why) {
        r1_shape_kimi(right, lengths, n, c->ret->list);
        c->ret->n_list = n;
    }
    r1_free(lengths);
    r1_free(right);
    return why;
}

static const char *soft_overlong(call *c) {
    const json_t *length = json_object_get(c->input, "length");
    double max_len = number(c, "max_len", 0), cache = number(c, "cache", 0);

    if (!json_is_number(length))
        return "the input lacks length";
    if (max_len <= 0 || cache <= 0 || cache > max_len)
        return "needs 0 < cache <= max_len";
    c->ret->score = r1_shape_overlong(json_number_value(length), max_len, cache);
    return NULL;
}

/* ---- repetition ---- */

static const char *repetition(call *c, const uint64_t *items, size_t n) {
    double ngram = number(c, "ngram", 3), share;

    if (ngram < 1 || ngram > ITEMS_MAX)
        return "ngram is out of range";
    if (r1_shape_repetition(items, n, (size_t)ngram, &share, c->err) != R1_OK)
        return "out of memory";
    c->ret->score = share == 0 ? 0 : share * number(c, "max_penalty", -1.0);
    return NULL;
}

static const char *repetition_tokens(call *c) {
    size_t n = json_array_size(c->input);
    const char *why = NULL;
    uint64_t *ids;

    if (!json_is_array(c->input))
        return "the input is not a list of ids";
    if (R1_NEW(ids, n, c->err) != R1_OK)
        return "out of memory";
    for (size_t i = 0; i < n; i++) {
        ids[i] = (uint64_t)json_integer_value(json_array_get(c->input, i));
        if (!json_is_integer(json_array_get(c->input, i)))
            why = "the input is not a list of ids";
    }
    why = why ? why : repetition(c, ids, n);
    r1_free(ids);
    return why;
}

static const char *repetition_words(call *c) {
    uint64_t *items;
    size_t n;

    if (!json_is_string(c->input))
        return not_text;
    if (r1_shape_words(text_of(c->input), &items, &n, c->err) != R1_OK)
        return "out of memory";
    const char *why = repetition(c, items, n);
    r1_free(items);
    return why;
}

/* ---- format ---- */

/* A parameter with \n written out as two characters, as data sets do. */
static void unescape(const char *s, char *buf, size_t size) {
    size_t n = 0;

    for (; *s && n + 1 < size; s++) {
        if (s[0] == '\\' && s[1] == 'n') {
            buf[n++] = '\n';
            s++;
        } else {
            buf[n++] = *s;
        }
    }
    buf[n] = '\0';
}

static const char *tag_count(call *c) {
    json_t *weights = json_object_get(c->params, "weights"), *weight;
    const char *key;
    char tag[128];

    if (!json_is_string(c->input))
        return not_text;
    if (!json_is_object(weights) || json_object_size(weights) > TAGS_MAX)
        return "needs weights: tags with what each is worth";
    json_object_foreach(weights, key, weight) {
        unescape(key, tag, sizeof tag);
        if (!json_is_number(weight) || strlen(tag) + 1 == sizeof tag || !*tag)
            return "weights holds something else than tags and numbers";
        if (r1_text_count(text_of(c->input), tag) == 1)
            c->ret->score += json_number_value(weight);
    }
    return NULL;
}

/* 1, or 0 and the reason. */
static const char *fits(call *c, const char *fault) {
    c->ret->score = fault == NULL;
    snprintf(c->ret->why, sizeof c->ret->why, "%s", fault ? fault : "");
    return NULL;
}

static const char *format_strict(call *c) {
    r1_text answer;

    return json_is_string(c->input) ? fits(c, r1_shape_think_answer(text_of(c->input), &answer))
                                    : not_text;
}

static const char *format_loose(call *c) {
    return json_is_string(c->input) ? fits(c, r1_shape_think_loose(text_of(c->input))) : not_text;
}

static const char *format_code(call *c) {
    r1_text answer;

    if (!json_is_string(c->input))
        return not_text;
    const char *fault = r1_shape_think_answer(text_of(c->input), &answer);
    if (!fault && !r1_shape_has_code(answer, word(c, "language", "python")))
        fault = "no code of that language in the answer";
    return fits(c, fault);
}

static const char *format_tags_weighted(call *c) {
    r1_text between;

    if (!json_is_string(c->input))
        return not_text;
    if (r1_shape_between(text_of(c->input), word(c, "think_tag", "think"), &between))
        c->ret->score += number(c, "think", 0.25);
    if (r1_shape_between(text_of(c->input), word(c, "answer_tag", "answer"), &between))
        c->ret->score += number(c, "answer", 0.75);
    return NULL;
}

static const char *exact_alphanumeric(call *c) {
    const json_t *gold = json_object_get(c->params, "gold");
    r1_text answer;

    if (!json_is_string(c->input))
        return not_text;
    if (!json_is_string(gold))
        return "needs gold: a text";
    c->ret->score = r1_shape_between(text_of(c->input), word(c, "answer_tag", "answer"), &answer) &&
                    r1_shape_same_alphanumeric(answer, text_of(gold));
    return NULL;
}

static const char *reasoning_steps(call *c) {
    double min_steps = number(c, "min_steps", 3);

    if (!json_is_string(c->input))
        return not_text;
    if (min_steps < 1 || min_steps > ITEMS_MAX)
        return "min_steps is out of range";
    c->ret->score = r1_shape_steps(text_of(c->input), (int)min_steps);
    return NULL;
}

/* ---- language ---- */

static const char *language_consistency(call *c) {
    const char *unit = word(c, "unit", "whitespace");
    int target = r1_language_find(word(c, "target", ""));

    if (!json_is_string(c->input))
        return not_text;
    if (target < 0)
        return "target is no language of the table";
    if (strcmp(unit, "whitespace") != 0 && strcmp(unit, "chars") != 0)
        return "unit is neither whitespace nor chars";
    r1_language_share share = r1_language_count(text_of(c->input), target,
                                                *unit == 'c' ? R1_UNIT_CHARS : R1_UNIT_WHITESPACE);
    snprintf(c->ret->why, sizeof c->ret->why, "%.4g of %.4g words", share.target, share.all);
    c->ret->score = r1_language_consistency(share, (int)number(c, "min_words", 0));
    return NULL;
}

/* ---- samples ---- */

static const char *pass_at_k(call *c) {
    const json_t *n_json = json_object_get(c->params, "n"),
                 *k_json = json_object_get(c->params, "k");
    const json_t *correct = json_object_get(c->input, "correct");
    json_int_t n = json_integer_value(n_json), k = json_integer_value(k_json);
    json_int_t right = json_integer_value(correct);

    if (!json_is_integer(n_json) || !json_is_integer(k_json) || !json_is_integer(correct))
        return "needs whole numbers n, k and correct";
    if (k < 1 || n < k || n > ITEMS_MAX || right < 0 || right > n)
        return "needs 1 <= k <= n and 0 <= correct <= n";
    c->ret->score = r1_shape_pass_at_k((int)n, (int)right, (int)k);
    return NULL;
}

/* Answers that are equal to the first of them. */
typedef struct cluster {
    r1_text first;
    r1_math_gold *value; /* NULL: equal as texts only */
    size_t votes;
} cluster;

static int same_answer(const cluster *k, r1_text a, r1_err *err) {
    r1_text first = r1_text_trim(k->first);
    r1_math_result r;

    a = r1_text_trim(a);
    return (a.n == first.n && memcmp(a.s, first.s, a.n) == 0) ||
           (k->value && r1_math_grade(k->value, r1_text_of(""), a, &r, err) == R1_OK &&
            r.kind == R1_MATH_EQUAL);
}

/* Every answer into its cluster; the number of clusters in *ret_n. */
static const char *make_clusters(call *c, const json_t *answers, int by_value, cluster *all,
                                 size_t *ret_n) {
    r1_math_opts o = r1_math_defaults;

    o.whole = 1;
    for (size_t i = 0; i < json_array_size(answers); i++) {
        const json_t *a = json_array_get(answers, i);
        size_t k = 0;
        if (json_is_null(a))
            continue;
        if (!json_is_string(a))
            return "an answer is neither a text nor null";
        while (k < *ret_n && !same_answer(&all[k], text_of(a), c->err))
            k++;
        if (k == *ret_n) {
            all[k] = (cluster){.first = text_of(a)};
            if (by_value && r1_math_gold_open(&all[k].value, &all[k].first, 1, &o, c->err) != R1_OK)
                return "out of memory";
            (*ret_n)++;
        }
        all[k].votes++;
    }
    return NULL;
}

/* Clusters of equal answers (with `by` as mathematics, else as texts), each compared with the first
 * of its cluster; the largest wins.  tie: first (seen first) or expected (mean over the tied ones).
 * null is a vote for nothing. */
static const char *majority_vote(call *c) {
    const json_t *answers = json_object_get(c->input, "answers"),
                 *gold = json_object_get(c->input, "gold");
    size_t n = 0, most = 0;
    int by_value = word(c, "by", NULL) != NULL, expected = *word(c, "tie", "first") == 'e';
    double right = 0, tied = 0;
    cluster *all = NULL;

    if (json_array_size(answers) == 0 || json_array_size(answers) > VOTES_MAX ||
        !json_is_string(gold))
        return "the input lacks answers (1 to 1024) or gold";
    if (R1_NEW(all, json_array_size(answers), c->err) != R1_OK)
        return "out of memory";
    const char *why = make_clusters(c, answers, by_value, all, &n);
    for (size_t k = 0; k < n; k++)
        most = all[k].votes > most ? all[k].votes : most;
    for (size_t k = 0; k < n; k++) {
        if (all[k].votes < most || (tied > 0 && !expected))
            continue;
        tied++;
        right += same_answer(&all[k], text_of(gold), c->err);
    }
    for (size_t k = 0; k < n; k++)
        r1_math_gold_close(all[k].value);
    r1_free(all);
    c->ret->score = tied > 0 ? right / tied : 0;
    return why;
}

/* ---- the table ---- */

static shape_fn weighted_sum;

static const struct function {
    const char *name;
    shape_fn *fn;
    const char *params; /* those that change the value, blanks around each */
} functions[] = {
    {"cosine_length", cosine_length,
     " min_value_wrong max_value_wrong min_value_correct max_value_correct max_len clamp "},
    {"exact_alphanumeric", exact_alphanumeric, " gold answer_tag "},
    {"format_code", format_code, " language "},
    {"format_tags_weighted", format_tags_weighted, " think_tag answer_tag think answer gold "},
    {"format_think_answer_strict", format_strict, " "},
    {"format_think_loose", format_loose, " "},
    {"kimi_length_group", kimi_length_group, " "},
    {"language_consistency", language_consistency, " target unit min_words "},
    {"majority_vote", majority_vote, " tie by "},
    {"pass_at_k", pass_at_k, " n k "},
    {"reasoning_steps", reasoning_steps, " min_steps "},
    {"repetition_tokens", repetition_tokens, " ngram max_penalty "},
    {"repetition_words", repetition_words, " ngram max_penalty "},
    {"soft_overlong", soft_overlong, " max_len cache "},
    {"tag_count", tag_count, " weights "},
    {"weighted_sum", weighted_sum, " parts gold "},
};

static const struct function *find(const char *name) {
    for (size_t k = 0; k < sizeof functions / sizeof *functions; k++)
        if (strcmp(functions[k].name, name) == 0)
            return &functions[k];
    return NULL;
}

/* A parameter that would change nothing is a mistake, unless it is a text. */
static int is_known(const struct function *f, const char *key, const json_t *value) {
    char entry[80];

    snprintf(entry, sizeof entry, " %.70s ", key);
    return json_is_string(value) || strstr(f->params, entry) != NULL;
}

static const char *evaluate(const struct function *f, call *c) {
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)c->params, key, value) {
        if (!is_known(f, key, value)) {
            snprintf(c->ret->why, sizeof c->ret->why, "%s has no parameter %.80s", f->name, key);
            return c->ret->why;
        }
    }
    return f->fn(c);
}

/* parts: [[function, weight], ...] or [function, weight, params]; all on the same input. */
static const char *weighted_sum(call *c) {
    const json_t *parts = json_object_get(c->params, "parts"),
                 *gold = json_object_get(c->params, "gold");
    json_t *only_gold = gold ? json_pack("{sO}", "gold", gold) : json_object();
    const char *why = json_array_size(parts) == 0 || json_array_size(parts) > TAGS_MAX
                          ? "needs parts: [function, weight] for each"
                          : NULL;
    double sum = 0;

    for (size_t i = 0; i < json_array_size(parts) && !why; i++) {
        const json_t *part = json_array_get(parts, i), *weight = json_array_get(part, 1);
        const json_t *params = json_array_get(part, 2);
        const char *name = json_string_value(json_array_get(part, 0));
        const struct function *f = name ? find(name) : NULL;
        r1_row_verdict one = {.score = 0};
        call inner = {params ? params : only_gold, c->input, &one, c->err};
        if (!f || f->fn == weighted_sum || !json_is_number(weight))
            why = "a part is no function with its weight";
        else if ((why = evaluate(f, &inner)) == one.why)
            why = "a part has a parameter that it does not know";
        else if (one.list)
            why = "a part is a list";
        sum += why ? 0 : json_number_value(weight) * one.score;
        r1_free(one.list);
    }
    json_decref(only_gold);
    c->ret->score = sum;
    return why;
}

static r1_status shape_row(void *ctx, const r1_grade_row *row, r1_row_verdict *ret, r1_err *err) {
    const char *name = json_string_value(json_object_get(row->json, "function"));
    const struct function *f = name ? find(name) : NULL;
    r1_err why_not;
    call c = {json_object_get(row->json, "params"), json_object_get(row->json, "input"), ret,
              &why_not};

    if (!name)
        return R1_FAIL(err, R1_DATA, "key 'function' is missing");
    if (!c.input)
        return R1_FAIL(err, R1_DATA, "key 'input' is missing");
    ret->verdict = "error";
    snprintf(ret->how, sizeof ret->how, "%.90s", name);
    const char *why = f ? evaluate(f, &c) : "the function is unknown";
    if (!why) {
        ret->verdict = "scored";
        return R1_OK;
    }
    ret->score = (double)NAN;
    r1_free(ret->list);
    ret->list = NULL;
    if (why != ret->why)
        snprintf(ret->why, sizeof ret->why, "%s", why);
    return R1_OK;
}

static r1_status open_shaping(const r1_grade_options *o, void **ret_ctx, r1_err *err) {
    *ret_ctx = NULL;
    return R1_OK;
}

static void close_shaping(void *ctx) {
}

const r1_grade_kind r1_grade_shaping = {
    "shaping",
    "function, params, input: a formula of reward/README.md; its value is the\n"
    "score, a list for a group",
    NULL,
    open_shaping,
    shape_row,
    close_shaping};
