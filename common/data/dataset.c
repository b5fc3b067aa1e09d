/* Problems by index; see dataset.h. */
#include "common/data/dataset.h"

#include "common/base/hash.h"
#include "common/base/json.h"
#include "common/base/trace.h"

#include <stdio.h>
#include <string.h>

#define EVAL_SEED    0x6c61766576616c75u /* evaluations are the same for every run */
#define EVAL_DEFAULT 512
#define MAX_DRY      100000 /* attempts without a new problem before the list ends */
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

static int is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Of a row's prompt: however it is spaced, a problem lies on one side. */
static r1_status prompt_hash(const char *prompt, uint64_t *ret, r1_err *err) {
    char *folded;
    size_t n = 0;
    r1_status st;

    if ((st = R1_NEW(folded, strlen(prompt) + 2, err)) != R1_OK)
        return st;
    for (const char *c = prompt; *c; c++)
        if (!is_blank(*c))
            folded[n++] = *c;
        else if (n > 0 && folded[n - 1] != ' ')
            folded[n++] = ' ';
    n -= n > 0 && folded[n - 1] == ' ';
    *ret = r1_hash64(folded, n);
    r1_free(folded);
    return R1_OK;
}

/* Of a row: plain text belongs to the side of the row's prompt, which it is likely to contain. */
static r1_status row_hash(const r1_dataset *d, uint32_t row, const json_t *obj, uint64_t *ret,
                          r1_err *err) {
    const r1_data_spec *s = d->o.spec;
    const char *key = s->text_key && s->split == R1_SPLIT_ALL ? s->text_key : s->prompt_key;
    char *prompt = NULL;
    r1_status st = r1_jsonl_text(&d->file, row, obj, key, 0, &prompt, err);

    if (st == R1_OK)
        st = prompt_hash(prompt, ret, err);
    r1_free(prompt);
    return st;
}

/* One attempt at an evaluation problem. */
static r1_status draw_attempt(const r1_dataset *d, uint64_t attempt, r1_problem *p, r1_err *err) {
    r1_rng_key key = {.seed = EVAL_SEED, .index = attempt, .purpose = R1_RNG_TASK};
    uint32_t word = 0;

    return r1_task_draw(d->o.spec, &key, &word, d->o.error_rate, p, err);
}

/* Put a hash into an open-addressed set; 0 if it is there already. */
static int add_hash(uint64_t *set, uint64_t mask, uint64_t hash) {
    uint64_t at = hash & mask;

    hash += hash == 0; /* 0 marks a free place */
    while (set[at] && set[at] != hash)
        at = (at + 1) & mask;
    if (set[at])
        return 0;
    set[at] = hash;
    return 1;
}

/* Collect up to n distinct problems of the right side, in order of attempts; fewer when no new one
 * turns up any more. */
static r1_status list_eval(r1_dataset *d, r1_err *err) {
    uint32_t want = d->o.spec->n == R1_AUTO ? EVAL_DEFAULT : (uint32_t)d->o.spec->n;
    uint64_t *seen = NULL, places = 1024, last = 0;
    r1_status st;

    while (places < 2 * (uint64_t)want)
        places *= 2;
    R1_TRY(R1_NEW(d->attempts, want, err));
    R1_TRY(R1_NEW(seen, places, err));
    for (uint64_t a = 0; a - last < MAX_DRY && d->n_eval < want; a++) {
        r1_problem p;
        R1_TRY(draw_attempt(d, a, &p, err));
        if (on_side(d->o.spec, p.hash) && add_hash(seen, places - 1, text_hash(p.prompt))) {
            d->attempts[d->n_eval++] = a;
            last = a;
        }
        r1_problem_done(&p);
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
        uint64_t hash;
        json_t *row;
        R1_TRY(r1_jsonl_row(&d->file, r, &row, err));
        st = row_hash(d, r, row, &hash, err);
        json_decref(row);
        if (st != R1_OK)
            goto done;
        if (on_side(s, hash))
            d->rows[d->n_rows++] = r;
    }
    if (d->file.n == 0)
        return R1_FAIL(err, R1_DATA, "%s: the file has no rows", s->file);
    if (d->n_rows == 0)
        return R1_FAIL(err, R1_DATA,
                       "%s: none of its %u rows is %s (held_out_mod %d; split: all takes all rows)",
                       s->file, d->file.n,
                       s->split == R1_SPLIT_HELD_OUT ? "held out" : "on the training side",
                       s->held_out_mod);
    if (s->n > 0 && (uint32_t)s->n < d->n_rows)
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
    int n = d->o.spec->n;

    return d->from_file ? d->n_rows : d->o.evaluation ? d->n_eval : n > 0 ? (uint64_t)n : 0;
}

