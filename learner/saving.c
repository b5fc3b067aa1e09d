/* Saving a run; see checkpointing.h. */
#include "learner/checkpointing.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/thread.h"
#include "common/kernels/kernels.h"
#include "common/store/writer.h"

#include <math.h>
#include <string.h>

/* Removing what is not kept any more: a large file takes a tenth of a second and more. */
typedef struct pruning {
    pthread_t thread;
    int started;
    char dir[R1_PATH_MAX];
    int keep_last, keep_every, n_pinned;
    int64_t pinned[R1_MAX_STAGES + 2];
    r1_status st;
    r1_err err;
} pruning;

static void *run_pruning(void *arg) {
    pruning *p = arg;

    r1_thread_roam();
    p->st = r1_ckpt_prune(p->dir, p->keep_last, p->keep_every, p->pinned, p->n_pinned, &p->err);
    return NULL;
}

/* One at a time; without a thread it is done on the spot. */
static void start_pruning(pruning *p) {
    p->started = r1_thread_start(&p->thread, run_pruning, p) == 0;
    if (!p->started)
        run_pruning(p);
}

/* Wait for the end: what it came to, told once. */
static r1_status pruned(pruning *p, r1_err *err) {
    if (p->started)
        pthread_join(p->thread, NULL);
    p->started = 0;
    r1_status st = p->st;
    p->st = R1_OK;
    return st == R1_OK ? R1_OK : R1_FAIL(err, st, "%s", p->err.msg);
}

/* A checkpoint under way: what it says is settled when it begins, whatever the run does since. */
struct r1_saver {
    r1_ckpt_writer *writer;
    r1_ckpt_shard *shards; /* [learners] */
    int pending;           /* the same on all learners */
    r1_ckpt_numbers numbers;
    char tmp[R1_PATH_MAX];
    char dir[R1_PATH_MAX];        /* rank 0 */
    char reference[R1_CKPT_NAME]; /* rank 0; "": none */
    int64_t reference_known;      /* rank 0: update of the reference that was written; -1: none */
    pruning pruning;              /* rank 0 */
};

/* Only these may run in the background; all others are waited for. */
static int in_background(const r1_config *cfg) {
    return cfg->checkpoint.every > 0;
}

size_t r1_checkpoint_bytes(const r1_config *cfg, const r1_layout *l, int learners) {
    uint32_t cut[R1_MAX_SHARDS + 1];

    r1_layout_cut(l, learners, cut);
    return in_background(cfg) ? r1_ckpt_writer_bytes(l, cut[0], cut[1]) : 0;
}

r1_status r1_checkpoint_open(r1_run *run, r1_err *err) {
    const r1_comm *c = &run->world->learners;
    const r1_shard *mine = &run->trainer->shard;
    r1_saver *s = NULL;
    r1_status st;

    R1_TRY(R1_NEW(s, 1, err));
    run->saver = s;
    s->reference_known = -1;
    R1_TRY(R1_NEW(s->shards, (size_t)c->size, err));
    st = r1_ckpt_writer_open(&s->writer, mine->layout, c->rank, mine->u0, mine->u1,
                             in_background(run->cfg), run->trainer->ops->threads, err);
done:
    return r1_agree(c, st, err);
}

void r1_checkpoint_close(r1_run *run) {
    r1_err err;

    if (!run->saver)
        return;
    r1_ckpt_writer_close(run->saver->writer);
    if (pruned(&run->saver->pruning, &err) != R1_OK)
        r1_warn("%s", err.msg);
    r1_free(run->saver->shards);
    r1_free(run->saver);
    run->saver = NULL;
}

int r1_checkpoint_due(const r1_run *run, int64_t stage_steps, int best_improved, int stopping) {
    int every = run->cfg->checkpoint.every;

    return stopping || best_improved || run->at.stage_step == stage_steps ||
           (every > 0 && run->at.step % every == 0);
}

