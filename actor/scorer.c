/* A reward model; see scorer.h. */
#include "actor/scorer.h"

#include "common/base/card.h"

#include <string.h>

#define ROWS_AT_ONCE 1024 /* or those of one sequence, if that is longer */

struct r1_scorer {
    r1_policy policy;
    const char *system;
    int max_sequences, max_rows;
    r1_slab payload, memory;
    r1_kv kv;
    r1_arena ws;
    /* [max_rows] or [max_sequences] of the batch that runs */
    int32_t *ids, *pos, *out_rows;
    r1_span *spans;
    const int32_t **tables;
    int32_t *blocks;
};

static int blocks_of(int rows) {
    return (rows + R1_KV_BLOCK - 1) / R1_KV_BLOCK;
}

static r1_status load(r1_scorer *s, r1_err *err) {
    const r1_layout *l = &s->policy.model.layout;
    float *w = NULL;
    r1_status st;

    R1_TRY(r1_slab_open(&s->payload, l->payload_bytes, "weights of the reward model", err));
    for (uint32_t u = 0; u < l->n_units; u++) {
        R1_TRY(R1_NEW(w, l->units[u].n, err));
        R1_TRY(r1_policy_weights(&s->policy, u, u + 1, w, err));
        r1_layout_pack(l, s->policy.ops, w, u, u + 1, s->payload.base);
        r1_free(w);
        w = NULL;
    }
done:
    r1_free(w);
    return st;
}

static r1_status make_room(r1_scorer *s, r1_err *err) {
    size_t rows = (size_t)s->max_rows, sequences = (size_t)s->max_sequences;
    int n_blocks = blocks_of(s->max_rows) + s->max_sequences;
    size_t bytes = r1_forward_bytes(&s->policy.model, s->max_rows, s->max_sequences, 0);
    r1_status st;

    R1_TRY(r1_kv_open(&s->kv, &s->policy.arch, s->policy.ops->dtype, n_blocks, err));
    R1_TRY(r1_slab_open(&s->memory, bytes, "a batch of the reward model", err));
    r1_arena_init(&s->ws, s->memory.base, bytes);
    R1_TRY(R1_NEW(s->ids, rows, err));
    R1_TRY(R1_NEW(s->pos, rows, err));
    R1_TRY(R1_NEW(s->out_rows, sequences, err));
    R1_TRY(R1_NEW(s->spans, sequences, err));
    R1_TRY(R1_NEW(s->tables, sequences, err));
    R1_TRY(R1_NEW(s->blocks, (size_t)n_blocks, err));
done:
    return st;
}

r1_status r1_scorer_open(r1_scorer **ret, const r1_scorer_options *o, r1_err *err) {
    r1_policy_options policy = o->policy;
    r1_scorer *s = NULL;
    r1_status st;

    policy.scores = 1;
    R1_TRY(R1_NEW(s, 1, err));
    s->system = o->system;
    s->max_sequences = o->max_sequences;
    R1_TRY(r1_policy_open_model(&s->policy, &policy, err));
    s->max_rows = s->policy.model.max_len > ROWS_AT_ONCE ? s->policy.model.max_len : ROWS_AT_ONCE;
    R1_TRY(load(s, err));
    st = make_room(s, err);
done:
    if (st == R1_OK)
        *ret = s;
    else
        r1_scorer_close(s);
    return st;
}

void r1_scorer_close(r1_scorer *s) {
    if (!s)
        return;
    r1_free(s->ids);
    r1_free(s->pos);
    r1_free(s->out_rows);
    r1_free(s->spans);
    r1_free(s->tables);
    r1_free(s->blocks);
    r1_kv_close(&s->kv);
    r1_slab_close(&s->memory);
    r1_slab_close(&s->payload);
    r1_policy_close(&s->policy);
    r1_free(s);
}

r1_status r1_scorer_encode(const r1_scorer *s, const char *question, const char *completion,
                           r1_ids *ids, r1_err *err) {
    const r1_policy *p = &s->policy;

    ids->n = 0;
    r1_status st = r1_template_encode_answered(p->tokenizer, p->template_kind,
                                               s->system ? s->system : p->system, question,
                                               completion, ids, err);
    if (st == R1_OK && ids->n == 0)
        st = R1_FAIL(err, R1_DATA, "no tokens");
    if (st == R1_OK && ids->n > (size_t)p->model.max_len)
        st = R1_FAIL(err, R1_DATA, "%zu tokens, the reward model has %d positions", ids->n,
                     p->model.max_len);
    return st;
}

/* As many sequences as fit into a batch, at least one; returns how many. */
static int run_some(r1_scorer *s, const r1_ids *sequences, int n, float *ret) {
    size_t mark = r1_arena_mark(&s->ws);
    int rows = 0, taken = 0, blocks = 0;
    void *hidden;

    for (; taken < n && taken < s->max_sequences; taken++) {
        const r1_ids *q = &sequences[taken];
        int len = (int)q->n;
        R1_ASSERT(len > 0 && len <= s->policy.model.max_len);
        if (rows + len > s->max_rows)
            break;
        s->tables[taken] = s->blocks + blocks;
        for (int b = 0; b < blocks_of(len); b++)
            s->blocks[blocks++] = r1_kv_take(&s->kv);
        s->spans[taken] = (r1_span){.row = rows, .n = len, .pos = 0, .seq = taken};
        for (int i = 0; i < len; i++) {
            s->ids[rows] = q->ids[i];
            s->pos[rows++] = i;
        }
        s->out_rows[taken] = rows - 1;
    }
    const r1_batch b = {.n_rows = rows,
                        .ids = s->ids,
                        .pos = s->pos,
                        .n_spans = taken,
                        .spans = s->spans,
                        .tables = s->tables,
                        .n_out = taken,
                        .out_rows = s->out_rows};
    r1_forward(&s->policy.model, s->payload.base, &s->kv, &b, &s->ws, 0, &hidden, NULL);
    r1_head_scores(&s->policy.model, s->payload.base, hidden, taken, ret);
    r1_kv_reset(&s->kv);
    r1_arena_release(&s->ws, mark);
    r1_tick();
    return taken;
}

void r1_scorer_run(r1_scorer *s, const r1_ids *sequences, int n, float *ret) {
    for (int i = 0; i < n;)
        i += run_some(s, sequences + i, n - i, ret + i);
}
