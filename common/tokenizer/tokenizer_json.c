/* tokenizer.json of Hugging Face's tokenizers: added tokens, normalizer, pre-tokenizer, BPE model,
 * post-processor, decoder.  Every part is either read as those define it or refused by name. */
#include "common/tokenizer/impl.h"

#include "common/base/hash.h"
#include "common/base/json.h"
#include "common/tokenizer/utf8.h"

#include <string.h>

#define MAX_MERGES ((size_t)1 << 24)

/* ---------------------------------------------------------------- the alphabet */

/* GPT-2's alphabet: printable Latin-1 stands for itself, the other bytes, in order, for U+0100 and
 * on (Radford et al. 2019, bytes_to_unicode). */
static int is_itself(int byte) {
    return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

size_t r1_alphabet_put(uint8_t byte, char out[4]) {
    int32_t cp = 256;

    if (is_itself(byte))
        return r1_utf8_put(byte, out);
    for (int b = 0; b < byte; b++)
        cp += !is_itself(b);
    return r1_utf8_put(cp, out);
}

static int byte_of(int32_t cp) {
    int at = 256;

    if (cp < 256)
        return cp >= 0 && is_itself(cp) ? cp : -1;
    for (int b = 0; b < 256; b++)
        if (!is_itself(b) && at++ == cp)
            return b;
    return -1;
}

r1_status r1_alphabet_undo(const char *s, size_t n, r1_buf *out, r1_err *err) {
    size_t from = out->len;

    for (size_t i = 0; i < n;) {
        int32_t cp;
        i += r1_utf8_next(s + i, n - i, &cp);
        int byte = byte_of(cp);
        char c = (char)byte;
        if (byte < 0) {
            out->len = from;
            return r1_buf_add(out, s, n, err);
        }
        r1_status st = r1_buf_add(out, &c, 1, err);
        if (st != R1_OK)
            return st;
    }
    return R1_OK;
}

/* ---------------------------------------------------------------- small readers */

static const char *type_of(const json_t *o) {
    const char *type = json_string_value(json_object_get(o, "type"));
    return type ? type : "(no type)";
}

static int is_true(const json_t *o, const char *key) {
    return json_is_true(json_object_get(o, key));
}

/* null, absent or "". */
static int is_unset(const json_t *o, const char *key) {
    const json_t *v = json_object_get(o, key);
    return !v || json_is_null(v) || (json_is_string(v) && json_string_length(v) == 0);
}

/* ---------------------------------------------------------------- vocabulary */

static r1_status read_id(const json_t *v, const char *what, int32_t *ret, r1_err *err) {
    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) >= R1_VOCAB_MAX)
        return R1_FAIL(err, R1_DATA, "the id of '%.60s' is not a number from 0 to %d", what,
                       R1_VOCAB_MAX - 1);
    *ret = (int32_t)json_integer_value(v);
    return R1_OK;
}

/* Largest id of vocabulary and added tokens, so that the table is made once. */
static r1_status size_table(r1_tokenizer *t, json_t *vocab, const json_t *added, r1_err *err) {
    int32_t id = 0, last = -1;
    const char *key;
    json_t *v;
    const json_t *o;
    size_t i;
    r1_status st = R1_OK;

    json_object_foreach(vocab, key, v) {
        R1_TRY(read_id(v, key, &id, err));
        last = id > last ? id : last;
    }
    json_array_foreach(added, i, o) {
        const char *content = json_string_value(json_object_get(o, "content"));
        if (!content) {
            st = R1_FAIL(err, R1_DATA, "added_tokens: token %zu has no content", i);
            goto done;
        }
        R1_TRY(read_id(json_object_get(o, "id"), content, &id, err));
        last = id > last ? id : last;
    }
    t->vocab = last + 1;
    st = R1_NEW(t->tokens, (size_t)t->vocab, err);
done:
    return st;
}

