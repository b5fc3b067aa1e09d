/* Where and how a run goes on; see checkpointing.h. */
#include "learner/checkpointing.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "learner/inputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int64_t r1_stage_last_step(const r1_config *cfg, int stage) {
    int64_t sum = 0;

    for (int i = 0; i <= stage; i++) {
        r1_stage_plan p;
        r1_config_plan(&cfg->stages[i], &p);
        sum += p.steps;
    }
    return sum;
}

/* What the run directory says of an earlier attempt must be this configuration. */
static r1_status check_same_config(const r1_run *run, const char *text, const char *where,
                                   r1_err *err) {
    r1_config *old = NULL;
    r1_status st;

    R1_TRY(r1_config_parse(&old, text, strlen(text), where, 0, NULL, err));
    st = r1_config_same_numeric(old, run->cfg, err);
done:
    r1_config_free(old);
    return st;
}

static r1_status check_directory(const r1_run *run, int *ret_finished, r1_err *err) {
    char path[R1_PATH_MAX], *text = NULL;
    size_t len = 0;
    int exit_status;
    r1_status st;

    *ret_finished = 0;
    R1_TRY(r1_rundir_file(&run->dir, "config.yaml", path, sizeof path, err));
    if (!r1_path_exists(path))
        return R1_OK;
    R1_TRY(r1_file_slurp(path, (size_t)16 << 20, &text, &len, err));
    R1_TRY(check_same_config(run, text, path, err));
    R1_TRY(r1_rundir_read_exit_status(&run->dir, &exit_status, err));
    *ret_finished = exit_status == 0;
done:
    r1_free(text);
    return st;
}

/* --from STAGE: the last checkpoint of the stage before it. */
static r1_status find_stage(const r1_run *run, const char *dir, const char *from, r1_resume *ret,
                            r1_err *err) {
    int i = 0;

    while (i < run->cfg->n_stages && strcmp(run->cfg->stages[i].name, from) != 0)
        i++;
    if (i == run->cfg->n_stages)
        return R1_FAIL(err, R1_USAGE, "--from %s: the configuration has no such stage", from);
    ret->found = i > 0;
    if (i == 0)
        return R1_OK;
    ret->step = r1_stage_last_step(run->cfg, i - 1);
    r1_status st = r1_path_format(ret->path, sizeof ret->path, err, "%s/step_%06lld", dir,
                                  (long long)ret->step);
    if (st == R1_OK && !r1_ckpt_is(ret->path))
        st = R1_FAIL(err, R1_USAGE,
                     "--from %s: '%s' is no checkpoint; run the stage before it (to try other "
                     "settings on its result: a recipe without it, and model.path=CHECKPOINT)",
                     from, ret->path);
    return st;
}

/* Partial output of this configuration goes, so that the run starts from zero.  Checkpoints never
 * do, whatever their state. */
static r1_status start_anew(const r1_run *run, const char *dir, r1_err *err) {
    int n;
    r1_status st = r1_ckpt_count(dir, &n, err);

    if (st != R1_OK || run->dir.was_empty)
        return st;
    if (n > 0)
        return R1_FAIL(err, R1_USAGE,
                       "'%s' holds %d checkpoint%s: to start anew, give another --output", dir, n,
                       n == 1 ? "" : "s");
    return r1_rundir_discard(&run->dir, err);
}

/* Bytes of a file of the run directory; 0: it is not there. */
static int64_t record_bytes(const r1_run *run, const char *leaf) {
    char path[R1_PATH_MAX];
    struct stat info;

    return r1_rundir_file(&run->dir, leaf, path, sizeof path, NULL) == R1_OK &&
                   stat(path, &info) == 0
               ? (int64_t)info.st_size
               : 0;
}

/* Do metrics and events reach as far as they did when the checkpoint was written? */
static r1_status records_reach(const r1_run *run, const char *path, int *ret, r1_err *err) {
    r1_ckpt *c;
    r1_status st;

    R1_TRY(R1_NEW(c, 1, err));
    if ((st = r1_ckpt_open(c, path, err)) == R1_OK) {
        *ret = record_bytes(run, "metrics.jsonl") >= c->numbers.metrics_offset &&
               (!run->cfg->log.tensorboard ||
                record_bytes(run, "tensorboard/" R1_TENSORBOARD_FILE) >= c->numbers.events_offset);
        r1_ckpt_close(c);
    }
    r1_free(c);
done:
    return st;
}

