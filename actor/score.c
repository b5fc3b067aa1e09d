/* Answers in, numbers out, line by line; see score.h. */
#include "actor/score.h"

#include "actor/scorer.h"
#include "common/base/json.h"
#include "reward/extract.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES R1_TEXT_MAX
#define READ_BYTES     ((size_t)64 << 10)

typedef struct job {
    const r1_score_options *o;
    r1_scorer *scorer;
    r1_buf in; /* bytes that were read; lines before `at` are done */
    size_t at;
    int ended; /* nothing more will come */
    int64_t line;
} job;

typedef struct one {
    r1_ids ids;
    char note[200]; /* why there is no score; "": there is one */
} one;

/* ---- lines ---- */

static r1_status read_more(job *j, r1_err *err) {
    r1_status st;
    ssize_t n;

    if (j->in.data && j->at)
        memmove(j->in.data, j->in.data + j->at, j->in.len - j->at);
    j->in.len -= j->at;
    j->at = 0;
    size_t have = j->in.len;
    R1_TRY(r1_buf_extend(&j->in, READ_BYTES, err));
    do
        n = read(STDIN_FILENO, j->in.data + have, READ_BYTES);
    while (n < 0 && errno == EINTR);
    j->in.len = have + (n > 0 ? (size_t)n : 0);
    j->ended = n == 0;
    if (n < 0)
        st = R1_FAIL(err, R1_IO, "read stdin: %s", strerror(errno));
done:
    return st;
}

static int more_is_there(void) {
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

/* The next line, without its end; *ret NULL: there is none, or it would have to be waited for. */
static r1_status next_line(job *j, int wait, char **ret, size_t *ret_n, r1_err *err) {
    r1_status st = R1_OK;

    *ret = NULL;
    for (;;) {
        char *from = j->in.data ? j->in.data + j->at : NULL;
        size_t n = j->in.len - j->at;
        char *end = from && n ? memchr(from, '\n', n) : NULL;
        if (end || (j->ended && n)) {
            *ret = from;
            *ret_n = end ? (size_t)(end - from) : n;
            j->at += *ret_n + (end != NULL);
            j->line++;
            return R1_OK;
        }
        if (j->ended || (!wait && !more_is_there()))
            return R1_OK;
        if (n > LINE_MAX_BYTES)
            return R1_FAIL(err, R1_DATA, "stdin:%lld: longer than %zu MiB", (long long)j->line + 1,
                           LINE_MAX_BYTES >> 20);
        R1_TRY(read_more(j, err));
    }
done:
    return st;
}

/* ---- one answer ---- */

static const char *text_of(const json_t *row, const char *key, const char *other) {
    const json_t *v = json_object_get(row, key);

    return json_string_value(v ? v : other ? json_object_get(row, other) : NULL);
}

/* The ids of a line's chat, or a note why there are none.  R1_DATA: the line is none of ours. */
static r1_status take_line(const job *j, const char *line, size_t n, one *ret, r1_err *err) {
    json_t *row = NULL;
    json_error_t e;
    char *answer = NULL;
    r1_err why;
    r1_status st = r1_json_parse(&row, line, n, 0, &e);

    *ret->note = '\0';
    if (st != R1_OK)
        return R1_FAIL(err, st, "stdin:%lld: %s", (long long)j->line, e.text);
    const char *question = text_of(row, "prompt", "question");
    const char *completion = text_of(row, "completion", NULL);
    if (!question || !completion) {
        st = R1_FAIL(err, R1_DATA, "stdin:%lld: there is no string '%s'", (long long)j->line,
                     question ? "completion" : "prompt");
        goto done;
    }
    r1_text t = {completion, strlen(completion)};
    if (j->o->summary)
        t = r1_text_trim(r1_extract_segment(r1_text_of(question), t));
    if (!(answer = r1_strndup(t.s, t.n))) {
        st = R1_FAIL(err, R1_NOMEM, "out of memory: an answer of %zu bytes", t.n);
        goto done;
    }
    r1_status encoded = r1_scorer_encode(j->scorer, question, answer, &ret->ids, &why);
    if (encoded == R1_DATA)
        snprintf(ret->note, sizeof ret->note, "%.190s", why.msg);
    else if (encoded != R1_OK)
        st = R1_FAIL(err, encoded, "%s", why.msg);
done:
    r1_free(answer);
    json_decref(row);
    return st;
}

static void put(const one *o, float score) {
    if (*o->note)
        printf("{\"score\": null, \"note\": \"%s\"}\n", o->note); /* notes are ours: no quotes */
    else if (!isfinite(score))
        printf("{\"score\": null, \"note\": \"the reward model gives %g\"}\n", (double)score);
    else
        printf("{\"score\": %.9g}\n", (double)score);
}

/* ---- all of them ---- */

/* As many lines as have arrived, at least one unless the input has ended; *ret: how many. */
static r1_status take_batch(job *j, one *list, int *ret, r1_err *err) {
    r1_status st = R1_OK;

    for (*ret = 0; *ret < j->o->batch;) {
        char *line;
        size_t n;
        R1_TRY(next_line(j, *ret == 0, &line, &n, err));
        if (!line)
            break;
        if (strspn(line, " \t\r") >= n)
            continue;
        R1_TRY(take_line(j, line, n, &list[(*ret)++], err));
    }
done:
    return st;
}

static r1_status score_batch(job *j, const one *list, int n, r1_err *err) {
    r1_ids *ids = NULL;
    float *scores = NULL;
    int k = 0;
    r1_status st;

    R1_TRY(R1_NEW(ids, (size_t)n, err));
    R1_TRY(R1_NEW(scores, (size_t)n, err));
    for (int i = 0; i < n; i++)
        if (!*list[i].note)
            ids[k++] = list[i].ids;
    r1_scorer_run(j->scorer, ids, k, scores);
    k = 0;
    for (int i = 0; i < n; i++)
        put(&list[i], *list[i].note ? 0 : scores[k++]);
    if (fflush(stdout) != 0)
        st = R1_FAIL(err, R1_IO, "writing to stdout: %s", strerror(errno));
done:
    r1_free(ids);
    r1_free(scores);
    return st;
}

r1_status r1_score_run(const r1_score_options *o, r1_err *err) {
    const r1_scorer_options scorer = {
        .policy = {.model = o->model,
                   .tokenizer = o->tokenizer,
                   .chat_template = o->chat_template,
                   .dtype = strcmp(o->dtype, "fp32") == 0 ? R1_F32 : R1_BF16,
                   .threads = o->threads,
                   .max_len = o->max_len},
        .system = o->system,
        .max_sequences = o->batch};
    job j = {.o = o};
    one *list = NULL;
    int n = 1;
    r1_status st;

    r1_buf_init(&j.in, LINE_MAX_BYTES + 2 * READ_BYTES);
    R1_TRY(R1_NEW(list, (size_t)o->batch, err));
    R1_TRY(r1_scorer_open(&j.scorer, &scorer, err));
    while (n > 0) {
        R1_TRY(take_batch(&j, list, &n, err));
        R1_TRY(score_batch(&j, list, n, err));
    }
done:
    for (int i = 0; list && i < o->batch; i++)
        r1_ids_done(&list[i].ids);
    r1_free(list);
    r1_scorer_close(j.scorer);
    r1_buf_done(&j.in);
    return st;
}
