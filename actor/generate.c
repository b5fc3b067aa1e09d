/* Prompts in, continuations out; see generate.h. */
#include "actor/generate.h"

#include "common/comm/collect.h"
#include "common/data/jsonl.h"
#include "common/metrics/json.h"
#include "common/tokenizer/utf8.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX ((size_t)64 << 20)

/* ---- prompts ---- */

static r1_status encode(r1_generate *j, const char *text, r1_ids *ids, r1_err *err) {
    const r1_tokenizer *t = j->loaded.policy.tokenizer;
    r1_status st = R1_OK;

    if (j->o.chat)
        return r1_template_encode(t, j->loaded.policy.template_kind, j->o.system, text, ids, NULL,
                                  err);
    if (r1_tokenizer_prefix(t) >= 0)
        R1_TRY(r1_ids_add(ids, r1_tokenizer_prefix(t), err));
    st = r1_tokenizer_encode(t, text, strlen(text), 1, ids, err);
done:
    return st;
}

static r1_status read_ids(const r1_jsonl *file, uint32_t row, const json_t *list, int vocab,
                          r1_ids *ids, r1_err *err) {
    r1_status st = R1_OK;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *x = json_array_get(list, i);
        if (!json_is_integer(x) || json_integer_value(x) < 0 || json_integer_value(x) >= vocab)
            return R1_FAIL(err, R1_DATA, "%s:%u: ids[%zu] is no token id below %d", file->path,
                           file->lines[row], i, vocab);
        R1_TRY(r1_ids_add(ids, (int32_t)json_integer_value(x), err));
    }
done:
    return st;
}

static r1_status read_row(r1_generate *j, const r1_jsonl *file, uint32_t row, r1_ids *ids,
                          r1_err *err) {
    json_t *obj = NULL;
    char *text = NULL;
    r1_status st;

    R1_TRY(r1_jsonl_row(file, row, &obj, err));
    const json_t *list = json_object_get(obj, "ids");
    if (json_is_array(list)) {
        st = read_ids(file, row, list, j->loaded.policy.arch.vocab_size, ids, err);
        goto done;
    }
    R1_TRY(r1_jsonl_text(file, row, obj, "text", 0, &text, err));
    st = encode(j, text, ids, err);
done:
    r1_free(text);
    json_decref(obj);
    return st;
}

static r1_status read_prompts(r1_generate *j, r1_err *err) {
    r1_jsonl file;
    r1_status st;

    if (!j->o.prompts) {
        j->n = 1;
        R1_TRY(R1_NEW(j->prompts, 1, err));
        return encode(j, j->o.prompt, &j->prompts[0], err);
    }
    R1_TRY(r1_jsonl_open(&file, j->o.prompts, err));
    j->n = file.n;
    if ((st = R1_NEW(j->prompts, j->n, err)) == R1_OK)
        for (uint32_t i = 0; i < file.n && st == R1_OK; i++)
            st = read_row(j, &file, i, &j->prompts[i], err);
    r1_jsonl_close(&file);
done:
    return st;
}

static r1_status make_requests(r1_generate *j, r1_err *err) {
    r1_sampling s = {.temperature = (float)j->o.temperature,
                     .top_p = (float)j->o.top_p,
                     .top_k = j->o.top_k,
                     .min_new_tokens = j->o.min_new,
                     .max_new_tokens = j->o.max_new,
                     .n_stop_strings = j->o.stop != NULL,
                     .stop_strings = &j->o.stop};
    r1_status st;

    if (!j->o.ignore_eos)
        s.n_stop_ids = r1_loaded_stop_ids(&j->loaded, s.stop_ids);
    R1_TRY(R1_NEW(j->requests, j->n, err));
    for (uint64_t i = 0; i < j->n; i++) {
        int len = (int)j->prompts[i].n, room = j->loaded.policy.model.max_len - len;
        if (len == 0 || room < 1)
            return R1_FAIL(err, R1_DATA, "%s row %llu: the prompt has %d tokens (1 to %d can be)",
                           j->o.prompts ? j->o.prompts : "--prompt", (unsigned long long)i + 1, len,
                           j->loaded.policy.model.max_len - 1);
        j->requests[i] =
            (r1_request){.prompt = j->prompts[i].ids,
                         .prompt_len = len,
                         .n = j->o.n,
                         .key = {.seed = j->o.seed, .index = i, .purpose = R1_RNG_GENERATE},
                         .sampling = s,
                         .want_prompt_logp = j->o.prompt_logprobs};
        if (j->requests[i].sampling.max_new_tokens > room)
            j->requests[i].sampling.max_new_tokens = room;
    }
done:
    return st;
}

/* ---- what comes out ---- */

static r1_status add_floats(r1_buf *out, const char *key, const float *x, int n, r1_err *err) {
    r1_status st;

    R1_TRY(r1_buf_addf(out, err, ", \"%s\": [", key));
    for (int i = 0; i < n; i++) {
        if (i)
            R1_TRY(r1_buf_add(out, ", ", 2, err));
        R1_TRY(r1_json_number(out, (double)x[i], err));
    }
    st = r1_buf_add(out, "]", 1, err);
done:
    return st;
}

