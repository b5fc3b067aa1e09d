/* Opening: a directory, a tokenizer.json, a GGUF, or files in memory.
 *
 * tokenizer.json says how text becomes ids.  What it does not say comes from beside it:
 * tokenizer_config.json (eos and bos by text, more added tokens, the chat template),
 * generation_config.json and config.json (eos by id), chat_template.jinja. */
#include "common/tokenizer/impl.h"

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/formats/gguf.h"

#include <stdlib.h>
#include <string.h>

static const r1_tokenizer_file *find(const r1_tokenizer_file *files, int n, const char *name) {
    for (int i = 0; i < n; i++)
        if (strcmp(files[i].name, name) == 0)
            return &files[i];
    return NULL;
}

/* NULL in *ret if there is no such file. */
static r1_status load(const r1_tokenizer_file *files, int n, const char *name, json_t **ret,
                      r1_err *err) {
    const r1_tokenizer_file *f = find(files, n, name);
    json_error_t e;

    *ret = NULL;
    if (!f)
        return R1_OK;
    r1_status st = r1_json_parse(ret, f->data, f->n, JSON_ALLOW_NUL, &e);
    if (st != R1_OK)
        return R1_FAIL(err, st, "%s: line %d: %s", name, e.line, e.text);
    if (json_is_object(*ret))
        return R1_OK;
    json_decref(*ret);
    *ret = NULL;
    return R1_FAIL(err, R1_DATA, "%s is not an object", name);
}

/* ---------------------------------------------------------------- eos and bos */

static r1_status add_eos(r1_tokenizer *t, int32_t id, r1_err *err) {
    for (int i = 0; i < t->n_eos; i++)
        if (t->eos[i] == id)
            return R1_OK;
    if (t->n_eos == R1_EOS_MAX)
        return R1_FAIL(err, R1_DATA, "more than %d ids that end a sequence", R1_EOS_MAX);
    t->eos[t->n_eos++] = id;
    return R1_OK;
}

/* eos_token_id: a number, a list of numbers, null. */
static r1_status read_eos_ids(r1_tokenizer *t, const json_t *config, const char *file,
                              r1_err *err) {
    const json_t *v = json_object_get(config, "eos_token_id");
    size_t n = json_is_array(v) ? json_array_size(v) : v && !json_is_null(v);
    r1_status st = R1_OK;

    for (size_t i = 0; i < n && st == R1_OK; i++) {
        const json_t *id = json_is_array(v) ? json_array_get(v, i) : v;
        if (!json_is_integer(id) || json_integer_value(id) < 0 ||
            json_integer_value(id) >= R1_VOCAB_MAX)
            return R1_FAIL(err, R1_DATA, "%s: eos_token_id is not an id or a list of ids", file);
        st = add_eos(t, (int32_t)json_integer_value(id), err);
    }
    return st;
}

/* The id of a token that tokenizer_config.json names by its text ("eos_token"), -1 if it names
 * none.  transformers makes such a token an added one if the vocabulary merely has it; so do we. */
static r1_status named_token(r1_tokenizer *t, const json_t *config, const char *key, int32_t *ret,
                             r1_err *err) {
    const json_t *v = json_object_get(config, key);
    const json_t *text = json_is_object(v) ? json_object_get(v, "content") : v;
    size_t n = json_string_length(text);

    *ret = -1;
    if (!n)
        return R1_OK;
    *ret = r1_tokenizer_id(t, json_string_value(text));
    for (int32_t id = 0; id < t->vocab && *ret < 0; id++) {
        if (t->tokens[id].n != n || memcmp(r1_token_text(t, id), json_string_value(text), n) != 0)
            continue;
        r1_added_token a = {.n = n, .id = id};
        const char *s = json_string_value(text);
        memcpy(&a.text, &s, sizeof a.text); /* copied: the const stays true */
        t->tokens[id].control = 1;
        *ret = id;
        return r1_added_add(&t->raw, &a, err);
    }
    if (*ret < 0)
        return R1_FAIL(err, R1_DATA, "tokenizer_config.json: %s '%.60s' is not in the vocabulary",
                       key, json_string_value(text));
    return R1_OK;
}

/* ---------------------------------------------------------------- tokenizer_config.json */

/* The texts of the added tokens so far, as keys: asking r1_tokenizer_id for each of a long list
 * would take quadratic time.  NULL: out of memory. */
static json_t *added_texts(const r1_tokenizer *t) {
    json_t *known = json_object();
    int good = known != NULL;

    for (int pass = 0; pass < 2; pass++) {
        const r1_added *a = pass ? &t->normalized : &t->raw;
        for (size_t i = 0; i < a->n && good; i++)
            good = json_object_setn_new_nocheck(known, a->tokens[i].text, a->tokens[i].n,
                                                json_true()) == 0;
    }
    if (good)
        return known;
    json_decref(known);
    return NULL;
}

