/* One optimizer update over all learners; see trainer.h. */
#include "learner/trainer.h"

#include "common/base/clock.h"
#include "common/base/trace.h"

#include <math.h>
#include <string.h>

static void add_threaded(const void *ctx, float *y, const float *x, size_t n) {
    const r1_ops *ops = ctx;
    ops->add(ops, y, x, n);
}

/* The gradient of one leaf: its items in order of position, micro-batch by micro-batch. */
static int run_leaf(r1_trainer *t, const r1_update_spec *u, int leaf, int *order, float *grad) {
    r1_piece pieces[R1_CUT_PIECES];
    int n_order = r1_cut_leaf(u->skip, u->n_items, t->o.virtual_learners, leaf, order);
    int pos = 0, member = 0, n;

    while ((n = r1_pack_next(u->items, order, n_order, u->max_tokens, &pos, &member, pieces,
                             R1_CUT_PIECES)) > 0)
        r1_runner_grad(&t->runner, r1_trainer_payload(t), u->items, pieces, n, u->inv_t, u->fn,
                       u->ctx, grad);
    return n_order > 0;
}

/* This learner's subtree, into its shared segment. */
static r1_status run_leaves(r1_trainer *t, const r1_update_spec *u, int *ret_present,
                            r1_cut *ret_cut, r1_err *err) {
    r1_leaf_stack stack;
    int *order;
    r1_status st;

    if ((st = R1_NEW(order, (size_t)u->n_items, err)) != R1_OK)
        return st;
    r1_leaf_stack_init(&stack, t->leaf_buffers, t->n_leaf_buffers, t->o.model->layout.n_params,
                       add_threaded, t->ops);
    for (int leaf = t->leaf_lo; leaf < t->leaf_hi; leaf++) {
        float *grad = r1_leaf_begin(&stack);
        r1_leaf_end(&stack, run_leaf(t, u, leaf, order, grad));
    }
    *ret_present = r1_leaf_stack_finish(&stack);
    r1_cut_measure(u->items, u->skip, u->n_items, t->o.virtual_learners, u->max_tokens, order,
                   ret_cut);
    r1_free(order);
    return R1_OK;
}

/* Norm of the whole gradient: one partial a unit, added in unit order by everyone. */
static r1_status global_norm(r1_trainer *t, double *ret, r1_err *err) {
    const r1_layout *l = &t->o.model->layout;
    const r1_comm *c = &t->o.world->learners;
    uint32_t cut[R1_MAX_SHARDS + 1];
    double sum = 0;
    r1_status st = R1_OK;

    r1_shard_sumsq(&t->shard, t->ops, t->grad, t->partials + t->shard.u0);
    r1_layout_cut(l, c->size, cut);
    for (int r = 0; r < c->size && st == R1_OK && c->size > 1; r++)
        st = r1_bcast(c, t->partials + cut[r], (cut[r + 1] - cut[r]) * sizeof *t->partials, r,
                      "gradient norm", err);
    for (uint32_t i = 0; i < l->n_units; i++)
        sum += t->partials[i];
    *ret = sqrt(sum);
    return st;
}

/* Everyone gets the statistics of every item from the learner that saw it. */
static r1_status share_stats(r1_trainer *t, const r1_update_spec *u, r1_err *err) {
    const r1_comm *c = &t->o.world->learners;
    size_t width = (size_t)u->n_stats, n = (size_t)u->n_items * width;
    double *all = NULL;
    r1_status st;

    if (c->size == 1 || n == 0)
        return R1_OK;
    R1_TRY(R1_NEW(all, n * (size_t)c->size, err));
    R1_TRY(r1_allgather(c, u->stats, n * sizeof *all, all, "loss statistics", err));
    for (int r = 0; r < c->size; r++) {
        int lo, hi;
        r1_leaf_range(t->o.virtual_learners, c->size, r, &lo, &hi);
        for (int p = 0; p < u->n_items; p++) {
            int leaf = r1_leaf_of((uint64_t)p, t->o.virtual_learners);
            if (leaf >= lo && leaf < hi)
                memcpy(u->stats + (size_t)p * width, all + (size_t)r * n + (size_t)p * width,
                       width * sizeof *all);
        }
    }
done:
    r1_free(all);
    return st;
}

