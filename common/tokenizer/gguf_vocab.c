/* The vocabulary inside a GGUF file as the files of a Hugging Face tokenizer.
 *
 * GGUF has the tokens in the byte-level alphabet, the merges in order of rank, the kind of each
 * token, and the name of the pre-tokenizer.  Written out as tokenizer.json, there is one reader for
 * both, and a converted model has the file that others expect. */
#include "common/tokenizer/impl.h"

#include "common/base/json.h"
#include "common/formats/gguf.h"
#include "common/tokenizer/utf8.h"

#include <jansson.h>
#include <string.h>

/* Values of tokenizer.ggml.token_type. */
enum {
    TOKEN_CONTROL = 3,
    TOKEN_USER_DEFINED = 4
};

static r1_status wrong(const r1_gguf *g, const char *key, const char *what, r1_err *err) {
    return R1_FAIL(err, R1_DATA, "'%s': key '%s' %s", g->path, key, what);
}

static r1_status no_memory(const r1_gguf *g, r1_err *err) {
    return R1_FAIL(err, R1_NOMEM, "out of memory: tokenizer of '%s'", g->path);
}

/* A string value as NUL-terminated memory; "" where it is absent. */
static r1_status text_of(const r1_gguf *g, const char *key, char **ret, r1_err *err) {
    size_t n = 0;
    const char *s = r1_gguf_str(g, key, &n);

    *ret = s ? r1_strndup(s, n) : r1_strdup("");
    return *ret ? R1_OK : R1_FAIL(err, R1_NOMEM, "out of memory: '%s'", key);
}

static r1_status strings(const r1_gguf *g, const char *key, const r1_gguf_value **ret,
                         r1_err *err) {
    const r1_gguf_value *v = r1_gguf_find(g, key);

    if (!v || !v->is_array || v->type != R1_GGUF_STRING)
        return wrong(g, key, "is no list of texts", err);
    *ret = v;
    return R1_OK;
}

static json_t *added_token(json_int_t id, const char *s, size_t n, int special) {
    return json_pack("{s:I, s:o, s:b, s:b, s:b, s:b, s:b}", "id", id, "content", json_stringn(s, n),
                     "single_word", 0, "lstrip", 0, "rstrip", 0, "normalized", 0, "special",
                     special);
}

static int is_small_int(int type) {
    return type == R1_GGUF_I8 || type == R1_GGUF_U8 || type == R1_GGUF_I16 || type == R1_GGUF_U16 ||
           type == R1_GGUF_I32 || type == R1_GGUF_U32;
}

static r1_status read_tokens(const r1_gguf *g, json_t *vocab, json_t *added, r1_err *err) {
    const r1_gguf_value *tokens = NULL, *types = r1_gguf_find(g, "tokenizer.ggml.token_type");
    size_t at = 0, n;
    r1_status st = strings(g, "tokenizer.ggml.tokens", &tokens, err);

    if (st != R1_OK)
        return st;
    if (tokens->n > R1_VOCAB_MAX)
        return wrong(g, "tokenizer.ggml.tokens", "has too many tokens", err);
    if (types && (!types->is_array || types->n != tokens->n || !is_small_int(types->type)))
        return wrong(g, "tokenizer.ggml.token_type", "is no list of one integer a token", err);
    for (uint64_t i = 0; i < tokens->n; i++) {
        const char *s = r1_gguf_next(tokens, &at, &n);
        double type = types ? r1_gguf_element(types, i) : 1; /* of 32 bits, signed or not */
        if (json_object_getn(vocab, s, n) || !r1_utf8_valid(s, n))
            return R1_FAIL(err, R1_DATA, "'%s': token %llu is no text, or is there twice", g->path,
                           (unsigned long long)i);
        if (json_object_setn_new(vocab, s, n, json_integer((json_int_t)i)) != 0)
            return no_memory(g, err);
        if ((type == TOKEN_CONTROL || type == TOKEN_USER_DEFINED) &&
            json_array_append_new(added, added_token((json_int_t)i, s, n, type == TOKEN_CONTROL)) !=
                0)
            return no_memory(g, err);
    }
    return R1_OK;
}

static r1_status read_merges(const r1_gguf *g, json_t *merges, r1_err *err) {
    const r1_gguf_value *v = NULL;
    size_t at = 0, n;
    r1_status st = strings(g, "tokenizer.ggml.merges", &v, err);

    for (uint64_t i = 0; st == R1_OK && i < v->n; i++) {
        const char *s = r1_gguf_next(v, &at, &n);
        if (!r1_utf8_valid(s, n))
            st = wrong(g, "tokenizer.ggml.merges", "has a merge that is no text", err);
        else if (json_array_append_new(merges, json_stringn(s, n)) != 0)
            st = no_memory(g, err);
    }
    return st;
}

/* Control tokens by their ids: the text of one, or NULL. */
static r1_status token_text(const r1_gguf *g, const char *key, const json_t *vocab,
                            const char **ret, json_int_t *ret_id, r1_err *err) {
    int64_t id;
    const char *text;
    json_t *value;
    r1_status st = r1_gguf_int(g, key, -1, &id, err);

    *ret = NULL;
    *ret_id = id;
    if (st != R1_OK || id < 0)
        return st;
    json_object_foreach((json_t *)(uintptr_t)vocab, text, value) {
        if (json_integer_value(value) == id)
            *ret = text;
    }
    return *ret ? R1_OK : wrong(g, key, "names no token", err);
}

static int starts_with_bos(const char *pre) {
    return strcmp(pre, "llama3") == 0 || strcmp(pre, "llama-v3") == 0 ||
           strcmp(pre, "llama-bpe") == 0;
}

