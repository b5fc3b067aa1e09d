#ifndef R1_LEARNER_RUN_H
#define R1_LEARNER_RUN_H
/* A run as the learners see it: where it stands, and what it writes.
 *
 * Everything here is the same on every learner; only rank 0 writes files.  Counters run over the
 * whole recipe: steps number directories and metrics, deals number prompts (and so name every random
 * draw), updates number optimizer steps. */
#include "common/config/config.h"
#include "common/data/dataset.h"
#include "common/metrics/metrics.h"
#include "common/metrics/phases.h"
#include "common/metrics/rundir.h"
#include "common/metrics/summary.h"
#include "common/metrics/tensorboard.h"
#include "common/tokenizer/template.h"
#include "common/wire/rollout.h"
#include "learner/trainer.h"

typedef struct r1_eval_result {
    int n; /* problems with a sample that could be scored; 0: not evaluated */
    double accuracy, stderr_, greedy_accuracy;
    double length_mean, truncated; /* tokens; share of samples that met the limit */
    double unscorable;             /* share of samples that no reward could judge */
} r1_eval_result;

typedef struct r1_saver r1_saver;

/* What a checkpoint saves of it is `at`; everything else is opened anew. */
typedef struct r1_run_position {
    int stage;          /* index of the current stage */
    int64_t stage_step; /* steps of it that are done */
    int64_t step, updates, stage_updates;
    uint64_t deals;
    int64_t reference_update; /* updates when the KL reference was taken */
    double best;              /* best value of checkpoint.best so far; NaN: none */
    int64_t best_step;
} r1_run_position;

typedef struct r1_run {
    const r1_config *cfg;
    const r1_world *world;
    const r1_tokenizer *tokenizer;
    const char *template_kind, *system;
    r1_trainer *trainer;
    r1_rollout_source source;
    r1_phases *phases;
    r1_saver *saver;   /* of checkpointing.h */
    r1_dataset *train; /* of the current stage; NULL: it has none */
    r1_run_position at;
    /* rank 0 only */
    r1_rundir dir;
    r1_metrics metrics;
    r1_tensorboard tensorboard;
    r1_summary summary;
    char *inputs;                      /* fingerprints of what is read; owned */
    int64_t metrics_keep, events_keep; /* bytes to go on behind; -1: a new file */
    int64_t resumed_from;              /* step; -1: not resumed */
    int elsewhere; /* resumed from a checkpoint of another directory: records begin anew */
    /* not saved */
    int (*stop_requested)(void); /* polled at step boundaries; may be NULL */
    double t0_s;
} r1_run;

/* Is this rank the one that writes? */
static inline int r1_run_writes(const r1_run *run) {
    return run->world->all.rank == 0;
}

static inline const r1_stage_config *r1_run_stage(const r1_run *run) {
    return &run->cfg->stages[run->at.stage];
}

/* What does not change from update to update: the stage's optimizer and micro-batch limit. */
void r1_run_optimizer(const r1_run *run, r1_update_spec *u);

/* One step of a stage; Collective over the learners.  Fills rec with the step's metrics. */
R1_MUST_USE r1_status r1_sft_step(r1_run *run, r1_record *rec, r1_err *err);
R1_MUST_USE r1_status r1_grpo_step(r1_run *run, r1_record *rec, r1_err *err);

/* Accuracy on the stage's held-out problems, sampled and greedy; Collective. */
R1_MUST_USE r1_status r1_evaluate(r1_run *run, r1_eval_result *ret, r1_err *err);

/* The whole recipe from where the run stands; Collective.  R1_STOPPED: ended early on request. */
R1_MUST_USE r1_status r1_recipe_run(r1_run *run, r1_err *err);

#endif
