/* A resolved configuration as YAML, and the comparison on resume.  See config.h.
 *
 * Both walk the schema: what a kind of stage or task does not have is left out, as in the file. */
#include "common/base/mem.h"
#include "common/config/number.h"
#include "common/config/schema.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DUMP_MAX (4 << 20)

/* The schema knows a list of rewards by its count; the array stands behind it. */
#define REWARDS_OF(count) ((const r1_reward_spec *)(const void *)((const char *)(count) + 8))
_Static_assert(offsetof(r1_config, rewards) == offsetof(r1_config, n_rewards) + 8, "rewards");
_Static_assert(offsetof(r1_stage_config, rewards) == offsetof(r1_stage_config, n_rewards) + 8,
               "rewards");

/* ---- one value ---- */

/* May stand without quotes and is then no null, number or truth value of any YAML version. */
static int is_plain(const char *s) {
    static const char *const taken[] = {"null", "true", "false", "yes", "no",  "on",
                                        "off",  "auto", "y",     "n",   "inf", "nan"};
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./");

    if (!*s || s[n] || !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/", s[0]))
        return 0;
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcasecmp(s, taken[i]) == 0)
            return 0;
    return 1;
}

/* Characters that YAML does not take as they are, or would fold: *ret_code and the bytes it has. */
static int special(const unsigned char *s, unsigned *ret_code) {
    *ret_code = s[0];
    if (s[0] < 32 || s[0] == 0x7f)
        return 1;
    if (s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0) {
        *ret_code = s[1];
        return 2;
    }
    unsigned code = (s[0] & 15u) << 12;
    if ((s[0] & 0xf0) != 0xe0 || !s[1] || !s[2])
        return 0;
    *ret_code = code |= (s[1] & 63u) << 6 | (s[2] & 63u);
    return code == 0x2028 || code == 0x2029 || code == 0xfeff || code >= 0xfffe ? 3 : 0;
}

static r1_status put_text(r1_buf *out, const char *text, r1_err *err) {
    r1_status st = R1_OK;

    if (is_plain(text))
        return r1_buf_add(out, text, strlen(text), err);
    R1_TRY(r1_buf_add(out, "\"", 1, err));
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        unsigned code;
        int n = special(s, &code);
        if (n)
            R1_TRY(r1_buf_addf(out, err, "\\u%04x", code));
        else
            R1_TRY(r1_buf_addf(out, err, *s == '"' || *s == '\\' ? "\\%c" : "%c", *s));
        s += n ? n : 1;
    }
    R1_TRY(r1_buf_add(out, "\"", 1, err));
done:
    return st;
}

static r1_status put_number(r1_buf *out, const r1_key *k, double x, r1_err *err) {
    char text[R1_NUMBER_TEXT];

    if (isnan(x))
        return r1_buf_addf(out, err, "%s", k->flags & R1_KEY_AUTO ? "auto" : "null");
    return r1_buf_addf(out, err, "%s", r1_number_text(x, text));
}

static r1_status put_strings(r1_buf *out, const r1_string_list *list, r1_err *err) {
    r1_status st = R1_OK;

    R1_TRY(r1_buf_add(out, "[", 1, err));
    for (int i = 0; i < list->n; i++) {
        R1_TRY(r1_buf_addf(out, err, "%s", i ? ", " : ""));
        R1_TRY(put_text(out, list->s[i], err));
    }
    R1_TRY(r1_buf_add(out, "]", 1, err));
done:
    return st;
}

static r1_status put_value(r1_buf *out, const r1_key *k, const void *at, r1_err *err) {
    const char *null = k->flags & R1_KEY_AUTO ? "auto" : "null", *s;
    const double *x = at;
    r1_status st = R1_OK;

    switch (k->type) {
    case R1_KEY_INT:
        if ((k->flags & R1_KEY_NULLABLE) && *(const int *)at < 0)
            return r1_buf_addf(out, err, "%s", null);
        return r1_buf_addf(out, err, "%d", *(const int *)at);
    case R1_KEY_UINT64:
        return r1_buf_addf(out, err, "%llu", (unsigned long long)*(const uint64_t *)at);
    case R1_KEY_FLOAT:
    case R1_KEY_BYTES:
        return put_number(out, k, *x, err);
    case R1_KEY_BOOL:
        return r1_buf_addf(out, err, "%s", *(const int *)at ? "true" : "false");
    case R1_KEY_ENUM:
        return r1_buf_addf(out, err, "%s", k->choices[*(const int *)at]);
    case R1_KEY_STRING:
    case R1_KEY_WORD:
        s = *(const char *const *)at;
        /* A nullable text may be "auto" or "null" only in quotes; others are what they are. */
        if (s && k->type == R1_KEY_WORD)
            return r1_buf_addf(out, err, "%s", s);
        return s ? put_text(out, s, err) : r1_buf_addf(out, err, "%s", null);
    case R1_KEY_STRINGS:
        return put_strings(out, at, err);
    case R1_KEY_FLOAT2:
        R1_TRY(r1_buf_add(out, "[", 1, err));
        R1_TRY(put_number(out, k, x[0], err));
        R1_TRY(r1_buf_add(out, ", ", 2, err));
        R1_TRY(put_number(out, k, x[1], err));
        return r1_buf_add(out, "]", 1, err);
    default:
        R1_ASSERT(!"not a single value");
    }
done:
    return st;
}

