/* The loop of an actor rank; see serve.h. */
#include "actor/serve.h"

#include "common/base/trace.h"

#include <string.h>

#define MESSAGE_MAX ((size_t)1 << 31)

typedef struct session {
    const r1_comm *all;
    r1_phases *phases;
    r1_buf in, out;
    uint64_t next, left; /* of the prompts that were dealt to this rank */
    int dry;             /* the dealer has no more */
    int following;       /* a prompt is traced */
    uint64_t followed;   /* that one */
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
    st = r1_group_encode(g, &s->out, err);
    r1_group_done(g);
    if (st == R1_OK)
        st =
            r1_mail_send(s->all, 0, R1_MAIL_GROUP, s->out.data, s->out.len, "sending a group", err);
    if (s->following && deal == s->followed) {
        r1_trace_follow(0, 0);
        s->following = 0;
    }
    return st;
}

static r1_status serve_one(session *s, r1_actor *a, r1_window *window, r1_err *err) {
    r1_rollout_request q;
    uint64_t version, hash;
    r1_status st;

    memcpy(&q, s->in.data, sizeof q);
    int slot = r1_window_current(window, &version, &hash);
    r1_window_reading(window, slot);
    if (version != q.version)
        return R1_FAIL(err, R1_BUG, "weights %llu are published, the request names %llu",
                       (unsigned long long)version, (unsigned long long)q.version);
    s->dry = 0;
    s->left = 0;
    r1_phase_begin(s->phases, R1_PHASE_ROLLOUT);
    st = r1_actor_roll(a, &q, r1_window_slot(window, slot), next_dealt, send_group, s, err);
    r1_phase_end(s->phases, R1_PHASE_ROLLOUT);
    r1_window_reading(window, -1);
    if (st == R1_OK)
        st = s->st;
    if (st == R1_OK)
        st = r1_mail_send(s->all, 0, R1_MAIL_DONE, NULL, 0, "end of a request", err);
    return st;
}

r1_status r1_actor_serve(r1_actor *a, const r1_world *world, r1_window *window, r1_phases *phases,
                         r1_err *err) {
    session s = {.all = &world->all, .phases = phases, .err = err};
    r1_status st;

    r1_buf_init(&s.in, MESSAGE_MAX);
    r1_buf_init(&s.out, MESSAGE_MAX);
    for (;;) {
        r1_mail_kind kind;
        int from;
        r1_phase_begin(phases, R1_PHASE_WAIT_LEARNER);
        st = r1_mail_receive(s.all, 0, &s.in, &from, &kind, "a request of the learner", err);
        r1_phase_end(phases, R1_PHASE_WAIT_LEARNER);
        if (st != R1_OK || (kind == R1_MAIL_REQUEST && s.in.len == 0))
            break;
        if (kind != R1_MAIL_REQUEST || s.in.len != sizeof(r1_rollout_request)) {
            st = R1_FAIL(err, R1_BUG, "a message of kind %d and %zu bytes instead of a request",
                         (int)kind, s.in.len);
            break;
        }
        if ((st = serve_one(&s, a, window, err)) != R1_OK)
            break;
    }
    r1_buf_done(&s.in);
    r1_buf_done(&s.out);
    return st;
}
