/* A model that is ready to generate; see loaded.h. */
#include "actor/loaded.h"

#include "common/base/card.h"
#include "common/base/cpu.h"
#include "common/base/log.h"
#include "common/comm/collect.h"

#include <math.h>
#include <string.h>

#define ROWS_MAX ((size_t)1 << 40)

#define BLOCKS_MAX (1 << 30)

/* Units whose fp32 weights are in memory at once while they are packed. */
#define UNITS_AT_ONCE 512

static r1_status pack_units(r1_loaded *l, uint32_t u0, uint32_t u1, r1_err *err) {
    const r1_layout *y = &l->policy.model.layout;
    float *w = NULL;
    r1_progress progress;
    r1_status st = R1_OK;

    r1_progress_start(&progress, "loading weights", u1 - u0);
    for (uint32_t u = u0; u < u1; u += UNITS_AT_ONCE) {
        uint32_t end = u + UNITS_AT_ONCE < u1 ? u + UNITS_AT_ONCE : u1;
        size_t last = end < y->n_units ? y->units[end].offset : y->n_params;
        R1_TRY(R1_NEW(w, last - y->units[u].offset, err));
        R1_TRY(r1_policy_weights(&l->policy, u, end, w, err));
        r1_layout_pack(y, l->policy.ops, w, u, end, r1_window_slot(&l->window, 0));
        r1_free(w);
        w = NULL;
        r1_progress_update(&progress, end - u0);
    }
done:
    r1_progress_finish(&progress);
    r1_free(w);
    return st;
}

/* The ranks of a node pack a share each. */
static r1_status load_weights(r1_loaded *l, r1_err *err) {
    const r1_layout *y = &l->policy.model.layout;
    const r1_comm *node = &l->world->node;
    uint32_t *cut = NULL;
    r1_status st;

    R1_TRY(r1_window_open(&l->window, l->world, y->payload_bytes, 1, 0, err));
    R1_TRY(R1_NEW(cut, (size_t)node->size + 1, err));
    r1_layout_cut(y, node->size, cut);
    st = r1_agree(node, pack_units(l, cut[node->rank], cut[node->rank + 1], err), err);
done:
    r1_free(cut);
    return st;
}

static const char *piece_of(void *ctx, int32_t id, size_t *ret_len) {
    return r1_tokenizer_piece(ctx, id, 0, ret_len);
}

/* As many samples at once as asked for, within half of the free memory; one sample of the longest
 * request has room in any case. */
static r1_status open_engine(r1_loaded *l, const r1_loaded_options *o, int longest, r1_err *err) {
    double block = (double)r1_kv_block_bytes(&l->policy.arch, l->policy.ops->dtype);
    double room = r1_memory_available() / 2 / l->world->node.size / block;
    int each = longest / R1_KV_BLOCK + 2;
    double want = fmin((double)o->max_sequences * each, BLOCKS_MAX);
    r1_engine_options e = {.model = &l->policy.model,
                           .max_sequences = o->max_sequences,
                           .n_blocks = (int)(want < room   ? want
                                             : room > each ? room
                                                           : each),
                           .prefill_rows = 512,
                           .piece = piece_of,
                           .piece_ctx = l->policy.tokenizer,
                           .on_token = o->on_token,
                           .on_token_ctx = o->on_token_ctx};

    return r1_engine_open(&l->engine, &e, err);
}

r1_status r1_loaded_open(r1_loaded *l, r1_world *world, const r1_loaded_options *o, r1_err *err) {
    r1_policy_options p = o->policy;
    r1_status st;

    *l = (r1_loaded){.world = world, .max_sequences = o->max_sequences, .quiet = o->quiet};
    if (p.threads <= 0)
        p.threads = world->node_cores > world->node.size ? world->node_cores / world->node.size : 1;
    r1_threads_pin(world->node.rank, world->node.size, p.threads);
    R1_TRY(r1_agree(&world->all, r1_policy_open_model(&l->policy, &p, err), err));
    R1_TRY(r1_agree_text(world, l->policy.ops->path, "the numeric path", err));
    st = r1_agree(&world->all, load_weights(l, err), err);
done:
    if (st != R1_OK)
        r1_loaded_close(l);
    return st;
}

r1_status r1_loaded_start(r1_loaded *l, const r1_loaded_options *o, const r1_request *requests,
                          uint64_t n, r1_err *err) {
    int longest = 1;

    for (uint64_t i = 0; i < n; i++) {
        int len = requests[i].prompt_len + requests[i].sampling.max_new_tokens;
        longest = len > longest ? len : longest;
    }
    return r1_agree(&l->world->all, open_engine(l, o, longest, err), err);
}

void r1_loaded_close(r1_loaded *l) {
    r1_engine_close(l->engine);
    if (l->window.win)
        r1_window_close(&l->window);
    r1_policy_close(&l->policy);
    *l = (r1_loaded){0};
}

int r1_loaded_stop_ids(const r1_loaded *l, int32_t ids[R1_MAX_STOP_IDS]) {
    int n = r1_tokenizer_eos(l->policy.tokenizer, ids, R1_MAX_STOP_IDS);

    for (int i = 0; i < l->policy.arch.n_eos && n < R1_MAX_STOP_IDS; i++) {
        int known = 0;
        for (int j = 0; j < n; j++)
            known |= ids[j] == l->policy.arch.eos_ids[i];
        if (!known)
            ids[n++] = l->policy.arch.eos_ids[i];
    }
    return n;
}