/* added_tokens_decoder: {"id": {content, ...}}; those that tokenizer.json lacks are added. */
static r1_status read_more_added(r1_tokenizer *t, const json_t *config, r1_err *err) {
    json_t *more = json_object_get(config, "added_tokens_decoder");
    const char *key;
    json_t *o;
    long last = t->vocab - 1;
    r1_status st = R1_OK;

    json_object_foreach(more, key, o) {
        char *end;
        long id = strtol(key, &end, 10);
        if (*end || end == key || id < 0 || id >= R1_VOCAB_MAX)
            return R1_FAIL(err, R1_DATA,
                           "tokenizer_config.json: added_tokens_decoder: '%.60s' is no id", key);
        last = id > last ? id : last;
    }
    if (last >= t->vocab) {
        r1_token *grown = r1_realloc(t->tokens, (size_t)last + 1, sizeof *grown);
        if (!grown)
            return R1_FAIL(err, R1_NOMEM, "out of memory: %ld tokens", last + 1);
        memset(grown + t->vocab, 0, (size_t)(last + 1 - t->vocab) * sizeof *grown);
        t->tokens = grown;
        t->vocab = (int)last + 1;
    }
    json_t *known = added_texts(t);
    if (!known)
        return R1_FAIL(err, R1_NOMEM, "out of memory: added tokens");
    json_object_foreach(more, key, o) {
        const json_t *text = json_object_get(o, "content");
        size_t n = json_string_length(text);
        if (st != R1_OK || !n || json_object_getn(known, json_string_value(text), n))
            continue;
        st = json_object_setn_new(known, json_string_value(text), n, json_true()) == 0
                 ? r1_tokenizer_read_added(t, o, strtol(key, NULL, 10), NULL, err)
                 : R1_FAIL(err, R1_NOMEM, "out of memory: added tokens");
    }
    json_decref(known);
    if (st != R1_OK)
        r1_err_prefix(err, "tokenizer_config.json");
    return st;
}

static r1_status read_chat_template(r1_tokenizer *t, const json_t *config,
                                    const r1_tokenizer_file *jinja, r1_err *err) {
    const json_t *v = json_object_get(config, "chat_template"), *item;
    const char *text = json_string_value(v);
    size_t i, n = json_string_length(v);

    json_array_foreach(v, i, item) {
        const char *name = json_string_value(json_object_get(item, "name"));
        const json_t *body = json_object_get(item, "template");
        if (name && strcmp(name, "default") == 0) {
            text = json_string_value(body);
            n = json_string_length(body);
        }
    }
    if (jinja) {
        text = jinja->data;
        n = jinja->n;
    }
    if (!text)
        return R1_OK;
    t->chat_template = r1_strndup(text, n);
    return t->chat_template ? R1_OK : R1_FAIL(err, R1_NOMEM, "out of memory: chat template");
}

static r1_status read_config(r1_tokenizer *t, const json_t *config, r1_err *err) {
    int32_t eos, bos;
    r1_status st;

    R1_TRY(read_more_added(t, config, err));
    R1_TRY(named_token(t, config, "eos_token", &eos, err));
    R1_TRY(named_token(t, config, "bos_token", &bos, err));
    if (eos >= 0)
        R1_TRY(add_eos(t, eos, err));
    if (t->prefix < 0 && json_is_true(json_object_get(config, "add_bos_token")))
        t->prefix = bos;
done:
    return st;
}

/* Keep a generation_config.json that lists every eos id, since config.json is not ours to keep. */
static r1_status keep_generation(r1_tokenizer *t, json_t *generation, const r1_tokenizer_file *file,
                                 r1_err *err) {
    const json_t *v = json_object_get(generation, "eos_token_id");
    size_t listed = json_is_array(v) ? json_array_size(v) : json_is_integer(v);

    if (file && listed >= (size_t)t->n_eos)
        return r1_tokenizer_keep(t, file->name, file->data, file->n, err);
    if (!t->n_eos && !file)
        return R1_OK;
    json_t *o = generation ? json_incref(generation) : json_object(), *ids = json_array();
    int good = 1;
    for (int i = 0; i < t->n_eos; i++)
        good = good && json_array_append_new(ids, json_integer(t->eos[i])) == 0;
    good = json_object_set_new(o, "eos_token_id", ids) == 0 && good;
    char *text = NULL;
    r1_status st =
        r1_json_dump(good ? o : NULL, JSON_INDENT(2), "generation_config.json", &text, err);
    json_decref(o);
    if (st == R1_OK)
        st = r1_tokenizer_keep(t, "generation_config.json", text, strlen(text), err);
    r1_free(text);
    return st;
}

/* ---------------------------------------------------------------- files in memory */

