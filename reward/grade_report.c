/* Labelled cases against verdicts; see grade_report.h. */
#include "reward/grade_report.h"

#include "common/base/file.h"
#include "common/base/json.h"
#include "reward/grade.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX    ((size_t)1 << 30)
#define CLASSES_MAX 512
#define ID_MAX      256

typedef enum judgement {
    LEFT_OUT,
    RIGHT,
    FALSE_ACCEPT,
    FALSE_REJECT,
    OTHER, /* another score or verdict than the label's */
    N_JUDGEMENTS
} judgement;

typedef struct group {
    char tier[64], class[96];
    int count[N_JUDGEMENTS];
} group;

typedef struct report {
    json_t *verdicts; /* id -> what r1-grade wrote */
    int n;
    group of[CLASSES_MAX];
    int total[N_JUDGEMENTS];
    r1_buf list[N_JUDGEMENTS]; /* the cases, a line each */
    double slowest_us;
    char slowest[ID_MAX];
} report;

/* A row's id as text, else its line number. */
static const char *id_of(const json_t *row, int line, char buf[static ID_MAX]) {
    const json_t *id = json_object_get(row, "id");

    if (json_is_string(id))
        snprintf(buf, ID_MAX, "%s", json_string_value(id));
    else if (json_is_integer(id))
        snprintf(buf, ID_MAX, "%lld", (long long)json_integer_value(id));
    else
        snprintf(buf, ID_MAX, "%d", line);
    return buf;
}

typedef r1_status row_fn(void *ctx, json_t *row, int line, r1_err *err);

static r1_status each_row(const char *path, row_fn *fn, void *ctx, r1_err *err) {
    char *text = NULL;
    size_t len, at = 0;
    int line = 0;
    r1_status st;

    R1_TRY(r1_file_slurp(path, FILE_MAX, &text, &len, err));
    while (st == R1_OK && at < len) {
        const char *nl = memchr(text + at, '\n', len - at);
        size_t n = nl ? (size_t)(nl - text) - at : len - at;
        json_error_t je;
        line++;
        json_t *row = NULL;
        if (n && (st = r1_json_parse(&row, text + at, n, JSON_ALLOW_NUL, &je)) != R1_OK)
            st = R1_FAIL(err, st, "%s", je.text);
        else if (n)
            st = json_is_object(row) ? fn(ctx, row, line, err)
                                     : R1_FAIL(err, R1_DATA, "not a JSON object");
        json_decref(row);
        at += n + 1;
    }
    if (st != R1_OK)
        r1_err_prefix(err, "%s:%d", path, line);
done:
    r1_free(text);
    return st;
}

static r1_status take_verdict(void *ctx, json_t *row, int line, r1_err *err) {
    report *p = ctx;
    char id[ID_MAX];

    id_of(row, line, id);
    if (json_object_get(p->verdicts, id))
        return R1_FAIL(err, R1_DATA, "id '%s' is there twice", id);
    if (!json_is_string(json_object_get(row, "verdict")))
        return R1_FAIL(err, R1_DATA, "key 'verdict' is missing: this is no output of r1-grade");
    return json_object_set(p->verdicts, id, row) == 0
               ? R1_OK
               : R1_FAIL(err, R1_NOMEM, "out of memory: id '%s'", id);
}

/* ---- one case ---- */

/* What the row says must come out; NULL: nothing. */
static const json_t *label_of(const json_t *row) {
    static const char *const keys[] = {"corrected", "expected", "verdict_in", "verdict", NULL};
    const char *key;

    return r1_row_first(row, keys, &key);
}

static int is_accepted(const char *verdict) {
    return strcmp(verdict, "correct") == 0 || strcmp(verdict, "equal") == 0 ||
           strcmp(verdict, "AC") == 0;
}

/* Numbers within the tolerance, lists element by element. */
static int same_score(const json_t *want, const json_t *got, double tolerance) {
    if (json_is_number(want))
        return json_is_number(got) &&
               fabs(json_number_value(want) - json_number_value(got)) <= tolerance;
    if (!json_is_array(got) || json_array_size(got) != json_array_size(want))
        return 0;
    for (size_t i = 0; i < json_array_size(want); i++)
        if (!same_score(json_array_get(want, i), json_array_get(got, i), tolerance))
            return 0;
    return 1;
}

