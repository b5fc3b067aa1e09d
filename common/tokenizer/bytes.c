/* The byte tokenizer, and what every kind shares. */
#include "common/tokenizer/impl.h"

#include "common/base/file.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DECODED ((size_t)1 << 30)

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

static r1_status set_piece(r1_tokenizer *t, int id, const char *s, size_t n, int control, int added,
                           r1_err *err) {
    r1_piece_text *p = &t->pieces[id];

    p->s = r1_strndup(s, n);
    if (!p->s)
        return R1_FAIL(err, R1_NOMEM, "out of memory: tokenizer");
    p->n = n;
    p->control = control;
    p->added = added;
    return R1_OK;
}

/* Added tokens, longest first, so that the longest match wins. */
static void sort_added(r1_tokenizer *t) {
    for (int i = 1; i < t->n_added; i++) {
        int32_t id = t->added[i];
        int j = i;
        for (; j > 0 && t->pieces[t->added[j - 1]].n < t->pieces[id].n; j--)
            t->added[j] = t->added[j - 1];
        t->added[j] = id;
    }
}

r1_status r1_tokenizer_new_bytes(r1_tokenizer **ret, const char *const *added, int n, r1_err *err) {
    r1_tokenizer *t = NULL;
    r1_status st;

    R1_TRY(R1_NEW(t, 1, err));
    t->vocab = 257 + n;
    R1_TRY(R1_NEW(t->pieces, (size_t)t->vocab, err));
    R1_TRY(R1_NEW(t->added, (size_t)n, err));
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        R1_TRY(set_piece(t, i, &c, 1, 0, 0, err));
    }
    R1_TRY(set_piece(t, 256, "<eos>", 5, 1, 0, err));
    t->eos[t->n_eos++] = 256;
    for (int i = 0; i < n; i++) {
        if (!added[i][0]) {
            st = R1_FAIL(err, R1_USAGE, "tokenizer.added_tokens: token %d is empty", i);
            goto done;
        }
        for (int j = 0; j < i; j++)
            if (strcmp(added[i], added[j]) == 0) {
                st =
                    R1_FAIL(err, R1_USAGE, "tokenizer.added_tokens: '%s' is there twice", added[i]);
                goto done;
            }
        R1_TRY(set_piece(t, 257 + i, added[i], strlen(added[i]), 0, 1, err));
        t->added[t->n_added++] = 257 + i;
    }
    sort_added(t);
    *ret = t;
    return R1_OK;
done:
    r1_tokenizer_free(t);
    return st;
}

void r1_tokenizer_free(r1_tokenizer *t) {
    if (!t)
        return;
    for (int i = 0; i < t->vocab && t->pieces; i++)
        r1_free(t->pieces[i].s);
    r1_free(t->pieces);
    r1_free(t->added);
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

int32_t r1_tokenizer_id(const r1_tokenizer *t, const char *token) {
    size_t n = strlen(token);

    for (int i = 0; i < t->n_added; i++) {
        const r1_piece_text *p = &t->pieces[t->added[i]];
        if (p->n == n && memcmp(p->s, token, n) == 0)
            return t->added[i];
    }
    return -1;
}

/* The added token that starts here; -1 if none does. */
static int32_t added_at(const r1_tokenizer *t, const char *s, size_t n) {
    for (int i = 0; i < t->n_added; i++) {
        const r1_piece_text *p = &t->pieces[t->added[i]];
        if (p->n <= n && memcmp(p->s, s, p->n) == 0)
            return t->added[i];
    }
    return -1;
}

r1_status r1_tokenizer_encode(const r1_tokenizer *t, const char *text, size_t n, int parse_special,
                              r1_ids *ids, r1_err *err) {
    for (size_t i = 0; i < n;) {
        int32_t id = parse_special ? added_at(t, text + i, n - i) : -1;
        r1_status st = r1_ids_add(ids, id >= 0 ? id : (unsigned char)text[i], err);
        if (st != R1_OK)
            return st;
        i += id >= 0 ? t->pieces[id].n : 1;
    }
    return R1_OK;
}

const char *r1_tokenizer_piece(const r1_tokenizer *t, int32_t id, int skip_special,
                               size_t *ret_len) {
    if (id < 0 || id >= t->vocab || (skip_special && t->pieces[id].control)) {
        *ret_len = 0;
        return "";
    }
    *ret_len = t->pieces[id].n;
    return t->pieces[id].s;
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

r1_status r1_tokenizer_save(const r1_tokenizer *t, const char *dir, r1_err *err) {
    char path[R1_PATH_MAX];
    json_t *root = json_object(), *list = json_array();
    r1_status st;

    for (int id = 257; id < t->vocab; id++)
        json_array_append_new(list, json_stringn(t->pieces[id].s, t->pieces[id].n));
    json_object_set_new(root, "kind", json_string("bytes"));
    json_object_set_new(root, "added_tokens", list);
    char *text = json_dumps(root, JSON_INDENT(2));
    json_decref(root);
    if (!text)
        return R1_FAIL(err, R1_NOMEM, "out of memory: tokenizer");
    R1_TRY(r1_path_format(path, sizeof path, err, "%s/tokenizer_bytes.json", dir));
    st = r1_file_write_atomic(path, text, strlen(text), err);
done:
    free(text);
    return st;
}
