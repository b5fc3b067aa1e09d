/* The loop of an actor rank; see serve.h. */
#include "actor/serve.h"

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/trace.h"
#include "common/comm/spread.h"

#include <string.h>

#define MESSAGE_MAX ((size_t)1 << 31)

typedef struct session {
    r1_actor *actor;
    const r1_world *world;
    const r1_comm *all;
    r1_window *window;
    r1_phases *phases;
    r1_buf in, out;
    uint64_t next, left; /* of the prompts that were dealt to this rank */
    int dry;             /* the dealer has no more */
    int following;       /* a prompt is traced */
    uint64_t followed;   /* that one */
    int groups;          /* that were sent for the request */
    int64_t tokens;      /* in them */
    r1_status st;        /* of a pull that failed */
    r1_err *err;
} session;

static r1_status pull(session *s) {
    uint64_t deal[2];
    r1_mail_kind kind;
    int from;
    r1_status st;

    R1_TRY(r1_mail_send(s->all, 0, R1_MAIL_PULL, NULL, 0, "asking for prompts", s->err));
    R1_TRY(r1_mail_receive(s->all, 0, &s->in, &from, &kind, "prompts", s->err));
    if (kind != R1_MAIL_DEAL || s->in.len != sizeof deal) {
        st = R1_FAIL(s->err, R1_BUG, "a message of kind %d and %zu bytes instead of prompts",
                     (int)kind, s->in.len);
        goto done;
    }
    memcpy(deal, s->in.data, sizeof deal);
    s->next = deal[0];
    s->left = deal[1];
    s->dry = deal[1] == 0;
done:
    return st;
}

static int next_dealt(void *ctx, uint64_t *ret_index) {
    session *s = ctx;

    if (s->left == 0 && !s->dry)
        s->st = pull(s);
    if (s->left == 0 || s->st != R1_OK)
        return 0;
    s->left--;
    *ret_index = s->next++;
    if (!s->following) { /* until that group is sent */
        r1_trace_follow(*ret_index, 1);
        s->following = r1_trace_active;
        s->followed = *ret_index;
    }
    R1_TRACE();
    return 1;
}

static r1_status send_group(void *ctx, r1_group *g, r1_err *err) {
    session *s = ctx;
    r1_status st;

    r1_buf_clear(&s->out);
    uint64_t deal = g->deal;
    s->groups++;
    for (int i = 0; i < g->n; i++)
        s->tokens += g->t[i].n;
    st = r1_group_encode(g, &s->out, err);
    r1_group_done(g);
    if (st == R1_OK && r1_fault_garbles())
        s->out.data[0] ^= 0x55;
    if (st == R1_OK)
        st =
            r1_mail_send(s->all, 0, R1_MAIL_GROUP, s->out.data, s->out.len, "sending a group", err);
    if (s->following && deal == s->followed) {
        r1_trace_follow(0, 0);
        s->following = 0;
    }
    return st;
}

/* The leader of a node without learners takes a version from above it, checks it, passes it on and
 * publishes it to its node. */
static r1_status take_weights(session *s, r1_err *err) {
    const r1_world *w = s->world;
    size_t bytes = r1_actor_payload_bytes(s->actor);
    uint64_t message[2], version, hash;
    r1_status st;

    if (s->in.len != sizeof message)
        return R1_FAIL(err, R1_BUG, "%zu bytes announce weights", s->in.len);
    memcpy(message, s->in.data, sizeof message);
    int slot = 1 - r1_window_current(s->window, &version, &hash);
    void *payload = r1_window_slot(s->window, slot);
    r1_phase_begin(s->phases, R1_PHASE_WEIGHT_SYNC);
    R1_TRY(r1_window_wait_unread(s->window, slot, err));
    R1_TRY(r1_spread(w, 0, w->n_learner_nodes, w->n_nodes, payload, bytes, "weights", err));
    R1_TRY(r1_actor_hash_payload(s->actor, payload, &hash, err));
    if (hash != message[1])
        st = R1_FAIL(err, R1_PEER,
                     "weights of version %llu arrived on %s with the hash %016llx, not %016llx",
                     (unsigned long long)message[0], w->host, (unsigned long long)hash,
                     (unsigned long long)message[1]);
    else
        r1_window_publish(s->window, slot, message[0], hash);
done:
    r1_phase_end(s->phases, R1_PHASE_WEIGHT_SYNC);
    return st;
}

static r1_status serve_one(session *s, r1_err *err) {
    r1_rollout_request q;
    int slot;
    r1_status st;

    if (s->in.len != sizeof q)
        return R1_FAIL(err, R1_BUG, "a request of %zu bytes", s->in.len);
    memcpy(&q, s->in.data, sizeof q);
    R1_TRY(r1_window_enter(s->window, q.version, q.payload_hash, &slot, err));
    s->dry = 0;
    s->left = 0;
    s->groups = 0;
    s->tokens = 0;
    double t0_s = r1_now_s(), waited_s = s->phases->seconds[R1_PHASE_WAIT_LEARNER];
    r1_phase_begin(s->phases, R1_PHASE_ROLLOUT);
    st = r1_actor_roll(s->actor, &q, r1_window_slot(s->window, slot), next_dealt, send_group, s,
                       err);
    r1_phase_end(s->phases, R1_PHASE_ROLLOUT);
    r1_window_leave(s->window);
    r1_debug("%s with weights %llu: %d groups, %lld tokens in %.2f s; %.1f s waited so far",
             q.evaluation ? "evaluation" : "rollout", (unsigned long long)q.version, s->groups,
             (long long)s->tokens, r1_now_s() - t0_s, waited_s);
    if (st == R1_OK)
        st = s->st;
    if (st == R1_OK)
        st = r1_mail_send(s->all, 0, R1_MAIL_DONE, NULL, 0, "end of a request", err);
done:
    return st;
}

r1_status r1_actor_serve(r1_actor *a, const r1_world *world, r1_window *window, r1_phases *phases,
                         r1_err *err) {
    session s = {.actor = a,
                 .world = world,
                 .all = &world->all,
                 .window = window,
                 .phases = phases,
                 .err = err};
    r1_status st;

    r1_buf_init(&s.in, MESSAGE_MAX);
    r1_buf_init(&s.out, MESSAGE_MAX);
    do {
        r1_mail_kind kind;
        int from;
        r1_phase_begin(phases, R1_PHASE_WAIT_LEARNER);
        st = r1_mail_receive(s.all, 0, &s.in, &from, &kind, "a request of the learner", err);
        r1_phase_end(phases, R1_PHASE_WAIT_LEARNER);
        if (st != R1_OK || (kind == R1_MAIL_REQUEST && s.in.len == 0))
            break;
        if (kind == R1_MAIL_REQUEST)
            st = serve_one(&s, err);
        else if (kind == R1_MAIL_WEIGHTS)
            st = take_weights(&s, err);
        else
            st = R1_FAIL(err, R1_BUG, "a message of kind %d instead of a request", (int)kind);
    } while (st == R1_OK);
    r1_buf_done(&s.in);
    r1_buf_done(&s.out);
    return st;
}
