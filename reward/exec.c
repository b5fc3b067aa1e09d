/* exec: a program of the user's says what completions are worth.
 *
 * It reads, for each sample, a line with an object of these keys:
 *     id, prompt (the question as the data has it), question (with the template around it),
 *     completion, reference, tokens (how many), row (the object that the data has)
 * and answers with a line {"score": 0.5}, or {"score": null, "note": "why"} where nothing can be
 * said.  The samples of a question come together.  A score of 1 or more is correct.
 *
 * A program that ends or answers with something else is started again and asked once more for what
 * it has not answered; what is then still open is an error, and after the deadline a timeout.  Both
 * leave the sample out of its group: an accident is no zero. */
#include "common/base/json.h"
#include "reward/program.h"
#include "reward/prose.h"
#include "reward/rules.h"
#include "reward/worker.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#define BATCH_MAX ((size_t)1 << 30)

/* In quotes; bytes that are no UTF-8 become U+FFFD. */
static r1_status put_text(r1_buf *out, const char *key, r1_text t, r1_err *err) {
    size_t width;
    r1_status st;

    R1_TRY(r1_buf_addf(out, err, ", \"%s\": \"", key));
    for (size_t i = 0; i < t.n; i += width) {
        int32_t code = r1_utf8_at(t, i, &width);
        if (code < 0x20 || code == '"' || code == '\\' || code == 0x7f)
            st = r1_buf_addf(out, err, "\\u%04x", (unsigned)code);
        else if (code == 0xfffd)
            st = r1_buf_addf(out, err, "\\ufffd");
        else
            st = r1_buf_add(out, t.s + i, width, err);
        if (st != R1_OK)
            return st;
    }
    st = r1_buf_add(out, "\"", 1, err);
done:
    return st;
}

static r1_status put_request(r1_buf *out, int id, const r1_grade_input *in, r1_err *err) {
    char *text = NULL;
    json_t *row = NULL;
    json_error_t je;
    r1_status st;

    if (in->extra.n) { /* one line, whatever it was */
        R1_TRY(r1_json_parse(&row, in->extra.s, in->extra.n, JSON_ALLOW_NUL, &je));
        R1_TRY(r1_json_dump(row, JSON_COMPACT, "row", &text, err));
    }
    R1_TRY(r1_buf_addf(out, err, "{\"id\": %d", id));
    R1_TRY(put_text(out, "prompt", in->asked.n ? in->asked : in->question, err));
    R1_TRY(put_text(out, "question", in->question, err));
    R1_TRY(put_text(out, "completion", in->completion, err));
    R1_TRY(put_text(out, "reference", in->reference, err));
    R1_TRY(r1_buf_addf(out, err, ", \"tokens\": %d, \"row\": ", in->n_ids));
    R1_TRY(r1_buf_add(out, text ? text : "null", text ? strlen(text) : 4, err));
    st = r1_buf_add(out, "}\n", 2, err);
done:
    r1_free(text);
    json_decref(row);
    return st;
}

/* One line of the program's; 0: it is none of the protocol. */
static int read_answer(const char *line, size_t n, r1_verdict *ret) {
    json_t *root = json_loadb(line, n, 0, NULL);
    const json_t *score = json_object_get(root, "score");
    const char *note = json_string_value(json_object_get(root, "note"));
    int known = json_is_null(score);

    if (json_is_number(score) && fabs(json_number_value(score)) <= 1e6) {
        *ret = r1_verdict_scored(json_number_value(score), 1, note ? note : "");
        known = 1;
    } else if (known) {
        *ret = r1_verdict_of(R1_VERDICT_ERROR, note ? note : "the program gave no score");
    }
    json_decref(root);
    return known;
}

/* Ask for samples from..n; returns the first that is still open. */
static int ask(const r1_reward *r, const r1_grade_input *in, int from, int n, r1_verdict *ret,
               r1_asked *ret_how) {
    r1_buf lines, answers;
    r1_status st = R1_OK;
    int got = 0;

    r1_buf_init(&lines, BATCH_MAX);
    r1_buf_init(&answers, BATCH_MAX);
    *ret_how = R1_ASKED_ENDED;
    for (int i = from; i < n && st == R1_OK; i++)
        st = put_request(&lines, i, &in[i], NULL);
    if (st == R1_OK)
        *ret_how =
            r1_program_ask(r->program, (r1_text){lines.data, lines.len}, n - from, &answers, &got);
    const char *line = answers.data;
    int read = 0;
    for (; read < got; read++) {
        size_t len = strcspn(line, "\n");
        if (!read_answer(line, len, &ret[from + read]))
            break;
        line += len + 1;
    }
    if (read < got) { /* nonsense: what comes behind it may belong to anything */
        r1_program_restart(r->program);
        *ret_how = R1_ASKED_ENDED;
    }
    r1_buf_done(&lines);
    r1_buf_done(&answers);
    return from + read;
}

/* The samples of a question, asked in the reward's own thread once all are there. */
typedef struct batch {
    r1_task task; /* first: the worker knows only this */
    const r1_reward *r;
    const r1_grade_input *in;
    int n, added;
    r1_verdict verdicts[];
} batch;

static void run(r1_task *t) {
    batch *b = (batch *)t;
    r1_verdict *v = b->verdicts;
    r1_asked how;
    int done = ask(b->r, b->in, 0, b->n, v, &how);

    if (done < b->n && how == R1_ASKED_ENDED)
        done = ask(b->r, b->in, done, b->n, v, &how);
    for (; done < b->n; done++)
        v[done] = how == R1_ASKED_TIMEOUT
                      ? r1_verdict_of(R1_VERDICT_TIMEOUT, "no answer within deadline_s")
                      : r1_verdict_of(R1_VERDICT_ERROR, "the program ended, or wrote no score");
}

static void *open_batch(const r1_reward *r, const r1_grade_input *in, int n) {
    batch *b = r1_calloc(1, sizeof *b + (size_t)n * sizeof *b->verdicts);

    if (b)
        *b = (batch){.task.run = run, .r = r, .in = in, .n = n};
    return b;
}

static void add_sample(void *task, int s) {
    batch *b = task;

    if (++b->added == b->n)
        r1_worker_submit(b->r->worker, &b->task);
}

static int is_ready(void *task) {
    const batch *b = task;

    return b->added == b->n && r1_worker_poll(b->r->worker, &b->task);
}

static void end_batch(void *task, r1_verdict *ret) {
    batch *b = task;

    if (ret) {
        r1_worker_wait(b->r->worker, &b->task);
        memcpy(ret, b->verdicts, (size_t)b->n * sizeof *ret);
    } else if (b->added == b->n) {
        r1_worker_drop(b->r->worker, &b->task);
    }
    r1_free(b);
}

const r1_beside_rule r1_rule_exec = {open_batch, add_sample, is_ready, end_batch};