static r1_status add_sample(r1_generate *j, const r1_finished *f, int i, r1_buf *out, r1_err *err) {
    const r1_sample *s = &f->samples[i];
    r1_buf text;
    r1_status st;

    r1_buf_init(&text, TEXT_MAX);
    R1_TRY(r1_buf_addf(out, err, "{\"row\": %llu, \"sample\": %d, \"ids\": [",
                       (unsigned long long)f->tag, i));
    for (int k = 0; k < s->n; k++)
        R1_TRY(r1_buf_addf(out, err, "%s%d", k ? ", " : "", s->ids[k]));
    R1_TRY(r1_tokenizer_decode(j->loaded.policy.tokenizer, s->ids, (size_t)s->n, 1, &text, err));
    R1_TRY(r1_buf_addf(out, err, "], \"text\": "));
    R1_TRY(r1_json_text(out, text.data ? text.data : "", text.len, err));
    if (j->o.logprobs)
        R1_TRY(add_floats(out, "logprobs", s->logp, s->n, err));
    if (j->o.prompt_logprobs)
        R1_TRY(add_floats(out, "prompt_logprobs", f->prompt_logp, f->prompt_len - 1, err));
    st = r1_buf_addf(out, err, ", \"finish_reason\": \"%s\"}\n", r1_finish_name(s->finish));
done:
    r1_buf_done(&text);
    return st;
}

static r1_status json_row(void *ctx, const r1_finished *f, r1_buf *out, r1_err *err) {
    r1_status st = R1_OK;

    for (int i = 0; i < f->n && st == R1_OK; i++)
        st = add_sample(ctx, f, i, out, err);
    return st;
}

/* For --prompt without --logprobs: the text itself; one sample has been streamed already. */
static r1_status text_row(void *ctx, const r1_finished *f, r1_buf *out, r1_err *err) {
    r1_generate *j = ctx;
    r1_status st = R1_OK;

    for (int i = 0; i < f->n && f->n > 1 && st == R1_OK; i++) {
        st = r1_tokenizer_decode(j->loaded.policy.tokenizer, f->samples[i].ids,
                                 (size_t)f->samples[i].n, 1, out, err);
        if (st == R1_OK)
            st = r1_buf_add(out, "\n", 1, err);
    }
    return st;
}

static r1_status print_row(void *ctx, uint64_t row, const char *bytes, size_t n, r1_err *err) {
    if (n && (fwrite(bytes, 1, n, stdout) != n || fflush(stdout) != 0))
        return R1_FAIL(err, R1_IO, "writing to stdout");
    return R1_OK;
}

/* Whole characters go out as soon as they are there. */
static void stream(void *ctx, uint64_t tag, int sample, int32_t id) {
    r1_generate *j = ctx;
    size_t n, whole;
    const char *piece = r1_tokenizer_piece(j->loaded.policy.tokenizer, id, 1, &n);

    if (!piece || r1_buf_add(&j->tail, piece, n, NULL) != R1_OK)
        return;
    whole = r1_utf8_complete(j->tail.data, j->tail.len);
    fwrite(j->tail.data, 1, whole, stdout);
    fflush(stdout);
    memmove(j->tail.data, j->tail.data + whole, j->tail.len - whole);
    j->tail.len -= whole;
}

static int streams(const r1_generate *j) {
    return !j->o.prompts && j->o.n == 1 && !j->o.logprobs && !j->o.prompt_logprobs;
}

r1_status r1_generate_run(r1_generate *j, r1_err *err) {
    int as_text = !j->o.prompts && !j->o.logprobs && !j->o.prompt_logprobs;
    r1_loaded_options lo = {.policy = {.model = j->o.model,
                                       .tokenizer = j->o.tokenizer,
                                       .chat_template = j->o.chat_template,
                                       .dtype = strcmp(j->o.dtype, "bf16") == 0 ? R1_BF16 : R1_F32,
                                       .threads = j->o.threads},
                            .max_sequences = j->o.batch > j->o.n ? j->o.batch : j->o.n,
                            .on_token = streams(j) ? stream : NULL,
                            .on_token_ctx = j};
    r1_status st;

    r1_buf_init(&j->tail, TEXT_MAX);
    R1_TRY(r1_loaded_open(&j->loaded, j->world, &lo, err));
    R1_TRY(r1_agree(&j->world->all, read_prompts(j, err), err));
    R1_TRY(r1_agree(&j->world->all, make_requests(j, err), err));
    R1_TRY(r1_loaded_start(&j->loaded, &lo, j->requests, j->n, err));
    R1_TRY(r1_loaded_run(&j->loaded, j->requests, j->n, as_text ? text_row : json_row, print_row, j,
                         err));
    if (streams(j) && j->world->all.rank == 0)
        printf("%.*s\n", (int)j->tail.len, j->tail.len ? j->tail.data : "");
done:
    for (uint64_t i = 0; j->prompts && i < j->n; i++)
        r1_ids_done(&j->prompts[i]);
    r1_free(j->prompts);
    r1_free(j->requests);
    r1_buf_done(&j->tail);
    r1_loaded_close(&j->loaded);
    return st;
}