/* Is the verdict one of a label's, "WA" or "AC_or_TLE"? */
static int is_one_of(const char *label, const char *verdict, double score) {
    size_t n = strlen(verdict);

    if (strcmp(label, "PARTIAL") == 0)
        return strcmp(verdict, "AC") != 0 && score > 0 && score < 1;
    for (const char *at = label; at; at = strstr(at, "_or_") ? strstr(at, "_or_") + 4 : NULL)
        if (strncmp(at, verdict, n) == 0 && (at[n] == '\0' || strncmp(at + n, "_or_", 4) == 0))
            return 1;
    return 0;
}

static judgement by_verdict(const json_t *label, const char *verdict, double score) {
    size_t n = json_is_array(label) ? json_array_size(label) : 1;
    int accepts = 0;

    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_is_array(label) ? json_array_get(label, i) : label;
        const char *one = json_string_value(item);
        if (one && is_one_of(one, verdict, score))
            return RIGHT;
        accepts |= one && is_one_of(one, "AC", 1);
    }
    if (is_accepted(verdict))
        return FALSE_ACCEPT;
    return accepts ? FALSE_REJECT : OTHER;
}

static judgement by_truth(int want, int accepted) {
    if (want == accepted)
        return RIGHT;
    return want ? FALSE_REJECT : FALSE_ACCEPT;
}

static r1_status judge(const json_t *row, const json_t *got, judgement *ret, r1_err *err) {
    const char *verdict = json_string_value(json_object_get(got, "verdict"));
    const json_t *score = json_object_get(got, "score"), *label = label_of(row);
    const json_t *tolerance = json_object_get(row, "tolerance");
    double near = json_is_number(tolerance) ? json_number_value(tolerance) : 1e-6;

    *ret = LEFT_OUT;
    if (!label)
        return R1_FAIL(err, R1_DATA, "neither 'expected' nor 'verdict' is there");
    if (json_object_get(row, "waived") || json_is_null(label))
        return R1_OK;
    if (json_is_true(json_object_get(row, "expect_parse_error")) && !is_accepted(verdict))
        *ret = strcmp(verdict, "unknown") == 0 ? RIGHT : OTHER;
    else if (json_is_boolean(label))
        *ret = by_truth(json_is_true(label), is_accepted(verdict));
    else if (json_is_number(label) || (json_is_array(label) && json_object_get(row, "expected")))
        *ret = same_score(label, score, near) ? RIGHT : OTHER;
    else
        *ret = by_verdict(label, verdict, json_number_value(score));
    return R1_OK;
}

static group *group_of(report *p, const json_t *row) {
    static const char *const keys[] = {"class", "category", "rule", "function"};
    const char *tier = json_string_value(json_object_get(row, "tier")), *class = NULL;
    int i = 0;

    for (size_t k = 0; k < sizeof keys / sizeof *keys && !class; k++)
        class = json_string_value(json_object_get(row, keys[k]));
    tier = tier ? tier : "-";
    class = class ? class : "-";
    while (i < p->n && (strncmp(p->of[i].tier, tier, sizeof p->of[i].tier - 1) != 0 ||
                        strncmp(p->of[i].class, class, sizeof p->of[i].class - 1) != 0))
        i++;
    if (i == CLASSES_MAX)
        return NULL;
    if (i == p->n) {
        p->n++;
        snprintf(p->of[i].tier, sizeof p->of[i].tier, "%s", tier);
        snprintf(p->of[i].class, sizeof p->of[i].class, "%s", class);
    }
    return &p->of[i];
}

/* "  mg-12 (core, number): wrong 0, label true: another number" */
static r1_status list_case(r1_buf *out, const char *id, const group *g, const json_t *row,
                           const json_t *got, r1_err *err) {
    const size_t flags = JSON_ENCODE_ANY | JSON_REAL_PRECISION(15);
    const json_t *value = json_object_get(got, "score");
    const char *why = json_string_value(json_object_get(got, "why"));
    char *label = NULL, *score = NULL;
    r1_status st;

    R1_TRY(r1_json_dump(label_of(row), flags, "label", &label, err));
    if (value)
        R1_TRY(r1_json_dump(value, flags, "score", &score, err));
    st = r1_buf_addf(out, err, "  %s (%s, %s): %s %s, label %s%s%s\n", id, g->tier, g->class,
                     json_string_value(json_object_get(got, "verdict")), score ? score : "null",
                     label, why && *why ? ": " : "", why ? why : "");
done:
    r1_free(label);
    r1_free(score);
    return st;
}