/* tokenizer_config.json and generation_config.json. */
static r1_status make_configs(const r1_gguf *g, const json_t *vocab, const char *pre,
                              json_t **ret_config, json_t **ret_generation, r1_err *err) {
    static const char *const stops[] = {"tokenizer.ggml.eos_token_id",
                                        "tokenizer.ggml.eot_token_id",
                                        "tokenizer.ggml.eom_token_id"};
    json_t *config = json_object(), *ids = json_array();
    int64_t add_bos = 0;
    int good = 1;
    char *chat = NULL;
    const char *text;
    json_int_t id;
    r1_status st;

    R1_TRY(r1_gguf_int(g, "tokenizer.ggml.add_bos_token", starts_with_bos(pre), &add_bos, err));
    R1_TRY(token_text(g, "tokenizer.ggml.bos_token_id", vocab, &text, &id, err));
    if (text)
        good = json_object_set_new(config, "bos_token", json_string(text)) == 0;
    good = good && json_object_set_new(config, "add_bos_token", json_boolean(add_bos && text)) == 0;
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        R1_TRY(token_text(g, stops[i], vocab, &text, &id, err));
        if (text && i == 0)
            good = good && json_object_set_new(config, "eos_token", json_string(text)) == 0;
        if (text)
            good = good && json_array_append_new(ids, json_integer(id)) == 0;
    }
    R1_TRY(text_of(g, "tokenizer.chat_template", &chat, err));
    if (!r1_utf8_valid(chat, strlen(chat))) {
        st = wrong(g, "tokenizer.chat_template", "is no text", err);
        goto done;
    }
    if (*chat)
        good = good && json_object_set_new(config, "chat_template", json_string(chat)) == 0;
    good = good && json_object_set_new(config, "tokenizer_class",
                                       json_string("PreTrainedTokenizerFast")) == 0;
    *ret_config = json_incref(config);
    *ret_generation = json_pack("{s:O}", "eos_token_id", ids);
    if (!good || !*ret_generation)
        st = no_memory(g, err);
done:
    r1_free(chat);
    json_decref(config);
    json_decref(ids);
    return st;
}

static r1_status make_tokenizer(const r1_gguf *g, const char *pre, json_t *vocab, json_t **ret,
                                r1_err *err) {
    json_t *added = json_array(), *merges = json_array(), *cuts = NULL;
    int nfc, ignore_merges;
    r1_status st;

    R1_TRY(read_tokens(g, vocab, added, err));
    R1_TRY(read_merges(g, merges, err));
    R1_TRY(r1_pretok_named(pre, &cuts, &nfc, &ignore_merges, err));
    *ret = json_pack(
        "{s:s, s:n, s:n, s:O, s:o, s:O, s:n, s:{s:s, s:b, s:b, s:b}, s:{s:s, s:n, s:n, s:n, s:n, "
        "s:b, s:b, s:b, s:O, s:O}}",
        "version", "1.0", "truncation", "padding", "added_tokens", added, "normalizer",
        nfc ? json_pack("{s:s}", "type", "NFC") : json_null(), "pre_tokenizer", cuts,
        "post_processor", "decoder", "type", "ByteLevel", "add_prefix_space", 0, "trim_offsets", 1,
        "use_regex", 1, "model", "type", "BPE", "dropout", "unk_token", "continuing_subword_prefix",
        "end_of_word_suffix", "fuse_unk", 0, "byte_fallback", 0, "ignore_merges", ignore_merges,
        "vocab", vocab, "merges", merges);
    if (!*ret)
        st = no_memory(g, err);
done:
    json_decref(added);
    json_decref(merges);
    json_decref(cuts);
    return st;
}

static r1_status open_parsed(r1_tokenizer **ret, json_t *const parts[3], const char *where,
                             r1_err *err) {
    static const char *const names[] = {"tokenizer.json", "tokenizer_config.json",
                                        "generation_config.json"};
    r1_tokenizer_file files[3];
    char *text[3] = {NULL};
    r1_status st = R1_OK;

    for (int i = 0; i < 3 && st == R1_OK; i++) {
        st = r1_json_dump(parts[i], JSON_INDENT(1), names[i], &text[i], err);
        if (st == R1_OK)
            files[i] = (r1_tokenizer_file){names[i], text[i], strlen(text[i])};
    }
    if (st == R1_OK)
        st = r1_tokenizer_open_files(ret, files, 3, where, err);
    for (int i = 0; i < 3; i++)
        r1_free(text[i]);
    return st;
}

r1_status r1_tokenizer_open_gguf(r1_tokenizer **ret, const char *path, r1_err *err) {
    json_t *parts[3] = {NULL}, *vocab = json_object();
    char *kind = NULL, *pre = NULL;
    r1_gguf g;
    r1_status st = r1_gguf_open(&g, path, err);

    if (st != R1_OK) {
        json_decref(vocab);
        return st;
    }
    R1_TRY(text_of(&g, "tokenizer.ggml.model", &kind, err));
    R1_TRY(text_of(&g, "tokenizer.ggml.pre", &pre, err));
    if (strcmp(kind, "gpt2") != 0) {
        st = R1_FAIL(err, R1_DATA, "'%s': tokenizer.ggml.model '%.40s' is not supported (gpt2 is)",
                     path, kind);
        goto done;
    }
    R1_TRY(make_tokenizer(&g, pre, vocab, &parts[0], err));
    R1_TRY(make_configs(&g, vocab, pre, &parts[1], &parts[2], err));
    st = open_parsed(ret, parts, path, err);
done:
    for (int i = 0; i < 3; i++)
        json_decref(parts[i]);
    json_decref(vocab);
    r1_free(kind);
    r1_free(pre);
    r1_gguf_close(&g);
    return st;
}
