/* Dealing prompts to actor ranks and taking their groups; see remote.h. */
#include "learner/remote.h"

#include "common/base/log.h"
#include "common/base/trace.h"
#include "common/wire/frames.h"

#define MESSAGE_MAX ((size_t)1 << 31)

/* A message that is refused costs a round for the groups that are missing then. */
#define MAX_ROUNDS 4

typedef struct dealing {
    r1_remote *r;
    const r1_rollout_request *req;
    int actors, have, busy; /* busy: actors that have not said DONE */
    int next, left;         /* of this round: first index that may be dealt, how many are to be */
    uint8_t *spoilt;        /* [world size] 1: sent something malformed */
    r1_buf in, all;         /* all: every group's message, for the other learners */
    r1_group *groups;
    uint8_t *seen;
    r1_progress progress;
} dealing;

/* Guided shares of what nobody has made yet: half of an even share of what is left, so that the
 * last ones are small. */
static r1_status deal(dealing *d, int actor, r1_err *err) {
    int n = d->left / (2 * d->actors), first, run = 0;
    uint64_t message[2];

    R1_TRACE();
    n = n < 1 ? d->left > 0 : n;
    while (d->next < d->req->n_prompts && d->seen[d->next])
        d->next++;
    first = d->next;
    while (run < n && first + run < d->req->n_prompts && !d->seen[first + run])
        run++;
    d->next += run;
    d->left -= run;
    message[0] = d->req->first + (uint64_t)first;
    message[1] = (uint64_t)run;
    return r1_mail_send(&d->r->world->all, actor, R1_MAIL_DEAL, message, sizeof message,
                        "dealing prompts", err);
}

/* R1_DATA: the message is malformed, or no answer to the request. */
static r1_status take(dealing *d, const void *data, size_t n, r1_err *err) {
    r1_group g;
    r1_status st = r1_group_decode(data, n, &d->r->limits, &g, err);

    if (st != R1_OK)
        return st;
    uint64_t i = g.deal - d->req->first;
    if ((st = r1_rollout_check(d->req, &g, err)) == R1_OK && d->seen[i])
        st = R1_FAIL(err, R1_DATA, "group %llu arrived twice", (unsigned long long)g.deal);
    if (st != R1_OK) {
        r1_group_done(&g);
        return st;
    }
    d->seen[i] = 1;
    d->groups[i] = g;
    d->have++;
    return R1_OK;
}

/* A good group is kept for the others too; a bad message is counted, and its group made again. */
static r1_status take_or_refuse(dealing *d, int from, r1_err *err) {
    r1_err why;
    r1_status st = take(d, d->in.data, d->in.len, &why);

    if (st == R1_DATA) {
        d->r->refused++;
        d->spoilt[from] = 1;
        r1_warn("refused a message of actor %d: %s", from, why.msg);
        return R1_OK;
    }
    if (st != R1_OK)
        return R1_FAIL(err, st, "%s", why.msg);
    return d->r->world->learners.size == 1 ? R1_OK
                                           : r1_frame_add(&d->all, d->in.data, d->in.len, err);
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
        return take_or_refuse(d, from, err);
    case R1_MAIL_DONE:
        d->busy--;
        return R1_OK;
    default:
        return R1_FAIL(err, R1_BUG, "a message of kind %d from actor %d", (int)kind, from);
    }
done:
    return st;
}

/* Ask the actors for what is missing; those that sent something malformed only if all did. */
static r1_status one_round(dealing *d, r1_err *err) {
    const r1_world *w = d->r->world;
    int good = 0;
    r1_status st = R1_OK;

    d->next = 0;
    d->left = d->req->n_prompts - d->have;
    for (int a = w->learners.size; a < w->all.size; a++)
        good += !d->spoilt[a];
    for (int a = w->learners.size; a < w->all.size; a++) {
        if (good > 0 && d->spoilt[a])
            continue;
        R1_TRY(r1_mail_send(&w->all, a, R1_MAIL_REQUEST, d->req, sizeof *d->req,
                            "sending a request", err));
        d->busy++;
    }
    while (d->busy > 0) {
        R1_TRY(one_message(d, err));
        r1_progress_update(&d->progress, d->have);
    }
done:
    return st;
}

static r1_status collect(dealing *d, r1_err *err) {
    int n = d->req->n_prompts;
    r1_status st;

    R1_TRY(R1_NEW(d->spoilt, (size_t)d->r->world->all.size, err));
    r1_progress_start(&d->progress, d->req->evaluation ? "evaluation" : "rollout", (double)n);
    for (int round = 0; round < MAX_ROUNDS && d->have < n; round++)
        R1_TRY(one_round(d, err));
    r1_progress_finish(&d->progress);
    if (d->have != n)
        st = R1_FAIL(err, R1_DATA,
                     "%d of %d groups arrived in %d rounds; %llu messages were refused, see the "
                     "warnings",
                     d->have, n, MAX_ROUNDS, (unsigned long long)d->r->refused);
done:
    r1_free(d->spoilt);
    return st;
}

/* The other learners read the same messages. */
static r1_status share(dealing *d, r1_err *err) {
    const r1_comm *c = &d->r->world->learners;
    uint64_t n = d->all.len;
    r1_status st = R1_OK;

    if (c->size == 1)
        return R1_OK;
    R1_TRY(r1_bcast(c, &n, sizeof n, 0, "size of the trajectories", err));
    if (c->rank != 0)
        R1_TRY(r1_buf_extend(&d->all, n, err));
    R1_TRY(r1_bcast(c, d->all.data, n, 0, "trajectories", err));
    for (size_t at = 0; c->rank != 0 && at < d->all.len;) {
        const char *data;
        size_t len;
        R1_TRY(r1_frame_next(&d->all, &at, &data, &len, err));
        R1_TRY(take(d, data, len, err));
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
