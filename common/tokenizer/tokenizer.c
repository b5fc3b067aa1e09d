/* What every kind of tokenizer does, and the way of a text through a BPE one; see tokenizer.h. */
#include "common/tokenizer/impl.h"

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/tokenizer/utf8.h"

#include <string.h>

void r1_ids_done(r1_ids *ids) {
    r1_free(ids->ids);
    *ids = (r1_ids){0};
}

r1_status r1_ids_add(r1_ids *ids, int32_t id, r1_err *err) {
    if (ids->n == ids->cap) {
        size_t cap = ids->cap ? 2 * ids->cap : 64;
        int32_t *grown = r1_realloc(ids->ids, cap, sizeof *grown);
        if (!grown)
            return R1_FAIL(err, R1_NOMEM, "out of memory: %zu token ids", cap);
        ids->ids = grown;
        ids->cap = cap;
    }
    ids->ids[ids->n++] = id;
    return R1_OK;
}

/* ---------------------------------------------------------------- the tables */

r1_status r1_token_set(r1_tokenizer *t, int32_t id, const char *s, size_t n, int control,
                       r1_err *err) {
    r1_token *k = &t->tokens[id];

    if (k->exists)
        return R1_FAIL(err, R1_DATA, "id %d is given to '%.*s' and to '%.*s'", id,
                       (int)(k->n < 60 ? k->n : 60), r1_token_text(t, id), (int)(n < 60 ? n : 60),
                       s);
    *k = (r1_token){
        .at = (uint32_t)t->text.len, .n = (uint32_t)n, .exists = 1, .control = (uint8_t)control};
    return r1_buf_add(&t->text, s, n, err);
}

static const char *const file_names[R1_TOKENIZER_FILES_MAX] = {
    "tokenizer.json", "tokenizer_config.json", "generation_config.json", "chat_template.jinja",
    "tokenizer_bytes.json"};

r1_status r1_tokenizer_keep(r1_tokenizer *t, const char *name, const char *data, size_t n,
                            r1_err *err) {
    const char *known = NULL;
    int i = 0;

    for (int k = 0; k < R1_TOKENIZER_FILES_MAX; k++)
        known = strcmp(file_names[k], name) == 0 ? file_names[k] : known;
    R1_ASSERT(known);
    char *copy = r1_calloc(n + 1, 1);
    if (!copy)
        return R1_FAIL(err, R1_NOMEM, "out of memory: %zu bytes of %s", n, name);
    if (n)
        memcpy(copy, data, n);
    while (i < t->n_files && t->files[i].name != known)
        i++;
    if (i < t->n_files) {
        char *old;
        memcpy(&old, &t->files[i].data, sizeof old); /* ours: the const is for readers */
        r1_free(old);
    }
    t->n_files += i == t->n_files;
    t->files[i] = (r1_tokenizer_file){.name = known, .data = copy, .n = n};
    return R1_OK;
}

void r1_tokenizer_free(r1_tokenizer *t) {
    if (!t)
        return;
    for (int i = 0; i < t->n_files; i++) {
        char *data;
        memcpy(&data, &t->files[i].data, sizeof data);
        r1_free(data);
    }
    r1_pretok_free(t->pretok);
    r1_bpe_done(&t->bpe);
    r1_added_done(&t->raw);
    r1_added_done(&t->normalized);
    r1_buf_done(&t->text);
    r1_free(t->whole);
    r1_free(t->chat_template);
    r1_free(t->tokens);
    r1_free(t);
}

int r1_tokenizer_vocab_size(const r1_tokenizer *t) {
    return t->vocab;
}

int r1_tokenizer_eos(const r1_tokenizer *t, int32_t *ret_ids, int max) {
    int n = t->n_eos < max ? t->n_eos : max;

    memcpy(ret_ids, t->eos, (size_t)n * sizeof *ret_ids);
    return n;
}

int32_t r1_tokenizer_prefix(const r1_tokenizer *t) {
    return t->prefix;
}

const char *r1_tokenizer_chat_template(const r1_tokenizer *t) {
    return t->chat_template;
}

