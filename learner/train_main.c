/* r1-train: a configuration in, a trained model and its record out. */
#include "actor/colocated.h"
#include "actor/judging.h"
#include "actor/lint.h"
#include "actor/serve.h"
#include "common/base/card.h"
#include "common/base/log.h"
#include "common/base/stop.h"
#include "learner/preview.h"
#include "learner/session.h"
#include "learner/train_options.h"

/* Everything that this rank opens, closed in reverse order. */
typedef struct job {
    r1_train_options o;
    r1_err not_read; /* why there is no configuration */
    r1_world world;
    r1_config *cfg;
    r1_plan plan;
    r1_stage_facts facts[R1_MAX_STAGES];
    r1_policy policy;
    r1_window window;
    int has_window;
    r1_trainer trainer;
    r1_actor_options actor_options;
    r1_actor *actor;
    r1_judging judging;
    r1_colocated colocated;
    r1_remote remote;
    r1_phases phases;
    r1_resume resume;
    r1_run run;
} job;

static int is_learner(const job *j) {
    return j->world.all.rank < j->plan.roles.learners;
}

static int is_actor(const job *j) {
    return j->plan.roles.colocated || !is_learner(j);
}

/* Once: what memory is free, and so the size of the cache, changes when something is opened. */
static void size_actor(job *j) {
    j->actor_options = (r1_actor_options){.cfg = j->cfg,
                                          .model = &j->policy.model,
                                          .tokenizer = j->policy.tokenizer,
                                          .template_kind = j->policy.template_kind,
                                          .system = j->policy.system,
                                          .phases = &j->phases,
                                          .judge = j->judging.judge};
    r1_actor_size(&j->actor_options, j->plan.roles.actors,
                  j->plan.node_actors > 0 ? j->plan.node_actors : 1);
}

/* Resolve and check everything, data too; nothing large is allocated. */
static r1_status prepare(job *j, r1_err *err) {
    r1_status st;

    R1_TRY(r1_err_copy(err, &j->not_read));
    r1_comm_set_deadline(j->cfg->limits.deadline_s);
    R1_TRY(r1_plan_roles(&j->plan, j->cfg, &j->world, err));
    R1_TRY(r1_judging_open(&j->judging, j->plan.threads, err));
    r1_card_phase("start");
    r1_card_role(!is_actor(j) ? "learner" : !is_learner(j) ? "actor" : "learner and actor");
    R1_TRY(r1_policy_open(&j->policy, j->cfg, j->plan.threads, err));
    r1_policy_resolve(&j->policy, j->cfg);
    r1_threads_pin(j->world.node.rank, j->world.node.size, j->plan.threads);
    r1_plan_sizes(&j->plan, j->cfg, &j->world, &j->policy.model);
    size_actor(j);
    size_t actor_bytes = r1_actor_bytes(&j->actor_options);
    if (j->world.all.rank == 0)
        r1_plan_print(&j->plan, j->cfg, &j->world, &j->policy, actor_bytes);
    R1_TRY(r1_plan_check(&j->plan, j->cfg, &j->world, actor_bytes, err));
    R1_TRY(r1_preview_check(&j->plan, j->cfg, &j->world, &j->policy, err));
    for (int i = 0; j->world.all.rank == 0 && i < j->cfg->n_stages; i++)
        R1_TRY(r1_lint_stage(&j->actor_options, i, &j->facts[i], err));
    if (j->world.all.rank == 0)
        st = r1_preview_show(j->cfg, &j->policy, j->facts, &j->o, err);
done:
    return st;
}

/* Memory, weights, data.  Collective. */
static r1_status open_job(job *j, r1_err *err) {
    const r1_layout *l = &j->policy.model.layout;
    size_t segment = is_learner(j) ? r1_trainer_segment_floats(l) * sizeof(float) : 0;
    r1_status st;

    R1_TRY(r1_world_set_learners(&j->world, j->plan.roles.learners, err));
    R1_TRY(r1_window_open(&j->window, &j->world, l->payload_bytes, r1_plan_slots(&j->plan), segment,
                          err));
    j->has_window = 1;
    if (is_learner(j))
        st = r1_session_open(&j->trainer, &j->plan, j->cfg, &j->world, &j->policy, &j->window,
                             &j->phases, err);
    if (st == R1_OK && is_actor(j))
        st = r1_actor_open(&j->actor, &j->actor_options, err);
    R1_TRY(r1_agree(&j->world.all, st, err));
    st = r1_agree_text(&j->world, j->policy.ops->path, "compute.numeric_path", err);
done:
    return st;
}

