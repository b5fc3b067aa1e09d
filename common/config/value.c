/* One value by its row of the schema: conversion, range, message.  See reader.h. */
#include "common/base/mem.h"
#include "common/config/number.h"
#include "common/config/reader.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 4, 0))) static r1_status
vfail(const r1_reader *r, const char *where, const char *key, const char *fmt, va_list ap) {
    char text[R1_ERR_MSG_MAX];

    vsnprintf(text, sizeof text, fmt, ap);
    return R1_FAIL(r->err, R1_USAGE, "%s: %s: %s", where, key, text);
}

r1_status r1_reader_fail(const r1_reader *r, const r1_node *at, const char *key, const char *fmt,
                         ...) {
    char where[512];
    va_list ap;

    if (at && at->line)
        snprintf(where, sizeof where, "%s:%d", r->path, at->line);
    else
        snprintf(where, sizeof where, "%s", at ? "command line" : r->path);
    va_start(ap, fmt);
    r1_status st = vfail(r, where, key, fmt, ap);
    va_end(ap);
    return st;
}

/* The node of a key path whose first part is a stage's name or a key of the top level. */
static const r1_node *find_node(const r1_reader *r, const char *key) {
    const r1_node *top = r->root, *at, *stages = r1_node_get(r->root, "stages");
    char part[R1_KEY_TEXT];
    size_t n = strcspn(key, ".");

    snprintf(part, sizeof part, "%.*s", (int)n, key);
    for (const r1_node *s = stages ? stages->child : NULL; s && key[n]; s = s->next) {
        const r1_node *name = r1_node_get(s, "name");
        if (name && strcmp(name->text, part) == 0) {
            const r1_node *own = s;
            for (const char *k = key + n + 1; own; k += n + 1) {
                n = strcspn(k, ".");
                snprintf(part, sizeof part, "%.*s", (int)n, k);
                own = r1_node_get(own, part);
                if (!k[n])
                    break;
            }
            if (own)
                return own;
            key = strchr(key, '.') + 1; /* inherited, perhaps */
            break;
        }
    }
    for (at = top; at; key += n + 1) {
        n = strcspn(key, ".");
        snprintf(part, sizeof part, "%.*s", (int)n, key);
        at = r1_node_get(at, part);
        if (!key[n])
            break;
    }
    return at;
}

r1_status r1_reader_fail_key(const r1_reader *r, const char *key, const char *fmt, ...) {
    const r1_node *at = find_node(r, key);
    char where[512];
    va_list ap;

    if (at && at->line)
        snprintf(where, sizeof where, "%s:%d", r->path, at->line);
    else
        snprintf(where, sizeof where, "%s", at ? "command line" : r->path);
    va_start(ap, fmt);
    r1_status st = vfail(r, where, key, fmt, ap);
    va_end(ap);
    return st;
}

const char *r1_node_shown(const r1_node *n, char buf[static 80]) {
    if (n->kind == R1_NODE_SCALAR)
        snprintf(buf, 80, n->quoted ? "\"%.60s\"" : *n->text ? "%.60s" : "(nothing)%.60s", n->text);
    else
        snprintf(buf, 80, "%s", n->kind == R1_NODE_LIST ? "a list" : "a mapping");
    for (char *c = buf; *c; c++) /* messages are one line */
        if ((unsigned char)*c < 32)
            *c = ' ';
    return buf;
}

static const char *nullable_hint(const r1_key *k) {
    return !(k->flags & R1_KEY_NULLABLE) ? "" : k->flags & R1_KEY_AUTO ? " or auto" : " or null";
}

static r1_status outside(const r1_reader *r, const r1_key *k, const r1_node *n, const char *key) {
    char lo[R1_NUMBER_TEXT], hi[R1_NUMBER_TEXT], shown[80];

    if (k->lo == k->hi)
        return r1_reader_fail(r, n, key, "%s: %s", r1_node_shown(n, shown), k->help);
    return r1_reader_fail(r, n, key, "%s is outside %s..%s%s", r1_node_shown(n, shown),
                          r1_number_text(k->lo, lo), r1_number_text(k->hi, hi), nullable_hint(k));
}

static r1_status wrong_type(const r1_reader *r, const r1_key *k, const r1_node *n, const char *key,
                            const char *wanted) {
    char shown[80];

    return r1_reader_fail(r, n, key, "%s is not %s%s", r1_node_shown(n, shown), wanted,
                          nullable_hint(k));
}

static int plain(const r1_node *n) {
    return n->kind == R1_NODE_SCALAR && !n->quoted;
}

