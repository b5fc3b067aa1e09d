/* Supervised fine-tuning: cold start, distillation, plain text.
 *
 * The loss is the mean negative log-likelihood over the completion tokens of the whole update (for
 * plain text over all tokens but the first), counted before any split. */
#include "learner/dump.h"
#include "learner/run.h"
#include "learner/schedule.h"

#include "common/base/log.h"
#include "common/data/example.h"

#include <math.h>
#include <string.h>

enum {
    STAT_NLL,
    STAT_TOKENS,
    STAT_CORRECT,
    N_STATS
};

typedef struct example {
    r1_example e;
    const int32_t *completion;
    int completion_len;
} example;

typedef struct sft_batch {
    int n;
    example *ex;
    r1_item *items;
    double *stats;
    double tokens;
} sft_batch;

static r1_status encode_example(const r1_run *run, const r1_problem *p, example *x, r1_err *err) {
    r1_prompting how = {run->tokenizer, run->template_kind, run->system};
    size_t limit = (size_t)r1_run_stage(run)->limits.max_tokens_per_microbatch;
    size_t context = (size_t)run->trainer->o.model->max_len;
    r1_status st;

    R1_TRY(r1_example_encode(&how, p, &x->e, NULL, err));
    size_t n = x->e.ids.n;
    if (n > limit || n > context)
        st = R1_FAIL(err, R1_DATA,
                     "an example has %zu tokens, limits.max_tokens_per_microbatch is %zu, the "
                     "context %zu",
                     n, limit, context);
    x->completion = x->e.ids.ids + x->e.prompt_len;
    x->completion_len = (int)n - x->e.prompt_len;
done:
    if (st != R1_OK)
        r1_err_prefix(err, "stage '%s'", r1_run_stage(run)->name);
    return st;
}

static void batch_done(sft_batch *b) {
    for (int i = 0; i < b->n && b->ex; i++)
        r1_ids_done(&b->ex[i].e.ids);
    r1_free(b->ex);
    r1_free(b->items);
    r1_free(b->stats);
}

/* Deal the next `batch` examples; every learner draws all of them (they are pure functions). */
static r1_status deal_batch(r1_run *run, sft_batch *b, r1_err *err) {
    const r1_stage_config *s = r1_run_stage(run);
    r1_status st;

    *b = (sft_batch){.n = s->batch};
    R1_TRY(R1_NEW(b->ex, (size_t)b->n, err));
    R1_TRY(R1_NEW(b->items, (size_t)b->n, err));
    R1_TRY(R1_NEW(b->stats, (size_t)b->n * N_STATS, err));
    for (int i = 0; i < b->n; i++) {
        r1_problem p;
        example *e = &b->ex[i];
        R1_TRY(r1_dataset_get(run->train, run->at.deals + (uint64_t)i, &p, err));
        st = encode_example(run, &p, e, err);
        r1_problem_done(&p);
        if (st != R1_OK)
            goto done;
        b->items[i] = (r1_item){.prompt = e->e.ids.ids,
                                .prompt_len = e->e.prompt_len,
                                .n = 1,
                                .ids = &e->completion,
                                .lens = &e->completion_len};
        b->tokens += e->completion_len;
    }
    run->at.deals += (uint64_t)b->n;
done:
    if (st != R1_OK)
        batch_done(b);
    return st;
}

static void nll(void *ctx, int item, int member, int token, int n, const float *logp,
                const float *entropy, float *ret_dlogp, float *ret_dent) {
    sft_batch *b = ctx;
    double *stats = b->stats + (size_t)item * N_STATS;

    for (int i = 0; i < n; i++) {
        stats[STAT_NLL] -= (double)logp[i];
        stats[STAT_TOKENS] += 1;
        ret_dlogp[i] = (float)(-1.0 / b->tokens);
    }
}

static void record(const r1_run *run, const sft_batch *b, const r1_update_result *u, double lr,
                   r1_record *rec) {
    double sum = 0, rows = 0;

    for (int i = 0; i < b->n; i++) {
        sum += b->stats[(size_t)i * N_STATS + STAT_NLL];
        rows += (double)b->ex[i].e.ids.n;
    }
    r1_record_real(rec, sum / b->tokens, "loss");
    r1_record_real(rec, u->grad_norm, "actor/grad_norm");
    r1_record_real(rec, lr, "actor/lr");
    r1_record_int(rec, (int64_t)b->tokens, "num_tokens");
    r1_record_int(rec, (int64_t)rows, "perf/total_num_tokens");
    r1_record_int(rec, !u->finite, "training/nonfinite_skipped");
    r1_cut_record(&u->cut, rec);
    r1_record_real(rec, u->forward_backward_s + u->optimizer_s, "timing_s/update_actor");
    r1_record_real(rec, u->reduce_s, "timing_s/reduce");
}

/* The batch goes into rollouts/, then the run ends or goes on without it. */
static r1_status nonfinite(const r1_run *run, const sft_batch *b, r1_err *err) {
    const r1_stage_config *s = r1_run_stage(run);
    long long step = (long long)run->at.step + 1;
    r1_status st = R1_OK;

    if (r1_run_writes(run))
        st = r1_items_dump(run, b->items, b->n, run->at.deals - (uint64_t)b->n, err);
    if (st == R1_OK && s->on_nonfinite == R1_NONFINITE_STOP)
        st = R1_FAIL(err, R1_DATA,
                     "stage '%s', step %lld: the gradient is not finite (the batch is in "
                     "rollouts/; on_nonfinite: skip would go on without it)",
                     s->name, step);
    else if (st == R1_OK && r1_run_writes(run))
        r1_warn("stage '%s', step %lld: the gradient is not finite, the update is skipped (the "
                "batch is in rollouts/)",
                s->name, step);
    return st;
}

r1_status r1_sft_step(r1_run *run, r1_record *rec, r1_err *err) {
    const r1_stage_config *s = r1_run_stage(run);
    double lr = r1_schedule_lr((r1_schedule_kind)s->schedule, s->lr, s->warmup,
                               (long)run->at.stage_updates, s->total_updates);
    r1_update_result result;
    sft_batch b;
    r1_status st;

    if ((st = deal_batch(run, &b, err)) != R1_OK)
        return st;
    r1_update_spec u = {.items = b.items,
                        .n_items = b.n,
                        .inv_t = 1.0f,
                        .fn = nll,
                        .ctx = &b,
                        .stats = b.stats,
                        .n_stats = N_STATS,
                        .lr = lr};
    r1_run_optimizer(run, &u);
    R1_TRY(r1_trainer_update(run->trainer, &u, &result, err));
    record(run, &b, &result, lr, rec);
    if (!result.finite)
        R1_TRY(nonfinite(run, &b, err));
    run->at.updates++;
    run->at.stage_updates++;
    st = r1_trainer_publish(run->trainer, err);
done:
    batch_done(&b);
    return st;
}