r1_status r1_data_fingerprint(const r1_data_spec *s, uint64_t *ret, r1_err *err) {
    const char *words[] = {s->ops, s->question, s->prompt_key, s->answer_key, s->text_key};
    r1_map map;
    r1_buf text;
    r1_status st;

    r1_buf_init(&text, (size_t)64 << 20);
    R1_TRY(r1_buf_addf(&text, err, "%d %d %d %d %d %d %d %d %d %d", s->task, s->terms, s->min,
                       s->max, s->digits, s->count, s->target_max, s->held_out_mod, s->split,
                       s->n));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *word = words[i] ? words[i] : "";
        R1_TRY(r1_buf_add(&text, word, strlen(word) + 1, err));
    }
    if (s->task == R1_TASK_NONE && s->file) {
        R1_TRY(r1_map_open(&map, s->file, err));
        uint64_t contents = r1_hash64(map.data, map.len);
        r1_map_close(&map);
        R1_TRY(r1_buf_add(&text, &contents, sizeof contents, err));
    }
    *ret = r1_hash64(text.data, text.len);
done:
    r1_buf_done(&text);
    return st;
}

/* Row of a file: a permutation an epoch in training, the file's order in evaluations. */
static uint32_t row_of(r1_dataset *d, uint64_t index) {
    uint64_t epoch = index / d->n_rows;

    if (d->o.evaluation || d->o.in_order)
        return d->rows[index % d->n_rows];
    if (epoch != d->epoch) {
        r1_rng_key key = {
            .seed = d->o.seed, .index = epoch, .purpose = R1_RNG_EPOCH, .stage = d->o.stage};
        r1_rng_permutation(&key, d->order, d->n_rows);
        d->epoch = epoch;
    }
    return d->rows[d->order[index % d->n_rows]];
}

/* What a mark {name} in a wording stands for: the row's own text, or what the row holds there, a
 * text or texts, one a line.  *ret_known 0: nothing. */
static r1_status add_marked(r1_buf *text, const char *name, size_t n, const char *prompt,
                            const json_t *row, int *ret_known, r1_err *err) {
    const json_t *v = json_object_getn(row, name, n);
    r1_status st = R1_OK;

    *ret_known = 1;
    if (n == 6 && memcmp(name, "prompt", n) == 0)
        return r1_buf_add(text, prompt, strlen(prompt), err);
    if (json_is_string(v))
        return r1_buf_add(text, json_string_value(v), json_string_length(v), err);
    *ret_known = json_array_size(v) > 0;
    for (size_t i = 0; i < json_array_size(v) && *ret_known; i++)
        *ret_known = json_is_string(json_array_get(v, i));
    for (size_t i = 0; i < json_array_size(v) && *ret_known && st == R1_OK; i++)
        st = r1_buf_addf(text, err, "%s%s", i ? "\n" : "", json_string_value(json_array_get(v, i)));
    return st;
}

/* The wording of a file's question; braces that mark nothing stay. */
static r1_status word_prompt(const char *wording, const json_t *row, char **prompt, r1_err *err) {
    r1_status st = R1_OK;
    r1_buf text;

    r1_buf_init(&text, 4 * R1_JSONL_LINE_MAX);
    for (const char *c = wording; *c;) {
        size_t n = strcspn(c, "{"), name = c[n] ? strcspn(c + n + 1, "{}") : 0;
        int known = 0;
        R1_TRY(r1_buf_add(&text, c, n, err));
        c += n;
        if (*c && c[1 + name] == '}')
            R1_TRY(add_marked(&text, c + 1, name, *prompt, row, &known, err));
        if (*c && !known)
            R1_TRY(r1_buf_add(&text, "{", 1, err));
        c += known ? name + 2 : *c != '\0';
    }
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
    R1_TRY(row_hash(d, row, obj, &p->hash, err)); /* whatever the wording */
    if (s->text_key) {
        R1_TRY(r1_jsonl_text(&d->file, row, obj, s->text_key, 0, &p->text, err));
        goto done;
    }
    R1_TRY(r1_jsonl_text(&d->file, row, obj, s->prompt_key, 0, &p->prompt, err));
    R1_TRY(r1_jsonl_text(&d->file, row, obj, s->answer_key, 1, &p->reference, err));
    if (p->reference && d->o.error_rate >= 0) {
        p->completion = r1_strdup(p->reference);
        if (!p->completion)
            R1_TRY(R1_FAIL(err, R1_NOMEM, "out of memory: a problem"));
    }
    R1_TRY(r1_json_dump(obj, JSON_COMPACT, "a problem", &p->extra, err));
    if (s->question)
        R1_TRY(word_prompt(s->question, obj, &p->prompt, err));
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
    return get_task(d, d->o.spec->n > 0 ? index % (uint64_t)d->o.spec->n : index, ret, err);
}

void r1_dataset_where(r1_dataset *d, uint64_t index, char *buf, size_t size) {
    if (d->from_file)
        snprintf(buf, size, "%s:%u", d->file.path, d->file.lines[row_of(d, index)]);
    else
        snprintf(buf, size, "problem %llu", (unsigned long long)index);
}