/* ---- rows ---- */

typedef struct rows {
    r1_loaded *l;
    r1_row_fn row;
    r1_take_fn take;
    void *ctx;
    uint64_t n, next; /* next: first row that was not taken yet (alone) */
    r1_buf *done;     /* [n] bytes of finished rows */
    uint8_t *have;
    r1_buf out; /* under mpirun: row, length, bytes */
} rows;

static r1_status finish_row(rows *r, const r1_finished *f, r1_err *err) {
    int alone = r->l->world->all.size == 1;
    uint64_t head[2] = {f->tag, 0};
    size_t at = r->out.len;
    r1_status st = R1_OK;

    if (alone) {
        R1_TRY(r->row(r->ctx, f, &r->done[f->tag], err));
        r->have[f->tag] = 1;
        for (; r->next < r->n && r->have[r->next]; r->next++) {
            R1_TRY(r->take(r->ctx, r->next, r->done[r->next].data, r->done[r->next].len, err));
            r1_buf_done(&r->done[r->next]);
        }
        return R1_OK;
    }
    R1_TRY(r1_buf_add(&r->out, head, sizeof head, err));
    R1_TRY(r->row(r->ctx, f, &r->out, err));
    head[1] = r->out.len - at - sizeof head;
    memcpy(r->out.data + at, head, sizeof head);
done:
    return st;
}

static r1_status generate_mine(rows *r, const r1_request *requests, r1_err *err) {
    const r1_comm *all = &r->l->world->all;
    const void *payload = r1_window_slot(&r->l->window, 0);
    uint64_t i = (uint64_t)all->rank, step = (uint64_t)all->size;
    uint64_t mine = r->n > i ? (r->n - i + step - 1) / step : 0, finished = 0;
    r1_progress progress;
    r1_status st = R1_OK;

    r1_progress_start(&progress, "prompts", (double)mine);

    while (st == R1_OK && (i < r->n || r1_engine_pending(r->l->engine) > 0)) {
        for (; st == R1_OK && i < r->n && r1_engine_pending(r->l->engine) < r->l->max_sequences;
             i += step) {
            r1_request q = requests[i];
            q.tag = i;
            st = r1_engine_submit(r->l->engine, &q, err);
        }
        if (st == R1_OK && r1_engine_pending(r->l->engine) > 0)
            st = r1_engine_step(r->l->engine, payload, err);
        r1_tick();
        for (r1_finished *f; st == R1_OK && (f = r1_engine_poll(r->l->engine));) {
            st = finish_row(r, f, err);
            r1_finished_free(f);
            finished++;
        }
        if (!r->l->quiet)
            r1_progress_update(&progress, (double)finished);
    }
    r1_progress_finish(&progress);
    return st;
}

/* All ranks' rows, handed over in order. */
static r1_status take_all(rows *r, const r1_buf *all, r1_err *err) {
    const char **where = NULL;
    size_t *len = NULL;
    r1_status st;

    R1_TRY(R1_NEW(where, r->n, err));
    R1_TRY(R1_NEW(len, r->n, err));
    for (size_t at = 0; at < all->len;) {
        uint64_t head[2];
        memcpy(head, all->data + at, sizeof head);
        at += sizeof head;
        where[head[0]] = all->data + at;
        len[head[0]] = head[1];
        at += head[1];
    }
    for (uint64_t i = 0; i < r->n; i++)
        R1_TRY(r->take(r->ctx, i, where[i], len[i], err));
done:
    r1_free(where);
    r1_free(len);
    return st;
}

r1_status r1_loaded_run(r1_loaded *l, const r1_request *requests, uint64_t n, r1_row_fn row,
                        r1_take_fn take, void *ctx, r1_err *err) {
    const r1_comm *c = &l->world->all;
    rows r = {.l = l, .row = row, .take = take, .ctx = ctx, .n = n};
    size_t *sizes = NULL;
    r1_buf all;
    r1_status st;

    r1_buf_init(&r.out, ROWS_MAX);
    r1_buf_init(&all, ROWS_MAX);
    R1_TRY(R1_NEW(r.done, n, err));
    R1_TRY(R1_NEW(r.have, n, err));
    for (uint64_t i = 0; i < n; i++)
        r1_buf_init(&r.done[i], ROWS_MAX);
    R1_TRY(r1_agree(c, generate_mine(&r, requests, err), err));
    if (c->size > 1) {
        R1_TRY(R1_NEW(sizes, (size_t)c->size, err));
        R1_TRY(r1_allgatherv(c, r.out.data, r.out.len, &all, sizes, "generated rows", err));
        if (c->rank == 0)
            st = take_all(&r, &all, err);
        st = r1_agree(c, st, err);
    }
done:
    for (uint64_t i = 0; r.done && i < n; i++)
        r1_buf_done(&r.done[i]);
    r1_free(r.done);
    r1_free(r.have);
    r1_free(sizes);
    r1_buf_done(&r.out);
    r1_buf_done(&all);
    return st;
}
