#ifndef R1_LEARNER_CHECKPOINTING_H
#define R1_LEARNER_CHECKPOINTING_H
/* When a run saves itself and how it goes on: what of r1_run and r1_trainer is in a checkpoint.
 *
 * Saved: every checkpoint.every steps, at the end of a stage, when checkpoint.best improves, and on a
 * request to stop.  Never pruned: the last one of a stage, the best one, and what they name. */
#include "common/store/checkpoint.h"
#include "learner/run.h"

/* Is it time, after the step that was just recorded? */
int r1_checkpoint_due(const r1_run *run, int64_t stage_steps, int best_improved, int stopping);

/* Collective over the learners.  Rank 0's files have been written up to this step. */
R1_MUST_USE r1_status r1_checkpoint_save(r1_run *run, r1_err *err);

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
