/* Continuous batching; see engine.h.
 *
 * Every sample has `done` of its `len` tokens in the cache.  The row of token len - 1 gives the
 * next one, so a running sample has len - done == 1 and decodes one row a step; one that lost its
 * blocks has done = 0 and is caught up in chunks.  Prompts are caught up in the same way, and the
 * row of their last token gives the first token of all samples. */
#include "actor/engine.h"

#include "common/base/trace.h"

#include <math.h>
#include <string.h>

typedef struct group group;

typedef struct seq {
    group *g;
    int sample, len, done, n_blocks, finished;
    int active; /* holds blocks (or is about to): takes part in steps */
    int32_t *table;
    uint64_t admitted; /* order of admission: the youngest is evicted first */
    uint64_t in_step;  /* the step that its rows were last put into, + 1 */
} seq;

struct group {
    r1_finished *out;
    r1_request req;
    seq *seqs;
    int32_t *table; /* of the prompt */
    int n_blocks, done, left, started;
    group *next;
};

/* A row whose logits are wanted: the next token of one sample, of all samples of a group, or the
 * log-probability of the next prompt token. */
typedef struct want {
    group *g;
    seq *s;     /* NULL: prompt row */
    int prompt; /* position in the prompt */
} want;

struct r1_engine {
    r1_engine_options o;
    r1_kv kv;
    r1_slab slab;
    r1_arena ws;
    r1_sampler *sampler;
    group *waiting, **waiting_end, *running, *finished, **finished_end;
    int active, pending, max_rows;
    int prompt_blocks; /* held by the prompts of running groups */
    uint64_t clock;
    r1_engine_stats stats;
    /* of the step that is being put together */
    int rows, n_spans, n_wants;
    int32_t *ids, *pos, *out_rows;
    r1_span *spans;
    const int32_t **tables;
    want *wants;
};

const char *r1_finish_name(int finish) {
    return finish == R1_FINISH_STOP ? "stop" : "length";
}

static int blocks_for(int positions) {
    return (positions + R1_KV_BLOCK - 1) / R1_KV_BLOCK;
}

static int max_rows_of(const r1_engine_options *o) {
    return o->max_sequences + o->prefill_rows;
}

static size_t workspace_bytes(const r1_engine_options *o) {
    size_t rows = (size_t)max_rows_of(o);
    size_t panels = (size_t)r1_vocab_panels(o->model->arch.vocab_size);

    return r1_forward_bytes(o->model, (int)rows, (int)rows, 0) + r1_head_bytes(o->model) +
           rows * (3 * sizeof(int32_t) + sizeof(r1_span) + sizeof(int32_t *) + sizeof(want)) +
           R1_HEAD_CHUNK * (2 * panels + 1) * sizeof(float) + 4096;
}

size_t r1_engine_bytes(const r1_engine_options *o) {
    return workspace_bytes(o) +
           (size_t)o->n_blocks * r1_kv_block_bytes(&o->model->arch, o->model->ops->dtype);
}

r1_status r1_engine_open(r1_engine **ret, const r1_engine_options *options, r1_err *err) {
    r1_engine *e = NULL;
    r1_status st;

    R1_TRY(R1_NEW(e, 1, err));
    e->o = *options;
    e->max_rows = max_rows_of(options);
    e->waiting_end = &e->waiting;
    e->finished_end = &e->finished;
    R1_TRY(r1_kv_open(&e->kv, &options->model->arch, options->model->ops->dtype, options->n_blocks,
                      err));
    R1_TRY(r1_slab_open(&e->slab, workspace_bytes(options), "rollout workspace", err));
    R1_TRY(r1_sampler_new(&e->sampler, options->model->arch.vocab_size, err));
    r1_arena_init(&e->ws, e->slab.base, e->slab.bytes);
    *ret = e;
    return R1_OK;
done:
    r1_engine_close(e);
    return st;
}