static r1_status read_int(const r1_reader *r, const r1_key *k, int *at, const r1_node *n,
                          const char *key) {
    char *end = NULL;

    errno = 0;
    long long x = plain(n) ? strtoll(n->text, &end, 10) : 0;
    if (!end || end == n->text || *end || n->text[strspn(n->text, "+-0123456789")])
        return wrong_type(r, k, n, key, "an integer");
    if (errno || (double)x < k->lo || (double)x > k->hi)
        return outside(r, k, n, key);
    *at = (int)x;
    return R1_OK;
}

static r1_status read_uint64(const r1_reader *r, const r1_key *k, uint64_t *at, const r1_node *n,
                             const char *key) {
    char *end = NULL;

    errno = 0;
    unsigned long long x = plain(n) ? strtoull(n->text, &end, 10) : 0;
    if (!end || end == n->text || *end || n->text[strspn(n->text, "0123456789")])
        return wrong_type(r, k, n, key, "an integer of 0 or more");
    if (errno)
        return r1_reader_fail(r, n, key, "%.60s does not fit in 64 bits", n->text);
    *at = x;
    return R1_OK;
}

static r1_status read_float(const r1_reader *r, const r1_key *k, double *at, const r1_node *n,
                            const char *key) {
    double x;

    if (!plain(n) || !r1_number_parse(n->text, &x))
        return wrong_type(r, k, n, key, "a number");
    if (x < k->lo || x > k->hi)
        return outside(r, k, n, key);
    *at = x;
    return R1_OK;
}

/* 1048576, 1024KiB, 1MiB, 0.5GiB. */
static r1_status read_bytes(const r1_reader *r, const r1_key *k, double *at, const r1_node *n,
                            const char *key) {
    static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
    char digits[64];
    double x;
    size_t len = plain(n) ? strspn(n->text, ".0123456789") : 0;

    snprintf(digits, sizeof digits, "%.*s", (int)(len < 63 ? len : 63), n->text);
    if (!len || !r1_number_parse(digits, &x))
        return wrong_type(r, k, n, key, "a size in bytes (512MiB, 4GiB)");
    for (int i = 0; i < 5; i++) {
        if (strcmp(n->text + len, units[i]) != 0)
            continue;
        x = ldexp(x, 10 * i);
        if (x < k->lo || x > k->hi)
            return outside(r, k, n, key);
        *at = floor(x);
        return R1_OK;
    }
    return wrong_type(r, k, n, key, "a size in bytes (512MiB, 4GiB)");
}

static r1_status read_bool(const r1_reader *r, const r1_key *k, int *at, const r1_node *n,
                           const char *key) {
    if (!plain(n) || (strcmp(n->text, "true") != 0 && strcmp(n->text, "false") != 0))
        return wrong_type(r, k, n, key, "true or false");
    *at = n->text[0] == 't';
    return R1_OK;
}

/* ${NAME} -> its value in the environment; an unset one is an error. */
static r1_status expand(const r1_reader *r, const r1_node *n, const char *key, const char **ret) {
    r1_status st = R1_OK;
    r1_buf out;
    const char *p = n->text, *open;

    r1_buf_init(&out, 4096);
    while ((open = strstr(p, "${"))) {
        char name[128];
        const char *close = strchr(open, '}');
        if (!close || close - open - 2 >= (long)sizeof name || close == open + 2) {
            st = r1_reader_fail(r, n, key, "%.60s: ${NAME} is not closed or has no name", n->text);
            goto done;
        }
        snprintf(name, sizeof name, "%.*s", (int)(close - open - 2), open + 2);
        const char *value = getenv(name);
        if (!value) {
            st = r1_reader_fail(r, n, key, "%.60s: the environment variable %s is not set", n->text,
                                name);
            goto done;
        }
        R1_TRY(r1_buf_add(&out, p, (size_t)(open - p), r->err));
        R1_TRY(r1_buf_add(&out, value, strlen(value), r->err));
        p = close + 1;
    }
    R1_TRY(r1_buf_add(&out, p, strlen(p), r->err));
    if (!(*ret = r1_config_pool_text(r->cfg->pool, out.data, out.len)))
        st = R1_FAIL(r->err, R1_NOMEM, "%s: out of memory", r->path);
done:
    r1_buf_done(&out);
    return st;
}

static r1_status read_string(const r1_reader *r, const r1_key *k, const char **at, const r1_node *n,
                             const char *key) {
    if (n->kind == R1_NODE_MAP)
        return wrong_type(r, k, n, key, "a text; one with : # { } stands in quotes");
    if (n->kind != R1_NODE_SCALAR || r1_node_is_null(n))
        return wrong_type(r, k, n, key, "a text");
    if (k->flags & R1_KEY_PATH) {
        if (!*n->text)
            return r1_reader_fail(r, n, key, "is empty");
        return expand(r, n, key, at);
    }
    *at = n->text; /* lives in the pool */
    return R1_OK;
}