/* The newest checkpoint below `before` that can be used, better one whose records are all there. */
static r1_status find_newest(const r1_run *run, const char *dir, int64_t before, r1_resume *ret,
                             r1_err *err) {
    r1_resume first = {.step = -1};
    int reach = 0;
    r1_status st;

    *ret = (r1_resume){.automatic = 1};
    for (;;) {
        st = r1_ckpt_newest(dir, before, ret->path, sizeof ret->path, &ret->step, err);
        if (st != R1_OK || ret->step < 0)
            break;
        ret->found = 1;
        if ((st = records_reach(run, ret->path, &reach, err)) != R1_OK || reach)
            break;
        r1_warn("passing over '%s': metrics.jsonl or the event file is shorter than it was then",
                ret->path);
        first = first.found ? first : *ret;
        before = ret->step;
    }
    if (st == R1_DATA && first.found) { /* none has its records: the weights count */
        *ret = first;
        st = R1_OK;
    }
    return st;
}

/* Is the checkpoint one of this run directory? */
static int lies_in(const char *checkpoint, const char *dir) {
    char up[R1_PATH_MAX], *a = NULL, *b = NULL;
    int same = 0;

    if (r1_path_format(up, sizeof up, NULL, "%s/..", checkpoint) == R1_OK) {
        a = realpath(up, NULL);
        b = realpath(dir, NULL);
        same = a && b && strcmp(a, b) == 0;
    }
    free(a); /* libc's */
    free(b);
    return same;
}

r1_status r1_resume_find(r1_run *run, const char *resume, const char *from, r1_resume *ret,
                         r1_err *err) {
    char dir[R1_PATH_MAX];
    r1_status st = R1_OK;

    *ret = (r1_resume){.step = -1};
    if (strcmp(resume, "no") == 0 && !from)
        return R1_OK;
    R1_TRY(r1_checkpoint_dir(run, dir, sizeof dir, err));
    R1_TRY(check_directory(run, &ret->finished, err));
    if (from) {
        ret->finished = 0;
        R1_TRY(find_stage(run, dir, from, ret, err));
    } else if (strcmp(resume, "auto") != 0) {
        ret->finished = 0;
        ret->found = 1;
        R1_TRY(r1_path_format(ret->path, sizeof ret->path, err, "%s", resume));
        ret->elsewhere = !lies_in(resume, dir);
    } else if (!ret->finished) {
        R1_TRY(find_newest(run, dir, INT64_MAX, ret, err));
    }
    if ((!ret->found || ret->elsewhere) && !ret->finished)
        st = start_anew(run, dir, err);
done:
    return st;
}

static r1_status load(r1_run *run, const r1_resume *r, const r1_ckpt *c, uint64_t *ret_version,
                      r1_err *err) {
    r1_trainer *t = run->trainer;
    const r1_shard *s = &t->shard;
    char path[R1_PATH_MAX];
    r1_status st;

    R1_TRY(check_same_config(run, c->config, c->path, err));
    if (r1_run_writes(run))
        R1_TRY(r1_inputs_same(c->inputs, run->inputs, c->path, err));
    if (strcmp(c->numeric_path, t->ops->path) != 0) {
        st = R1_FAIL(err, R1_USAGE,
                     "'%s' was made on numeric path %s, this run would use %s; set "
                     "compute.numeric_path: %s",
                     c->path, c->numeric_path, t->ops->path, c->numeric_path);
        goto done;
    }
    R1_TRY(r1_ckpt_read(c, s->layout, t->ops, s->u0, s->u1, s->w, s->m, s->v, err));
    if (*c->reference && run->world->node.rank == 0) {
        R1_TRY(r1_path_format(path, sizeof path, err, "%s/../%s", c->path, c->reference));
        R1_TRY(r1_ckpt_read_reference(path, r1_window_slot(t->o.window, R1_SLOT_REFERENCE),
                                      s->layout->payload_bytes, err));
    }
    t->adam_t = (long)c->numbers.adam_t;
    *ret_version = (uint64_t)c->numbers.weights_version;
    run->at = (r1_run_position){.stage = (int)c->numbers.stage,
                                .stage_step = c->numbers.stage_step,
                                .step = c->numbers.step,
                                .updates = c->numbers.updates,
                                .stage_updates = c->numbers.stage_updates,
                                .deals = (uint64_t)c->numbers.deals,
                                .reference_update = c->numbers.reference_update,
                                .best = c->numbers.best,
                                .best_step = c->numbers.best_step};
    run->metrics_keep = r->elsewhere ? -1 : c->numbers.metrics_offset;
    run->events_keep = r->elsewhere ? -1 : c->numbers.events_offset;
    run->t0_s = r1_now_s() - c->numbers.wall_s;
    if (run->at.stage < 0 || run->at.stage >= run->cfg->n_stages)
        st = R1_FAIL(err, R1_DATA, "'%s' names stage %d of %d", c->path, run->at.stage,
                     run->cfg->n_stages);
done:
    return st;
}

