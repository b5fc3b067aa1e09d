/* Fingerprints of a run's inputs; see inputs.h. */
#include "learner/inputs.h"

#include "common/base/hash.h"

#include <string.h>

static r1_status add(r1_buf *text, uint64_t hash, const char *what, const char *stage,
                     r1_err *err) {
    char hex[17];

    r1_hash_text(hash, hex);
    return r1_buf_addf(text, err, "%s%s%s: %s\n", what, *stage ? " of stage " : "", stage, hex);
}

static r1_status add_model(r1_buf *text, const r1_run *run, r1_err *err) {
    char *json = NULL;
    r1_status st;

    R1_TRY(r1_arch_to_json(&run->trainer->o.model->arch, "float32", &json, err));
    st = add(text, r1_hash64(json, strlen(json)), "model", "", err);
    r1_free(json);
done:
    return st;
}

static r1_status add_tokenizer(r1_buf *text, const r1_run *run, r1_err *err) {
    r1_tokenizer_file files[R1_TOKENIZER_FILES_MAX];
    uint64_t hashes[2 * R1_TOKENIZER_FILES_MAX];
    int n = r1_tokenizer_files(run->tokenizer, files);

    for (int i = 0; i < n; i++) {
        hashes[2 * i] = r1_hash64(files[i].name, strlen(files[i].name));
        hashes[2 * i + 1] = r1_hash64(files[i].data, files[i].n);
    }
    return add(text, r1_hash64(hashes, 2 * (size_t)n * sizeof *hashes), "tokenizer", "", err);
}

static r1_status add_data(r1_buf *text, const r1_stage_config *s, r1_err *err) {
    uint64_t hash;
    r1_status st = R1_OK;

    if (s->kind != R1_STAGE_EVAL) {
        R1_TRY(r1_data_fingerprint(&s->data.train, &hash, err));
        R1_TRY(add(text, hash, "data.train", s->name, err));
    }
    if (s->n_rewards > 0 && s->data.eval.n != 0) {
        R1_TRY(r1_data_fingerprint(&s->data.eval, &hash, err));
        st = add(text, hash, "data.eval", s->name, err);
    }
done:
    return st;
}

r1_status r1_inputs_text(const r1_run *run, char **ret, r1_err *err) {
    r1_buf text;
    r1_status st;

    r1_buf_init(&text, (size_t)1 << 20);
    R1_TRY(add_model(&text, run, err));
    R1_TRY(add_tokenizer(&text, run, err));
    for (int i = 0; i < run->cfg->n_stages; i++)
        R1_TRY(add_data(&text, &run->cfg->stages[i], err));
    *ret = r1_strdup(text.data);
    if (!*ret)
        st = R1_FAIL(err, R1_NOMEM, "out of memory: fingerprints");
done:
    r1_buf_done(&text);
    return st;
}

r1_status r1_inputs_same(const char *then, const char *now, const char *where, r1_err *err) {
    size_t at = 0;

    while (then[at] && then[at] == now[at])
        at++;
    if (then[at] == now[at])
        return R1_OK;
    while (at > 0 && now[at - 1] != '\n') /* back to the beginning of the line */
        at--;
    int what = (int)strcspn(now + at, ":"), a = (int)strcspn(then + at, "\n"),
        b = (int)strcspn(now + at, "\n");
    return R1_FAIL(err, R1_USAGE,
                   "%.*s is not what it was when '%s' was written; then '%.*s', now '%.*s'", what,
                   now + at, where, a, then + at, b, now + at);
}