static r1_status open_bytes(r1_tokenizer **ret, const r1_tokenizer_file *files, int n,
                            r1_err *err) {
    json_t *root;
    const char **added = NULL;
    r1_status st;

    R1_TRY(load(files, n, "tokenizer_bytes.json", &root, err));
    const char *kind = json_string_value(json_object_get(root, "kind"));
    const json_t *list = json_object_get(root, "added_tokens");
    size_t count = json_array_size(list);
    if (!kind || strcmp(kind, "bytes") != 0) {
        st = R1_FAIL(err, R1_DATA, "tokenizer_bytes.json: kind '%.60s' is not bytes",
                     kind ? kind : "(none)");
        goto done;
    }
    if (!json_is_array(list) || count >= R1_VOCAB_MAX / 2) {
        st = R1_FAIL(err, R1_DATA, "tokenizer_bytes.json: added_tokens is not a list of texts");
        goto done;
    }
    R1_TRY(R1_NEW(added, count, err));
    for (size_t i = 0; i < count; i++) {
        added[i] = json_string_value(json_array_get(list, i));
        if (!added[i]) {
            st = R1_FAIL(err, R1_DATA, "tokenizer_bytes.json: added_tokens[%zu] is no text", i);
            goto done;
        }
    }
    st = r1_tokenizer_new_bytes(ret, added, (int)count, err);
done:
    r1_free(added);
    json_decref(root);
    return st;
}

static r1_status open_bpe(r1_tokenizer **ret, const r1_tokenizer_file *files, int n, r1_err *err) {
    static const char *const kept[] = {"tokenizer.json", "tokenizer_config.json",
                                       "chat_template.jinja"};
    const r1_tokenizer_file *f = find(files, n, "tokenizer.json");
    json_t *config = NULL, *generation = NULL, *model = NULL;
    r1_tokenizer *t = NULL;
    r1_status st;

    R1_TRY(R1_NEW(t, 1, err));
    if ((st = r1_tokenizer_read_json(t, f->data, f->n, err)) != R1_OK) {
        r1_err_prefix(err, "tokenizer.json");
        goto done;
    }
    R1_TRY(load(files, n, "tokenizer_config.json", &config, err));
    R1_TRY(load(files, n, "generation_config.json", &generation, err));
    R1_TRY(load(files, n, "config.json", &model, err));
    R1_TRY(read_config(t, config, err));
    R1_TRY(read_eos_ids(t, generation, "generation_config.json", err));
    R1_TRY(read_eos_ids(t, model, "config.json", err));
    R1_TRY(read_chat_template(t, config, find(files, n, "chat_template.jinja"), err));
    r1_added_sort(&t->raw);
    r1_added_sort(&t->normalized);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if ((f = find(files, n, kept[i])))
            R1_TRY(r1_tokenizer_keep(t, f->name, f->data, f->n, err));
    R1_TRY(keep_generation(t, generation, find(files, n, "generation_config.json"), err));
    *ret = t;
    t = NULL;
done:
    json_decref(config);
    json_decref(generation);
    json_decref(model);
    r1_tokenizer_free(t);
    return st;
}

r1_status r1_tokenizer_open_files(r1_tokenizer **ret, const r1_tokenizer_file *files, int n,
                                  const char *where, r1_err *err) {
    r1_status st;

    if (find(files, n, "tokenizer.json"))
        st = open_bpe(ret, files, n, err);
    else if (find(files, n, "tokenizer_bytes.json"))
        st = open_bytes(ret, files, n, err);
    else
        st = R1_FAIL(err, R1_DATA, "there is no tokenizer.json");
    if (st != R1_OK)
        r1_err_prefix(err, "%s", where);
    return st;
}

/* ---------------------------------------------------------------- files on disk */

static r1_status open_directory(r1_tokenizer **ret, const char *dir, r1_err *err) {
    static const char *const names[] = {"tokenizer.json",         "tokenizer_config.json",
                                        "generation_config.json", "config.json",
                                        "chat_template.jinja",    "tokenizer_bytes.json"};
    enum {
        COUNT = sizeof names / sizeof *names
    };
    r1_tokenizer_file files[COUNT];
    char *data[COUNT] = {0}, path[R1_PATH_MAX];
    int n = 0;
    r1_status st = R1_OK;

    for (int i = 0; i < COUNT; i++) {
        R1_TRY(r1_path_format(path, sizeof path, err, "%s/%s", dir, names[i]));
        if (!r1_path_exists(path))
            continue;
        R1_TRY(r1_file_slurp(path, R1_TOKENIZER_FILE_MAX, &data[n], &files[n].n, err));
        files[n].name = names[i];
        files[n].data = data[n];
        n++;
    }
    st = r1_tokenizer_open_files(ret, files, n, dir, err);
done:
    for (int i = 0; i < COUNT; i++)
        r1_free(data[i]);
    return st;
}

r1_status r1_tokenizer_open(r1_tokenizer **ret, const char *path, r1_err *err) {
    char *data = NULL;
    r1_status st;

    if (r1_path_is_dir(path))
        return open_directory(ret, path, err);
    if (r1_gguf_is(path))
        return r1_tokenizer_open_gguf(ret, path, err);
    r1_tokenizer_file file = {.name = "tokenizer.json"};
    R1_TRY(r1_file_slurp(path, R1_TOKENIZER_FILE_MAX, &data, &file.n, err));
    file.data = data;
    st = r1_tokenizer_open_files(ret, &file, 1, path, err);
done:
    r1_free(data);
    return st;
}
