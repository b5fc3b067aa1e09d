/* Opening, publishing and checksums of the learner's engine; see trainer.h. */
#include "learner/trainer.h"

#include "common/base/hash.h"
#include "common/base/trace.h"
#include "common/comm/mailbox.h"
#include "common/comm/spread.h"

#include <string.h>

static int learner_rank(const r1_trainer_options *o) {
    return o->world->learners.rank;
}

static int learner_count(const r1_trainer_options *o) {
    return o->world->learners.size;
}

static size_t shard_floats(const r1_layout *l, int count, int index) {
    return r1_shard_bytes(l, count, index) / 3 / sizeof(float);
}

static size_t buffer_floats(const r1_trainer_options *o, int count, int index, int *ret_buffers) {
    const r1_layout *l = &o->model->layout;
    int lo, hi;

    r1_leaf_range(o->virtual_learners, count, index, &lo, &hi);
    *ret_buffers = r1_leaf_buffers(hi - lo);
    return (size_t)(*ret_buffers - 1) * r1_align_up(l->n_params, 16) +
           r1_align_up(shard_floats(l, count, index), 16);
}

size_t r1_trainer_bytes(const r1_trainer_options *o, int learners, int rank) {
    int n;

    return r1_shard_bytes(&o->model->layout, learners, rank) +
           buffer_floats(o, learners, rank, &n) * sizeof(float) +
           r1_reducer_bytes(o->world->node_of, learners, rank, o->model->ops->threads) +
           r1_runner_bytes(o->model, o->max_tokens, o->max_members, 1, o->recompute);
}

/* Who shares what: segments of this node's learners, shards of all. */
static r1_status map_learners(r1_trainer *t, r1_err *err) {
    const r1_world *w = t->o.world;
    const r1_layout *l = &t->o.model->layout;
    int count = w->learners.size;
    uint32_t cut[R1_MAX_SHARDS + 1];
    r1_status st;

    R1_TRY(R1_NEW(t->segments, (size_t)count, err));
    R1_TRY(R1_NEW(t->first, (size_t)count + 1, err));
    r1_layout_cut(l, count, cut);
    for (int r = 0; r < count; r++) {
        t->first[r] = r1_layout_first(l, cut[r]);
        if (w->node_of[r] == w->node_id)
            t->segments[r] = t->o.window->segments[r1_world_node_rank(w, r)];
    }
    t->first[count] = l->n_params;
done:
    return st;
}

r1_status r1_trainer_open(r1_trainer *t, const r1_trainer_options *o, r1_err *err) {
    const r1_layout *l = &o->model->layout;
    int rank = learner_rank(o), count = learner_count(o);
    size_t floats, n = r1_align_up(l->n_params, 16);
    r1_status st;

    *t = (r1_trainer){.o = *o, .ops = o->model->ops};
    r1_leaf_range(o->virtual_learners, count, rank, &t->leaf_lo, &t->leaf_hi);
    R1_TRY(r1_shard_open(&t->shard, l, count, rank, err));
    R1_TRY(
        r1_runner_open(&t->runner, o->model, o->max_tokens, o->max_members, 1, o->recompute, err));
    floats = buffer_floats(o, count, rank, &t->n_leaf_buffers);
    R1_TRY(r1_slab_open(&t->buffers, floats * sizeof(float), "gradients", err));
    float *at = (float *)(void *)t->buffers.base;
    t->leaf_buffers[0] = o->window->segments[o->world->node.rank];
    for (int i = 1; i < t->n_leaf_buffers; i++, at += n)
        t->leaf_buffers[i] = at;
    t->grad = at;
    R1_TRY(map_learners(t, err));
    r1_reducer_options r = {o->world, t->segments, t->first, t->ops->threads};
    R1_TRY(r1_reducer_open(&t->reducer, &r, err));
    R1_TRY(R1_NEW(t->partials, l->n_units, err));
    R1_TRY(R1_NEW(t->hashes, l->n_units, err));
    return R1_OK;
done:
    r1_trainer_close(t);
    return st;
}

