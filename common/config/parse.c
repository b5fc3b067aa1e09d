/* Defaults, file and overrides -> r1_config.  The schema says what a key is; this file says in
 * which order things are laid over each other:
 *   a section     defaults, then the keys given
 *   data.eval     the section's train keys, then split and n of its own, then the eval keys given
 *   a stage       defaults of its kind, the top level's sections, then the stage's own keys
 * See config.h. */
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/config/reader.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static char *join(char buf[static R1_KEY_TEXT], const char *prefix, const char *name) {
    snprintf(buf, R1_KEY_TEXT, "%.120s%s%.120s", prefix, *prefix ? "." : "", name);
    return buf;
}

/* Presets of all keys that a section of this kind has; kind < 0: of all keys. */
static r1_status set_presets(const r1_reader *r, const r1_key *keys, void *base, int kind) {
    r1_status st = R1_OK;

    for (const r1_key *k = keys; k->name; k++) {
        void *at = (char *)base + k->offset;
        if (k->type == R1_KEY_REWARDS || k->type == R1_KEY_STAGES)
            continue;
        if (k->type == R1_KEY_SECTION)
            R1_TRY(set_presets(r, k->sub, at, 0));
        else if (kind < 0 || r1_key_fits(k, kind))
            R1_TRY(r1_value_preset(r, k, at));
    }
done:
    return st;
}

static r1_status unknown_key(const r1_reader *r, const r1_key *keys, const r1_node *n,
                             const char *path) {
    char hint[R1_KEY_TEXT], key[R1_KEY_TEXT], shown[80];

    return r1_reader_fail(r, n, join(key, path, n->key), "%s: unknown key%s",
                          r1_node_shown(n, shown), r1_suggest(keys, n->key, hint));
}

/* A key that other kinds of stages, tasks or rewards have. */
static r1_status misplaced_key(const r1_reader *r, const r1_key *keys, const r1_key *k, int kind,
                               const r1_node *n, const char *path) {
    const char *by = r1_section_kind_key(keys);
    char key[R1_KEY_TEXT], shown[80];

    if (keys == r1_schema_data_spec && kind == R1_TASK_NONE)
        return r1_reader_fail(r, n, join(key, path, n->key),
                              "%s: this key belongs to a task, and "
                              "none is set",
                              r1_node_shown(n, shown));
    return r1_reader_fail(r, n, join(key, path, n->key), "%s: %s is no key of %s %s",
                          r1_node_shown(n, shown), k->name,
                          keys == r1_schema_reward ? "reward" : by,
                          r1_key_find(keys, by, kind)->choices[kind]);
}

/* Lay the keys of a mapping over a section that has its defaults already.  Data, rewards and stages
 * have readers of their own. */
static r1_status read_section(const r1_reader *r, const r1_key *keys, void *base,
                              const r1_node *map, const char *path) {
    char key[R1_KEY_TEXT], shown[80];
    r1_status st = R1_OK;
    int kind = r1_section_kind(keys, base);

    if (!map || r1_node_is_null(map))
        return R1_OK;
    if (map->kind != R1_NODE_MAP)
        return r1_reader_fail(r, map, path, "%s is not a mapping (key: value)",
                              r1_node_shown(map, shown));
    for (const r1_node *n = map->child; n; n = n->next) {
        const r1_key *k = r1_key_find(keys, n->key, kind);
        if (!k)
            return unknown_key(r, keys, n, path);
        if (!r1_key_fits(k, kind))
            return misplaced_key(r, keys, k, kind, n, path);
        if (k->type == R1_KEY_REWARDS || k->type == R1_KEY_STAGES || k->sub == r1_schema_data)
            continue;
        void *at = (char *)base + k->offset;
        if (k->type == R1_KEY_SECTION)
            R1_TRY(read_section(r, k->sub, at, n, join(key, path, k->name)));
        else
            R1_TRY(r1_value_read(r, k, at, n, join(key, path, k->name)));
    }
done:
    return st;
}

/* Keys that must be there, after everything has been laid over. */
static r1_status check_required(const r1_reader *r, const r1_key *keys, int kind,
                                const r1_node *map, const char *path) {
    char key[R1_KEY_TEXT];

    for (const r1_key *k = keys; k->name; k++) {
        const r1_node *n = map ? r1_node_get(map, k->name) : NULL;
        if ((k->flags & R1_KEY_REQUIRED) && r1_key_fits(k, kind) && (!n || r1_node_is_null(n)))
            return r1_reader_fail(r, n ? n : map, join(key, path, k->name),
                                  "the key is missing (%s)", k->help);
    }
    return R1_OK;
}

/* ---- data ---- */