static r1_adamw adamw_params(r1_trainer *t, const r1_update_spec *u, double norm) {
    double scale = u->grad_clip > 0 ? u->grad_clip / (norm + 1e-6) : 1.0;
    double n = (double)t->adam_t;

    return (r1_adamw){.lr = (float)u->lr,
                      .beta1 = (float)u->beta1,
                      .beta2 = (float)u->beta2,
                      .eps = (float)u->eps,
                      .weight_decay = (float)u->weight_decay,
                      .bias1 = (float)(1.0 - pow(u->beta1, n)),
                      .bias2 = (float)(1.0 - pow(u->beta2, n)),
                      .grad_scale = (float)(scale < 1.0 ? scale : 1.0)};
}

/* The slot to write: a published one is left to its readers, an open one is written in place. */
static r1_status open_slot(r1_trainer *t, r1_err *err) {
    uint64_t version, hash;

    if (t->slot != r1_window_current(t->o.window, &version, &hash))
        return R1_OK;
    r1_status st = r1_window_wait_unread(t->o.window, 1 - t->slot, err);
    if (st == R1_OK)
        t->slot = 1 - t->slot;
    return st;
}

/* The sum over all learners for this one's elements, its norm, and everyone's statistics. */
static r1_status reduce(r1_trainer *t, const r1_update_spec *u, int present, double *ret_norm,
                        r1_err *err) {
    r1_status st;

    R1_TRY(r1_reducer_run(t->reducer, present, t->grad, err));
    R1_TRY(global_norm(t, ret_norm, err));
    st = share_stats(t, u, err);
done:
    return st;
}

static r1_status optimize(r1_trainer *t, const r1_update_spec *u, double norm, r1_err *err) {
    r1_status st;

    t->adam_t++;
    r1_adamw p = adamw_params(t, u, norm);
    r1_shard_step(&t->shard, t->ops, t->grad, &p);
    R1_TRY(open_slot(t, err));
    st = r1_trainer_pack(t, err);
done:
    return st;
}

r1_status r1_trainer_update(r1_trainer *t, const r1_update_spec *u, r1_update_result *ret,
                            r1_err *err) {
    const r1_comm *c = &t->o.world->learners;
    double t0 = r1_now_s();
    int present;
    r1_status st;

    R1_TRACE();
    *ret = (r1_update_result){0};
    r1_phase_begin(t->o.phases, R1_PHASE_BACKWARD);
    st = run_leaves(t, u, &present, &ret->cut, err);
    r1_phase_end(t->o.phases, R1_PHASE_BACKWARD);
    if (st != R1_OK)
        return st;
    ret->forward_backward_s = r1_now_s() - t0;
    t0 = r1_now_s();
    r1_phase_begin(t->o.phases, R1_PHASE_REDUCE);
    st = reduce(t, u, present, &ret->grad_norm, err);
    r1_phase_end(t->o.phases, R1_PHASE_REDUCE);
    if (st != R1_OK)
        return st;
    ret->reduce_s = r1_now_s() - t0;
    ret->finite = isfinite(ret->grad_norm);
    if (!ret->finite)
        return r1_barrier(c, "after a non-finite gradient", err);
    t0 = r1_now_s();
    r1_phase_begin(t->o.phases, R1_PHASE_OPTIMIZER);
    st = optimize(t, u, ret->grad_norm, err);
    r1_phase_end(t->o.phases, R1_PHASE_OPTIMIZER);
    ret->optimizer_s = r1_now_s() - t0;
    return st;
}
