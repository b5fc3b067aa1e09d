/* The recipe: stage after stage, step after step, with what is written after each. */
#include "learner/advice.h"
#include "learner/checkpointing.h"

#include "common/base/card.h"
#include "common/base/clock.h"
#include "common/base/cpu.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/log.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void r1_run_optimizer(const r1_run *run, r1_update_spec *u) {
    const r1_optimizer_config *o = &r1_run_stage(run)->optimizer;

    u->beta1 = o->betas[0];
    u->beta2 = o->betas[1];
    u->eps = o->eps;
    u->weight_decay = o->weight_decay;
    u->grad_clip = o->grad_clip;
    int limit = r1_run_stage(run)->limits.max_tokens_per_microbatch,
        most = run->trainer->o.max_tokens;
    u->max_tokens = limit < most ? limit : most;
}

/* ---- what is written ---- */

static r1_summary_stage *summary_stage(r1_run *run) {
    const r1_stage_config *s = r1_run_stage(run);

    return r1_summary_stage_of(&run->summary, s->name, r1_stage_kind_name(s->kind));
}

static void record_eval(const r1_eval_result *e, r1_summary_stage *s, r1_record *rec) {
    r1_record_real(rec, e->accuracy, "eval/accuracy");
    r1_record_real(rec, e->stderr_, "eval/stderr");
    if (!isnan(e->greedy_accuracy))
        r1_record_real(rec, e->greedy_accuracy, "eval/greedy_accuracy");
    r1_record_int(rec, e->n, "eval/n");
    r1_record_real(rec, e->length_mean, "eval/response_length");
    r1_record_real(rec, e->truncated, "eval/clip_ratio");
    r1_record_real(rec, e->unscorable, "eval/unscorable");
    s->has_eval = 1;
    s->eval.accuracy = e->accuracy;
    s->eval.stderr_ = e->stderr_;
    s->eval.n = e->n;
    s->eval.greedy_accuracy = e->greedy_accuracy;
}

static void say_eval(const r1_run *run, const r1_eval_result *e, const char *when) {
    char accuracy[R1_ACCURACY_TEXT], greedy[32] = "";

    if (!isnan(e->greedy_accuracy))
        snprintf(greedy, sizeof greedy, ", greedy %.1f %%", 100 * e->greedy_accuracy);
    r1_info("%s %s: held-out accuracy %s%s (%d problems)", when, r1_run_stage(run)->name,
            r1_accuracy_text(e->accuracy, e->stderr_, 1, accuracy), greedy, e->n);
}

static r1_status write_summary(r1_run *run, int exit_status, r1_err *err) {
    char path[R1_PATH_MAX];
    r1_status st;

    run->summary.wall_s = r1_now_s() - run->t0_s;
    run->summary.exit_status = exit_status;
    R1_TRY(r1_rundir_file(&run->dir, "summary.json", path, sizeof path, err));
    st = r1_summary_write(&run->summary, path, err);
done:
    return st;
}

static r1_status write_record(r1_run *run, const r1_record *rec, r1_err *err) {
    r1_status st;

    R1_TRY(r1_metrics_append(&run->metrics, rec, err));
    if (run->cfg->log.tensorboard)
        R1_TRY(r1_tensorboard_append(&run->tensorboard, rec, run->at.step, r1_now_s(), err));
done:
    return st;
}

/* ---- evaluation ---- */

static r1_status evaluate(r1_run *run, const char *when, r1_summary_stage *summary, r1_record *rec,
                          r1_err *err) {
    r1_eval_result e;
    double t0 = r1_now_s();
    r1_status st;

    r1_phase_begin(run->phases, R1_PHASE_EVAL);
    st = r1_evaluate(run, &e, err);
    r1_phase_end(run->phases, R1_PHASE_EVAL);
    if (st != R1_OK)
        return st;
    record_eval(&e, summary, rec);
    r1_record_real(rec, r1_now_s() - t0, "timing_s/testing");
    if (!r1_run_writes(run))
        return R1_OK;
    say_eval(run, &e, when);
    return write_summary(run, -1, err); /* before a checkpoint says that this is done */
}

static int has_eval(const r1_run *run) {
    return r1_stage_can_evaluate(r1_run_stage(run));
}

static int eval_due(const r1_run *run, int64_t steps) {
    const r1_eval_config *e = &run->cfg->eval;
    int last = run->at.stage_step == steps;

    if (!has_eval(run))
        return 0;
    return r1_run_stage(run)->kind == R1_STAGE_EVAL || (last && e->at_stage_end) ||
           (e->every > 0 && run->at.step % e->every == 0);
}

