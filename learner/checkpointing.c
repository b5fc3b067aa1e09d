/* Saving and going on; see checkpointing.h. */
#include "learner/checkpointing.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "learner/inputs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The run's number of the last step of stage i. */
static int64_t last_step_of(const r1_config *cfg, int stage) {
    int64_t sum = 0;

    for (int i = 0; i <= stage; i++) {
        r1_stage_plan p;
        r1_config_plan(&cfg->stages[i], &p);
        sum += p.steps;
    }
    return sum;
}

int r1_checkpoint_due(const r1_run *run, int64_t stage_steps, int best_improved, int stopping) {
    int every = run->cfg->checkpoint.every;

    return stopping || best_improved || run->at.stage_step == stage_steps ||
           (every > 0 && run->at.step % every == 0);
}

r1_status r1_checkpoint_dir(const r1_run *run, char *path, size_t size, r1_err *err) {
    return r1_rundir_file(&run->dir, "checkpoints", path, size, err);
}

/* The directory's name is rank 0's to say. */
static r1_status share_path(const r1_run *run, char *path, size_t size, r1_err *err) {
    return r1_bcast(&run->world->learners, path, size, 0, "checkpoint directory", err);
}

static r1_ckpt_numbers numbers_of(const r1_run *run, uint64_t weights, uint64_t optimizer) {
    return (r1_ckpt_numbers){.step = run->at.step,
                             .stage = run->at.stage,
                             .stage_step = run->at.stage_step,
                             .updates = run->at.updates,
                             .stage_updates = run->at.stage_updates,
                             .adam_t = run->trainer->adam_t,
                             .weights_version = (int64_t)run->trainer->version,
                             .reference_update = run->at.reference_update,
                             .best_step = run->at.best_step,
                             .best = run->at.best,
                             .wall_s = r1_now_s() - run->t0_s,
                             .metrics_offset = r1_metrics_offset(&run->metrics),
                             .events_offset = run->tensorboard.offset,
                             .weights_checksum = weights,
                             .optimizer_checksum = optimizer,
                             .seed = (int64_t)run->cfg->seed,
                             .deals = (int64_t)run->at.deals};
}

static int has_reference(const r1_run *run) {
    const r1_stage_config *s = r1_run_stage(run);

    return s->kind == R1_STAGE_GRPO && s->kl.coef > 0;
}

/* Rank 0: the records that the checkpoint's offsets point into reach the disk before it does. */
static r1_status begin(const r1_run *run, char dir[R1_PATH_MAX], char tmp[R1_PATH_MAX],
                       r1_err *err) {
    r1_status st;

    R1_TRY(r1_metrics_sync(&run->metrics, err));
    R1_TRY(r1_tensorboard_sync(&run->tensorboard, err));
    R1_TRY(r1_checkpoint_dir(run, dir, R1_PATH_MAX, err));
    st = r1_ckpt_begin(dir, run->at.step, tmp, R1_PATH_MAX, err);
done:
    return st;
}

/* Rank 0's part: the head, the manifest, the rename. */
static r1_status finish(r1_run *run, const char *dir, const char *tmp, const r1_ckpt_shard *shards,
                        const r1_ckpt_numbers *numbers, r1_err *err) {
    const r1_model *model = run->trainer->o.model;
    char reference[R1_CKPT_NAME] = "", *yaml = NULL, *json = NULL;
    r1_status st;

    R1_TRY(r1_tokenizer_save(run->tokenizer, tmp, err));
    R1_TRY(r1_config_dump(run->cfg, 0, &yaml, err));
    R1_TRY(r1_arch_to_json(&model->arch, "float32", &json, err));
    if (has_reference(run)) {
        r1_ckpt_reference_name(run->at.reference_update, reference);
        R1_TRY(r1_ckpt_write_reference(dir, run->at.reference_update,
                                       r1_trainer_reference(run->trainer),
                                       model->layout.payload_bytes, err));
    }
    r1_ckpt_texts texts = {.config = yaml,
                           .model = json,
                           .numeric_path = model->ops->path,
                           .reference = reference,
                           .stage = r1_run_stage(run)->name,
                           .inputs = run->inputs};
    st = r1_ckpt_finish(dir, tmp, &model->layout, shards, run->world->learners.size, numbers,
                        &texts, err);
done:
    r1_free(yaml);
    r1_free(json);
    return st;
}

