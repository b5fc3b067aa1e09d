/* Problems by index; see dataset.h. */
#include "common/data/dataset.h"

#include "common/base/hash.h"
#include "common/base/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVAL_SEED    0x6c61766576616c75u /* evaluations are the same for every run */
#define EVAL_DEFAULT 512
#define MAX_DRAWS    100000 /* tries before a task is declared unable to give such a problem */

struct r1_dataset {
    r1_dataset_options o;
    int from_file;
    r1_jsonl file;
    uint32_t *rows; /* file: rows on the wanted side of the split */
    uint32_t n_rows;
    uint32_t *order; /* file: permutation of the current epoch */
    uint64_t epoch;
    uint64_t *attempts; /* evaluation of a task: attempt number of each problem */
    uint32_t n_eval;
};

static int on_side(const r1_data_spec *s, uint64_t hash) {
    if (s->split == R1_SPLIT_ALL || s->held_out_mod == 0)
        return 1;
    return r1_held_out(s, hash) == (s->split == R1_SPLIT_HELD_OUT);
}

static uint64_t text_hash(const char *s) {
    return r1_hash64(s, strlen(s));
}

/* One attempt at an evaluation problem. */
static r1_status draw_attempt(const r1_dataset *d, uint64_t attempt, r1_problem *p, r1_err *err) {
    r1_rng_key key = {.seed = EVAL_SEED, .index = attempt, .purpose = R1_RNG_TASK};
    uint32_t word = 0;

    return r1_task_draw(d->o.spec, &key, &word, d->o.error_rate, p, err);
}