int32_t r1_tokenizer_id(const r1_tokenizer *t, const char *token) {
    size_t n = strlen(token);

    for (int pass = 0; pass < 2; pass++) {
        const r1_added *a = pass ? &t->normalized : &t->raw;
        for (size_t i = 0; i < a->n; i++)
            if (a->tokens[i].n == n && memcmp(a->tokens[i].text, token, n) == 0)
                return a->tokens[i].id;
    }
    return -1;
}

int r1_tokenizer_files(const r1_tokenizer *t, r1_tokenizer_file ret[R1_TOKENIZER_FILES_MAX]) {
    memcpy(ret, t->files, (size_t)t->n_files * sizeof *ret);
    return t->n_files;
}

r1_status r1_tokenizer_save(const r1_tokenizer *t, const char *dir, r1_err *err) {
    char path[R1_PATH_MAX];
    r1_status st = R1_OK;

    for (int i = 0; i < t->n_files; i++) {
        R1_TRY(r1_path_format(path, sizeof path, err, "%s/%s", dir, t->files[i].name));
        R1_TRY(r1_file_write_atomic(path, t->files[i].data, t->files[i].n, err));
    }
done:
    return st;
}

/* ---------------------------------------------------------------- text to ids */

/* One text on its way; `text` is what the sinks' offsets count in. */
typedef struct encoding {
    const r1_tokenizer *t;
    const char *text;
    r1_span *plain; /* parts in which no added token may lie, in `text` */
    int n_plain;
    r1_buf composed; /* NFC of a stretch */
    r1_bpe_work work;
    r1_ids *ids;
} encoding;

/* The token that a whole piece is, where merges are ignored for those; -1 if it is none. */
static int32_t whole_piece(const r1_tokenizer *t, const char *s, size_t n) {
    if (!t->whole)
        return -1;
    for (uint64_t i = r1_hash64(s, n) & t->whole_mask; t->whole[i] >= 0;
         i = (i + 1) & t->whole_mask)
        if (t->tokens[t->whole[i]].n == n && memcmp(r1_token_text(t, t->whole[i]), s, n) == 0)
            return t->whole[i];
    return -1;
}

static r1_status take_piece(void *ctx, const char *piece, size_t n, r1_err *err) {
    encoding *e = ctx;
    int32_t id = whole_piece(e->t, piece, n);

    return id >= 0 ? r1_ids_add(e->ids, id, err)
                   : r1_bpe_encode(&e->t->bpe, &e->work, piece, n, e->ids, err);
}

/* Text without added tokens. */
static r1_status take_text(encoding *e, const char *s, size_t n, r1_err *err) {
    r1_status st = R1_OK;

    if (e->t->pretok)
        return r1_pretok_run(e->t->pretok, s, n, take_piece, e, err);
    for (size_t i = 0; i < n && st == R1_OK; i++)
        st = r1_ids_add(e->ids, (uint8_t)s[i], err);
    return st;
}

static r1_status take_composed(void *ctx, size_t at, size_t end, int32_t id, r1_err *err) {
    encoding *e = ctx;

    return id >= 0 ? r1_ids_add(e->ids, id, err) : take_text(e, e->text + at, end - at, err);
}

/* The spans within [at, end) of e->text, seen from `at`; returns their number. */
static int clip_spans(const encoding *e, size_t at, size_t end, r1_span *ret) {
    int n = 0;

    for (int i = 0; i < e->n_plain; i++) {
        size_t from = e->plain[i].at > at ? e->plain[i].at : at;
        size_t to = e->plain[i].end < end ? e->plain[i].end : end;
        if (from < to)
            ret[n++] = (r1_span){.at = from - at, .end = to - at};
    }
    return n;
}

/* Where offset `at` of s lies in the composed text.  A character that composes across the border
 * belongs to the side before it. */
static r1_status composed_offset(const char *s, size_t at, size_t *ret, r1_err *err) {
    r1_buf head;

    r1_buf_init(&head, 4 * R1_TEXT_MAX);
    r1_status st = r1_utf8_nfc(s, at, &head, err);
    *ret = head.len;
    r1_buf_done(&head);
    return st;
}