static r1_status read_vocab(r1_tokenizer *t, json_t *vocab, r1_err *err) {
    const char *key;
    json_t *v;
    r1_buf bytes;
    r1_status st = R1_OK;

    r1_buf_init(&bytes, R1_TOKENIZER_FILE_MAX);
    json_object_foreach(vocab, key, v) {
        int32_t id = 0;
        R1_TRY(read_id(v, key, &id, err));
        r1_buf_clear(&bytes);
        R1_TRY(r1_alphabet_undo(key, strlen(key), &bytes, err));
        R1_TRY(r1_token_set(t, id, bytes.data ? bytes.data : "", bytes.len, 0, err));
    }
done:
    r1_buf_done(&bytes);
    return st;
}

/* The id of a text in the vocabulary; -1. */
static int32_t id_of(const json_t *vocab, const char *s, size_t n) {
    const json_t *v = json_object_getn(vocab, s, n);
    return v ? (int32_t)json_integer_value(v) : -1;
}

static r1_status read_bytes(r1_tokenizer *t, const json_t *vocab, const json_t *model,
                            r1_err *err) {
    const json_t *unk = json_object_get(model, "unk_token");
    int missing = 0;

    for (int b = 0; b < 256; b++) {
        char c[4];
        size_t n = r1_alphabet_put((uint8_t)b, c);
        t->bpe.byte_id[b] = id_of(vocab, c, n);
        missing += t->bpe.byte_id[b] < 0;
    }
    t->bpe.unk = -1;
    t->bpe.fuse_unk = is_true(model, "fuse_unk");
    if (!missing || !unk || json_is_null(unk))
        return R1_OK;
    if (json_is_string(unk))
        t->bpe.unk = id_of(vocab, json_string_value(unk), json_string_length(unk));
    if (t->bpe.unk < 0)
        return R1_FAIL(err, R1_DATA,
                       "model: %d of 256 bytes are not in the vocabulary, nor is unk_token",
                       missing);
    return R1_OK;
}

/* ---------------------------------------------------------------- merges */

/* "left right" or ["left", "right"]. */
static int halves(const json_t *m, const char **a, size_t *na, const char **b, size_t *nb) {
    if (json_is_array(m) && json_array_size(m) == 2 && json_is_string(json_array_get(m, 0)) &&
        json_is_string(json_array_get(m, 1))) {
        *a = json_string_value(json_array_get(m, 0));
        *na = json_string_length(json_array_get(m, 0));
        *b = json_string_value(json_array_get(m, 1));
        *nb = json_string_length(json_array_get(m, 1));
        return 1;
    }
    const char *blank = json_is_string(m) ? strchr(json_string_value(m), ' ') : NULL;
    if (!blank || strchr(blank + 1, ' '))
        return 0;
    *a = json_string_value(m);
    *na = (size_t)(blank - *a);
    *b = blank + 1;
    *nb = strlen(*b);
    return 1;
}

static r1_status read_merges(r1_tokenizer *t, const json_t *vocab, const json_t *merges,
                             r1_err *err) {
    const json_t *m;
    r1_buf both;
    size_t i;
    r1_status st = R1_OK;

    if (!json_is_array(merges) || json_array_size(merges) > MAX_MERGES)
        return R1_FAIL(err, R1_DATA, "model.merges is not a list of at most %zu", MAX_MERGES);
    r1_buf_init(&both, R1_TOKENIZER_FILE_MAX);
    R1_TRY(r1_bpe_reserve(&t->bpe, json_array_size(merges), err));
    json_array_foreach(merges, i, m) {
        const char *a, *b;
        size_t na, nb;
        if (json_is_string(m) && strncmp(json_string_value(m), "#version", 8) == 0)
            continue; /* the first line of a merges.txt; Hugging Face's passes over it, too */
        if (!halves(m, &a, &na, &b, &nb)) {
            st = R1_FAIL(err, R1_DATA, "model.merges: entry %zu is not a pair", i);
            goto done;
        }
        r1_buf_clear(&both);
        R1_TRY(r1_buf_add(&both, a, na, err));
        R1_TRY(r1_buf_add(&both, b, nb, err));
        int32_t left = id_of(vocab, a, na), right = id_of(vocab, b, nb);
        int32_t id = id_of(vocab, both.data, both.len);
        if (left < 0 || right < 0 || id < 0) {
            st = R1_FAIL(err, R1_DATA,
                         "model.merges: entry %zu ('%.40s' + '%.40s'): %s is not in the vocabulary",
                         i, a, b,
                         left < 0    ? "the left"
                         : right < 0 ? "the right"
                                     : "the result");
            goto done;
        }
        r1_bpe_add(&t->bpe, left, right, (uint32_t)i, id);
    }
done:
    r1_buf_done(&both);
    return st;
}