static int by_hash(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Collect up to n distinct problems of the right side, in order of attempts. */
static r1_status list_eval(r1_dataset *d, r1_err *err) {
    uint32_t want = d->o.spec->n == R1_AUTO ? EVAL_DEFAULT : (uint32_t)d->o.spec->n;
    uint64_t tries = 50 * (uint64_t)want + 20000, *seen = NULL;
    r1_status st;

    R1_TRY(R1_NEW(d->attempts, want, err));
    R1_TRY(R1_NEW(seen, want, err));
    for (uint64_t a = 0; a < tries && d->n_eval < want; a++) {
        r1_problem p;
        R1_TRY(draw_attempt(d, a, &p, err));
        uint64_t h = text_hash(p.prompt);
        int take = on_side(d->o.spec, p.hash) && !bsearch(&h, seen, d->n_eval, sizeof h, by_hash);
        r1_problem_done(&p);
        if (!take)
            continue;
        uint32_t i = d->n_eval; /* insertion keeps `seen` sorted */
        while (i > 0 && seen[i - 1] > h) {
            seen[i] = seen[i - 1];
            i--;
        }
        seen[i] = h;
        d->attempts[d->n_eval++] = a;
    }
    if (d->n_eval == 0)
        st = R1_FAIL(err, R1_USAGE, "data.eval: the task has no problem on this side of the split");
done:
    r1_free(seen);
    return st;
}

static r1_status list_rows(r1_dataset *d, r1_err *err) {
    const r1_data_spec *s = d->o.spec;
    r1_status st;

    R1_TRY(R1_NEW(d->rows, d->file.n, err));
    for (uint32_t r = 0; r < d->file.n; r++) {
        char *prompt = NULL;
        json_t *row;
        R1_TRY(r1_jsonl_row(&d->file, r, &row, err));
        st = r1_jsonl_text(&d->file, r, row, s->text_key ? s->text_key : s->prompt_key, 0, &prompt,
                           err);
        json_decref(row);
        if (st != R1_OK)
            goto done;
        if (on_side(s, text_hash(prompt)))
            d->rows[d->n_rows++] = r;
        r1_free(prompt);
    }
    if (d->file.n == 0)
        return R1_FAIL(err, R1_DATA, "%s: the file has no rows", s->file);
    if (d->n_rows == 0)
        return R1_FAIL(err, R1_DATA,
                       "%s: none of its %u rows is %s (held_out_mod %d; split: all takes all rows)",
                       s->file, d->file.n,
                       s->split == R1_SPLIT_HELD_OUT ? "held out" : "on the training side",
                       s->held_out_mod);
    if (d->o.evaluation && s->n != R1_AUTO && (uint32_t)s->n < d->n_rows)
        d->n_rows = (uint32_t)s->n;
    R1_TRY(R1_NEW(d->order, d->n_rows, err));
    d->epoch = UINT64_MAX;
done:
    return st;
}

r1_status r1_dataset_open(r1_dataset **ret, const r1_dataset_options *o, r1_err *err) {
    r1_dataset *d = NULL;
    r1_status st;

    R1_TRY(R1_NEW(d, 1, err));
    d->o = *o;
    d->from_file = o->spec->task == R1_TASK_NONE;
    if (d->from_file && !o->spec->file) {
        st = R1_FAIL(err, R1_USAGE, "data: neither a task nor a file is given");
        goto done;
    }
    if (d->from_file) {
        R1_TRY(r1_jsonl_open(&d->file, o->spec->file, err));
        R1_TRY(list_rows(d, err));
    } else if (o->evaluation) {
        R1_TRY(list_eval(d, err));
    }
    *ret = d;
    return R1_OK;
done:
    r1_dataset_close(d);
    return st;
}

void r1_dataset_close(r1_dataset *d) {
    if (!d)
        return;
    r1_jsonl_close(&d->file);
    r1_free(d->rows);
    r1_free(d->order);
    r1_free(d->attempts);
    r1_free(d);
}

const r1_data_spec *r1_dataset_spec(const r1_dataset *d) {
    return d->o.spec;
}

uint64_t r1_dataset_rows(const r1_dataset *d) {
    return d->from_file ? d->file.n : 0;
}

uint64_t r1_dataset_size(const r1_dataset *d) {
    return d->from_file ? d->n_rows : d->o.evaluation ? d->n_eval : 0;
}

r1_status r1_data_fingerprint(const r1_data_spec *s, uint64_t *ret, r1_err *err) {
    char text[512];
    r1_map map;
    r1_status st;

    if (s->task == R1_TASK_NONE && s->file) {
        if ((st = r1_map_open(&map, s->file, err)) != R1_OK)
            return st;
        *ret = r1_hash64(map.data, map.len);
        r1_map_close(&map);
        return R1_OK;
    }
    snprintf(text, sizeof text, "%d %d %d %d %d %d %d %s %s %d", s->task, s->terms, s->min, s->max,
             s->digits, s->count, s->target_max, s->ops, s->question ? s->question : "",
             s->held_out_mod);
    *ret = text_hash(text);
    return R1_OK;
}

/* Row of a file: a permutation an epoch in training, the file's order in evaluations. */
static uint32_t row_of(r1_dataset *d, uint64_t index) {
    uint64_t epoch = index / d->n_rows;

    if (d->o.evaluation || d->o.in_order)
        return d->rows[index % d->n_rows];
    if (epoch != d->epoch) {
        r1_rng_key key = {
            .seed = d->o.seed, .index = epoch, .purpose = R1_RNG_SHUFFLE, .stage = d->o.stage};
        r1_rng_permutation(&key, d->order, d->n_rows);
        d->epoch = epoch;
    }
    return d->rows[d->order[index % d->n_rows]];
}

/* The wording of a file's question: {prompt} is the row's own text. */
static r1_status word_prompt(const char *wording, char **prompt, r1_err *err) {
    static const char mark[] = "{prompt}";
    const char *from = wording, *at;
    r1_status st = R1_OK;
    r1_buf text;

    r1_buf_init(&text, 4 * R1_JSONL_LINE_MAX);
    for (; (at = strstr(from, mark)) != NULL; from = at + sizeof mark - 1) {
        R1_TRY(r1_buf_add(&text, from, (size_t)(at - from), err));
        R1_TRY(r1_buf_add(&text, *prompt, strlen(*prompt), err));
    }
    R1_TRY(r1_buf_add(&text, from, strlen(from), err));
    r1_free(*prompt);
    *prompt = r1_strdup(text.data);
    if (!*prompt)
        st = R1_FAIL(err, R1_NOMEM, "out of memory: a prompt");
done:
    r1_buf_done(&text);
    return st;
}

static r1_status get_row(r1_dataset *d, uint32_t row, r1_problem *p, r1_err *err) {
    const r1_data_spec *s = d->o.spec;
    json_t *obj = NULL;
    r1_status st;

    R1_TRY(r1_jsonl_row(&d->file, row, &obj, err));
    if (s->text_key) {
        R1_TRY(r1_jsonl_text(&d->file, row, obj, s->text_key, 0, &p->text, err));
        p->hash = text_hash(p->text);
        goto done;
    }
    R1_TRY(r1_jsonl_text(&d->file, row, obj, s->prompt_key, 0, &p->prompt, err));
    R1_TRY(r1_jsonl_text(&d->file, row, obj, s->answer_key, 1, &p->reference, err));
    if (p->reference && d->o.error_rate >= 0) {
        p->completion = r1_strdup(p->reference);
        if (!p->completion)
            R1_TRY(R1_FAIL(err, R1_NOMEM, "out of memory: a problem"));
    }
    char *extra = json_dumps(obj, JSON_COMPACT);
    p->extra = extra ? r1_strdup(extra) : NULL;
    free(extra);
    p->hash = text_hash(p->prompt); /* of the row, whatever the wording */
    if (s->question)
        R1_TRY(word_prompt(s->question, &p->prompt, err));
done:
    json_decref(obj);
    if (st != R1_OK)
        r1_problem_done(p);
    return st;
}

static r1_status get_task(r1_dataset *d, uint64_t index, r1_problem *p, r1_err *err) {
    r1_rng_key key = {
        .seed = d->o.seed, .index = index, .purpose = R1_RNG_TASK, .stage = d->o.stage};
    uint32_t word = 0;

    for (int i = 0; i < MAX_DRAWS; i++) { /* the next words until the split agrees */
        r1_status st = r1_task_draw(d->o.spec, &key, &word, d->o.error_rate, p, err);
        if (st != R1_OK || on_side(d->o.spec, p->hash))
            return st;
        r1_problem_done(p);
    }
    return R1_FAIL(err, R1_USAGE, "data.train: the task has no problem on this side of the split");
}

r1_status r1_dataset_get(r1_dataset *d, uint64_t index, r1_problem *ret, r1_err *err) {
    R1_TRACE();
    *ret = (r1_problem){0};
    if (d->from_file)
        return get_row(d, row_of(d, index), ret, err);
    if (d->o.evaluation)
        return draw_attempt(d, d->attempts[index % d->n_eval], ret, err);
    return get_task(d, index, ret, err);
}

void r1_dataset_where(r1_dataset *d, uint64_t index, char *buf, size_t size) {
    if (d->from_file)
        snprintf(buf, size, "%s:%u", d->file.path, d->file.lines[row_of(d, index)]);
    else
        snprintf(buf, size, "problem %llu", (unsigned long long)index);
}