void r1_finished_free(r1_finished *f) {
    if (!f)
        return;
    for (int i = 0; i < f->n && f->samples; i++) {
        r1_free(f->samples[i].ids);
        r1_free(f->samples[i].logp);
    }
    r1_free(f->samples);
    r1_free(f->prompt);
    r1_free(f->prompt_logp);
    r1_free(f);
}

static void group_free(group *g, int with_output) {
    if (!g)
        return;
    if (with_output)
        r1_finished_free(g->out);
    for (int i = 0; i < g->req.n && g->seqs; i++)
        r1_free(g->seqs[i].table);
    r1_free(g->seqs);
    r1_free(g->table);
    r1_free(g);
}

void r1_engine_close(r1_engine *e) {
    if (!e)
        return;
    group *lists[] = {e->waiting, e->running, e->finished};
    for (int i = 0; i < 3; i++)
        for (group *g = lists[i], *next; g; g = next) {
            next = g->next;
            group_free(g, 1);
        }
    r1_sampler_free(e->sampler);
    r1_kv_close(&e->kv);
    r1_slab_close(&e->slab);
    r1_free(e);
}

static r1_status group_new(group **ret, const r1_request *r, r1_err *err) {
    int most = blocks_for(r->prompt_len + r->sampling.max_new_tokens);
    size_t max_new = (size_t)r->sampling.max_new_tokens;
    group *g = NULL;
    r1_finished *f;
    r1_status st;

    R1_TRY(R1_NEW(g, 1, err));
    g->req = *r;
    R1_TRY(R1_NEW(g->out, 1, err));
    f = g->out;
    f->tag = r->tag;
    f->n = g->left = r->n;
    f->prompt_len = r->prompt_len;
    R1_TRY(R1_NEW(f->prompt, (size_t)r->prompt_len, err));
    memcpy(f->prompt, r->prompt, (size_t)r->prompt_len * sizeof *f->prompt);
    if (r->want_prompt_logp)
        R1_TRY(R1_NEW(f->prompt_logp, (size_t)r->prompt_len, err));
    R1_TRY(R1_NEW(f->samples, (size_t)r->n, err));
    R1_TRY(R1_NEW(g->seqs, (size_t)r->n, err));
    R1_TRY(R1_NEW(g->table, (size_t)blocks_for(r->prompt_len), err));
    for (int i = 0; i < r->n; i++) {
        g->seqs[i] = (seq){.g = g, .sample = i};
        R1_TRY(R1_NEW(g->seqs[i].table, (size_t)most, err));
        R1_TRY(R1_NEW(f->samples[i].ids, max_new, err));
        R1_TRY(R1_NEW(f->samples[i].logp, max_new, err));
    }
    *ret = g;
    return R1_OK;
done:
    group_free(g, 1);
    return st;
}

static r1_status check_stop_strings(const r1_engine *e, const r1_sampling *p, r1_err *err) {
    R1_ASSERT(p->n_stop_strings == 0 || e->o.piece);
    for (int i = 0; i < p->n_stop_strings; i++) {
        size_t n = strlen(p->stop_strings[i]);
        if (n < 1 || n > R1_STOP_STRING_MAX)
            return R1_FAIL(err, R1_USAGE, "stop string '%.40s' has %zu bytes (1 to %d can be)",
                           p->stop_strings[i], n, R1_STOP_STRING_MAX);
    }
    return R1_OK;
}

r1_status r1_engine_submit(r1_engine *e, const r1_request *r, r1_err *err) {
    int p = r->prompt_len, full = p / R1_KV_BLOCK;
    int longest = p + r->sampling.max_new_tokens;
    int need = blocks_for(p) + blocks_for(longest) - full;
    r1_status st;
    group *g;

    R1_TRACE();
    R1_ASSERT(p >= 1 && r->n >= 1 && r->sampling.max_new_tokens >= 1);
    if (longest > e->o.model->max_len)
        return R1_FAIL(err, R1_USAGE, "prompt of %d tokens + %d new ones exceed the context of %d",
                       p, r->sampling.max_new_tokens, e->o.model->max_len);
    if (need > e->o.n_blocks)
        return R1_FAIL(err, R1_USAGE,
                       "a sequence of %d tokens needs %d key/value blocks, limits.kv_memory allows "
                       "%d",
                       longest, need, e->o.n_blocks);
    if ((st = check_stop_strings(e, &r->sampling, err)) != R1_OK)
        return st;
    if ((st = group_new(&g, r, err)) != R1_OK)
        return st;
    *e->waiting_end = g;
    e->waiting_end = &g->next;
    e->pending += r->n;
    return R1_OK;
}

