/* The byte tokenizer. */
#include "common/tokenizer/impl.h"

#include "common/base/json.h"

#include <jansson.h>
#include <string.h>

/* What r1_tokenizer_open reads again. */
static r1_status keep_description(r1_tokenizer *t, const char *const *added, int n, r1_err *err) {
    json_t *root = json_object(), *list = json_array();

    int good = 1;

    for (int i = 0; i < n; i++)
        good = good && json_array_append_new(list, json_string(added[i])) == 0;
    good = json_object_set_new(root, "added_tokens", list) == 0 && good;
    good = good && json_object_set_new(root, "kind", json_string("bytes")) == 0;
    char *text = NULL;
    r1_status st = r1_json_dump(good ? root : NULL, JSON_INDENT(2), "tokenizer", &text, err);

    json_decref(root);
    if (st == R1_OK)
        st = r1_tokenizer_keep(t, "tokenizer_bytes.json", text, strlen(text), err);
    r1_free(text);
    return st;
}

r1_status r1_tokenizer_new_bytes(r1_tokenizer **ret, const char *const *added, int n, r1_err *err) {
    json_t *seen = json_object();
    r1_tokenizer *t = NULL;
    r1_status st = seen ? R1_OK : R1_FAIL(err, R1_NOMEM, "out of memory: tokenizer");

    R1_TRY(st);
    R1_TRY(R1_NEW(t, 1, err));
    t->vocab = 257 + n;
    t->prefix = -1;
    r1_buf_init(&t->text, R1_TOKENIZER_FILE_MAX);
    R1_TRY(R1_NEW(t->tokens, (size_t)t->vocab, err));
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        R1_TRY(r1_token_set(t, i, &c, 1, 0, err));
    }
    R1_TRY(r1_token_set(t, 256, "<eos>", 5, 1, err));
    t->eos[t->n_eos++] = 256;
    for (int i = 0; i < n; i++) {
        r1_added_token a = {.id = 257 + i, .n = strlen(added[i])};
        memcpy(&a.text, &added[i], sizeof a.text); /* copied: the const stays true */
        if (!a.n) {
            st = R1_FAIL(err, R1_USAGE, "tokenizer.added_tokens: token %d is empty", i);
            goto done;
        }
        if (json_object_getn(seen, added[i], a.n)) {
            st = R1_FAIL(err, R1_USAGE, "tokenizer.added_tokens: '%s' is there twice", added[i]);
            goto done;
        }
        if (json_object_setn_new_nocheck(seen, added[i], a.n, json_true()) != 0) {
            st = R1_FAIL(err, R1_NOMEM, "out of memory: tokenizer");
            goto done;
        }
        R1_TRY(r1_token_set(t, a.id, added[i], a.n, 0, err));
        R1_TRY(r1_added_add(&t->raw, &a, err));
    }
    r1_added_sort(&t->raw);
    R1_TRY(keep_description(t, added, n, err));
    *ret = t;
    t = NULL;
done:
    json_decref(seen);
    r1_tokenizer_free(t);
    return st;
}