r1_status r1_checkpoint_dir(const r1_run *run, char *path, size_t size, r1_err *err) {
    return r1_rundir_file(&run->dir, "checkpoints", path, size, err);
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

/* The stage's reference, when it is new: it may be replaced while the shards are written. */
static r1_status save_reference(r1_run *run, r1_err *err) {
    const r1_stage_config *stage = r1_run_stage(run);
    r1_saver *s = run->saver;
    char path[R1_PATH_MAX];
    r1_status st;

    *s->reference = '\0';
    if (stage->kind != R1_STAGE_GRPO || stage->kl.coef <= 0)
        return R1_OK;
    r1_ckpt_reference_name(run->at.reference_update, s->reference);
    R1_TRY(r1_path_format(path, sizeof path, err, "%s/%s", s->dir, s->reference));
    if (s->reference_known == run->at.reference_update && r1_path_exists(path))
        return R1_OK;
    R1_TRY(pruned(&s->pruning, err)); /* no checkpoint names the new one yet */
    R1_TRY(r1_ckpt_write_reference(s->dir, run->at.reference_update,
                                   r1_trainer_reference(run->trainer),
                                   run->trainer->o.model->layout.payload_bytes, err));
    s->reference_known = run->at.reference_update;
done:
    return st;
}

/* Rank 0: the records that the checkpoint's offsets point into reach the disk before it does. */
static r1_status begin(r1_run *run, r1_err *err) {
    r1_saver *s = run->saver;
    r1_status st;

    R1_TRY(r1_metrics_sync(&run->metrics, err));
    R1_TRY(r1_tensorboard_sync(&run->tensorboard, err));
    R1_TRY(r1_checkpoint_dir(run, s->dir, sizeof s->dir, err));
    R1_TRY(r1_ckpt_begin(s->dir, run->at.step, s->tmp, sizeof s->tmp, err));
    st = save_reference(run, err);
done:
    return st;
}

/* All learners: each one's thread begins to write its shard. */
static r1_status start(r1_run *run, r1_err *err) {
    const r1_comm *c = &run->world->learners;
    const r1_shard *mine = &run->trainer->shard;
    r1_saver *s = run->saver;
    uint64_t weights, optimizer;
    r1_status st;

    s->numbers.step = run->at.step; /* from now on errors are of this one */
    R1_TRY(r1_trainer_checksum(run->trainer, &weights, &optimizer, err));
    s->numbers = numbers_of(run, weights, optimizer);
    st = r1_run_writes(run) ? begin(run, err) : R1_OK;
    R1_TRY(r1_agree(c, st, err));
    R1_TRY(r1_bcast(c, s->tmp, sizeof s->tmp, 0, "checkpoint directory", err));
    st = r1_ckpt_writer_start(s->writer, s->tmp, mine->w, mine->m, mine->v, err);
    R1_TRY(r1_agree(c, st, err));
    s->pending = 1;
done:
    return st;
}

/* Rank 0's part: the head, the manifest, the rename. */
static r1_status finish(const r1_run *run, r1_err *err) {
    const r1_model *model = run->trainer->o.model;
    const r1_saver *s = run->saver;
    char *yaml = NULL, *json = NULL;
    r1_status st;

    R1_TRY(r1_tokenizer_save(run->tokenizer, s->tmp, err));
    R1_TRY(r1_config_dump(run->cfg, 0, &yaml, err));
    R1_TRY(r1_arch_to_json(&model->arch, "float32", &json, err));
    r1_ckpt_texts texts = {.config = yaml,
                           .model = json,
                           .numeric_path = model->ops->path,
                           .reference = s->reference,
                           .stage = run->cfg->stages[s->numbers.stage].name,
                           .inputs = run->inputs};
    st = r1_ckpt_finish(s->dir, s->tmp, &model->layout, s->shards, run->world->learners.size,
                        &s->numbers, &texts, err);
done:
    r1_free(yaml);
    r1_free(json);
    return st;
}

/* What is best now may not be saved yet: the checkpoint's own word counts. */
static r1_status prune(r1_run *run, r1_err *err) {
    const r1_ckpt_numbers *saved = &run->saver->numbers;
    pruning *p = &run->saver->pruning;
    int n = 0;
    r1_status st;

    R1_TRY(pruned(p, err));
    R1_TRY(r1_path_format(p->dir, sizeof p->dir, err, "%s", run->saver->dir));
    p->pinned[n++] = saved->step; /* the one just written, whatever lies beyond it */
    for (int i = 0; i < run->cfg->n_stages; i++)
        p->pinned[n++] = r1_stage_last_step(run->cfg, i);
    if (!isnan(saved->best))
        p->pinned[n++] = saved->best_step;
    p->n_pinned = n;
    p->keep_last = run->cfg->checkpoint.keep_last;
    p->keep_every = run->cfg->checkpoint.keep_every;
    start_pruning(p);
done:
    return st;
}

/* All learners: wait for the shards, then the checkpoint is there. */
static r1_status settle(r1_run *run, r1_err *err) {
    const r1_comm *c = &run->world->learners;
    r1_saver *s = run->saver;
    r1_ckpt_shard shard = {0};
    r1_status st;

    s->pending = 0;
    st = r1_ckpt_writer_wait(s->writer, &shard, err);
    R1_TRY(r1_agree(c, st, err));
    R1_TRY(r1_allgather(c, &shard, sizeof shard, s->shards, "shards", err));
    if (r1_run_writes(run)) {
        st = finish(run, err);
        st = st == R1_OK ? prune(run, err) : st;
    }
    st = r1_agree(c, st, err);
done:
    return st;
}

/* A step that failed leaves nothing behind, and its message says which checkpoint it was.  Nobody
 * ends the run before: on a full disk exit_status needs the room.  Collective, all with the same
 * status. */
static r1_status explain(const r1_run *run, r1_status st, r1_err *err) {
    r1_err gone;

    if (st == R1_OK)
        return R1_OK;
    if (r1_run_writes(run) && *run->saver->dir && r1_ckpt_sweep(run->saver->dir, NULL) != R1_OK)
        r1_warn("'%s': cannot remove what the failed save left", run->saver->dir);
    if (st != R1_PEER && r1_barrier(&run->world->learners, "what a save left", &gone) != R1_OK)
        r1_debug("%s", gone.msg);
    r1_err_prefix(err, "checkpoint of step %lld", (long long)run->saver->numbers.step);
    return st;
}

r1_status r1_checkpoint_poll(r1_run *run, r1_err *err) {
    int64_t busy;
    r1_status st;

    if (!run->saver->pending)
        return R1_OK;
    r1_phase_begin(run->phases, R1_PHASE_CHECKPOINT);
    busy = r1_ckpt_writer_busy(run->saver->writer);
    st = r1_allmax(&run->world->learners, &busy, "checkpoint", err);
    if (st == R1_OK && !busy)
        st = settle(run, err);
    r1_phase_end(run->phases, R1_PHASE_CHECKPOINT);
    return explain(run, st, err);
}

r1_status r1_checkpoint_save(r1_run *run, int wait, r1_err *err) {
    r1_status st = R1_OK;

    r1_phase_begin(run->phases, R1_PHASE_CHECKPOINT);
    if (run->saver->pending)
        st = settle(run, err);
    st = st == R1_OK ? start(run, err) : st;
    if (st == R1_OK && (wait || !in_background(run->cfg)))
        st = settle(run, err);
    if (st == R1_OK && wait)
        st = r1_agree(&run->world->learners, pruned(&run->saver->pruning, err), err);
    r1_phase_end(run->phases, R1_PHASE_CHECKPOINT);
    return explain(run, st, err);
}
