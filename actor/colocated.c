/* Rollouts by all ranks in turn; see colocated.h. */
#include "actor/colocated.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/trace.h"
#include "common/wire/frames.h"

#define MESSAGES_MAX ((size_t)1 << 40)

typedef struct share {
    const r1_rollout_request *req;
    int rank, size, next;
    r1_buf *out;
    r1_progress progress;
    double done;
    int64_t tokens;
    double t0_s;
} share;

/* Group i of the request is made by rank i mod size. */
static int next_of_mine(void *ctx, uint64_t *ret_index) {
    share *s = ctx;
    int i = s->next * s->size + s->rank;

    if (i >= s->req->n_prompts)
        return 0;
    s->next++;
    R1_TRACE();
    *ret_index = s->req->first + (uint64_t)i;
    return 1;
}

static r1_status add_message(void *ctx, r1_group *g, r1_err *err) {
    share *s = ctx;
    size_t mark;
    r1_status st;

    for (int i = 0; i < g->n; i++)
        s->tokens += g->t[i].n;
    R1_TRY(r1_frame_begin(s->out, &mark, err));
    R1_TRY(r1_group_encode(g, s->out, err));
    r1_frame_end(s->out, mark);
    r1_progress_update(&s->progress, ++s->done);
done:
    r1_group_done(g);
    return st;
}

/* Everyone's messages -> groups at their places. */
static r1_status place(const r1_colocated *c, const r1_rollout_request *req, const r1_buf *all,
                       r1_group *groups, r1_err *err) {
    uint8_t *seen = NULL;
    size_t at = 0;
    int have = 0;
    r1_status st;

    R1_TRY(R1_NEW(seen, (size_t)req->n_prompts, err));
    while (at < all->len) {
        const char *data;
        r1_group g;
        size_t n;
        R1_TRY(r1_frame_next(all, &at, &data, &n, err));
        R1_TRY(r1_group_decode(data, n, &c->limits, &g, err));
        uint64_t i = g.deal - req->first;
        if ((st = r1_rollout_check(req, &g, err)) == R1_OK && seen[i])
            st = R1_FAIL(err, R1_BUG, "group %llu arrived twice", (unsigned long long)g.deal);
        if (st != R1_OK) {
            r1_group_done(&g);
            goto done;
        }
        seen[i] = 1;
        groups[i] = g;
        have++;
    }
    if (have != req->n_prompts)
        st = R1_FAIL(err, R1_BUG, "%d of %d groups arrived", have, req->n_prompts);
done:
    for (int i = 0; st != R1_OK && seen && i < req->n_prompts; i++)
        if (seen[i])
            r1_group_done(&groups[i]);
    r1_free(seen);
    return st;
}

r1_status r1_colocated_roll(void *ctx, const r1_rollout_request *request, r1_group *groups,
                            r1_err *err) {
    const r1_colocated *c = ctx;
    const r1_comm *all = &c->world->all;
    size_t *sizes = NULL;
    r1_buf mine, everyone;
    int slot;
    r1_status st;

    r1_buf_init(&mine, MESSAGES_MAX);
    r1_buf_init(&everyone, MESSAGES_MAX);
    share s = {
        .req = request, .rank = all->rank, .size = all->size, .out = &mine, .t0_s = r1_now_s()};
    int most = (request->n_prompts + all->size - 1) / all->size;
    r1_progress_start(&s.progress, request->evaluation ? "evaluation" : "rollout", most);
    R1_TRY(r1_window_enter(c->window, request->version, request->payload_hash, &slot, err));
    r1_phase_begin(c->phases, R1_PHASE_ROLLOUT);
    st = r1_actor_roll(c->actor, request, r1_window_slot(c->window, slot), next_of_mine,
                       add_message, &s, err);
    r1_phase_end(c->phases, R1_PHASE_ROLLOUT);
    r1_window_leave(c->window);
    r1_progress_finish(&s.progress);
    r1_debug("%s with weights %llu: %.0f groups, %lld tokens in %.2f s",
             request->evaluation ? "evaluation" : "rollout", (unsigned long long)request->version,
             s.done, (long long)s.tokens, r1_now_s() - s.t0_s);
    R1_TRY(r1_agree(all, st, err));
    R1_TRY(R1_NEW(sizes, (size_t)all->size, err));
    r1_phase_begin(c->phases, R1_PHASE_WAIT_ACTORS);
    st = r1_allgatherv(all, mine.data, mine.len, &everyone, sizes, "trajectories", err);
    r1_phase_end(c->phases, R1_PHASE_WAIT_ACTORS);
    if (st == R1_OK)
        st = place(c, request, &everyone, groups, err);
done:
    r1_free(sizes);
    r1_buf_done(&mine);
    r1_buf_done(&everyone);
    return st;
}