static r1_status sweep(const r1_run *run, r1_err *err) {
    char dir[R1_PATH_MAX];
    r1_status st = r1_checkpoint_dir(run, dir, sizeof dir, err);

    return st == R1_OK ? r1_ckpt_sweep(dir, err) : st;
}

static r1_status prune(const r1_run *run, const char *dir, r1_err *err) {
    int64_t pinned[R1_MAX_STAGES + 2];
    int n = 0;

    pinned[n++] = run->at.step; /* the one just written, whatever lies beyond it */
    for (int i = 0; i < run->cfg->n_stages; i++)
        pinned[n++] = last_step_of(run->cfg, i);
    if (!isnan(run->at.best))
        pinned[n++] = run->at.best_step;
    return r1_ckpt_prune(dir, run->cfg->checkpoint.keep_last, run->cfg->checkpoint.keep_every,
                         pinned, n, err);
}

static r1_status save(r1_run *run, r1_err *err) {
    const r1_comm *c = &run->world->learners;
    const r1_shard *mine = &run->trainer->shard;
    char dir[R1_PATH_MAX] = "", tmp[R1_PATH_MAX] = "";
    uint64_t weights, optimizer;
    r1_ckpt_shard shard = {0}, *shards = NULL;
    r1_status st;

    R1_TRY(r1_trainer_checksum(run->trainer, &weights, &optimizer, err));
    st = r1_run_writes(run) ? begin(run, dir, tmp, err) : R1_OK;
    R1_TRY(r1_agree(c, st, err));
    R1_TRY(share_path(run, tmp, sizeof tmp, err));
    st = r1_ckpt_write_shard(tmp, c->rank, mine->layout, run->trainer->ops, mine->u0, mine->u1,
                             mine->w, mine->m, mine->v, &shard, err);
    R1_TRY(r1_agree(c, st, err));
    R1_TRY(R1_NEW(shards, (size_t)c->size, err));
    R1_TRY(r1_allgather(c, &shard, sizeof shard, shards, "shards", err));
    if (r1_run_writes(run)) {
        r1_ckpt_numbers numbers = numbers_of(run, weights, optimizer);
        st = finish(run, dir, tmp, shards, &numbers, err);
        if (st == R1_OK)
            st = prune(run, dir, err);
    }
    st = r1_agree(c, st, err);
done:
    r1_free(shards);
    return st;
}

r1_status r1_checkpoint_save(r1_run *run, r1_err *err) {
    r1_phase_begin(run->phases, R1_PHASE_CHECKPOINT);
    r1_status st = save(run, err);
    r1_phase_end(run->phases, R1_PHASE_CHECKPOINT);
    if (st != R1_OK && r1_run_writes(run) && sweep(run, NULL) != R1_OK)
        r1_warn("'%s': cannot remove what the failed save left", run->dir.path);
    if (st != R1_OK)
        r1_err_prefix(err, "checkpoint of step %lld", (long long)run->at.step);
    return st;
}

/* ---- going on ---- */

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
    ret->step = last_step_of(run->cfg, i - 1);
    r1_status st = r1_path_format(ret->path, sizeof ret->path, err, "%s/step_%06lld", dir,
                                  (long long)ret->step);
    if (st == R1_OK && !r1_ckpt_is(ret->path))
        st = R1_FAIL(err, R1_USAGE, "--from %s: '%s' is no checkpoint; run the stage before it",
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