/* enum (int) and word (text) alike: *ret_index into k->choices. */
static r1_status read_choice(const r1_reader *r, const r1_key *k, int *ret_index, const r1_node *n,
                             const char *key) {
    char hint[R1_KEY_TEXT], list[256] = "", shown[80];
    size_t used = 0;

    for (int i = 0; k->choices[i]; i++) {
        if (n->kind == R1_NODE_SCALAR && strcmp(n->text, k->choices[i]) == 0) {
            *ret_index = i;
            return R1_OK;
        }
        int w = snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", k->choices[i]);
        used = w < 0 || used + (size_t)w >= sizeof list ? sizeof list - 1 : used + (size_t)w;
    }
    r1_suggest_word(k->choices, n->kind == R1_NODE_SCALAR ? n->text : "", hint);
    return r1_reader_fail(r, n, key, "%s is none of %s%s", r1_node_shown(n, shown), list, hint);
}

static r1_status read_strings(const r1_reader *r, const r1_key *k, r1_string_list *at,
                              const r1_node *n, const char *key) {
    r1_string_list out = {0};

    if (n->kind != R1_NODE_LIST)
        return wrong_type(r, k, n, key, "a list of texts");
    for (const r1_node *item = n->child; item; item = item->next) {
        if (item->kind != R1_NODE_SCALAR || r1_node_is_null(item) || !*item->text)
            return wrong_type(r, k, item, key, "a text in a list of texts");
        if (out.n == R1_MAX_STRINGS)
            return r1_reader_fail(r, item, key, "%.60s: more than %d texts in the list", item->text,
                                  R1_MAX_STRINGS);
        out.s[out.n++] = item->text;
    }
    *at = out;
    return R1_OK;
}

static r1_status read_float2(const r1_reader *r, const r1_key *k, double *at, const r1_node *n,
                             const char *key) {
    const r1_node *item = n->kind == R1_NODE_LIST ? n->child : NULL;
    r1_status st = R1_OK;
    double x[2];

    if (!item || !item->next || item->next->next)
        return wrong_type(r, k, n, key, "a list of two numbers");
    R1_TRY(read_float(r, k, &x[0], item, key));
    R1_TRY(read_float(r, k, &x[1], item->next, key));
    memcpy(at, x, sizeof x);
done:
    return st;
}

/* What stands in memory for null or auto. */
static void set_null(const r1_key *k, void *at) {
    switch (k->type) {
    case R1_KEY_INT:
        *(int *)at = R1_AUTO;
        break;
    case R1_KEY_FLOAT:
    case R1_KEY_BYTES:
        *(double *)at = (double)NAN;
        break;
    case R1_KEY_STRING:
    case R1_KEY_WORD:
        *(const char **)at = NULL;
        break;
    default:
        break; /* zero already */
    }
}

r1_status r1_value_read(const r1_reader *r, const r1_key *k, void *at, const r1_node *n,
                        const char *key) {
    r1_status st = R1_OK;
    int index = 0;

    if ((k->flags & R1_KEY_NULLABLE) &&
        (r1_node_is_null(n) || (plain(n) && strcmp(n->text, "auto") == 0))) {
        set_null(k, at);
        return R1_OK;
    }
    switch (k->type) {
    case R1_KEY_INT:
        return read_int(r, k, at, n, key);
    case R1_KEY_UINT64:
        return read_uint64(r, k, at, n, key);
    case R1_KEY_FLOAT:
        return read_float(r, k, at, n, key);
    case R1_KEY_BYTES:
        return read_bytes(r, k, at, n, key);
    case R1_KEY_BOOL:
        return read_bool(r, k, at, n, key);
    case R1_KEY_STRING:
        return read_string(r, k, at, n, key);
    case R1_KEY_STRINGS:
        return read_strings(r, k, at, n, key);
    case R1_KEY_FLOAT2:
        return read_float2(r, k, at, n, key);
    case R1_KEY_ENUM:
    case R1_KEY_WORD:
        R1_TRY(read_choice(r, k, &index, n, key));
        if (k->type == R1_KEY_ENUM)
            *(int *)at = index;
        else
            *(const char **)at = k->choices[index];
        break;
    case R1_KEY_SECTION:
    case R1_KEY_REWARDS:
    case R1_KEY_STAGES:
        R1_ASSERT(!"not a single value");
    }
done:
    return st;
}

r1_status r1_value_preset(const r1_reader *r, const r1_key *k, void *at) {
    r1_node scalar = {.kind = R1_NODE_SCALAR, .text = k->preset}, *n = &scalar;
    r1_status st = R1_OK;

    if (!k->preset) {
        set_null(k, at);
        return R1_OK;
    }
    if (strchr("[\"", k->preset[0]))
        R1_TRY(
            r1_tree_parse(r->cfg->pool, k->preset, strlen(k->preset), "default", -1, &n, r->err));
    R1_TRY(r1_value_read(r, k, at, n, k->name));
done:
    return st;
}