static void fill_run(job *j) {
    r1_run *r = &j->run;

    r1_session_init(r, j->cfg, &j->world, &j->policy, &j->trainer, &j->phases);
    r->stop_requested = r1_stop_requested;
    j->colocated = (r1_colocated){j->actor, &j->world, &j->window,
                                  r1_plan_limits(j->cfg, &j->policy.arch), &j->phases};
    j->remote = (r1_remote){.world = &j->world,
                            .limits = r1_plan_limits(j->cfg, &j->policy.arch),
                            .phases = &j->phases};
    r->source = j->plan.roles.colocated
                    ? (r1_rollout_source){&j->colocated, r1_colocated_roll, NULL}
                    : (r1_rollout_source){&j->remote, r1_remote_roll, &j->remote.refused};
}

static void close_job(job *j) {
    r1_actor_close(j->actor);
    r1_judging_close(&j->judging);
    r1_trainer_close(&j->trainer);
    if (j->has_window)
        r1_window_close(&j->window);
    r1_policy_close(&j->policy);
    r1_config_free(j->cfg);
    r1_train_options_done(&j->o);
}

static r1_status train(job *j, r1_err *err) {
    r1_status st;

    R1_TRY(r1_agree(&j->world.all, prepare(j, err), err));
    if (j->o.dry_run)
        return r1_preview_rehearse(j->cfg, &j->world, &j->policy, err);
    fill_run(j);
    if (j->world.all.rank == 0)
        st = r1_session_take(&j->run, j->o.output, j->o.resume, j->o.from, &j->resume, err);
    R1_TRY(r1_agree(&j->world.all, st, err));
    R1_TRY(r1_bcast(&j->world.all, &j->resume, sizeof j->resume, 0, "resume", err));
    if (j->resume.finished)
        return j->world.all.rank == 0 ? r1_output_show(&j->run, err) : R1_OK;
    R1_TRY(r1_output_logs(&j->run, err));
    r1_session_say(&j->world, &j->plan);
    R1_TRY(open_job(j, err));
    fill_run(j);
    r1_phases_init(&j->phases);
    R1_TRY(r1_session_stopped_early(&j->world, err));
    if (is_learner(j))
        st =
            r1_session_learn(&j->run, &j->resume, j->plan.roles.colocated ? NULL : &j->remote, err);
    else
        st = r1_actor_serve(j->actor, &j->world, &j->window, &j->phases, err);
    if ((st != R1_OK && st != R1_STOPPED && j->world.all.size > 1) || r1_world_is_ending())
        r1_world_fail(r1_exit_code(st), err->msg); /* the others wait for this rank */
    r1_output_report(&j->run,
                     (is_learner(j) ? R1_ROLE_LEARNER : 0) | (is_actor(j) ? R1_ROLE_ACTOR : 0),
                     r1_exit_code(st));
done:
    return st;
}

int main(int argc, char **argv) {
    static job j;
    r1_cli_result result = R1_CLI_RUN;
    r1_err err = {0}, late;

    r1_stop_install();
    r1_train_options_read(&j.o, argc, argv, &j.cfg, &result, &j.not_read);
    r1_judging_start(&j.judging, r1_judging_asked(j.cfg));
    r1_status st = r1_world_open(&j.world, &argc, &argv, &err);
    int first = j.world.all.rank == 0;
    j.run.dir.fd_lock = -1;
    r1_log_init(j.world.all.rank, R1_LOG_INFO);
    if (st == R1_OK && result != R1_CLI_RUN) /* --help: now it is known who speaks */
        st = r1_train_options_parse(&j.o, argc, argv, first, &result, &err);
    else if (st == R1_OK)
        st = train(&j, &err);
    if (st == R1_PEER || r1_world_is_ending()) /* not all may know of it */
        r1_world_fail(r1_exit_code(st), err.msg);
    if (st != R1_OK && first) { /* now, so that the log has it too */
        r1_log(st == R1_STOPPED ? R1_LOG_INFO : R1_LOG_ERROR, "%s", err.msg);
        r1_output_close(&j.run, r1_exit_code(st), NULL, NULL);
    }
    r1_card_phase("end");
    /* The last wait with a deadline: MPI's own, in what follows, have none. */
    if (j.world.all.size > 1 && r1_barrier(&j.world.all, "end of the run", &late) != R1_OK)
        r1_world_fail(r1_exit_code(R1_PEER), late.msg);
    close_job(&j);
    r1_world_close(&j.world);
    return r1_cli_end(st, &err, st == R1_OK && first);
}