/* A file and a task exclude each other: the one that is given drops an inherited other one. */
static r1_status choose_source(const r1_reader *r, r1_data_spec *spec, const r1_node *map,
                               const char *path) {
    const r1_node *file = r1_node_get(map, "file"), *task = r1_node_get(map, "task");
    const r1_key *k = r1_key_find(r1_schema_data_spec, "task", 0);
    char key[R1_KEY_TEXT];
    r1_status st = R1_OK;
    int before = spec->task;

    if (task)
        R1_TRY(r1_value_read(r, k, &spec->task, task, join(key, path, "task")));
    if (file && r1_node_is_null(file))
        file = NULL;
    if (task && file && spec->task != R1_TASK_NONE)
        return r1_reader_fail(r, file, join(key, path, "file"),
                              "%.60s: given beside task %s; one of the two is the source",
                              file->text, k->choices[spec->task]);
    if (file)
        spec->task = R1_TASK_NONE;
    else if (spec->task != R1_TASK_NONE)
        spec->file = spec->text_key = NULL;
    if (spec->task != before) { /* other kinds have other defaults */
        int kind = spec->task;
        const r1_key *ops = r1_key_find(r1_schema_data_spec, "ops", kind);
        if (r1_key_fits(ops, kind))
            R1_TRY(r1_value_preset(r, ops, &spec->ops));
    }
done:
    return st;
}

static r1_status read_spec(const r1_reader *r, r1_data_spec *spec, const r1_node *map,
                           const char *path) {
    r1_status st = R1_OK;

    if (map && map->kind == R1_NODE_MAP)
        R1_TRY(choose_source(r, spec, map, path));
    R1_TRY(read_section(r, r1_schema_data_spec, spec, map, path));
done:
    return st;
}

/* Was the key given in one of the layers? */
static int given(const r1_node *const *layers, int n, const char *key) {
    for (int i = 0; i < n; i++)
        if (layers[i] && r1_node_get(layers[i], key))
            return 1;
    return 0;
}

#define LAYERS_MAX 2

/* train and eval from the top level's data and, in a stage, the stage's. */
static r1_status read_data(const r1_reader *r, r1_data_spec *train, r1_data_spec *eval,
                           const r1_node *const *data, const char *const *paths, int n) {
    const r1_node *train_maps[LAYERS_MAX], *eval_maps[LAYERS_MAX];
    char key[R1_KEY_TEXT], shown[80];
    r1_status st = R1_OK;

    R1_TRY(set_presets(r, r1_schema_data_spec, train, -1));
    for (int i = 0; i < n; i++) {
        train_maps[i] = r1_node_get(data[i], "train");
        eval_maps[i] = r1_node_get(data[i], "eval");
        if (data[i] && !r1_node_is_null(data[i]) && data[i]->kind != R1_NODE_MAP)
            return r1_reader_fail(r, data[i], paths[i], "%s is not a mapping with train and eval",
                                  r1_node_shown(data[i], shown));
        for (const r1_node *k = data[i] ? data[i]->child : NULL; k; k = k->next)
            if (!r1_key_find(r1_schema_data, k->key, 0))
                return unknown_key(r, r1_schema_data, k, paths[i]);
        R1_TRY(read_spec(r, train, train_maps[i], join(key, paths[i], "train")));
    }
    *eval = *train;
    eval->split = R1_SPLIT_HELD_OUT;
    eval->n = R1_AUTO;
    for (int i = 0; i < n; i++)
        R1_TRY(read_spec(r, eval, eval_maps[i], join(key, paths[i], "eval")));

    int apart = train->file && eval->file && !r1_same_file(train->file, eval->file);
    int train_split = given(train_maps, n, "split"), eval_split = given(eval_maps, n, "split");
    if ((apart || (train->text_key && eval->text_key)) && !train_split)
        train->split = R1_SPLIT_ALL;
    if (apart && !eval_split)
        eval->split = R1_SPLIT_ALL;
    if (eval->task != R1_TASK_NONE && eval->n < 0 && !given(eval_maps, n, "n"))
        eval->n = 512;
done:
    return st;
}

/* ---- rewards ---- */

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* Of a name that becomes part of key paths, file names and metrics. */
static int good_name(const char *s) {
    return *s && strlen(s) <= 64 && !s[strspn(s, NAME_CHARS)];
}

/* Of a data source, which becomes part of key paths and metrics. */
static int good_source(const char *s) {
    return *s && strlen(s) <= 48 && !s[strspn(s, NAME_CHARS "/")];
}

static int same_label(const r1_reward_spec *a, const r1_reward_spec *b) {
    char one[R1_REWARD_LABEL], other[R1_REWARD_LABEL];

    return strcmp(r1_reward_label(a, one), r1_reward_label(b, other)) == 0;
}