void r1_trainer_close(r1_trainer *t) {
    r1_runner_close(&t->runner);
    r1_shard_close(&t->shard);
    r1_slab_close(&t->buffers);
    r1_reducer_close(t->reducer);
    r1_free(t->segments);
    r1_free(t->first);
    r1_free(t->partials);
    r1_free(t->hashes);
    *t = (r1_trainer){0};
}

const void *r1_trainer_payload(const r1_trainer *t) {
    return r1_window_slot(t->o.window, t->slot);
}

const void *r1_trainer_reference(const r1_trainer *t) {
    return r1_window_slot(t->o.window, R1_SLOT_REFERENCE);
}

/* Units' values of 8 bytes each, known to their owners, to everyone. */
static r1_status share_units(r1_trainer *t, uint64_t *values, const char *what, r1_err *err) {
    const r1_layout *l = &t->o.model->layout;
    uint32_t cut[R1_MAX_SHARDS + 1];
    r1_status st = R1_OK;

    r1_layout_cut(l, learner_count(&t->o), cut);
    for (int r = 0; r < learner_count(&t->o) && st == R1_OK && learner_count(&t->o) > 1; r++)
        st = r1_bcast(&t->o.world->learners, values + cut[r],
                      (cut[r + 1] - cut[r]) * sizeof *values, r, what, err);
    return st;
}

/* ---- weights ---- */

/* Learners [rank, end) sit on one node: their units as bytes of the payload. */
static size_t node_range(const r1_trainer *t, int rank, int *ret_end, size_t *ret_first) {
    const r1_world *w = t->o.world;
    const r1_layout *l = &t->o.model->layout;
    uint32_t cut[R1_MAX_SHARDS + 1];
    int end = rank;

    r1_layout_cut(l, w->learners.size, cut);
    while (end < w->learners.size && w->node_of[end] == w->node_of[rank])
        end++;
    *ret_end = end;
    *ret_first = r1_layout_payload_first(l, cut[rank]);
    return r1_layout_payload_first(l, cut[end]) - *ret_first;
}

r1_status r1_trainer_pack(r1_trainer *t, r1_err *err) {
    const r1_world *w = t->o.world;
    uint8_t *slot = r1_window_slot(t->o.window, t->slot);
    r1_status st;

    r1_layout_pack(&t->o.model->layout, t->ops, t->shard.w, t->shard.u0, t->shard.u1, slot);
    R1_TRY(r1_barrier(&w->learners, "packed weights", err));
    if (w->n_learner_nodes == 1)
        return R1_OK;
    for (int rank = 0, end; rank < w->learners.size && w->node.rank == 0; rank = end) {
        size_t first, n = node_range(t, rank, &end, &first);
        R1_TRY(r1_spread(w, w->node_of[rank], 0, w->n_learner_nodes, slot + first, n,
                         "weights of other learners", err));
    }
    st = r1_barrier(&w->learners, "weights of other learners", err);
done:
    return st;
}

/* Nodes without learners get the published version from learner 0. */
static r1_status send_to_actors(r1_trainer *t, r1_err *err) {
    const r1_world *w = t->o.world;
    uint64_t message[2] = {t->version, t->payload_hash};
    r1_status st = R1_OK;

    if (w->all.rank != 0 || w->n_learner_nodes == w->n_nodes)
        return R1_OK;
    for (int node = w->n_learner_nodes; node < w->n_nodes; node++)
        R1_TRY(r1_mail_send(&w->all, r1_world_first_rank(w, node), R1_MAIL_WEIGHTS, message,
                            sizeof message, "announcing weights", err));
    st = r1_spread(w, 0, w->n_learner_nodes, w->n_nodes, r1_window_slot(t->o.window, t->slot),
                   t->o.model->layout.payload_bytes, "weights to actors", err);
done:
    return st;
}

