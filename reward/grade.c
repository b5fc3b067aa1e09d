/* A row in, its verdict line out; see grade.h. */
#include "reward/grade.h"

#include "common/base/clock.h"
#include "common/base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const json_t *r1_row_first(const json_t *row, const char *const *keys, const char **ret_key) {
    for (; *keys; keys++) {
        const json_t *v = json_object_get(row, *keys);
        if (v) {
            *ret_key = *keys;
            return v;
        }
    }
    return NULL;
}

const char *r1_number_chars(double x, char buf[static R1_NUMBER_CHARS]) {
    for (int precision = 6; precision <= 17; precision++) {
        snprintf(buf, R1_NUMBER_CHARS, "%.*g", precision, x);
        if (strtod(buf, NULL) == x)
            break;
    }
    return buf;
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

r1_status r1_row_text(const json_t *v, const char *key, r1_text *ret, char **ret_own, r1_err *err) {
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

/* ---- the line ---- */

/* In quotes; bytes that are no printable ASCII become '?': a reason may quote any text. */
static r1_status put_text(r1_buf *out, const char *s, r1_err *err) {
    r1_status st;

    R1_TRY(r1_buf_add(out, "\"", 1, err));
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            R1_TRY(r1_buf_add(out, "\\", 1, err));
        R1_TRY(r1_buf_add(out, *s < ' ' || *s > '~' ? "?" : s, 1, err));
    }
    R1_TRY(r1_buf_add(out, "\"", 1, err));
done:
    return st;
}

static r1_status put_number(r1_buf *out, double x, r1_err *err) {
    char text[R1_NUMBER_CHARS];

    return r1_buf_addf(out, err, "%s", isfinite(x) ? r1_number_chars(x, text) : "null");
}

static r1_status put_score(r1_buf *out, const r1_row_verdict *v, r1_err *err) {
    r1_status st;

    if (!v->list)
        return put_number(out, v->score, err);
    R1_TRY(r1_buf_add(out, "[", 1, err));
    for (size_t i = 0; i < v->n_list; i++) {
        if (i)
            R1_TRY(r1_buf_add(out, ", ", 2, err));
        R1_TRY(put_number(out, v->list[i], err));
    }
    R1_TRY(r1_buf_add(out, "]", 1, err));
done:
    return st;
}

static r1_status put_line(const json_t *id, uint64_t line_number, const r1_row_verdict *v,
                          double us, r1_buf *out, r1_err *err) {
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
    R1_TRY(r1_buf_addf(out, err, ", \"verdict\": \"%s\", \"score\": ", v->verdict));
    R1_TRY(put_score(out, v, err));
    R1_TRY(r1_buf_addf(out, err, ", \"how\": "));
    R1_TRY(put_text(out, v->how, err));
    R1_TRY(r1_buf_addf(out, err, ", \"why\": "));
    R1_TRY(put_text(out, v->why, err));
    R1_TRY(r1_buf_addf(out, err, ", \"us\": %.1f}\n", us));
done:
    r1_free(name);
    return st;
}

r1_status r1_grade_line(const r1_grade_kind *kind, void *ctx, r1_text text, uint64_t line_number,
                        int worker, r1_buf *out, const char **ret_verdict, r1_err *err) {
    r1_row_verdict v = {.score = 0};
    json_error_t je;
    json_t *obj = NULL;

    r1_status st =
        r1_json_parse(&obj, text.s, text.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &je);
    if (st != R1_OK)
        return R1_FAIL(err, st, "column %d: %s", je.column, je.text);
    if (!json_is_object(obj)) {
        st = R1_FAIL(err, R1_DATA, "not a JSON object");
        goto done;
    }
    r1_grade_row row = {.json = obj, .text = text, .line = line_number, .worker = worker};
    double t0_s = r1_now_s();
    R1_TRY(kind->row(ctx, &row, &v, err));
    double us = 1e6 * (r1_now_s() - t0_s);
    const json_t *id = json_object_get(obj, "id");
    R1_TRY(put_line(id ? id : json_object_get(obj, "task_id"), line_number, &v, us, out, err));
    *ret_verdict = v.verdict;
done:
    r1_free(v.list);
    json_decref(obj);
    return st;
}