static r1_status read_rewards(const r1_reader *r, int *count, r1_reward_spec *rewards,
                              const r1_node *list, const char *path) {
    char key[R1_KEY_TEXT], at[R1_KEY_TEXT], shown[80];
    r1_status st = R1_OK;

    if (!list || r1_node_is_null(list))
        return R1_OK;
    if (list->kind != R1_NODE_LIST)
        return r1_reader_fail(r, list, path, "%s is not a list of {name: ..., weight: ...}",
                              r1_node_shown(list, shown));
    *count = 0;
    for (const r1_node *n = list->child; n; n = n->next) {
        r1_reward_spec *spec = &rewards[*count];
        snprintf(at, sizeof at, "%.200s[%d]", path, *count);
        if (*count == R1_MAX_REWARDS)
            return r1_reader_fail(r, n, at, "more than %d rewards", R1_MAX_REWARDS);
        if (n->kind != R1_NODE_MAP)
            return r1_reader_fail(r, n, at, "%s is not a mapping like {name: number}",
                                  r1_node_shown(n, shown));
        *spec = (r1_reward_spec){0};
        const r1_node *name = r1_node_get(n, "name");
        if (!name || r1_node_is_null(name))
            return r1_reader_fail(r, n, join(key, at, "name"), "the key is missing (the rule)");
        R1_TRY(r1_value_read(r, r1_key_find(r1_schema_reward, "name", 0), &spec->name, name,
                             join(key, at, "name")));
        R1_TRY(set_presets(r, r1_schema_reward, spec, r1_section_kind(r1_schema_reward, spec)));
        R1_TRY(r1_value_read(r, r1_key_find(r1_schema_reward, "name", 0), &spec->name, name, at));
        R1_ASSERT(spec->name); /* it was read */
        join(key, path, spec->name);
        R1_TRY(read_section(r, r1_schema_reward, spec, n, key));
        R1_TRY(
            check_required(r, r1_schema_reward, r1_section_kind(r1_schema_reward, spec), n, key));
        if (spec->source && !good_source(spec->source))
            return r1_reader_fail(r, n, key,
                                  "source '%.80s' may only have letters, digits, _ - and / (48 at "
                                  "most)",
                                  spec->source);
        for (int i = 0; i < *count; i++)
            if (same_label(&rewards[i], spec))
                return r1_reader_fail(r, n, key, "the reward is listed twice");
        ++*count;
    }
done:
    return st;
}

/* ---- stages ---- */

static r1_status read_stage_name(const r1_reader *r, int index, const r1_node *n) {
    r1_stage_config *stages = r->cfg->stages;
    char at[R1_KEY_TEXT];
    r1_status st = R1_OK;

    snprintf(at, sizeof at, "stages[%d].name", index);
    const r1_node *name = r1_node_get(n, "name");
    if (!name || r1_node_is_null(name))
        return r1_reader_fail(r, n, at, "the key is missing");
    R1_TRY(
        r1_value_read(r, r1_key_find(r1_schema_stage, "name", 0), &stages[index].name, name, at));
    const char *s = stages[index].name;
    if (!good_name(s))
        return r1_reader_fail(r, name, at,
                              "'%.80s' may only have letters, digits, _ and - (64 at "
                              "most)",
                              s);
    if (r1_key_find(r1_schema_root, s, 0))
        return r1_reader_fail(r, name, at,
                              "'%s' is a key of the top level, so overrides could not "
                              "tell them apart",
                              s);
    if (strcmp(s, "base") == 0)
        return r1_reader_fail(r, name, at,
                              "'base' is what results call the model before its first stage; "
                              "choose another name");
    for (int i = 0; i < index; i++)
        if (strcmp(stages[i].name, s) == 0)
            return r1_reader_fail(r, name, at, "'%s' is the name of an earlier stage", s);
done:
    return st;
}

/* The sections that a stage may override start as the top level's. */
static void inherit(r1_stage_config *stage, const r1_config *cfg) {
    stage->n_rewards = cfg->n_rewards;
    memcpy(stage->rewards, cfg->rewards, sizeof stage->rewards);
    stage->optimizer = cfg->optimizer;
    stage->limits = cfg->limits;
}