/* ignore_merges: tokens by the bytes that they stand for. */
static r1_status index_whole(r1_tokenizer *t, json_t *vocab, r1_err *err) {
    const char *key;
    json_t *v;
    size_t cap = 64;
    r1_status st;

    while (cap < 2 * json_object_size(vocab))
        cap *= 2;
    t->whole_mask = cap - 1;
    R1_TRY(R1_NEW(t->whole, cap, err));
    for (size_t i = 0; i < cap; i++)
        t->whole[i] = -1;
    json_object_foreach(vocab, key, v) {
        int in_alphabet = 1;
        for (size_t i = 0, n = strlen(key); i < n && in_alphabet;) {
            int32_t cp;
            i += r1_utf8_next(key + i, n - i, &cp);
            in_alphabet = byte_of(cp) >= 0;
        }
        int32_t id = (int32_t)json_integer_value(v);
        if (!in_alphabet)
            continue; /* no piece looks like that */
        uint64_t i = r1_hash64(r1_token_text(t, id), t->tokens[id].n) & t->whole_mask;
        while (t->whole[i] >= 0)
            i = (i + 1) & t->whole_mask;
        t->whole[i] = id;
    }
done:
    return st;
}

static r1_status read_model(r1_tokenizer *t, const json_t *model, const json_t *added,
                            r1_err *err) {
    json_t *vocab = json_object_get(model, "vocab");
    const json_t *type = json_object_get(model, "type");
    const json_t *dropout = json_object_get(model, "dropout");
    static const char *const refused[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    r1_status st;

    /* Files of the first years have no type: vocabulary and merges are a BPE's. */
    if (type && (!json_is_string(type) || strcmp(json_string_value(type), "BPE") != 0))
        return R1_FAIL(err, R1_DATA, "model: unknown type '%.60s' (only BPE is known)",
                       json_is_string(type) ? json_string_value(type) : "?");
    if (!json_is_object(vocab) || !json_object_size(vocab))
        return R1_FAIL(err, R1_DATA, "model.vocab is not an object of texts and ids");
    if (dropout && !json_is_null(dropout) && json_number_value(dropout) != 0.0)
        return R1_FAIL(err, R1_DATA, "model.dropout is set: ids would be random");
    for (int i = 0; i < 2; i++)
        if (!is_unset(model, refused[i]))
            return R1_FAIL(err, R1_DATA, "model.%s is not supported", refused[i]);
    if (is_true(model, "byte_fallback"))
        return R1_FAIL(err, R1_DATA, "model.byte_fallback is not supported");
    R1_TRY(size_table(t, vocab, added, err));
    R1_TRY(read_vocab(t, vocab, err));
    R1_TRY(read_bytes(t, vocab, model, err));
    R1_TRY(read_merges(t, vocab, json_object_get(model, "merges"), err));
    if (is_true(model, "ignore_merges"))
        R1_TRY(index_whole(t, vocab, err));
done:
    return st;
}

/* ---------------------------------------------------------------- the other parts */

static r1_status read_normalizer(r1_tokenizer *t, const json_t *n, r1_err *err) {
    const json_t *list = json_object_get(n, "normalizers"), *item;
    size_t i;

    if (!n || json_is_null(n))
        return R1_OK;
    if (strcmp(type_of(n), "Sequence") == 0 && json_is_array(list)) {
        json_array_foreach(list, i, item) {
            if (strcmp(type_of(item), "NFC") != 0)
                return R1_FAIL(err, R1_DATA, "normalizer: unknown type '%.60s' in a Sequence",
                               type_of(item));
            t->nfc = 1;
        }
        return R1_OK;
    }
    if (strcmp(type_of(n), "NFC") != 0)
        return R1_FAIL(err, R1_DATA, "normalizer: unknown type '%.60s' (only NFC is known)",
                       type_of(n));
    t->nfc = 1;
    return R1_OK;
}

/* The special token of a template "<bos> A" or "A"; any other would put ids elsewhere. */
static r1_status read_template(r1_tokenizer *t, const json_t *p, r1_err *err) {
    const json_t *first = json_array_get(json_object_get(p, "single"), 0);
    const char *name =
        json_string_value(json_object_get(json_object_get(first, "SpecialToken"), "id"));

    if (!json_is_array(json_object_get(p, "single")))
        return R1_FAIL(err, R1_DATA, "post_processor: a TemplateProcessing without single");
    const json_t *single = json_object_get(p, "single");
    size_t sequence = name ? 1 : 0;
    if (json_array_size(single) != sequence + 1 ||
        !json_object_get(json_array_get(single, sequence), "Sequence"))
        return R1_FAIL(err, R1_DATA,
                       "post_processor: a TemplateProcessing that is not one special token (or "
                       "none) and then the text");
    if (!name)
        return R1_OK;
    const json_t *ids =
        json_object_get(json_object_get(json_object_get(p, "special_tokens"), name), "ids");
    int32_t id = 0;
    r1_status st = read_id(json_array_get(ids, 0), name, &id, err);
    if (st == R1_OK && (json_array_size(ids) != 1 || id >= t->vocab || !t->tokens[id].exists))
        st = R1_FAIL(err, R1_DATA, "post_processor: '%.60s' is not one known id", name);
    if (st == R1_OK)
        t->prefix = id;
    return st;
}

static r1_status read_post_processor(r1_tokenizer *t, const json_t *p, int depth, r1_err *err) {
    const json_t *list = json_object_get(p, "processors"), *item;
    size_t i;
    r1_status st = R1_OK;

    if (!p || json_is_null(p) || strcmp(type_of(p), "ByteLevel") == 0)
        return R1_OK; /* ByteLevel moves offsets only */
    if (strcmp(type_of(p), "TemplateProcessing") == 0)
        return read_template(t, p, err);
    if (strcmp(type_of(p), "Sequence") != 0 || !json_is_array(list) || depth)
        return R1_FAIL(err, R1_DATA, "post_processor: unknown type '%.60s'", type_of(p));
    json_array_foreach(list, i, item) {
        if ((st = read_post_processor(t, item, 1, err)) != R1_OK)
            break;
    }
    return st;
}

static r1_status read_decoder(const json_t *d, r1_err *err) {
    const json_t *list = json_object_get(d, "decoders");

    if (strcmp(type_of(d), "Sequence") == 0 && json_array_size(list) == 1)
        d = json_array_get(list, 0);
    if (strcmp(type_of(d), "ByteLevel") != 0)
        return R1_FAIL(err, R1_DATA, "decoder: unknown type '%.60s' (only ByteLevel is known)",
                       type_of(d));
    return R1_OK;
}

r1_status r1_tokenizer_read_added(r1_tokenizer *t, const json_t *o, json_int_t id,
                                  const json_t *vocab, r1_err *err) {
    const json_t *text = json_object_get(o, "content");
    int special = is_true(o, "special");
    int normalized = json_object_get(o, "normalized") ? is_true(o, "normalized") : !special;
    r1_buf content;
    r1_status st = R1_OK;

    r1_buf_init(&content, R1_TOKENIZER_FILE_MAX);
    if (!json_string_length(text))
        return R1_OK; /* Hugging Face's passes over empty ones */
    int32_t own = id_of(vocab, json_string_value(text), json_string_length(text));
    if (own >= 0 && own != id)
        return R1_FAIL(err, R1_DATA, "added_tokens: '%.60s' has id %lld, in the vocabulary %d",
                       json_string_value(text), (long long)id, own);
    if (json_string_length(text) > R1_ADDED_TOKEN_MAX)
        return R1_FAIL(err, R1_DATA, "added_tokens: '%.60s...' is longer than %d bytes",
                       json_string_value(text), R1_ADDED_TOKEN_MAX);
    R1_TRY(r1_alphabet_undo(json_string_value(text), json_string_length(text), &content, err));
    if (!t->tokens[id].exists || t->tokens[id].n != content.len ||
        memcmp(r1_token_text(t, (int32_t)id), content.data, content.len) != 0)
        R1_TRY(r1_token_set(t, (int32_t)id, content.data, content.len, special, err));
    t->tokens[id].control = (uint8_t)special;
    r1_buf_clear(&content);
    if (normalized && t->nfc)
        R1_TRY(r1_utf8_nfc(json_string_value(text), json_string_length(text), &content, err));
    else
        R1_TRY(r1_buf_add(&content, json_string_value(text), json_string_length(text), err));
    r1_added_token a = {.text = content.data,
                        .n = content.len,
                        .id = (int32_t)id,
                        .single_word = (uint8_t)is_true(o, "single_word"),
                        .lstrip = (uint8_t)is_true(o, "lstrip"),
                        .rstrip = (uint8_t)is_true(o, "rstrip")};
    st = r1_added_add(normalized ? &t->normalized : &t->raw, &a, err);
done:
    r1_buf_done(&content);
    return st;
}

static r1_status read_added(r1_tokenizer *t, const json_t *added, const json_t *vocab,
                            r1_err *err) {
    const json_t *o;
    size_t i;
    json_t *seen = json_object();
    r1_status st = seen ? R1_OK : R1_FAIL(err, R1_NOMEM, "out of memory: added tokens");

    json_array_foreach(added, i, o) {
        const json_t *text = json_object_get(o, "content");
        if (st != R1_OK)
            break;
        if (json_object_getn(seen, json_string_value(text), json_string_length(text))) {
            st = R1_FAIL(err, R1_DATA, "added_tokens: '%.60s' is there twice",
                         json_string_value(text));
            break;
        }
        if (json_object_setn_new(seen, json_string_value(text), json_string_length(text),
                                 json_true()) != 0)
            st = R1_FAIL(err, R1_NOMEM, "out of memory: added tokens");
        else
            st = r1_tokenizer_read_added(t, o, json_integer_value(json_object_get(o, "id")), vocab,
                                         err);
    }
    json_decref(seen);
    return st;
}

r1_status r1_tokenizer_read_json(r1_tokenizer *t, const char *text, size_t n, r1_err *err) {
    json_error_t e;
    json_t *root = NULL;
    r1_status st = r1_json_parse(&root, text, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &e);
    const json_t *model = json_object_get(root, "model");
    const json_t *added = json_object_get(root, "added_tokens");

    t->prefix = -1;
    r1_buf_init(&t->text, R1_TOKENIZER_FILE_MAX);
    if (st != R1_OK)
        return R1_FAIL(err, st, "line %d: %s", e.line, e.text);
    if (!json_is_object(model)) {
        st = R1_FAIL(err, R1_DATA, "no object 'model': this is no tokenizer.json");
        goto done;
    }
    if (added && !json_is_null(added) && !json_is_array(added)) {
        st = R1_FAIL(err, R1_DATA, "added_tokens is not a list");
        goto done;
    }
    R1_TRY(read_normalizer(t, json_object_get(root, "normalizer"), err));
    R1_TRY(r1_pretok_new(&t->pretok, json_object_get(root, "pre_tokenizer"), err));
    R1_TRY(read_decoder(json_object_get(root, "decoder"), err));
    R1_TRY(read_model(t, model, added, err));
    R1_TRY(read_added(t, added, json_object_get(model, "vocab"), err));
    st = read_post_processor(t, json_object_get(root, "post_processor"), 0, err);
done:
    json_decref(root);
    return st;
}