/* A stretch between raw added tokens: compose it, cut out the normalized ones. */
static r1_status take_stretch(void *ctx, size_t at, size_t end, int32_t id, r1_err *err) {
    encoding *e = ctx;
    encoding part = *e;
    r1_span *spans = NULL;
    r1_status st;

    if (id >= 0)
        return r1_ids_add(e->ids, id, err);
    R1_TRY(R1_NEW(spans, (size_t)e->n_plain, err));
    part.text = e->text + at;
    part.plain = spans;
    part.n_plain = clip_spans(e, at, end, spans);
    size_t n = end - at;
    if (e->t->nfc) {
        r1_buf_clear(&part.composed);
        R1_TRY(r1_utf8_nfc(part.text, n, &part.composed, err));
        for (int i = 0; e->t->normalized.n && i < part.n_plain; i++) {
            R1_TRY(composed_offset(part.text, spans[i].at, &spans[i].at, err));
            R1_TRY(composed_offset(part.text, spans[i].end, &spans[i].end, err));
        }
        part.text = part.composed.data;
        n = part.composed.len;
    }
    st = r1_added_split(&e->t->normalized, part.text, n, spans, part.n_plain, take_composed, &part,
                        err);
done:
    e->composed = part.composed;
    e->work = part.work;
    r1_free(spans);
    return st;
}

/* Put the parts together, well-formed; the byte tokenizer keeps bytes as they are. */
static r1_status join(const r1_tokenizer *t, const r1_text_part *parts, int n_parts, r1_buf *text,
                      r1_span *plain, int *ret_n_plain, r1_err *err) {
    size_t total = 0;
    r1_status st = R1_OK;

    *ret_n_plain = 0;
    for (int i = 0; i < n_parts; i++) {
        if (parts[i].n > R1_TEXT_MAX - total)
            return R1_FAIL(err, R1_DATA, "a text of more than %zu MiB", R1_TEXT_MAX >> 20);
        total += parts[i].n;
        size_t at = text->len;
        if (t->pretok)
            R1_TRY(r1_utf8_replace(parts[i].text, parts[i].n, text, err));
        else
            R1_TRY(r1_buf_add(text, parts[i].text, parts[i].n, err));
        if (!parts[i].special && text->len > at)
            plain[(*ret_n_plain)++] = (r1_span){.at = at, .end = text->len};
    }
done:
    return st;
}

r1_status r1_tokenizer_encode_parts(const r1_tokenizer *t, const r1_text_part *parts, int n_parts,
                                    r1_ids *ids, r1_err *err) {
    encoding e = {.t = t, .ids = ids};
    r1_buf text;
    r1_status st;

    /* Replacing makes at most three bytes of one, composing three of one character. */
    r1_buf_init(&text, 4 * R1_TEXT_MAX);
    r1_buf_init(&e.composed, 16 * R1_TEXT_MAX);
    R1_TRY(R1_NEW(e.plain, (size_t)n_parts, err));
    R1_TRY(join(t, parts, n_parts, &text, e.plain, &e.n_plain, err));
    e.text = text.data;
    st = r1_added_split(&t->raw, e.text, text.len, e.plain, e.n_plain, take_stretch, &e, err);
done:
    r1_bpe_work_done(&e.work);
    r1_buf_done(&e.composed);
    r1_buf_done(&text);
    r1_free(e.plain);
    return st;
}

r1_status r1_tokenizer_encode(const r1_tokenizer *t, const char *text, size_t n, int parse_special,
                              r1_ids *ids, r1_err *err) {
    r1_text_part part = {.text = text, .n = n, .special = parse_special};

    return r1_tokenizer_encode_parts(t, &part, 1, ids, err);
}

/* ---------------------------------------------------------------- ids to text */

const char *r1_tokenizer_piece(const r1_tokenizer *t, int32_t id, int skip_special,
                               size_t *ret_len) {
    *ret_len = 0;
    if (id < 0 || id >= t->vocab || !t->tokens[id].exists ||
        (skip_special && t->tokens[id].control))
        return "";
    *ret_len = t->tokens[id].n;
    return r1_token_text(t, id);
}

r1_status r1_tokenizer_decode(const r1_tokenizer *t, const int32_t *ids, size_t n, int skip_special,
                              r1_buf *text, r1_err *err) {
    for (size_t i = 0; i < n; i++) {
        size_t len;
        const char *piece = r1_tokenizer_piece(t, ids[i], skip_special, &len);
        r1_status st = r1_buf_add(text, piece, len, err);
        if (st != R1_OK)
            return st;
    }
    return R1_OK;
}
