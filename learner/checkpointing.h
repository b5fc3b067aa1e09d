#ifndef R1_LEARNER_CHECKPOINTING_H
#define R1_LEARNER_CHECKPOINTING_H
/* When a run saves itself and how it goes on: what of r1_run and r1_trainer is in a checkpoint.
 *
 * A checkpoint of checkpoint.every is written in the background: each learner copies its weights and
 * moments and goes on while a thread writes them.  At every step boundary the learners ask each other
 * whether all are done; the same answer everywhere finishes it.  At most one is under way; the last
 * of a stage and one at a request to stop are waited for.  What fails in the background ends the run
 * at the next boundary.  Old ones are removed by a thread too.
 *
 * Saved: every checkpoint.every steps, at the end of a stage, when checkpoint.best improves, and on a
 * request to stop.  Never pruned: the last one of a stage, the best one, and what they name. */
#include "common/store/checkpoint.h"
#include "learner/run.h"

/* Is it time, after the step that was just recorded? */
int r1_checkpoint_due(const r1_run *run, int64_t stage_steps, int best_improved, int stopping);

/* Memory for the copy of the largest of so many learners. */
size_t r1_checkpoint_bytes(const r1_config *cfg, const r1_layout *l, int learners);

/* Collective over the learners. */
R1_MUST_USE r1_status r1_checkpoint_open(r1_run *run, r1_err *err);
/* Waits for this learner's thread; what is not finished by then never will be. */
void r1_checkpoint_close(r1_run *run);
/* Collective over the learners.  Rank 0's files have been written up to this step.  wait: until the
 * checkpoint is there; before it begins, any earlier one is. */
R1_MUST_USE r1_status r1_checkpoint_save(r1_run *run, int wait, r1_err *err);
/* Collective over the learners, at a step boundary: finish a checkpoint that all have written. */
R1_MUST_USE r1_status r1_checkpoint_poll(r1_run *run, r1_err *err);

/* The run's number of the last step of stage i. */
int64_t r1_stage_last_step(const r1_config *cfg, int stage);

/* Where a run goes on; the same on every rank. */
typedef struct r1_resume {
    int found;     /* 0: from the beginning */
    int finished;  /* the run in the directory ended in order */
    int automatic; /* the newest that can be used is meant */
    int elsewhere; /* the checkpoint is not of this directory: its records are not here */
    int64_t step;
    char path[R1_PATH_MAX];
} r1_resume;

/* Rank 0: DIR/checkpoints of the run directory. */
R1_MUST_USE r1_status r1_checkpoint_dir(const r1_run *run, char *path, size_t size, r1_err *err);

/* Rank 0, the run directory is open: what --resume (auto or a path) and --from (NULL: not given)
 * mean.  A run of another configuration is R1_USAGE; partial output of this one is discarded when
 * there is no directory of a checkpoint.  Checkpoints of which none can be read are R1_DATA. */
R1_MUST_USE r1_status r1_resume_find(r1_run *run, const char *resume, const char *from,
                                     r1_resume *ret, r1_err *err);

/* Collective over the learners: weights, moments, reference and position; before
 * r1_trainer_start.  *ret_version: of the weights.  Damage that shows only now makes --resume auto go
 * back to the checkpoint before. */
R1_MUST_USE r1_status r1_resume_load(r1_run *run, const r1_resume *r, uint64_t *ret_version,
                                     r1_err *err);

#endif
