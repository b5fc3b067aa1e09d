/* summary.json; see summary.h. */
#include "common/metrics/summary.h"

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/mem.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void r1_summary_init(r1_summary *s) {
    memset(s, 0, sizeof *s);
    s->resumed_from = s->exit_status = -1;
    s->reproducible = 1;
}

r1_summary_stage *r1_summary_stage_of(r1_summary *s, const char *name, const char *kind) {
    for (int i = 0; i < s->n_stages; i++)
        if (strcmp(s->stage[i].name, name) == 0)
            return &s->stage[i];
    R1_ASSERT(s->n_stages < R1_SUMMARY_STAGES);
    r1_summary_stage *stage = &s->stage[s->n_stages++];
    memset(stage, 0, sizeof *stage);
    snprintf(stage->name, sizeof stage->name, "%s", name);
    snprintf(stage->kind, sizeof stage->kind, "%s", kind);
    return stage;
}

void r1_summary_cut(r1_summary *s, const char *name) {
    for (int i = 0; i < s->n_stages; i++)
        if (strcmp(s->stage[i].name, name) == 0)
            s->n_stages = i + 1;
}

static json_t *number(double x) {
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *text(const char *s) {
    return *s ? json_string(s) : json_null();
}

static json_t *stage_json(const r1_summary_stage *s) {
    json_t *eval = json_null();

    if (s->has_eval)
        eval = json_pack("{s:o, s:o, s:I, s:o}", "accuracy", number(s->eval.accuracy), "stderr",
                         number(s->eval.stderr_), "n", (json_int_t)s->eval.n, "greedy_accuracy",
                         number(s->eval.greedy_accuracy));
    return json_pack("{s:s, s:s, s:I, s:I, s:o, s:o}", "name", s->name, "kind", s->kind, "steps",
                     (json_int_t)s->steps, "updates", (json_int_t)s->updates, "wall_s",
                     number(s->wall_s), "eval", eval);
}

/* Of stages and phases: value, or NULL where a part of it is missing. */
static json_t *whole(json_t *value, int good) {
    if (good)
        return value;
    json_decref(value);
    return NULL;
}

static json_t *phases_json(const r1_summary *s) {
    json_t *all = json_object();
    int good = 1;

    for (int p = 0; p < R1_PHASE_COUNT && s->has_phases; p++)
        if (s->phases[p].ranks)
            good = good &&
                   json_object_set_new(all, r1_phase_name((r1_phase)p),
                                       json_pack("{s:f, s:f, s:f}", "min", s->phases[p].min, "avg",
                                                 s->phases[p].avg, "max", s->phases[p].max)) == 0;
    return whole(all, good);
}

static json_t *stages_json(const r1_summary *s) {
    json_t *all = json_array();
    int good = 1;

    for (int i = 0; i < s->n_stages; i++)
        good = good && json_array_append_new(all, stage_json(&s->stage[i])) == 0;
    return whole(all, good);
}

r1_status r1_summary_write(const r1_summary *s, const char *path, r1_err *err) {
    r1_status st = R1_OK;
    json_t *root = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "stages", stages_json(s),
                             "weights_checksum", text(s->weights_checksum), "optimizer_checksum",
                             text(s->optimizer_checksum), "resumed_from",
                             s->resumed_from < 0 ? json_null() : json_integer(s->resumed_from),
                             "wall_s", number(s->wall_s), "exit_status",
                             s->exit_status < 0 ? json_null() : json_integer(s->exit_status),
                             "reproducible", s->reproducible, "phases_s", phases_json(s));
    char *out = NULL;

    if (!root) {
        st =
            R1_FAIL(err, R1_NOMEM, "'%s': no memory for the summary, or a name is not UTF-8", path);
        goto done;
    }
    R1_TRY(r1_json_dump(root, JSON_INDENT(2), path, &out, err));
    R1_TRY(r1_file_write_atomic(path, out, strlen(out), err));
done:
    r1_free(out);
    json_decref(root);
    return st;
}

/* ---- reading ---- */

static double get_number(const json_t *obj, const char *key) {
    const json_t *v = json_object_get(obj, key);

    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

static int64_t get_int(const json_t *obj, const char *key, int64_t fallback) {
    const json_t *v = json_object_get(obj, key);

    return json_is_integer(v) ? json_integer_value(v) : fallback;
}

static void get_text(const json_t *obj, const char *key, char *buf, size_t size) {
    const char *s = json_string_value(json_object_get(obj, key));

    snprintf(buf, size, "%s", s ? s : "");
}

static void read_stage(r1_summary *s, const json_t *j) {
    char name[sizeof s->stage->name], kind[sizeof s->stage->kind];

    get_text(j, "name", name, sizeof name);
    get_text(j, "kind", kind, sizeof kind);
    r1_summary_stage *stage = r1_summary_stage_of(s, name, kind);
    stage->steps = get_int(j, "steps", 0);
    stage->updates = get_int(j, "updates", 0);
    stage->wall_s = get_number(j, "wall_s");
    const json_t *eval = json_object_get(j, "eval");
    if (!json_is_object(eval))
        return;
    stage->has_eval = 1;
    stage->eval.accuracy = get_number(eval, "accuracy");
    stage->eval.stderr_ = get_number(eval, "stderr");
    stage->eval.n = get_int(eval, "n", 0);
    stage->eval.greedy_accuracy = get_number(eval, "greedy_accuracy");
}

r1_status r1_summary_read(r1_summary *ret, const char *path, r1_err *err) {
    r1_status st = R1_OK;
    char *data = NULL;
    size_t len = 0;
    json_error_t why;
    json_t *root = NULL;

    R1_TRY(r1_file_slurp(path, 1 << 20, &data, &len, err));
    if ((st = r1_json_parse(&root, data, len, 0, &why)) != R1_OK) {
        r1_err_set(err, st, "%s:%d: not valid JSON: %s", path, why.line, why.text);
        goto done;
    }
    const json_t *stages = json_object_get(root, "stages");
    if (!json_is_array(stages) || json_array_size(stages) > R1_SUMMARY_STAGES) {
        st = R1_FAIL(err, R1_DATA, "%s: 'stages' is no list of at most %d stages", path,
                     R1_SUMMARY_STAGES);
        goto done;
    }
    r1_summary_init(ret);
    for (size_t i = 0; i < json_array_size(stages); i++)
        read_stage(ret, json_array_get(stages, i));
    get_text(root, "weights_checksum", ret->weights_checksum, sizeof ret->weights_checksum);
    get_text(root, "optimizer_checksum", ret->optimizer_checksum, sizeof ret->optimizer_checksum);
    ret->resumed_from = get_int(root, "resumed_from", -1);
    ret->wall_s = get_number(root, "wall_s");
    ret->exit_status = (int)get_int(root, "exit_status", -1);
    ret->reproducible = !json_is_false(json_object_get(root, "reproducible"));
done:
    json_decref(root);
    r1_free(data);
    return st;
}
