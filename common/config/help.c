/* --help-config from the schema; see config.h. */
#include "common/base/mem.h"
#include "common/config/number.h"
#include "common/config/schema.h"

#include <stdio.h>
#include <string.h>

#define HELP_MAX (1 << 20)

static const char intro[] =
    "Configuration: one YAML file, and key.path=value on the command line over it.\n"
    "\n"
    "Each key: type and range, default, and whether it is numeric (it decides the results; a "
    "resumed\n"
    "run refuses a change) or runtime (free to change).  \"required\" keys have no default.  A "
    "stage\n"
    "is addressed by its name (rl.total_updates=10), a reward by its name in the list\n"
    "(rewards.number.weight=0.5; with a source rewards.number@gsm8k.weight=0.5).  A stage may have "
    "data, rewards, optimizer and limits of its "
    "own;\n"
    "keys that they lack are the top level's.\n";

static r1_status put_type(r1_buf *out, const r1_key *k, r1_err *err) {
    static const char *const names[] = {
        [R1_KEY_INT] = "integer",           [R1_KEY_UINT64] = "integer of 64 bits",
        [R1_KEY_FLOAT] = "number",          [R1_KEY_BOOL] = "true | false",
        [R1_KEY_STRING] = "text",           [R1_KEY_BYTES] = "bytes",
        [R1_KEY_STRINGS] = "list of texts", [R1_KEY_FLOAT2] = "two numbers"};
    char lo[R1_NUMBER_TEXT], hi[R1_NUMBER_TEXT];
    r1_status st = R1_OK;

    if (k->choices) {
        for (int i = 0; k->choices[i]; i++)
            R1_TRY(r1_buf_addf(out, err, "%s%s", i ? " | " : "", k->choices[i]));
    } else {
        R1_TRY(r1_buf_addf(out, err, "%s", names[k->type]));
        if (k->hi > k->lo && k->type != R1_KEY_BOOL)
            R1_TRY(r1_buf_addf(out, err, " %s..%s", r1_number_text(k->lo, lo),
                               r1_number_text(k->hi, hi)));
    }
    if (k->flags & R1_KEY_NULLABLE)
        R1_TRY(r1_buf_addf(out, err, " | %s", k->flags & R1_KEY_AUTO ? "auto" : "null"));
done:
    return st;
}

/* "(grpo)", "(arithmetic, countdown)": the kinds that have the key. */
static r1_status put_kinds(r1_buf *out, const r1_key *keys, const r1_key *k, r1_err *err) {
    const r1_key *by = r1_key_find(keys, r1_section_kind_key(keys), 0);
    const char *sep = " (";
    r1_status st = R1_OK;

    if (k->flags < R1_KEY_KIND0)
        return R1_OK;
    for (int i = 0; by->choices[i]; i++)
        if (r1_key_fits(k, i)) {
            int file = keys == r1_schema_data_spec && i == R1_TASK_NONE;
            R1_TRY(r1_buf_addf(out, err, "%s%s", sep, file ? "file" : by->choices[i]));
            sep = ", ";
        }
    R1_TRY(r1_buf_add(out, ")", 1, err));
done:
    return st;
}

static r1_status put_key(r1_buf *out, const r1_key *keys, const r1_key *k, int indent,
                         r1_err *err) {
    const char *preset = k->preset ? k->preset : k->flags & R1_KEY_AUTO ? "auto" : "null";
    r1_status st = R1_OK;

    R1_TRY(r1_buf_addf(out, err, "%*s%s", indent, "", k->name));
    R1_TRY(put_kinds(out, keys, k, err));
    R1_TRY(r1_buf_add(out, ": ", 2, err));
    R1_TRY(put_type(out, k, err));
    if (k->flags & R1_KEY_REQUIRED)
        R1_TRY(r1_buf_addf(out, err, "; required"));
    else
        R1_TRY(r1_buf_addf(out, err, "; default %s", preset));
    R1_TRY(r1_buf_addf(out, err, "; %s\n%*s%s\n", k->flags & R1_KEY_RUNTIME ? "runtime" : "numeric",
                       indent + 6, "", k->help));
done:
    return st;
}

/* What a stage overrides is described at the top level; eval has the keys of train. */
static int described_elsewhere(const r1_key *keys, const r1_key *k) {
    return (keys == r1_schema_stage && r1_key_find(r1_schema_root, k->name, 0)) ||
           (keys == r1_schema_data && k != keys);
}

static r1_status put_section(r1_buf *out, const r1_key *keys, int indent, r1_err *err);

static r1_status put_entry(r1_buf *out, const r1_key *keys, const r1_key *k, int indent,
                           r1_err *err) {
    r1_status st = R1_OK;

    if (!k->sub && k->type < R1_KEY_SECTION)
        return put_key(out, keys, k, indent, err);
    R1_TRY(r1_buf_addf(out, err, "%s%*s%s", indent ? "" : "\n", indent, "", k->name));
    R1_TRY(put_kinds(out, keys, k, err));
    R1_TRY(r1_buf_addf(out, err, ":%s  # %s\n", k->type >= R1_KEY_REWARDS ? " a list of" : "",
                       k->help));
    if (!described_elsewhere(keys, k))
        R1_TRY(put_section(out, k->sub, indent + 4, err));
done:
    return st;
}

static r1_status put_section(r1_buf *out, const r1_key *keys, int indent, r1_err *err) {
    r1_status st = R1_OK;

    for (const r1_key *k = keys; k->name && st == R1_OK; k++)
        st = put_entry(out, keys, k, indent, err);
    return st;
}

/* A key by its path or the end of it: stages.kl.coef, kl.coef and coef are one. */
static int is_asked(const char *path, const char *key) {
    size_t n = strlen(path), m = strlen(key);

    return n >= m && strcmp(path + n - m, key) == 0 && (n == m || path[n - m - 1] == '.');
}

/* Every key of that path, each under the section it stands in. */
static r1_status put_asked(r1_buf *out, const r1_key *keys, const char *path, const char *key,
                           r1_err *err) {
    r1_status st = R1_OK;

    for (const r1_key *k = keys; k->name; k++) {
        char full[256];
        snprintf(full, sizeof full, "%.120s%s%.120s", path, *path ? "." : "", k->name);
        if (is_asked(full, key)) {
            R1_TRY(r1_buf_addf(out, err, "%s%s:\n", *path ? "in " : "at the top level", path));
            R1_TRY(put_entry(out, keys, k, 4, err));
        } else if (k->sub && !described_elsewhere(keys, k)) {
            R1_TRY(put_asked(out, k->sub, full, key, err));
        }
    }
done:
    return st;
}

r1_status r1_config_help(const char *key, char **ret_text, r1_err *err) {
    r1_buf out;
    r1_status st = R1_OK;

    r1_buf_init(&out, HELP_MAX);
    if (key) {
        R1_TRY(put_asked(&out, r1_schema_root, "", key, err));
        if (!out.len)
            st = R1_FAIL(err, R1_USAGE, "--help-config: there is no key '%.100s'", key);
    } else {
        R1_TRY(r1_buf_addf(&out, err, "%s\n", intro));
        R1_TRY(put_section(&out, r1_schema_root, 0, err));
    }
    if (st == R1_OK) {
        *ret_text = out.data;
        out.data = NULL; /* the caller's now */
    }
done:
    r1_buf_done(&out);
    return st;
}
