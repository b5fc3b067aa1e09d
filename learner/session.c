/* The learner's side of r1-train; see session.h. */
#include "learner/session.h"

#include "common/base/log.h"
#include "common/base/stop.h"
#include "common/comm/collect.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

void r1_session_init(r1_run *run, const r1_config *cfg, const r1_world *w, const r1_policy *m,
                     r1_trainer *t, r1_phases *phases) {
    run->cfg = cfg;
    run->world = w;
    run->tokenizer = m->tokenizer;
    run->template_kind = m->template_kind;
    run->system = m->system;
    run->trainer = t;
    run->phases = phases;
    run->at.best = (double)NAN;
    run->metrics_keep = run->events_keep = run->resumed_from = -1;
}

void r1_session_say(const r1_world *w, const r1_plan *p) {
    const char *role = p->roles.colocated                ? "actor and learner"
                       : w->all.rank < p->roles.learners ? "learner"
                                                         : "actor";

    r1_debug("rank %d of %d on %s, pid %ld: %s, %d thread%s", w->all.rank, w->all.size, w->host,
             (long)getpid(), role, p->threads, p->threads == 1 ? "" : "s");
}

r1_status r1_session_stopped_early(const r1_world *w, r1_err *err) {
    int64_t stop = r1_stop_requested();
    r1_status st = r1_allmax(&w->all, &stop, "stop requests", err);

    return st == R1_OK && stop
               ? R1_FAIL(err, R1_STOPPED, "stopped on request before the first step")
               : st;
}

r1_status r1_session_take(r1_run *run, const char *output, const char *resume, const char *from,
                          r1_resume *ret, r1_err *err) {
    int goes_on = strcmp(resume, "no") != 0 || from;
    r1_status st = r1_output_take(run, output, goes_on, err);

    return st == R1_OK ? r1_resume_find(run, resume, from, ret, err) : st;
}

r1_status r1_session_open(r1_trainer *t, const r1_plan *p, const r1_config *cfg, const r1_world *w,
                          const r1_policy *m, r1_window *window, r1_phases *phases, r1_err *err) {
    r1_trainer_options o = r1_plan_trainer(p, cfg, w, &m->model, window);
    r1_status st;

    o.phases = phases;
    R1_TRY(r1_trainer_open(t, &o, err));
    st = r1_policy_weights(m, t->shard.u0, t->shard.u1, t->shard.w, err);
done:
    return st;
}

r1_status r1_session_learn(r1_run *run, const r1_resume *resume, const r1_remote *remote,
                           r1_err *err) {
    uint64_t version;
    r1_status st;

    R1_TRY(r1_resume_load(run, resume, &version, err));
    st = r1_run_writes(run) ? r1_output_open(run, err) : R1_OK;
    R1_TRY(r1_agree(&run->world->learners, st, err));
    R1_TRY(r1_trainer_start(run->trainer, version, err));
    st = r1_recipe_run(run, err);
    if (remote && r1_run_writes(run) && (st == R1_OK || st == R1_STOPPED)) {
        r1_status sent = r1_remote_dismiss(remote, st == R1_OK ? err : NULL);
        st = st == R1_OK ? sent : st;
    }
done:
    return st;
}
