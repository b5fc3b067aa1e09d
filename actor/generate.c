/* Prompts in, continuations out; see generate.h. */
#include "actor/generate.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/comm/collect.h"
#include "common/metrics/json.h"
#include "common/tokenizer/utf8.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
    const json_t *given = json_object_get(obj, "text");
    if (given && !json_is_string(given)) {
        st = R1_FAIL(err, R1_DATA, "%s:%u: key 'text' is not a string", file->path,
                     file->lines[row]);
        goto done;
    }
    R1_TRY(r1_jsonl_text(file, row, obj, "text", 0, &text, err));
    st = encode(j, text, ids, err);
done:
    r1_free(text);
    json_decref(obj);
    return st;
}

static r1_status encode_prompts(r1_generate *j, r1_err *err) {
    r1_status st;

    R1_TRY(R1_NEW(j->prompts, j->n, err));
    if (!j->o.prompts)
        return encode(j, j->o.prompt, &j->prompts[0], err);
    for (uint32_t i = 0; i < j->file.n; i++)
        R1_TRY(read_row(j, &j->file, i, &j->prompts[i], err));
done:
    return st;
}

static r1_status read_prompts(r1_generate *j, r1_err *err) {
    r1_status st;

    j->n = 1;
    if (j->o.prompts) {
        R1_TRY(r1_input_open(&j->file, j->world, j->o.prompts, err));
        j->n = j->file.n;
        j->lines = j->file.lines;
    }
    st = r1_agree(&j->world->all, encode_prompts(j, err), err);
done:
    return st;
}

/* The prompt does not fit, or is empty. */
static r1_status bad_length(const r1_generate *j, uint64_t i, r1_err *err) {
    int most = j->loaded.policy.model.max_len - 1;

    if (!j->lines)
        return R1_FAIL(err, R1_USAGE, "--prompt has %zu tokens, 1 to %d can be", j->prompts[i].n,
                       most);
    return R1_FAIL(err, R1_DATA, "%s:%u: the prompt has %zu tokens, 1 to %d can be", j->file.path,
                   j->lines[i], j->prompts[i].n, most);
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
            return bad_length(j, i, err);
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
    R1_TRY(r1_buf_addf(out, err, "{\"row\": %llu, ", (unsigned long long)f->tag));
    if (j->lines)
        R1_TRY(r1_buf_addf(out, err, "\"line\": %u, ", j->lines[f->tag]));
    R1_TRY(r1_buf_addf(out, err, "\"sample\": %d, \"ids\": [", i));
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

static int streams(const r1_generate *j) {
    return !j->o.prompts && j->o.n == 1 && !j->o.logprobs && !j->o.prompt_logprobs;
}

/* JSON lines; nothing for a text that has been streamed already. */
static r1_status row_of(void *ctx, const r1_finished *f, r1_buf *out, r1_err *err) {
    r1_generate *j = ctx;
    r1_status st = R1_OK;

    for (int i = 0; i < f->n && st == R1_OK; i++) {
        j->tokens += (uint64_t)f->samples[i].n;
        if (!streams(j))
            st = add_sample(j, f, i, out, err);
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

/* What it was and how fast, on stderr.  Collective. */
static r1_status report(const r1_generate *j, double seconds, r1_err *err) {
    const r1_comm *all = &j->world->all;
    const r1_ops *ops = j->loaded.policy.ops;
    uint64_t *each = NULL, sum = 0;
    r1_status st;

    R1_TRY(R1_NEW(each, (size_t)all->size, err));
    R1_TRY(r1_allgather(all, &j->tokens, sizeof j->tokens, each, "tokens drawn", err));
    for (int i = 0; i < all->size; i++)
        sum += each[i];
    r1_info("%s, %s on %s, %d x %d thread%s: %llu prompt%s, %llu tokens in %.1f s, %.0f tokens/s",
            j->o.model, j->o.dtype, ops->path, all->size, ops->threads,
            ops->threads == 1 ? "" : "s", (unsigned long long)j->n, j->n == 1 ? "" : "s",
            (unsigned long long)sum, seconds, seconds > 0 ? (double)sum / seconds : 0);
done:
    r1_free(each);
    return st;
}

r1_status r1_generate_run(r1_generate *j, r1_err *err) {
    r1_loaded_options lo = {.policy = {.model = j->o.model,
                                       .tokenizer = j->o.tokenizer,
                                       .chat_template = j->o.chat_template,
                                       .dtype = strcmp(j->o.dtype, "bf16") == 0 ? R1_BF16 : R1_F32,
                                       .threads = j->o.threads},
                            .max_sequences = j->o.batch > j->o.n ? j->o.batch : j->o.n,
                            .on_token = streams(j) ? stream : NULL,
                            .on_token_ctx = j,
                            .quiet = j->world->all.size == 1 && isatty(STDOUT_FILENO)};
    r1_status st;

    r1_buf_init(&j->tail, TEXT_MAX);
    R1_TRY(r1_loaded_open(&j->loaded, j->world, &lo, err));
    R1_TRY(read_prompts(j, err));
    R1_TRY(r1_agree(&j->world->all, make_requests(j, err), err));
    R1_TRY(r1_loaded_start(&j->loaded, &lo, j->requests, j->n, err));
    double t0_s = r1_now_s();
    R1_TRY(r1_loaded_run(&j->loaded, j->requests, j->n, row_of, print_row, j, err));
    if (streams(j) && j->world->all.rank == 0)
        printf("%.*s\n", (int)j->tail.len, j->tail.len ? j->tail.data : "");
    fflush(stdout);
    st = report(j, r1_now_s() - t0_s, err);
done:
    for (uint64_t i = 0; j->prompts && i < j->n; i++)
        r1_ids_done(&j->prompts[i]);
    r1_free(j->prompts);
    r1_jsonl_close(&j->file);
    r1_free(j->requests);
    r1_buf_done(&j->tail);
    r1_loaded_close(&j->loaded);
    return st;
}