int r1_engine_pending(const r1_engine *e) {
    return e->pending;
}

r1_engine_stats r1_engine_get_stats(const r1_engine *e) {
    return e->stats;
}

/* ---- blocks ---- */

/* Give a sample's own blocks back; it starts over from the prompt's. */
static void drop_blocks(r1_engine *e, seq *s) {
    int full = s->g->out->prompt_len / R1_KV_BLOCK;

    for (int i = full; i < s->n_blocks; i++)
        r1_kv_give(&e->kv, s->table[i]);
    s->n_blocks = s->done = s->active = 0;
}

/* The youngest sample with blocks of its own that is not part of the step under way. */
static seq *youngest(r1_engine *e) {
    seq *best = NULL;

    for (group *g = e->running; g; g = g->next) {
        for (int i = 0; i < g->req.n && g->started; i++) {
            seq *s = &g->seqs[i];
            if (s->n_blocks > g->out->prompt_len / R1_KV_BLOCK && s->in_step <= e->stats.steps &&
                (!best || s->admitted > best->admitted))
                best = s;
        }
    }
    return best;
}

/* Blocks for positions below `positions`; evicts younger samples if need be.  0: not now. */
static int ensure_blocks(r1_engine *e, seq *s, int positions) {
    int p = s->g->out->prompt_len, full = p / R1_KV_BLOCK;

    if (s->n_blocks == 0) {
        memcpy(s->table, s->g->table, (size_t)full * sizeof *s->table);
        s->n_blocks = full;
    }
    while (s->n_blocks < blocks_for(positions)) {
        int32_t b = r1_kv_take(&e->kv);
        if (b < 0) {
            seq *victim = youngest(e);
            if (!victim || victim->admitted <= s->admitted)
                return 0; /* nobody younger: wait for one of the others to finish */
            drop_blocks(e, victim);
            e->active--;
            e->stats.evictions++;
            continue;
        }
        if (s->n_blocks == full && p % R1_KV_BLOCK)
            r1_kv_copy_tail(&e->kv, s->g->table[full], b, p % R1_KV_BLOCK);
        s->table[s->n_blocks++] = b;
    }
    return 1;
}

/* ---- putting a step together ---- */

static void add_span(r1_engine *e, const int32_t *ids, int n, int pos, const int32_t *table) {
    e->spans[e->n_spans] = (r1_span){.row = e->rows, .n = n, .pos = pos, .seq = e->n_spans};
    e->tables[e->n_spans++] = table;
    for (int i = 0; i < n; i++) {
        e->ids[e->rows + i] = ids[i];
        e->pos[e->rows + i] = pos + i;
    }
    e->rows += n;
}

static void add_want(r1_engine *e, int row, want w) {
    e->out_rows[e->n_wants] = row;
    e->wants[e->n_wants++] = w;
}

/* Up to `room` rows of a sample that is behind; returns rows taken. */
static int add_sample(r1_engine *e, seq *s, int room) {
    int p = s->g->out->prompt_len, n = s->len - s->done;

    n = n < room ? n : room;
    if (n <= 0 || !ensure_blocks(e, s, p + s->done + n))
        return 0;
    add_span(e, s->g->out->samples[s->sample].ids + s->done, n, p + s->done, s->table);
    s->in_step = e->stats.steps + 1;
    s->done += n;
    if (s->done == s->len)
        add_want(e, e->rows - 1, (want){.g = s->g, .s = s});
    return n;
}