/* The sums over all units must be the stored ones: sound shards may be of different saves. */
static r1_status check_sums(r1_run *run, const r1_ckpt *c, r1_err *err) {
    uint64_t weights, optimizer;
    r1_status st = r1_trainer_checksum(run->trainer, &weights, &optimizer, err);

    if (st == R1_OK &&
        (weights != c->numbers.weights_checksum || optimizer != c->numbers.optimizer_checksum))
        st = R1_FAIL(err, R1_DATA,
                     "'%s': weights %016llx and moments %016llx were read, but %016llx and %016llx "
                     "were saved",
                     c->path, (unsigned long long)weights, (unsigned long long)optimizer,
                     (unsigned long long)c->numbers.weights_checksum,
                     (unsigned long long)c->numbers.optimizer_checksum);
    return st;
}

static r1_status load_one(r1_run *run, const r1_resume *r, uint64_t *ret_version, r1_err *err) {
    r1_ckpt *c = NULL;
    int opened = 0;
    r1_status st = R1_NEW(c, 1, err);

    if (st == R1_OK) {
        st = r1_ckpt_open(c, r->path, err);
        opened = st == R1_OK;
    }
    st = opened ? load(run, r, c, ret_version, err) : st;
    R1_TRY(r1_agree(&run->world->learners, st, err));
    st = check_sums(run, c, err);
done:
    if (opened)
        r1_ckpt_close(c);
    r1_free(c);
    return st;
}

/* Rank 0 chooses the checkpoint before the one that could not be loaded. */
static r1_status go_back(const r1_run *run, r1_resume *at, r1_err *err) {
    char dir[R1_PATH_MAX];
    r1_status st = R1_OK;

    if (r1_run_writes(run)) {
        r1_warn("passing over '%s': %s", at->path, err->msg);
        st = r1_checkpoint_dir(run, dir, sizeof dir, err);
        st = st == R1_OK ? find_newest(run, dir, at->step, at, err) : st;
    }
    R1_TRY(r1_agree(&run->world->learners, st, err));
    st = r1_bcast(&run->world->learners, at, sizeof *at, 0, "checkpoint to go back to", err);
done:
    return st;
}

r1_status r1_resume_load(r1_run *run, const r1_resume *r, uint64_t *ret_version, r1_err *err) {
    r1_resume at = *r;
    r1_status st;

    *ret_version = 0;
    st = r1_run_writes(run) ? r1_inputs_text(run, &run->inputs, err) : R1_OK;
    st = r1_agree(&run->world->learners, st, err);
    if (st != R1_OK || !r->found)
        return st;
    while ((st = load_one(run, &at, ret_version, err)) == R1_DATA && at.automatic)
        R1_TRY(go_back(run, &at, err));
    if (st != R1_OK)
        goto done;
    run->resumed_from = run->at.step;
    run->elsewhere = at.elsewhere;
    if (r1_run_writes(run))
        r1_info("resumed  from '%s', after step %lld", at.path, (long long)run->at.step);
done:
    return st;
}