static r1_status take_case(void *ctx, json_t *row, int line, r1_err *err) {
    report *p = ctx;
    char id[ID_MAX];
    const json_t *got = json_object_get(p->verdicts, id_of(row, line, id));
    double us = json_number_value(json_object_get(got, "us"));
    group *g = group_of(p, row);
    judgement j;
    r1_status st;

    if (!got)
        return R1_FAIL(err, R1_DATA, "case '%s' has no verdict", id);
    if (!g)
        return R1_FAIL(err, R1_DATA, "more than %d classes", CLASSES_MAX);
    R1_TRY(judge(row, got, &j, err));
    g->count[j]++;
    p->total[j]++;
    if (us > p->slowest_us) {
        p->slowest_us = us;
        snprintf(p->slowest, sizeof p->slowest, "%s", id);
    }
    if (j > RIGHT)
        R1_TRY(list_case(&p->list[j], id, g, row, got, err));
done:
    return st;
}

/* ---- the table ---- */

static int by_tier(const void *a, const void *b) {
    const group *x = a, *y = b;
    int order = strcmp(x->tier, y->tier);

    return order ? order : strcmp(x->class, y->class);
}

static void print_counts(FILE *to, const char *name, const int count[static N_JUDGEMENTS]) {
    int n = count[RIGHT] + count[FALSE_ACCEPT] + count[FALSE_REJECT] + count[OTHER];
    char accuracy[32] = "-";

    if (n)
        snprintf(accuracy, sizeof accuracy, "%.2f %%", 100.0 * count[RIGHT] / n);
    fprintf(to, "%-40s%7d%7d%11s%7d%7d%7d%7d\n", name, n, count[RIGHT], accuracy,
            count[FALSE_ACCEPT], count[FALSE_REJECT], count[OTHER], count[LEFT_OUT]);
}

static void print_report(report *p, FILE *to) {
    static const char *const titles[] = {[FALSE_ACCEPT] = "Accepted, though wrong",
                                         [FALSE_REJECT] = "Rejected, though right",
                                         [OTHER] = "Another score or verdict"};

    qsort(p->of, (size_t)p->n, sizeof *p->of, by_tier);
    fprintf(to, "%-40s%7s%7s%11s%7s%7s%7s%7s\n", "tier / class", "cases", "right", "accuracy",
            "f.acc", "f.rej", "other", "left");
    for (int i = 0, next; i < p->n; i = next) {
        int sum[N_JUDGEMENTS] = {0};
        for (next = i; next < p->n && strcmp(p->of[next].tier, p->of[i].tier) == 0; next++)
            for (int j = 0; j < N_JUDGEMENTS; j++)
                sum[j] += p->of[next].count[j];
        print_counts(to, p->of[i].tier, sum);
        for (int k = i; k < next; k++) {
            char name[128];
            snprintf(name, sizeof name, "  %.38s", p->of[k].class);
            print_counts(to, name, p->of[k].count);
        }
    }
    print_counts(to, "all", p->total);
    for (int j = FALSE_ACCEPT; j < N_JUDGEMENTS; j++)
        if (p->total[j])
            fprintf(to, "\n%s: %d\n%s", titles[j], p->total[j], p->list[j].data);
    if (p->slowest_us > 0)
        fprintf(to, "\nSlowest: %s, %.3f ms\n", p->slowest, p->slowest_us / 1000);
}

r1_status r1_grade_report(const char *cases, const char *out, FILE *to, r1_err *err) {
    report *p = NULL;
    r1_status st;

    R1_TRY(R1_NEW(p, 1, err));
    for (int j = 0; j < N_JUDGEMENTS; j++)
        r1_buf_init(&p->list[j], FILE_MAX);
    if (!(p->verdicts = json_object())) {
        st = R1_FAIL(err, R1_NOMEM, "out of memory: verdicts");
        goto done;
    }
    R1_TRY(each_row(out, take_verdict, p, err));
    R1_TRY(each_row(cases, take_case, p, err));
    print_report(p, to);
done:
    for (int j = 0; p && j < N_JUDGEMENTS; j++)
        r1_buf_done(&p->list[j]);
    if (p)
        json_decref(p->verdicts);
    r1_free(p);
    return st;
}