/* ---- the flat form: "path value\n" for each key ---- */

typedef struct flat {
    r1_buf out;
    int numeric_only;
    r1_err *err;
} flat;

static r1_status flat_section(flat *f, const r1_key *keys, const void *base, const char *path) {
    int kind = r1_section_kind(keys, base);
    r1_status st = R1_OK;

    for (const r1_key *k = keys; k->name; k++) {
        const char *at = (const char *)base + k->offset;
        char key[512];
        if (!r1_key_fits(k, kind) || k->type == R1_KEY_STAGES)
            continue;
        snprintf(key, sizeof key, "%.300s%s%s", path, *path ? "." : "", k->name);
        if (k->type == R1_KEY_SECTION) {
            R1_TRY(flat_section(f, k->sub, at, key));
        } else if (k->type == R1_KEY_REWARDS) {
            const r1_reward_spec *list = REWARDS_OF(at);
            for (int i = 0; i < *(const int *)(const void *)at; i++) {
                char label[R1_REWARD_LABEL];
                snprintf(key, sizeof key, "%.300s%s%s.%s", path, *path ? "." : "", k->name,
                         r1_reward_label(&list[i], label));
                R1_TRY(flat_section(f, r1_schema_reward, &list[i], key));
            }
        } else if (!f->numeric_only || !(k->flags & R1_KEY_RUNTIME)) {
            R1_TRY(r1_buf_addf(&f->out, f->err, "%s ", key));
            R1_TRY(put_value(&f->out, k, at, f->err));
            R1_TRY(r1_buf_add(&f->out, "\n", 1, f->err));
        }
    }
done:
    return st;
}

static r1_status flat_config(flat *f, const r1_config *cfg) {
    r1_status st = R1_OK;

    /* Top-level data, rewards, optimizer and limits count as what the stages made of them. */
    for (const r1_key *k = r1_schema_root; k->name; k++) {
        const r1_key one[] = {*k, {0}};
        const r1_key *stage = r1_key_find(r1_schema_stage, k->name, 0);
        if (!stage || stage->type < R1_KEY_SECTION)
            R1_TRY(flat_section(f, one, cfg, ""));
    }
    R1_TRY(r1_buf_addf(&f->out, f->err, "stages"));
    for (int i = 0; i < cfg->n_stages; i++)
        R1_TRY(r1_buf_addf(&f->out, f->err, " %s", cfg->stages[i].name));
    R1_TRY(r1_buf_add(&f->out, "\n", 1, f->err));
    for (int i = 0; i < cfg->n_stages; i++)
        R1_TRY(flat_section(f, r1_schema_stage, &cfg->stages[i], cfg->stages[i].name));
done:
    return st;
}

/* ---- YAML ---- */

typedef struct dumper {
    const r1_config *cfg;
    r1_buf *out;
    int numeric_only;
    r1_err *err;
} dumper;

static r1_status dump_section(const dumper *d, const r1_key *keys, const void *base, int indent);

static r1_status dump_rewards(const dumper *d, const void *at, int indent) {
    const r1_reward_spec *list = REWARDS_OF(at);
    int n = *(const int *)at;
    r1_status st = R1_OK;

    R1_TRY(r1_buf_addf(d->out, d->err, "%*srewards:%s\n", indent, "", n ? "" : " []"));
    for (int i = 0; i < n; i++) {
        R1_TRY(r1_buf_addf(d->out, d->err, "%*s-\n", indent + 2, ""));
        R1_TRY(dump_section(d, r1_schema_reward, &list[i], indent + 4));
    }
done:
    return st;
}

/* Is what a stage has under this key just what it inherited? */
static r1_status inherited(const dumper *d, const r1_key *k, const void *at, int *ret_same) {
    const r1_key *top = r1_key_find(r1_schema_root, k->name, 0), *keys[] = {top, k};
    flat f[2] = {{.err = d->err}, {.err = d->err}};
    r1_status st = R1_OK;

    *ret_same = 0;
    if (!top)
        return R1_OK;
    for (int i = 0; i < 2; i++) {
        r1_key one[] = {*keys[i], {0}};
        one[0].flags = 0;
        one[0].offset = 0;
        const void *from = i ? at : (const char *)d->cfg + top->offset;
        r1_buf_init(&f[i].out, DUMP_MAX);
        R1_TRY(flat_section(&f[i], one, from, ""));
    }
    *ret_same = f[0].out.len == f[1].out.len &&
                (f[0].out.len == 0 || memcmp(f[0].out.data, f[1].out.data, f[0].out.len) == 0);
done:
    r1_buf_done(&f[0].out);
    r1_buf_done(&f[1].out);
    return st;
}