/* A recipe that begins with RL says where it began. */
static r1_status baseline(r1_run *run, r1_err *err) {
    r1_record *rec = NULL;
    r1_status st;

    if (run->at.step > 0 || r1_run_stage(run)->kind != R1_STAGE_GRPO || !has_eval(run) ||
        !run->cfg->eval.at_stage_end)
        return R1_OK;
    R1_TRY(R1_NEW(rec, 1, err));
    r1_record_int(rec, 0, "training/global_step");
    r1_record_text(rec, r1_run_stage(run)->name, "training/stage");
    R1_TRY(evaluate(run, "before", r1_summary_stage_of(&run->summary, "base", "eval"), rec, err));
    if (r1_run_writes(run))
        st = write_record(run, rec, err);
done:
    r1_free(rec);
    return st;
}

/* ---- stages ---- */

static r1_status open_data(r1_run *run, r1_err *err) {
    const r1_stage_config *s = r1_run_stage(run);
    r1_dataset_options o = {.spec = &s->data.train,
                            .seed = run->cfg->seed,
                            .stage = (uint32_t)run->at.stage,
                            .error_rate = s->kind == R1_STAGE_SFT ? s->traces_error_rate : -1};

    r1_dataset_close(run->train);
    run->train = NULL;
    if (s->kind == R1_STAGE_EVAL)
        return R1_OK;
    r1_status st = r1_dataset_open(&run->train, &o, err);
    if (st != R1_OK)
        r1_err_prefix(err, "stage '%s'", s->name);
    return st;
}

/* A stage starts with fresh moments, and the KL reference is the weights it starts from. */
static r1_status begin_stage(r1_run *run, r1_err *err) {
    const r1_stage_config *s = r1_run_stage(run);
    r1_status st = R1_OK;

    if (run->at.stage_step > 0)
        return R1_OK;
    r1_shard_reset_moments(&run->trainer->shard);
    run->trainer->adam_t = 0;
    run->at.stage_updates = 0;
    if (s->kind == R1_STAGE_GRPO && s->kl.coef > 0) {
        R1_TRY(r1_trainer_set_reference(run->trainer, err));
        run->at.reference_update = run->at.updates;
    }
    st = baseline(run, err);
done:
    return st;
}

static r1_status one_step(r1_run *run, r1_record *rec, r1_err *err) {
    const r1_stage_config *s = r1_run_stage(run);
    double t0 = r1_now_s();
    uint64_t checksum;
    char hex[17];
    r1_status st = R1_OK;

    r1_card_step(s->name, run->at.step + 1);
    r1_record_clear(rec);
    r1_record_int(rec, run->at.step + 1, "training/global_step");
    r1_record_text(rec, s->name, "training/stage");
    if (s->kind == R1_STAGE_SFT)
        R1_TRY(r1_sft_step(run, rec, err));
    else if (s->kind == R1_STAGE_GRPO)
        R1_TRY(r1_grpo_step(run, rec, err));
    run->at.step++;
    run->at.stage_step++;
    double took = r1_now_s() - t0;
    r1_record_int(rec, (int64_t)run->trainer->version, "weights/version");
    R1_TRY(r1_trainer_checksum(run->trainer, &checksum, NULL, err));
    r1_hash_text(checksum, hex);
    r1_record_text(rec, hex, "weights/checksum");
    r1_hash_text(run->trainer->payload_hash, hex);
    r1_record_text(rec, hex, "weights/payload_hash");
    r1_record_real(rec, took, "timing_s/step");
    double tokens = r1_record_value(rec, "perf/total_num_tokens");
    if (!isnan(tokens))
        r1_record_real(rec, tokens / took, "perf/throughput");
    summary_stage(run)->steps = run->at.stage_step;
    summary_stage(run)->updates = run->at.stage_updates;
    r1_record_real(rec, r1_memory_used() / 1e9, "perf/cpu_memory_used_gb");
done:
    return st;
}

/* SFT has many quick steps: their lines are thinned out on the screen, not in logs and metrics. */
static int shows(const r1_run *run, int64_t steps) {
    return r1_run_stage(run)->kind != R1_STAGE_SFT || run->at.stage_step % 20 == 0 ||
           run->at.stage_step == steps;
}

/* Every learner logs every step; rank 0 also shows it. */
static void say_step(const r1_run *run, const r1_record *rec, int64_t steps, double t0,
                     int64_t step0) {
    char line[512];
    double per = (r1_now_s() - t0) / (double)(run->at.stage_step - step0);

    r1_console_line(rec, r1_run_stage(run)->name, run->at.stage_step, steps,
                    per * (double)(steps - run->at.stage_step), line, sizeof line);
    r1_log(shows(run, steps) ? R1_LOG_INFO : R1_LOG_DEBUG, "%s", line);
}

