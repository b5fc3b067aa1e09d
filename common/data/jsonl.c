/* JSON lines; see jsonl.h. */
#include "common/data/jsonl.h"

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/config/number.h"

#include <stdio.h>
#include <string.h>

/* Visit the rows; the first pass counts, the second fills. */
static r1_status index_rows(r1_jsonl *j, int fill, r1_err *err) {
    const char *s = (const char *)j->map.data;
    uint32_t line = 0, n = 0;
    /* Some editors put a byte order mark in front. */
    size_t bom = j->map.len >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    for (size_t at = bom; at < j->map.len;) {
        const char *nl = memchr(s + at, '\n', j->map.len - at);
        size_t len = nl ? (size_t)(nl - s) - at : j->map.len - at;
        size_t first = at, kept = len;

        line++;
        at += len + 1;
        while (kept && (s[first] == ' ' || s[first] == '\t' || s[first] == '\r')) {
            first++;
            kept--;
        }
        if (kept == 0)
            continue;
        if (kept > R1_JSONL_LINE_MAX)
            return R1_FAIL(err, R1_DATA, "%s:%u: line of %zu bytes, at most %zu are allowed",
                           j->path, line, kept, R1_JSONL_LINE_MAX);
        if (n == INT32_MAX)
            return R1_FAIL(err, R1_DATA, "%s: more than %d rows", j->path, INT32_MAX);
        if (fill) {
            j->offsets[n] = first;
            j->lengths[n] = (uint32_t)kept;
            j->lines[n] = line;
        }
        n++;
    }
    j->n = n;
    return R1_OK;
}

r1_status r1_jsonl_open(r1_jsonl *j, const char *path, r1_err *err) {
    r1_status st;

    *j = (r1_jsonl){0};
    R1_TRY(r1_path_format(j->path, sizeof j->path, err, "%s", path));
    R1_TRY(r1_map_open(&j->map, path, err));
    R1_TRY(index_rows(j, 0, err));
    R1_TRY(R1_NEW(j->offsets, j->n, err));
    R1_TRY(R1_NEW(j->lengths, j->n, err));
    R1_TRY(R1_NEW(j->lines, j->n, err));
    R1_TRY(index_rows(j, 1, err));
    return R1_OK;
done:
    r1_jsonl_close(j);
    return st;
}

void r1_jsonl_close(r1_jsonl *j) {
    r1_map_close(&j->map);
    r1_free(j->offsets);
    r1_free(j->lengths);
    r1_free(j->lines);
    *j = (r1_jsonl){0};
}

r1_status r1_jsonl_row(const r1_jsonl *j, uint32_t row, json_t **ret, r1_err *err) {
    json_error_t je;

    R1_ASSERT(row < j->n);
    json_t *v = NULL;
    r1_status st = r1_json_parse(&v, (const char *)j->map.data + j->offsets[row], j->lengths[row],
                                 JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &je);
    if (st != R1_OK)
        return R1_FAIL(err, st, "%s:%u: column %d: %s", j->path, j->lines[row], je.column, je.text);
    if (!json_is_object(v)) {
        json_decref(v);
        return R1_FAIL(err, R1_DATA, "%s:%u: not a JSON object", j->path, j->lines[row]);
    }
    *ret = v;
    return R1_OK;
}

/* A number as the shortest text that reads back to it: 0.1, not 0.10000000000000001. */
static char *number_text(const json_t *v) {
    char text[R1_NUMBER_TEXT];

    if (json_is_real(v))
        return r1_strdup(r1_number_text(json_real_value(v), text));
    snprintf(text, sizeof text, "%lld", (long long)json_integer_value(v));
    return r1_strdup(text);
}

r1_status r1_jsonl_text(const r1_jsonl *j, uint32_t row, const json_t *obj, const char *key,
                        int optional, char **ret, r1_err *err) {
    json_t *v = key ? json_object_get(obj, key) : NULL;
    char *copy = NULL;

    if (!v || json_is_null(v)) {
        if (!optional)
            return R1_FAIL(err, R1_DATA, "%s:%u: key '%s' is missing", j->path, j->lines[row],
                           key ? key : "(none)");
        *ret = NULL;
        return R1_OK;
    }
    if (json_is_string(v)) {
        if (memchr(json_string_value(v), '\0', json_string_length(v)))
            return R1_FAIL(err, R1_DATA, "%s:%u: key '%s' holds a NUL character", j->path,
                           j->lines[row], key);
        copy = r1_strndup(json_string_value(v), json_string_length(v));
    } else if (json_is_number(v)) {
        copy = number_text(v);
    } else {
        return R1_FAIL(err, R1_DATA, "%s:%u: key '%s' is neither a string nor a number", j->path,
                       j->lines[row], key);
    }
    if (!copy)
        return R1_FAIL(err, R1_NOMEM, "out of memory: %s:%u", j->path, j->lines[row]);
    *ret = copy;
    return R1_OK;
}