static int add_prompt(r1_engine *e, group *g, int room) {
    int p = g->out->prompt_len, n = p - g->done, row0 = e->rows;

    n = n < room ? n : room;
    add_span(e, g->out->prompt + g->done, n, g->done, g->table);
    for (int i = 0; i < n && g->out->prompt_logp; i++)
        if (g->done + i < p - 1)
            add_want(e, row0 + i, (want){.g = g, .prompt = g->done + i});
    g->done += n;
    if (g->done == p)
        add_want(e, e->rows - 1, (want){.g = g, .prompt = p - 1});
    return n;
}

/* Blocks that one sample of a group may come to own. */
static int own_blocks(const group *g) {
    int p = g->out->prompt_len;
    return blocks_for(p + g->req.sampling.max_new_tokens) - p / R1_KV_BLOCK;
}

/* Take a waiting group in when its prompt and a first block for each sample fit, and when all
 * running prompts together still leave room for the longest sample: so the oldest one can always
 * go on, if need be alone. */
static int admit(r1_engine *e) {
    group *g = e->waiting;
    int p = g ? g->out->prompt_len : 0, blocks = blocks_for(p), longest = 0;

    if (!g || (e->active > 0 && e->active + g->req.n > e->o.max_sequences))
        return 0;
    if (e->kv.n_free < blocks + (e->running ? g->req.n : 1))
        return 0;
    for (const group *r = e->running; r; r = r->next)
        longest = own_blocks(r) > longest ? own_blocks(r) : longest;
    longest = own_blocks(g) > longest ? own_blocks(g) : longest;
    if (e->running && e->prompt_blocks + blocks + longest > e->o.n_blocks)
        return 0;
    e->prompt_blocks += blocks;
    for (int i = 0; i < blocks; i++)
        g->table[i] = r1_kv_take(&e->kv);
    g->n_blocks = blocks;
    e->active += g->req.n; /* places are kept while the prompt is computed */
    for (int i = 0; i < g->req.n; i++)
        g->seqs[i].active = 1;
    e->waiting = g->next;
    if (!e->waiting)
        e->waiting_end = &e->waiting;
    group **end = &e->running;
    while (*end)
        end = &(*end)->next;
    g->next = NULL;
    *end = g;
    for (int i = 0; i < g->req.n; i++)
        g->seqs[i].admitted = ++e->clock;
    return 1;
}

/* Samples that lost their blocks come back, oldest first, while places and blocks are left. */
static void readmit(r1_engine *e) {
    for (group *g = e->running; g; g = g->next)
        for (int i = 0; i < g->req.n && g->started; i++) {
            seq *s = &g->seqs[i];
            if (s->active || s->finished || e->active >= e->o.max_sequences)
                continue;
            if (e->active > 0 && e->kv.n_free < blocks_for(s->len) + 1)
                return;
            s->active = 1;
            e->active++;
        }
}

static void assemble(r1_engine *e) {
    int room = e->o.prefill_rows;

    readmit(e);
    while (admit(e))
        ;
    for (group *g = e->running; g; g = g->next) { /* one row of each running sample first */
        for (int i = 0; i < g->req.n && g->started; i++) {
            seq *s = &g->seqs[i];
            if (s->active && s->len - s->done == 1 && e->rows < e->max_rows - room)
                add_sample(e, s, 1);
        }
    }
    for (group *g = e->running; g && room > 0; g = g->next) {
        if (!g->started)
            room -= add_prompt(e, g, room);
        for (int i = 0; i < g->req.n && g->started && room > 0; i++)
            if (g->seqs[i].active && g->seqs[i].len - g->seqs[i].done > 1)
                room -= add_sample(e, &g->seqs[i], room);
    }
}

/* ---- after the forward ---- */

