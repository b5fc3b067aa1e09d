/* Dealing prompts to actor ranks and taking their groups; see remote.h. */
#include "learner/remote.h"

#include "common/base/log.h"
#include "common/base/trace.h"

#include <string.h>

#define MESSAGE_MAX ((size_t)1 << 31)

typedef struct dealing {
    r1_remote *r;
    const r1_rollout_request *req;
    int actors, dealt, have, busy; /* busy: actors that have not said DONE */
    r1_buf in, all;                /* all: length and message of every group, for the others */
    r1_group *groups;
    uint8_t *seen;
    r1_progress progress;
} dealing;

/* Guided shares: half of an even share of what is left, so that the last ones are small. */
static r1_status deal(dealing *d, int actor, r1_err *err) {
    int left = d->req->n_prompts - d->dealt;
    int n = left / (2 * d->actors);
    uint64_t message[2] = {d->req->first + (uint64_t)d->dealt, 0};

    R1_TRACE();
    n = n < 1 ? left > 0 : n;
    message[1] = (uint64_t)n;
    d->dealt += n;
    return r1_mail_send(&d->r->world->all, actor, R1_MAIL_DEAL, message, sizeof message,
                        "dealing prompts", err);
}

static r1_status take(dealing *d, const void *data, size_t n, r1_err *err) {
    r1_group g;
    r1_status st = r1_group_decode(data, n, &d->r->limits, &g, err);

    if (st != R1_OK) {
        d->r->refused++;
        return st;
    }
    uint64_t i = g.deal - d->req->first;
    if (i >= (uint64_t)d->req->n_prompts || d->seen[i] || g.version != d->req->version) {
        st = R1_FAIL(err, R1_BUG, "group %llu arrived twice or was not asked for",
                     (unsigned long long)g.deal);
        r1_group_done(&g);
        return st;
    }
    d->seen[i] = 1;
    d->groups[i] = g;
    d->have++;
    return R1_OK;
}

static r1_status keep_message(dealing *d, r1_err *err) {
    uint64_t n = d->in.len;
    r1_status st;

    if (d->r->world->learners.size == 1)
        return R1_OK;
    R1_TRY(r1_buf_add(&d->all, &n, sizeof n, err));
    st = r1_buf_add(&d->all, d->in.data, d->in.len, err);
done:
    return st;
}

static r1_status one_message(dealing *d, r1_err *err) {
    r1_mail_kind kind;
    int from;
    r1_status st;

    R1_TRY(r1_mail_receive(&d->r->world->all, -1, &d->in, &from, &kind, "trajectories", err));
    switch (kind) {
    case R1_MAIL_PULL:
        return deal(d, from, err);
    case R1_MAIL_GROUP:
        R1_TRY(take(d, d->in.data, d->in.len, err));
        return keep_message(d, err);
    case R1_MAIL_DONE:
        d->busy--;
        return R1_OK;
    default:
        return R1_FAIL(err, R1_BUG, "a message of kind %d from actor %d", (int)kind, from);
    }
done:
    return st;
}

static r1_status collect(dealing *d, r1_err *err) {
    const r1_world *w = d->r->world;
    r1_status st = R1_OK;

    for (int a = w->learners.size; a < w->all.size; a++)
        R1_TRY(r1_mail_send(&w->all, a, R1_MAIL_REQUEST, d->req, sizeof *d->req,
                            "sending a request", err));
    d->busy = d->actors;
    r1_progress_start(&d->progress, d->req->evaluation ? "evaluation" : "rollout",
                      (double)d->req->n_prompts);
    while (d->busy > 0) {
        R1_TRY(one_message(d, err));
        r1_progress_update(&d->progress, d->have);
    }
    r1_progress_finish(&d->progress);
    if (d->have != d->req->n_prompts)
        st = R1_FAIL(err, R1_BUG, "%d of %d groups arrived", d->have, d->req->n_prompts);
done:
    return st;
}

/* The other learners read the same messages. */
static r1_status share(dealing *d, r1_err *err) {
    const r1_comm *c = &d->r->world->learners;
    uint64_t n = d->all.len;
    size_t at = 0;
    r1_status st = R1_OK;

    if (c->size == 1)
        return R1_OK;
    R1_TRY(r1_bcast(c, &n, sizeof n, 0, "size of the trajectories", err));
    if (c->rank != 0)
        R1_TRY(r1_buf_extend(&d->all, n, err));
    R1_TRY(r1_bcast(c, d->all.data, n, 0, "trajectories", err));
    while (c->rank != 0 && at < n) {
        uint64_t len;
        memcpy(&len, d->all.data + at, sizeof len);
        R1_TRY(take(d, d->all.data + at + sizeof len, len, err));
        at += sizeof len + len;
    }
done:
    return st;
}

r1_status r1_remote_roll(void *ctx, const r1_rollout_request *request, r1_group *groups,
                         r1_err *err) {
    r1_remote *r = ctx;
    dealing d = {.r = r,
                 .req = request,
                 .groups = groups,
                 .actors = r->world->all.size - r->world->learners.size};
    r1_status st;

    r1_buf_init(&d.in, MESSAGE_MAX);
    r1_buf_init(&d.all, (size_t)1 << 40);
    R1_TRY(R1_NEW(d.seen, (size_t)request->n_prompts, err));
    r1_phase_begin(r->phases, R1_PHASE_WAIT_ACTORS);
    if (r->world->learners.rank == 0)
        st = collect(&d, err);
    if (st == R1_OK)
        st = share(&d, err);
    r1_phase_end(r->phases, R1_PHASE_WAIT_ACTORS);
done:
    for (int i = 0; st != R1_OK && d.seen && i < request->n_prompts; i++)
        if (d.seen[i])
            r1_group_done(&groups[i]);
    r1_free(d.seen);
    r1_buf_done(&d.in);
    r1_buf_done(&d.all);
    return st;
}

r1_status r1_remote_dismiss(const r1_remote *r, r1_err *err) {
    r1_status st = R1_OK;

    for (int a = r->world->learners.size; a < r->world->all.size && st == R1_OK; a++)
        st = r1_mail_send(&r->world->all, a, R1_MAIL_REQUEST, NULL, 0, "dismissing actors", err);
    return st;
}