static r1_status dump_stages(const dumper *d) {
    r1_status st = R1_OK;

    R1_TRY(r1_buf_addf(d->out, d->err, "stages:\n"));
    for (int i = 0; i < d->cfg->n_stages; i++) {
        R1_TRY(r1_buf_addf(d->out, d->err, "  -\n"));
        R1_TRY(dump_section(d, r1_schema_stage, &d->cfg->stages[i], 4));
    }
done:
    return st;
}

static r1_status dump_section(const dumper *d, const r1_key *keys, const void *base, int indent) {
    int kind = r1_section_kind(keys, base), same = 0;
    r1_status st = R1_OK;

    for (const r1_key *k = keys; k->name; k++) {
        const void *at = (const char *)base + k->offset;
        if (!r1_key_fits(k, kind) || (d->numeric_only && (k->flags & R1_KEY_RUNTIME)))
            continue;
        if (keys == r1_schema_stage && k->type >= R1_KEY_SECTION) {
            R1_TRY(inherited(d, k, at, &same));
            if (same)
                continue;
        }
        if (k->type == R1_KEY_STAGES) {
            R1_TRY(dump_stages(d));
        } else if (k->type == R1_KEY_REWARDS) {
            R1_TRY(dump_rewards(d, at, indent));
        } else if (k->type == R1_KEY_SECTION) {
            R1_TRY(r1_buf_addf(d->out, d->err, "%*s%s:\n", indent, "", k->name));
            R1_TRY(dump_section(d, k->sub, at, indent + 2));
        } else {
            R1_TRY(r1_buf_addf(d->out, d->err, "%*s%s: ", indent, "", k->name));
            R1_TRY(put_value(d->out, k, at, d->err));
            R1_TRY(r1_buf_add(d->out, "\n", 1, d->err));
        }
    }
done:
    return st;
}

r1_status r1_config_dump(const r1_config *cfg, int numeric_only, char **ret_text, r1_err *err) {
    r1_buf out;
    dumper d = {cfg, &out, numeric_only, err};
    r1_status st = R1_OK;

    r1_buf_init(&out, DUMP_MAX);
    R1_TRY(dump_section(&d, r1_schema_root, cfg, 0));
    *ret_text = out.data;
    out.data = NULL; /* the caller's now */
done:
    r1_buf_done(&out);
    return st;
}

/* ---- comparison ---- */

/* The value in the flat form's line of that path (n bytes); NULL if it has none. */
static const char *flat_find(const char *text, const char *path, size_t n, size_t *ret_len) {
    for (; *text; text = strchr(text, '\n') + 1)
        if (strncmp(text, path, n) == 0 && text[n] == ' ') {
            *ret_len = strcspn(text + n + 1, "\n");
            return text + n + 1;
        }
    return NULL;
}

/* Append what differs of the lines of `from`; only_missing: those without a counterpart. */
static r1_status list_changes(r1_buf *out, const char *from, const char *to, int only_missing,
                              r1_err *err) {
    r1_status st = R1_OK;

    for (const char *line = from; *line; line = strchr(line, '\n') + 1) {
        size_t n = strcspn(line, " "), len = strcspn(line + n + 1, "\n"), other_len = 0;
        const char *value = line + n + 1, *other = flat_find(to, line, n, &other_len);
        if (other && (only_missing || (len == other_len && memcmp(value, other, len) == 0)))
            continue;
        int show = (int)(len < 60 ? len : 60), show_other = (int)(other_len < 60 ? other_len : 60);
        R1_TRY(r1_buf_addf(out, err, "%s%.*s: ", out->len ? ", " : "", (int)n, line));
        if (only_missing)
            R1_TRY(r1_buf_addf(out, err, "(absent) -> %.*s", show, value));
        else
            R1_TRY(r1_buf_addf(out, err, "%.*s -> %.*s", show, value, other ? show_other : 8,
                               other ? other : "(absent)"));
    }
done:
    return st;
}

r1_status r1_config_same_numeric(const r1_config *old_cfg, const r1_config *new_cfg, r1_err *err) {
    flat f[2] = {{.numeric_only = 1, .err = err}, {.numeric_only = 1, .err = err}};
    r1_buf changes;
    r1_status st = R1_OK;

    r1_buf_init(&f[0].out, DUMP_MAX);
    r1_buf_init(&f[1].out, DUMP_MAX);
    r1_buf_init(&changes, 2 * DUMP_MAX);
    R1_TRY(flat_config(&f[0], old_cfg));
    R1_TRY(flat_config(&f[1], new_cfg));
    R1_TRY(list_changes(&changes, f[0].out.data, f[1].out.data, 0, err));
    R1_TRY(list_changes(&changes, f[1].out.data, f[0].out.data, 1, err));
    if (changes.len)
        st =
            R1_FAIL(err, R1_USAGE,
                    "%s: a resumed run must keep its numeric configuration, but these keys differ: "
                    "%.700s",
                    new_cfg->path, changes.data);
done:
    r1_buf_done(&f[0].out);
    r1_buf_done(&f[1].out);
    r1_buf_done(&changes);
    return st;
}