static r1_status read_stage(const r1_reader *r, int index, const r1_node *n) {
    r1_stage_config *stage = &r->cfg->stages[index];
    char key[R1_KEY_TEXT], shown[80];
    r1_status st = R1_OK;

    snprintf(key, sizeof key, "stages[%d]", index);
    if (n->kind != R1_NODE_MAP)
        return r1_reader_fail(r, n, key, "%s is not a mapping like {name: rl, kind: grpo, ...}",
                              r1_node_shown(n, shown));
    R1_TRY(read_stage_name(r, index, n));
    const r1_node *kind = r1_node_get(n, "kind");
    if (!kind || r1_node_is_null(kind))
        return r1_reader_fail(r, n, join(key, stage->name, "kind"), "the key is missing");
    const char *name = stage->name;
    R1_TRY(r1_value_read(r, r1_key_find(r1_schema_stage, "kind", 0), &stage->kind, kind,
                         join(key, name, "kind")));
    int k = stage->kind;
    R1_TRY(set_presets(r, r1_schema_stage, stage, k));
    stage->name = name;
    stage->kind = k;
    stage->line = n->line;
    inherit(stage, r->cfg);
    R1_TRY(read_section(r, r1_schema_stage, stage, n, name));
    R1_TRY(check_required(r, r1_schema_stage, k, n, name));
    R1_TRY(read_rewards(r, &stage->n_rewards, stage->rewards, r1_node_get(n, "rewards"),
                        join(key, name, "rewards")));
    const r1_node *const layers[] = {r1_node_get(r->root, "data"), r1_node_get(n, "data")};
    const char *const paths[] = {"data", join(key, name, "data")};
    R1_TRY(read_data(r, &stage->data.train, &stage->data.eval, layers, paths, 2));
done:
    return st;
}

static r1_status read_stages(const r1_reader *r) {
    const r1_node *list = r1_node_get(r->root, "stages");
    char shown[80];
    r1_status st = R1_OK;

    if (list->kind != R1_NODE_LIST || !list->child)
        return r1_reader_fail(r, list, "stages", "%s is not a list of stages",
                              list->kind == R1_NODE_LIST ? "an empty list"
                                                         : r1_node_shown(list, shown));
    for (const r1_node *n = list->child; n; n = n->next) {
        if (r->cfg->n_stages == R1_MAX_STAGES)
            return r1_reader_fail(r, n, "stages", "more than %d stages", R1_MAX_STAGES);
        R1_TRY(read_stage(r, r->cfg->n_stages, n));
        r->cfg->n_stages++;
    }
done:
    return st;
}

/* ---- the whole ---- */

static r1_status read_all(const r1_reader *r) {
    r1_config *cfg = r->cfg;
    char shown[80];
    r1_status st = R1_OK;

    if (r->root->kind != R1_NODE_MAP)
        return r1_reader_fail(r, r->root, "document", "%s is not a mapping (key: value)",
                              r1_node_shown(r->root, shown));
    R1_TRY(set_presets(r, r1_schema_root, cfg, 0));
    R1_TRY(read_section(r, r1_schema_root, cfg, r->root, ""));
    R1_TRY(check_required(r, r1_schema_root, 0, r->root, ""));
    R1_TRY(
        read_rewards(r, &cfg->n_rewards, cfg->rewards, r1_node_get(r->root, "rewards"), "rewards"));
    const r1_node *const layers[] = {r1_node_get(r->root, "data")};
    R1_TRY(
        read_data(r, &cfg->data.train, &cfg->data.eval, layers, (const char *const[]){"data"}, 1));
    R1_TRY(read_stages(r));
    R1_TRY(r1_config_resolve(r));
done:
    return st;
}

r1_status r1_config_parse(r1_config **ret_cfg, const char *text, size_t len, const char *path,
                          int n_overrides, char *const *overrides, r1_err *err) {
    r1_reader r = {.path = path, .err = err};
    r1_status st = R1_OK;
    r1_config *cfg = NULL;

    R1_TRY(R1_NEW(cfg, 1, err));
    r.cfg = cfg;
    if (!(cfg->pool = r1_config_pool_new()) ||
        !(cfg->path = r1_config_pool_text(cfg->pool, path, strlen(path)))) {
        st = R1_FAIL(err, R1_NOMEM, "%s: out of memory", path);
        goto done;
    }
    R1_TRY(r1_tree_parse(cfg->pool, text, len, path, 0, &r.root, err));
    for (int i = 0; i < n_overrides && r.root->kind == R1_NODE_MAP; i++)
        R1_TRY(r1_override_apply(&r, overrides[i]));
    R1_TRY(read_all(&r));
    *ret_cfg = cfg;
    cfg = NULL;
done:
    r1_config_free(cfg);
    return st;
}

r1_status r1_config_load(r1_config **ret_cfg, const char *path, int n_overrides,
                         char *const *overrides, r1_err *err) {
    r1_status st = R1_OK;
    char *text = NULL;
    size_t len = 0;

    R1_TRY(r1_file_slurp(path, R1_TREE_BYTES_MAX, &text, &len, err));
    R1_TRY(r1_config_parse(ret_cfg, text, len, path, n_overrides, overrides, err));
done:
    r1_free(text);
    return st;
}

void r1_config_free(r1_config *cfg) {
    if (!cfg)
        return;
    r1_config_pool_free(cfg->pool);
    r1_free(cfg);
}