/* Has checkpoint.best grown?  Learners that do not write know the record too. */
static int best_improved(r1_run *run, const r1_record *rec) {
    const char *name = run->cfg->checkpoint.best;
    double value = name ? r1_record_value(rec, name) : (double)NAN;

    if (isnan(value) || !(isnan(run->at.best) || value > run->at.best))
        return 0;
    run->at.best = value;
    run->at.best_step = run->at.step;
    return 1;
}

static r1_status stop_agreed(r1_run *run, int *ret, r1_err *err) {
    int64_t stop = run->stop_requested ? run->stop_requested() : 0;
    r1_status st = r1_allmax(&run->world->learners, &stop, "stop requests", err);

    *ret = stop != 0;
    return st;
}

static r1_status run_stage(r1_run *run, r1_record *rec, r1_err *err) {
    r1_stage_plan plan;
    r1_advice advice = {0};
    double t0 = r1_now_s(), saved_s = 0;
    int64_t step0 = run->at.stage_step;
    int stop = 0;
    r1_status st;

    r1_config_plan(r1_run_stage(run), &plan);
    R1_TRY(open_data(run, err));
    R1_TRY(begin_stage(run, err));
    while (run->at.stage_step < plan.steps && !stop) {
        R1_TRY(one_step(run, rec, err));
        /* Of the checkpoint behind the step before, 0 without: this step's is not written yet. */
        r1_record_real(rec, saved_s, "timing_s/save_checkpoint");
        saved_s = 0;
        say_step(run, rec, plan.steps, t0, step0);
        r1_advise(run, rec, &advice);
        if (eval_due(run, plan.steps))
            R1_TRY(evaluate(run, "after", summary_stage(run), rec, err));
        if (r1_run_writes(run))
            R1_TRY(write_record(run, rec, err));
        int best = best_improved(run, rec);
        R1_TRY(stop_agreed(run, &stop, err));
        R1_TRY(r1_checkpoint_poll(run, err));
        if (r1_checkpoint_due(run, plan.steps, best, stop)) {
            double save0 = r1_now_s();
            R1_TRY(r1_checkpoint_save(run, stop || run->at.stage_step == plan.steps, err));
            saved_s = r1_now_s() - save0;
        }
    }
    summary_stage(run)->wall_s += r1_now_s() - t0;
    if (stop)
        st = R1_FAIL(err, R1_STOPPED,
                     "stopped on request after step %lld, saved as '%s/checkpoints/step_%06lld'; "
                     "--resume auto goes on from there",
                     (long long)run->at.step, run->dir.path, (long long)run->at.step);
done:
    return st;
}

static r1_status finish(r1_run *run, r1_err *err) {
    uint64_t weights, optimizer;
    r1_status st;

    R1_TRY(r1_trainer_checksum(run->trainer, &weights, &optimizer, err));
    snprintf(run->summary.weights_checksum, sizeof run->summary.weights_checksum, "%016llx",
             (unsigned long long)weights);
    snprintf(run->summary.optimizer_checksum, sizeof run->summary.optimizer_checksum, "%016llx",
             (unsigned long long)optimizer);
done:
    return st;
}

/* The last words of the run; err keeps what ended it. */
static r1_status end(r1_run *run, r1_status st, r1_err *err) {
    r1_err *mine = st == R1_OK ? err : NULL;
    r1_status ended = st == R1_OK || st == R1_STOPPED ? finish(run, mine) : R1_OK;

    if (ended == R1_OK && r1_run_writes(run))
        ended = write_summary(run, r1_exit_code(st), mine);
    return st == R1_OK ? ended : st;
}

r1_status r1_recipe_run(r1_run *run, r1_err *err) {
    r1_record *rec = NULL;
    r1_status st;

    R1_TRY(r1_checkpoint_open(run, err));
    R1_TRY(R1_NEW(rec, 1, err));
    for (; run->at.stage < run->cfg->n_stages; run->at.stage++, run->at.stage_step = 0) {
        R1_TRY(run_stage(run, rec, err));
        if (r1_run_writes(run))
            R1_TRY(write_summary(run, -1, err));
    }
done:
    r1_checkpoint_close(run);
    st = end(run, st, err);
    r1_dataset_close(run->train);
    run->train = NULL;
    r1_free(rec);
    return st;
}