/* Does the text of the last tokens end in a stop string?  *ret_len: tokens to keep. */
static int hits_stop_string(const r1_engine *e, const r1_sampling *p, const r1_sample *out,
                            int len) {
    char tail[4 * R1_STOP_STRING_MAX];
    size_t n = 0, last = 0;

    if (p->n_stop_strings == 0)
        return 0;
    for (int t = len - 1; t >= 0 && n < sizeof tail; t--) { /* backwards until the buffer is full */
        size_t k, room = sizeof tail - n;
        const char *piece = e->o.piece(e->o.piece_ctx, out->ids[t], &k);
        size_t part = k < room ? k : room;
        memmove(tail + part, tail, n);
        memcpy(tail, piece + (k - part), part);
        n += part;
        if (t == len - 1)
            last = part;
    }
    for (int i = 0; i < p->n_stop_strings; i++) { /* ending inside the newest token */
        size_t m = strlen(p->stop_strings[i]);
        for (size_t end = n - last + 1; end <= n; end++)
            if (end >= m && memcmp(tail + end - m, p->stop_strings[i], m) == 0)
                return 1;
    }
    return 0;
}

static void finish_group(r1_engine *e, group *g) {
    group **at = &e->running;

    while (*at != g)
        at = &(*at)->next;
    *at = g->next;
    for (int i = 0; i < g->n_blocks; i++)
        r1_kv_give(&e->kv, g->table[i]);
    e->prompt_blocks -= g->n_blocks;
    g->next = NULL;
    *e->finished_end = g;
    e->finished_end = &g->next;
}

/* Append a token, which may end the sample. */
static r1_status put_token(r1_engine *e, seq *s, int32_t id, float logp, r1_err *err) {
    const r1_sampling *p = &s->g->req.sampling;
    r1_sample *out = &s->g->out->samples[s->sample];
    r1_status st = R1_OK;

    out->ids[s->len] = id;
    out->logp[s->len++] = logp;
    out->n = s->len;
    e->stats.decoded++;
    if (e->o.on_token)
        e->o.on_token(e->o.on_token_ctx, s->g->out->tag, s->sample, id);
    int stop = s->len >= p->min_new_tokens &&
               (r1_is_stop_id(p, id) || hits_stop_string(e, p, out, s->len));
    if (!stop && s->len < p->max_new_tokens)
        return R1_OK;
    out->finish = stop ? R1_FINISH_STOP : R1_FINISH_LENGTH;
    if (s->active) {
        drop_blocks(e, s);
        e->active--;
    }
    s->finished = 1;
    e->pending--;
    if (e->o.on_end)
        st = e->o.on_end(e->o.on_end_ctx, s->g->out->tag, s->sample, out, err);
    if (--s->g->left == 0)
        finish_group(e, s->g);
    return st;
}

static r1_status draw(r1_engine *e, seq *s, const float *logits, const r1_row_stats *row,
                      r1_err *err) {
    r1_rng_key key = s->g->req.key;
    float logp;

    key.sample += (uint32_t)s->sample;
    int32_t id = r1_sampler_draw(e->sampler, e->o.model->ops, &s->g->req.sampling, &key, s->len,
                                 logits, e->o.model->arch.vocab_size, row, &logp);
    return put_token(e, s, id, logp, err);
}

/* Serve one wanted row.  A NaN or an infinity among the logits makes their log-sum-exp one. */
static r1_status serve(r1_engine *e, const want *w, const float *logits, const r1_row_stats *row,
                       r1_err *err) {
    const r1_ops *ops = e->o.model->ops;
    r1_finished *out = w->g->out;
    r1_status st = R1_OK;

    if (!isfinite(row->lse))
        return R1_FAIL(err, R1_DATA,
                       "prompt %llu, position %d: the model's logits are not finite (log-sum-exp "
                       "%g): the weights hold a NaN, an infinity or numbers that overflow",
                       (unsigned long long)out->tag,
                       w->s ? out->prompt_len + w->s->len - 1 : w->prompt, (double)row->lse);
    if (w->s)
        return draw(e, w->s, logits, row, err);
    if (w->prompt < out->prompt_len - 1) {
        ops->gather_logp(ops, logits, 0, 1, r1_sampling_inv_t(&w->g->req.sampling),
                         &out->prompt[w->prompt + 1], &row->lse, &out->prompt_logp[w->prompt]);
        return R1_OK;
    }
    w->g->started = 1;
    /* The group may be finished by its last one. */
    for (int i = 0, n = w->g->req.n; i < n && st == R1_OK; i++)
        st = draw(e, &w->g->seqs[i], logits, row, err);
    return st;
}