static r1_status publish(r1_trainer *t, uint64_t version, r1_err *err) {
    const r1_layout *l = &t->o.model->layout;
    r1_status st;

    r1_phase_begin(t->o.phases, R1_PHASE_WEIGHT_SYNC);
    t->version = version;
    r1_layout_hash_payload(l, t->ops, r1_window_slot(t->o.window, t->slot), t->shard.u0,
                           t->shard.u1, t->hashes + t->shard.u0);
    R1_TRY(share_units(t, t->hashes, "hash of the weights", err));
    t->payload_hash = r1_hash64(t->hashes, l->n_units * sizeof *t->hashes);
    if (t->o.world->node.rank == 0)
        r1_window_publish(t->o.window, t->slot, t->version, t->payload_hash);
    R1_TRY(send_to_actors(t, err));
    st = r1_barrier(&t->o.world->learners, "published weights", err);
done:
    r1_phase_end(t->o.phases, R1_PHASE_WEIGHT_SYNC);
    return st;
}

r1_status r1_trainer_start(r1_trainer *t, uint64_t version, r1_err *err) {
    uint64_t unused, hash;
    r1_status st;

    t->slot = 1 - r1_window_current(t->o.window, &unused, &hash);
    R1_TRY(r1_window_wait_unread(t->o.window, t->slot, err));
    R1_TRY(r1_trainer_pack(t, err));
    st = publish(t, version, err);
done:
    return st;
}

r1_status r1_trainer_publish(r1_trainer *t, r1_err *err) {
    R1_TRACE();
    return publish(t, t->version + 1, err);
}

/* The learners of a node copy a share each of what all learners have packed. */
r1_status r1_trainer_set_reference(r1_trainer *t, r1_err *err) {
    const r1_world *w = t->o.world;
    size_t bytes = t->o.model->layout.payload_bytes, each, first;
    int rank = w->node.rank, here = 0;

    for (int r = 0; r < w->learners.size; r++)
        here += w->node_of[r] == w->node_id;
    R1_ASSERT(here > 0);
    each = r1_align_up((bytes + (size_t)here - 1) / (size_t)here, 4096);
    first = each * (size_t)rank < bytes ? each * (size_t)rank : bytes;
    memcpy((uint8_t *)r1_window_slot(t->o.window, R1_SLOT_REFERENCE) + first,
           (const uint8_t *)r1_trainer_payload(t) + first,
           bytes - first < each ? bytes - first : each);
    return r1_barrier(&w->learners, "reference policy", err);
}

/* ---- checksums ---- */

static r1_status checksum(r1_trainer *t, const float *w, uint64_t *ret, r1_err *err) {
    const r1_layout *l = &t->o.model->layout;
    r1_status st;

    r1_layout_hash(l, t->ops, w, t->shard.u0, t->shard.u1, t->hashes + t->shard.u0);
    if ((st = share_units(t, t->hashes, "checksum", err)) == R1_OK)
        *ret = r1_hash64(t->hashes, l->n_units * sizeof *t->hashes);
    return st;
}

r1_status r1_trainer_checksum(r1_trainer *t, uint64_t *ret_weights, uint64_t *ret_optimizer,
                              r1_err *err) {
    uint64_t moments[2];
    r1_status st = R1_OK;

    if (ret_weights)
        R1_TRY(checksum(t, t->shard.w, ret_weights, err));
    if (ret_optimizer) {
        R1_TRY(checksum(t, t->shard.m, &moments[0], err));
        R1_TRY(checksum(t, t->shard.v, &moments[1], err));
        *ret_optimizer = r1_hash64(moments, sizeof moments);
    }
done:
    return st;
}

void r1_trainer_score(r1_trainer *t, const void *payload, const r1_item *items, int n_items,
                      float inv_t, r1_member_fn fn, void *ctx) {
    int rank = learner_rank(&t->o), count = learner_count(&t->o);

    for (int i = rank; i < n_items; i += count) {
        r1_piece pieces[1];
        int order[1] = {i}, pos = 0, member = 0, n;
        while ((n = r1_pack_next(items, order, 1, t->o.max_tokens, &pos, &member, pieces, 1)) > 0)
            r1_runner_score(&t->runner, payload, items, pieces, n, inv_t, fn, ctx);
    }
}
