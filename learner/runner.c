/* Micro-batches through the model; see runner.h. */
#include "learner/runner.h"

#include "common/base/card.h"
#include "common/base/trace.h"

/* Blocks that max_tokens rows of max_sequences sequences can touch: every sequence may leave its
 * last block partly filled, and a member of a group also its copy of the prompt's last one. */
static int max_blocks(int max_tokens, int max_sequences) {
    return max_tokens / R1_KV_BLOCK + 2 * max_sequences + 1;
}

static int tape_mode(int with_grad, int recompute) {
    return !with_grad ? 0 : recompute ? 2 : 1;
}

static size_t workspace_bytes(const r1_model *model, int max_tokens, int max_members, int with_grad,
                              int recompute) {
    int max_out = max_tokens + max_members, max_seqs = 2 * max_members;
    size_t out = (size_t)max_out;

    return r1_forward_bytes(model, max_tokens, max_out, tape_mode(with_grad, recompute)) +
           r1_head_bytes(model) + r1_pack_bytes(max_tokens, max_out, max_seqs) +
           out * (2 + (size_t)model->arch.hidden_size) * sizeof(float) + 4096;
}

size_t r1_runner_bytes(const r1_model *model, int max_tokens, int max_members, int with_grad,
                       int recompute) {
    return workspace_bytes(model, max_tokens, max_members, with_grad, recompute) +
           (size_t)max_blocks(max_tokens, 2 * max_members) *
               r1_kv_block_bytes(&model->arch, model->ops->dtype);
}

r1_status r1_runner_open(r1_runner *r, const r1_model *model, int max_tokens, int max_members,
                         int with_grad, int recompute, r1_err *err) {
    size_t bytes = workspace_bytes(model, max_tokens, max_members, with_grad, recompute);
    r1_status st;

    *r = (r1_runner){.model = model,
                     .max_tokens = max_tokens,
                     .recompute = recompute,
                     .max_out = max_tokens + max_members,
                     .max_sequences = 2 * max_members};
    R1_TRY(r1_kv_open(&r->kv, &model->arch, model->ops->dtype,
                      max_blocks(max_tokens, r->max_sequences), err));
    R1_TRY(r1_slab_open(&r->slab, bytes, "activations", err));
    r1_arena_init(&r->ws, r->slab.base, bytes);
    return R1_OK;
done:
    r1_runner_close(r);
    return st;
}

void r1_runner_close(r1_runner *r) {
    r1_kv_close(&r->kv);
    r1_slab_close(&r->slab);
    *r = (r1_runner){0};
}

/* Hand entries [first, first + n) to fn, one completion's run of tokens at a time. */
typedef struct split {
    const r1_packed *packed;
    r1_member_fn fn;
    void *ctx;
} split;

static void split_by_member(void *ctx, int first, int n, const float *logp, const float *entropy,
                            float *ret_dlogp, float *ret_dent) {
    const split *s = ctx;

    for (int i = 0, run; i < n; i += run) {
        const r1_origin *o = &s->packed->origins[first + i];
        run = 1;
        while (i + run < n && o[run].item == o->item && o[run].member == o->member)
            run++;
        s->fn(s->ctx, o->item, o->member, o->token, run, logp + i, entropy + i,
              ret_dlogp ? ret_dlogp + i : NULL, ret_dent ? ret_dent + i : NULL);
    }
}

static void check_fit(const r1_runner *r, const r1_packed *p) {
    R1_ASSERT(p->batch.n_rows <= r->max_tokens && p->batch.n_out <= r->max_out);
    R1_ASSERT(p->n_blocks <= r->kv.n_blocks);
}

void r1_runner_score(r1_runner *r, const void *payload, const r1_item *items,
                     const r1_piece *pieces, int n_pieces, float inv_t, r1_member_fn fn,
                     void *ctx) {
    size_t mark = r1_arena_mark(&r->ws);
    r1_packed p;
    void *hidden;

    r1_pack_build(items, pieces, n_pieces, &r->ws, &p);
    check_fit(r, &p);
    size_t n = (size_t)p.batch.n_out;
    float *logp = r1_arena_take(&r->ws, n * sizeof *logp);
    float *entropy = r1_arena_take(&r->ws, n * sizeof *entropy);
    r1_forward(r->model, payload, &r->kv, &p.batch, &r->ws, 0, &hidden, NULL);
    r1_head_logprobs(r->model, payload, hidden, p.batch.n_out, p.targets, inv_t, &r->ws, logp,
                     entropy);
    split s = {&p, fn, ctx};
    split_by_member(&s, 0, p.batch.n_out, logp, entropy, NULL, NULL);
    r1_tick();
    r1_arena_release(&r->ws, mark);
}

void r1_runner_grad(r1_runner *r, const void *payload, const r1_item *items, const r1_piece *pieces,
                    int n_pieces, float inv_t, r1_member_fn fn, void *ctx, float *grad) {
    size_t mark = r1_arena_mark(&r->ws);
    r1_tape *tape;
    r1_packed p;
    void *hidden;

    R1_TRACE();
    r1_pack_build(items, pieces, n_pieces, &r->ws, &p);
    check_fit(r, &p);
    size_t n = (size_t)p.batch.n_out;
    float *logp = r1_arena_take(&r->ws, n * sizeof *logp);
    float *entropy = r1_arena_take(&r->ws, n * sizeof *entropy);
    float *dhidden =
        r1_arena_take(&r->ws, n * (size_t)r->model->arch.hidden_size * sizeof *dhidden);
    split s = {&p, fn, ctx};
    r1_forward(r->model, payload, &r->kv, &p.batch, &r->ws, tape_mode(1, r->recompute), &hidden,
               &tape);
    r1_head_backward(r->model, payload, hidden, p.batch.n_out, p.targets, inv_t, split_by_member,
                     &s, &r->ws, logp, entropy, dhidden, grad);
    r1_backward(r->model, payload, &r->kv, &p.batch, tape, dhidden, &r->ws, grad);
    r1_tick();
    r1_arena_release(&r->ws, mark);
}