/* Logits of the wanted rows, a chunk at a time; rows of a chunk share a temperature run. */
static r1_status sample_rows(r1_engine *e, const void *payload, const void *hidden, r1_err *err) {
    const r1_model *m = e->o.model;
    const r1_ops *ops = m->ops;
    int vocab = m->arch.vocab_size, ld = r1_logits_ld(m), panels = r1_vocab_panels(vocab);
    float *logits = r1_arena_take(&e->ws, (size_t)R1_HEAD_CHUNK * (size_t)ld * sizeof *logits);
    float *pm = r1_arena_take(&e->ws, (size_t)(R1_HEAD_CHUNK * panels) * sizeof *pm);
    float *ps = r1_arena_take(&e->ws, (size_t)(R1_HEAD_CHUNK * panels) * sizeof *ps);
    float lse[R1_HEAD_CHUNK];
    size_t row_bytes = (size_t)m->arch.hidden_size * r1_dtype_bytes(ops->dtype);
    r1_status st = R1_OK;

    for (int first = 0, n; first < e->n_wants && st == R1_OK; first += n) {
        float inv_t = r1_sampling_inv_t(&e->wants[first].g->req.sampling);
        for (n = 1; n < R1_HEAD_CHUNK && first + n < e->n_wants; n++)
            if (r1_sampling_inv_t(&e->wants[first + n].g->req.sampling) != inv_t)
                break;
        r1_head_logits(m, payload, (const uint8_t *)hidden + (size_t)first * row_bytes, n, logits);
        ops->logsumexp(ops, logits, ld, n, vocab, inv_t, lse, NULL, pm, ps);
        for (int i = 0; i < n && st == R1_OK; i++) {
            r1_row_stats row = {lse[i], pm + i * panels, ps + i * panels};
            st = serve(e, &e->wants[first + i], logits + (size_t)i * (size_t)ld, &row, err);
        }
    }
    return st;
}

r1_status r1_engine_step(r1_engine *e, const void *payload, r1_err *err) {
    r1_status st = R1_OK;
    size_t mark = r1_arena_mark(&e->ws), rows = (size_t)e->max_rows;
    void *hidden;

    e->rows = e->n_spans = e->n_wants = 0;
    e->ids = r1_arena_take(&e->ws, rows * sizeof *e->ids);
    e->pos = r1_arena_take(&e->ws, rows * sizeof *e->pos);
    e->out_rows = r1_arena_take(&e->ws, rows * sizeof *e->out_rows);
    e->spans = r1_arena_take(&e->ws, rows * sizeof *e->spans);
    e->tables = r1_arena_take(&e->ws, rows * sizeof *e->tables);
    e->wants = r1_arena_take(&e->ws, rows * sizeof *e->wants);
    assemble(e);
    R1_ASSERT(e->rows > 0 || e->pending == 0);
    r1_batch b = {.n_rows = e->rows,
                  .ids = e->ids,
                  .pos = e->pos,
                  .n_spans = e->n_spans,
                  .spans = e->spans,
                  .tables = e->tables,
                  .n_out = e->n_wants,
                  .out_rows = e->out_rows};
    if (e->rows > 0) {
        r1_forward(e->o.model, payload, &e->kv, &b, &e->ws, 0, &hidden, NULL);
        e->stats.steps++;
        e->stats.rows += (uint64_t)e->rows;
        if (e->n_wants > 0)
            st = sample_rows(e, payload, hidden, err);
    }
    r1_arena_release(&e->ws, mark);
    return st;
}

r1_finished *r1_engine_poll(r1_engine *e) {
    group *g = e->finished;

    if (!g)
        return NULL;
    e->finished = g->next;
    if (!e->finished)
        e->finished_end = &e->finished;
    r1_finished *out = g->out;
    group_free(g, 0);
    return out;
}
