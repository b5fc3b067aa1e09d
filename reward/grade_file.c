/* A file of rows -> verdict lines in order, by any number of threads; see grade.h.
 *
 * The file is read in batches of whole lines.  Threads take lines one by one and keep what they
 * would write; the batch is written in order when all are done, up to the first broken line.  So
 * neither the number of threads nor their speed shows in the output. */
#include "reward/grade.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define CHUNK     ((size_t)4 << 20) /* bytes read at a time */
#define MAX_LINES 16384

typedef struct line {
    r1_text text;
    uint64_t number; /* in the file, from 1 */
    r1_buf out;
    const char *verdict;
} line;

/* What is read, and the lines of it that are being graded. */
typedef struct work {
    const r1_grade_kind *kind;
    void *ctx;
    const r1_grade_options *o;
    FILE *in;
    r1_buf buf;
    size_t used; /* bytes of buf that belong to `lines` */
    FILE *to;
    uint64_t n_read;
    r1_grade_tally *tally;
    line lines[MAX_LINES];
    size_t n;
    atomic_size_t next;
    pthread_mutex_t lock;
    size_t failed; /* first line that is broken, and how; n if none is */
    r1_status status;
    r1_err err;
} work;

typedef struct worker {
    work *w;
    int number;
} worker;

static void *grade_lines(void *arg) {
    work *w = ((worker *)arg)->w;

    for (size_t i; (i = atomic_fetch_add(&w->next, 1)) < w->n;) {
        line *l = &w->lines[i];
        r1_err err = {0};
        r1_status st = l->text.n > R1_GRADE_LINE_MAX
                           ? R1_FAIL(&err, R1_DATA, "line of %zu bytes, at most %zu are allowed",
                                     l->text.n, R1_GRADE_LINE_MAX)
                           : r1_grade_line(w->kind, w->ctx, l->text, l->number,
                                           ((worker *)arg)->number, &l->out, &l->verdict, &err);
        if (st == R1_OK)
            continue;
        pthread_mutex_lock(&w->lock);
        if (i < w->failed) {
            w->failed = i;
            w->status = st;
            w->err = err;
        }
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

/* Grade w->lines; they may be finished in any order. */
static void grade_batch(work *w) {
    pthread_t threads[R1_GRADE_JOBS_MAX];
    worker workers[R1_GRADE_JOBS_MAX] = {{w, 0}}; /* at least this thread */
    int started = 0;

    atomic_store(&w->next, 0);
    w->failed = w->n;
    w->status = R1_OK;
    for (int i = 1; i < w->o->jobs; i++)
        workers[i] = (worker){w, i};
    while (started < w->o->jobs - 1 && (size_t)started + 1 < w->n &&
           pthread_create(&threads[started], NULL, grade_lines, &workers[started + 1]) == 0)
        started++; /* with fewer threads than asked for it only takes longer */
    grade_lines(&workers[0]);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

static void count(r1_grade_tally *t, const char *verdict) {
    int i = 0;

    while (i < t->n && strcmp(t->of[i].verdict, verdict) != 0)
        i++;
    if (i == t->n) {
        R1_ASSERT(t->n < R1_GRADE_VERDICTS_MAX);
        t->of[t->n++].verdict = verdict;
    }
    t->of[i].count++;
}

/* Write what stands before the first broken line, which the message then names. */
static r1_status write_batch(work *w, r1_err *err) {
    r1_status st = w->status;

    for (size_t i = 0; i < w->n; i++) {
        line *l = &w->lines[i];
        if (i < w->failed) {
            if (fwrite(l->out.data, 1, l->out.len, w->to) != l->out.len)
                st = R1_FAIL(err, R1_IO, "cannot write the verdicts: %s", strerror(errno));
            count(w->tally, l->verdict);
        }
        r1_buf_done(&l->out);
    }
    if (w->status != R1_OK) {
        st = w->status;
        *err = w->err;
        r1_err_prefix(err, "%s:%llu", w->o->path, (unsigned long long)w->lines[w->failed].number);
    }
    return st;
}

/* Cut complete lines (at the end of the file: the last one too) out of buf; empty ones are
 * skipped. */
static void split(work *w, int at_end) {
    w->n = w->used = 0;
    while (w->n < MAX_LINES && w->used < w->buf.len) {
        const char *s = w->buf.data + w->used, *nl = memchr(s, '\n', w->buf.len - w->used);
        if (!nl && !at_end)
            break;
        r1_text t = {s, nl ? (size_t)(nl - s) : w->buf.len - w->used};
        w->used += t.n + (nl != NULL);
        w->n_read++;
        while (t.n && strchr(" \t\r", t.s[t.n - 1]) && t.s[t.n - 1])
            t.n--;
        if (t.n == 0)
            continue;
        line *l = &w->lines[w->n++];
        *l = (line){.text = t, .number = w->n_read};
        r1_buf_init(&l->out, 8 * R1_GRADE_LINE_MAX);
    }
}

/* Read until there is a line or the end, at most CHUNK bytes beyond what a line needs. */
static r1_status fill(work *w, int *ret_end, r1_err *err) {
    size_t rest = w->buf.len - w->used;
    r1_status st;

    if (w->used)
        memmove(w->buf.data, w->buf.data + w->used, rest);
    w->buf.len = rest;
    w->used = 0;
    if (rest > R1_GRADE_LINE_MAX && !memchr(w->buf.data, '\n', rest))
        return R1_FAIL(err, R1_DATA, "%s:%llu: line of more than %zu bytes", w->o->path,
                       (unsigned long long)w->n_read + 1, R1_GRADE_LINE_MAX);
    if (*ret_end || rest > CHUNK + R1_GRADE_LINE_MAX)
        return R1_OK;
    if ((st = r1_buf_extend(&w->buf, CHUNK, err)) != R1_OK)
        return st;
    size_t got = fread(w->buf.data + rest, 1, CHUNK, w->in);
    w->buf.len = rest + got;
    *ret_end = got < CHUNK;
    return ferror(w->in) ? R1_FAIL(err, R1_IO, "cannot read '%s': %s", w->o->path, strerror(errno))
                         : R1_OK;
}

static r1_status grade_stream(work *w, r1_err *err) {
    r1_status st = R1_OK;
    int end = 0;

    r1_buf_init(&w->buf, 4 * R1_GRADE_LINE_MAX);
    pthread_mutex_init(&w->lock, NULL);
    do {
        if ((st = fill(w, &end, err)) != R1_OK)
            break;
        split(w, end);
        grade_batch(w);
        st = write_batch(w, err);
    } while (st == R1_OK && !(end && w->used == w->buf.len));
    pthread_mutex_destroy(&w->lock);
    r1_buf_done(&w->buf);
    if (fflush(w->to) != 0 && st == R1_OK)
        st = R1_FAIL(err, R1_IO, "cannot write the verdicts: %s", strerror(errno));
    return st;
}

r1_status r1_grade_file(const r1_grade_kind *kind, void *ctx, const r1_grade_options *o, FILE *to,
                        r1_grade_tally *ret_tally, r1_err *err) {
    work *w = NULL;
    r1_status st;

    R1_ASSERT(o->jobs >= 1 && o->jobs <= R1_GRADE_JOBS_MAX);
    *ret_tally = (r1_grade_tally){.n = 0};
    if ((st = R1_NEW(w, 1, err)) != R1_OK)
        return st;
    w->kind = kind;
    w->ctx = ctx;
    w->o = o;
    w->to = to;
    w->tally = ret_tally;
    w->in = strcmp(o->path, "-") == 0 ? stdin : fopen(o->path, "r");
    if (!w->in)
        st = R1_FAIL(err, R1_IO, "cannot open '%s': %s", o->path, strerror(errno));
    else
        st = grade_stream(w, err);
    if (w->in && w->in != stdin)
        fclose(w->in);
    r1_free(w);
    return st;
}
