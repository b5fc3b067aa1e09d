/* One GRPO step: rollouts, advantages, updates, new weights.
 *
 * DeepSeek-R1, equation 1, with the variants that loss.h and advantage.h list.  The old policy's
 * log-probs are those that came with the trajectories: decode and the learner's forward are the
 * same code with the same order of additions, so they are its own bit for bit.  Only where the
 * sampling transform was another one (mismatch_cap) they are computed again. */
#include "learner/dump.h"
#include "learner/grpo_batch.h"
#include "learner/loss.h"
#include "learner/run.h"
#include "learner/schedule.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/trace.h"

#include <math.h>
#include <string.h>

enum {
    N_STATS = sizeof(r1_loss_stats) / sizeof(double)
};
_Static_assert(sizeof(r1_loss_stats) % sizeof(double) == 0, "statistics are doubles");

/* ---- log-probs of whole batches ---- */

typedef struct scoring {
    const r1_grpo_batch *b;
    float *out; /* [off[n]] */
} scoring;

static void keep_logp(void *ctx, int item, int member, int token, int n, const float *logp,
                      const float *entropy, float *ret_dlogp, float *ret_dent) {
    const scoring *s = ctx;
    size_t at = s->b->off[item * s->b->group_size + member] + (size_t)token;

    memcpy(s->out + at, logp, (size_t)n * sizeof *logp);
}

/* Everyone gets the values of each group from the learner that computed them (group mod size). */
static r1_status share_tokens(r1_run *run, const r1_grpo_batch *b, float *values, r1_err *err) {
    const r1_comm *c = &run->world->learners;
    size_t sizes[R1_MAX_SHARDS];
    r1_buf mine, all;
    r1_status st = R1_OK;

    if (c->size == 1)
        return R1_OK;
    r1_buf_init(&mine, SIZE_MAX / 2);
    r1_buf_init(&all, SIZE_MAX / 2);
    for (int pass = 0; pass < 2; pass++) { /* 0: collect mine, 1: place everyone's */
        size_t at = 0;
        for (int r = 0; r < c->size; r++)
            for (int g = r; g < b->n_groups; g += c->size) {
                size_t first = b->off[g * b->group_size],
                       bytes = (b->off[(g + 1) * b->group_size] - first) * sizeof *values;
                if (pass == 0 && r == c->rank)
                    R1_TRY(r1_buf_add(&mine, values + first, bytes, err));
                if (pass == 1)
                    memcpy(values + first, all.data + at, bytes);
                at += bytes;
            }
        if (pass == 0)
            R1_TRY(r1_allgatherv(c, mine.data, mine.len, &all, sizes, "log-probs", err));
    }
done:
    r1_buf_done(&mine);
    r1_buf_done(&all);
    return st;
}

/* Log-probs of all tokens under a payload, on every learner. */
static r1_status score(r1_run *run, const r1_grpo_batch *b, const void *payload, float **ret,
                       r1_err *err) {
    const r1_stage_config *s = r1_run_stage(run);
    scoring ctx = {.b = b};
    r1_status st;

    if (!*ret)
        R1_TRY(R1_NEW(*ret, b->off[b->n], err));
    ctx.out = *ret;
    r1_phase_begin(run->phases, R1_PHASE_FORWARD);
    r1_trainer_score(run->trainer, payload, b->items, b->n_groups,
                     r1_inv_temperature(s->temperature), keep_logp, &ctx);
    r1_phase_end(run->phases, R1_PHASE_FORWARD);
    st = share_tokens(run, b, *ret, err);
done:
    return st;
}

/* ---- rollouts ---- */

static void request(const r1_run *run, int n, r1_rollout_request *q) {
    const r1_stage_config *s = r1_run_stage(run);

    *q = (r1_rollout_request){.stage = run->at.stage,
                              .step = run->at.step + 1,
                              .first = run->at.deals,
                              .n_prompts = n,
                              .group_size = s->group_size,
                              .n_rewards = s->n_rewards,
                              .temperature = (float)s->temperature,
                              .top_p = (float)s->top_p,
                              .top_k = s->top_k,
                              .min_new_tokens = s->min_new_tokens,
                              .max_new_tokens = s->max_response_len,
                              .version = run->trainer->version,
                              .payload_hash = run->trainer->payload_hash};
}

static r1_status roll_round(r1_run *run, r1_group *groups, r1_err *err) {
    r1_rollout_request q;

    request(run, r1_run_stage(run)->prompts_per_step, &q);
    r1_trace_follow(q.first, (uint64_t)q.n_prompts);
    R1_TRACE();
    r1_status st = run->source.roll(run->source.ctx, &q, groups, err);
    if (st == R1_OK)
        run->at.deals += (uint64_t)q.n_prompts;
    return st;
}

/* Dynamic sampling (DAPO, 3.2): groups whose rewards all agree are replaced by those of further
 * rounds, in deal order.  After the last round flat groups fill what is still free, so that a step
 * always has its size; they have zero advantage. */
static r1_status roll(r1_run *run, r1_group *kept, int *ret_rounds, r1_err *err) {
    const r1_stage_config *s = r1_run_stage(run);
    int want = s->prompts_per_step, have = 0, n_spare = 0, rounds = 0;
    int max_rounds = s->dynamic_sampling.enabled ? s->dynamic_sampling.max_rounds : 1;
    r1_group *round = NULL, *spare = NULL;
    r1_status st;

    R1_TRY(R1_NEW(round, (size_t)want, err));
    R1_TRY(R1_NEW(spare, (size_t)want, err));
    while (have < want && rounds < max_rounds) {
        R1_TRY(roll_round(run, round, err));
        rounds++;
        for (int g = 0; g < want; g++) {
            int flat = s->dynamic_sampling.enabled && r1_group_is_flat(&round[g]);
            if (!flat && have < want)
                kept[have++] = round[g];
            else if (flat && n_spare < want)
                spare[n_spare++] = round[g];
            else
                r1_group_done(&round[g]);
        }
    }
    int used = 0;
    while (have < want)
        kept[have++] = spare[used++];
    for (; used < n_spare; used++)
        r1_group_done(&spare[used]);
    *ret_rounds = rounds;
done:
    for (int g = 0; st != R1_OK && g < have; g++)
        r1_group_done(&kept[g]);
    for (int g = 0; st != R1_OK && g < n_spare; g++)
        r1_group_done(&spare[g]);
    r1_free(round);
    r1_free(spare);
    return st;
}

/* ---- updates ---- */

typedef struct policy_ctx {
    const r1_grpo_batch *b;
    r1_loss_params params;
    r1_loss_counts counts;
    const uint32_t *order; /* group at each position of the update */
    const double *ratios;  /* [n] sequence level */
    r1_loss_stats *stats;  /* [n_items] */
} policy_ctx;

static void policy_loss(void *ctx, int item, int member, int token, int n, const float *logp,
                        const float *entropy, float *ret_dlogp, float *ret_dent) {
    policy_ctx *c = ctx;
    const r1_grpo_batch *b = c->b;
    int i = (int)c->order[item] * b->group_size + member;
    r1_loss_sample sample = {.advantage = b->advantage[i],
                             .len = b->lens[i],
                             .old_logp = b->old_logp + b->off[i],
                             .rollout = b->rollout + b->off[i],
                             .ref_logp = b->ref_logp ? b->ref_logp + b->off[i] : NULL,
                             .sequence_ratio = c->ratios ? c->ratios[i] : 1.0};

    r1_loss_tokens(&c->params, &c->counts, &sample, token, n, logp, entropy, ret_dlogp, ret_dent,
                   &c->stats[item]);
}

static r1_loss_params loss_params(const r1_stage_config *s) {
    return (r1_loss_params){.ratio_level = (r1_ratio_level)s->ratio_level,
                            .policy_loss = (r1_policy_loss_kind)s->policy_loss,
                            .aggregation = (r1_aggregation_kind)s->loss_aggregation,
                            .kl_estimator = (r1_kl_estimator)s->kl.estimator,
                            .clip_low = s->clip_low,
                            .clip_high = s->clip_high,
                            .dual_clip = isnan(s->dual_clip) ? 0 : s->dual_clip,
                            .kl_coef = s->kl.in == R1_KL_IN_LOSS ? s->kl.coef : 0,
                            .entropy_coef = s->entropy_coef,
                            .mismatch_cap = isnan(s->mismatch_cap) ? 0 : s->mismatch_cap,
                            .max_len = s->max_response_len};
}

/* exp(mean log-ratio) of each sample under the weights of this moment (GSPO): exactly 1 before the
 * first update of a step, for the old log-probs are this forward's bit for bit. */
static r1_status sequence_ratios(r1_run *run, const r1_grpo_batch *b, int updates_done,
                                 double *ratios, r1_err *err) {
    float *now = NULL;
    r1_status st = R1_OK;

    for (int i = 0; i < b->n; i++)
        ratios[i] = 1.0;
    if (updates_done == 0)
        return R1_OK;
    st = score(run, b, r1_trainer_payload(run->trainer), &now, err);

    for (int i = 0; st == R1_OK && i < b->n; i++)
        if (b->lens[i])
            ratios[i] =
                r1_loss_sequence_ratio(now + b->off[i], b->old_logp + b->off[i], b->lens[i]);
    r1_free(now);
    return st;
}

/* Sums over the updates of a step. */
typedef struct step_sums {
    r1_loss_stats stats;
    double on_policy_diff, on_policy_diff_max; /* rollout against learner, first update */
    double grad_norm, update_s, reduce_s, lr;
    int updates, skipped; /* skipped: gradient or loss not finite */
    r1_cut cut;
} step_sums;

static void add_result(r1_run *run, const r1_update_result *r, int finite, step_sums *sums) {
    sums->update_s += r->forward_backward_s + r->optimizer_s;
    sums->reduce_s += r->reduce_s;
    sums->grad_norm += r->grad_norm;
    r1_cut_add(&sums->cut, &r->cut);
    sums->updates++;
    sums->skipped += !finite;
    run->at.updates++;
    run->at.stage_updates++;
}

/* Positions without anything to learn, and the counts of the whole update before any split. */
static void count_update(const r1_grpo_batch *b, policy_ctx *c, int n_groups, uint8_t *skip) {
    int free_of_policy = c->params.kl_coef == 0 && c->params.entropy_coef == 0;

    c->counts = (r1_loss_counts){0};
    for (int p = 0; p < n_groups; p++) {
        int g = (int)c->order[p], any = 0;
        for (int i = g * b->group_size; i < (g + 1) * b->group_size; i++) {
            c->counts.samples += b->lens[i] > 0;
            c->counts.tokens += b->lens[i];
            any |= b->lens[i] > 0;
        }
        skip[p] = !any || (free_of_policy && r1_grpo_batch_flat(b, g));
    }
}

static r1_status update(r1_run *run, const r1_grpo_batch *b, const uint32_t *order, int n_groups,
                        step_sums *sums, r1_err *err) {
    const r1_stage_config *s = r1_run_stage(run);
    policy_ctx c = {.b = b, .params = loss_params(s), .order = order};
    r1_update_result result;
    r1_item *items = NULL;
    double *ratios = NULL;
    uint8_t *skip = NULL;
    r1_status st;

    R1_TRY(R1_NEW(items, (size_t)n_groups, err));
    R1_TRY(R1_NEW(skip, (size_t)n_groups, err));
    R1_TRY(R1_NEW(c.stats, (size_t)n_groups, err));
    if (s->ratio_level == R1_RATIO_SEQUENCE) {
        R1_TRY(R1_NEW(ratios, (size_t)b->n, err));
        R1_TRY(sequence_ratios(run, b, sums->updates, ratios, err));
        c.ratios = ratios;
    }
    for (int p = 0; p < n_groups; p++)
        items[p] = b->items[order[p]];
    count_update(b, &c, n_groups, skip);
    sums->lr = r1_schedule_lr((r1_schedule_kind)s->schedule, s->lr, s->warmup,
                              (long)run->at.stage_updates, s->total_updates);
    r1_update_spec u = {.items = items,
                        .n_items = n_groups,
                        .skip = skip,
                        .inv_t = r1_inv_temperature(s->temperature),
                        .fn = policy_loss,
                        .ctx = &c,
                        .stats = (double *)c.stats,
                        .n_stats = N_STATS,
                        .lr = sums->lr};
    r1_run_optimizer(run, &u);
    R1_TRY(r1_trainer_update(run->trainer, &u, &result, err));
    r1_loss_stats mine = {0};
    for (int p = 0; p < n_groups; p++)
        r1_loss_stats_add(&mine, &c.stats[p]);
    int finite = result.finite && isfinite(mine.pg_loss_w + mine.kl_loss_w + mine.entropy_w);
    r1_loss_stats_add(&sums->stats, &mine);
    if (sums->updates == 0) { /* later ones have other weights */
        sums->on_policy_diff = sums->stats.diff / fmax(sums->stats.tokens, 1);
        sums->on_policy_diff_max = sums->stats.diff_max;
    }
    add_result(run, &result, finite, sums);
done:
    r1_free(items);
    r1_free(skip);
    r1_free(c.stats);
    r1_free(ratios);
    return st;
}

/* All updates of the step: inner epochs over mini-batches of whole groups, each in drawn order. */
static r1_status updates(r1_run *run, const r1_grpo_batch *b, step_sums *sums, r1_err *err) {
    const r1_stage_config *s = r1_run_stage(run);
    int per_update = s->minibatch / s->group_size;
    uint32_t *order = NULL;
    r1_status st;

    R1_TRY(R1_NEW(order, (size_t)b->n_groups, err));
    for (int epoch = 0; epoch < s->inner_epochs; epoch++) {
        r1_rng_key key = {.seed = run->cfg->seed,
                          .index = (uint64_t)run->at.updates,
                          .purpose = R1_RNG_SHUFFLE,
                          .stage = (uint32_t)run->at.stage};
        r1_rng_permutation(&key, order, (uint32_t)b->n_groups);
        for (int first = 0; first < b->n_groups; first += per_update) {
            R1_TRY(update(run, b, order + first, per_update, sums, err));
            if (sums->skipped && s->on_nonfinite == R1_NONFINITE_STOP) {
                st = R1_FAIL(
                    err, R1_DATA,
                    "stage '%s', step %lld: loss or gradient is not finite (the batch is in "
                    "rollouts/; on_nonfinite: skip would go on without it)",
                    s->name, (long long)run->at.step + 1);
                goto done;
            }
        }
    }
done:
    r1_free(order);
    return st;
}

/* ---- the step ---- */

static void record_loss(const r1_run *run, const step_sums *sums, r1_record *rec) {
    const r1_stage_config *s = r1_run_stage(run);
    const r1_loss_stats *t = &sums->stats;
    double n = t->tokens > 0 ? t->tokens : 1, u = sums->updates;
    double kl = s->kl.in == R1_KL_IN_LOSS ? s->kl.coef : 0;

    r1_record_real(rec, (t->pg_loss_w + kl * t->kl_loss_w - s->entropy_coef * t->entropy_w) / u,
                   "actor/loss");
    r1_record_real(rec, t->pg_loss_w / u, "actor/pg_loss");
    if (t->tokens > 0) { /* means over the groups that were not skipped, if there was one */
        r1_record_real(rec, t->clipped / n, "actor/pg_clipfrac");
        r1_record_real(rec, t->clipped_lower / n, "actor/pg_clipfrac_lower");
        r1_record_real(rec, t->ppo_kl / n, "actor/ppo_kl");
        r1_record_real(rec, t->ratio / n, "actor/ratio_mean");
        r1_record_real(rec, t->entropy / n, "actor/entropy");
    }
    if (s->kl.coef > 0) {
        r1_record_real(rec, t->kl_loss_w / u, "actor/kl_loss");
        r1_record_real(rec, t->k3 / n, "actor/kl_k3");
        r1_record_real(rec, s->kl.coef, "actor/kl_coef");
        r1_record_int(rec, run->at.reference_update, "actor/kl_reference_update");
    }
    r1_record_real(rec, sums->grad_norm / u, "actor/grad_norm");
    r1_record_real(rec, sums->lr, "actor/lr");
    r1_record_int(rec, sums->updates, "training/updates_in_step");
    r1_record_int(rec, sums->skipped, "training/nonfinite_skipped");
    r1_cut_record(&sums->cut, rec);
    r1_record_real(rec, sums->on_policy_diff, "training/rollout_probs_diff_mean");
    r1_record_real(rec, sums->on_policy_diff_max, "training/rollout_probs_diff_max");
    r1_record_real(rec, sums->update_s, "timing_s/update_actor");
    r1_record_real(rec, sums->reduce_s, "timing_s/reduce");
}

/* Log-probs that did not come over the wire. */
static r1_status score_old_and_reference(r1_run *run, r1_grpo_batch *b, r1_record *rec,
                                         r1_err *err) {
    const r1_stage_config *s = r1_run_stage(run);
    double t0 = r1_now_s();
    r1_status st = R1_OK;

    if (!isnan(s->mismatch_cap)) {
        R1_TRY(score(run, b, r1_trainer_payload(run->trainer), &b->old_store, err));
        b->old_logp = b->old_store;
    }
    r1_record_real(rec, r1_now_s() - t0, "timing_s/old_log_prob");
    t0 = r1_now_s();
    if (s->kl.coef > 0)
        R1_TRY(score(run, b, r1_trainer_reference(run->trainer), &b->ref_logp, err));
    r1_record_real(rec, r1_now_s() - t0, "timing_s/ref");
done:
    return st;
}

/* The reference follows the policy when the count of updates passes a multiple of ref_sync_every;
 * 0: never. */
static r1_status refresh_reference(r1_run *run, int64_t updates_before, r1_err *err) {
    const r1_stage_config *s = r1_run_stage(run);
    int64_t every = s->kl.ref_sync_every;

    if (s->kl.coef <= 0 || every <= 0 || run->at.stage_updates / every == updates_before / every)
        return R1_OK;
    r1_debug("stage '%s': the reference policy is replaced after update %lld", s->name,
             (long long)run->at.stage_updates);
    run->at.reference_update = run->at.updates;
    return r1_trainer_set_reference(run->trainer, err);
}

r1_status r1_grpo_step(r1_run *run, r1_record *rec, r1_err *err) {
    const r1_stage_config *s = r1_run_stage(run);
    int64_t updates_before = run->at.stage_updates;
    double t0 = r1_now_s();
    r1_grpo_batch b = {0};
    step_sums sums = {0};
    r1_group *groups;
    int rounds = 0;
    r1_status st;

    if ((st = R1_NEW(groups, (size_t)s->prompts_per_step, err)) != R1_OK)
        return st;
    if ((st = roll(run, groups, &rounds, err)) != R1_OK) {
        r1_free(groups);
        return st;
    }
    if ((st = r1_grpo_batch_open(&b, s, groups, err)) != R1_OK)
        return st;
    r1_record_real(rec, r1_now_s() - t0, "timing_s/gen");
    R1_TRY(score_old_and_reference(run, &b, rec, err));
    r1_grpo_batch_advantages(&b, s);
    r1_grpo_batch_record(&b, s, rec);
    run->summary.reproducible &= !r1_groups_timed_out(b.groups, b.n_groups);
    r1_record_int(rec, run->source.refused ? (int64_t)*run->source.refused : 0,
                  "perf/refused_messages");
    if (s->dynamic_sampling.enabled)
        r1_record_int(rec, rounds, "training/sampling_rounds");
    st = updates(run, &b, &sums, err);
    int due =
        run->cfg->log.rollouts_every > 0 && run->at.stage_step % run->cfg->log.rollouts_every == 0;
    if (r1_run_writes(run) && (due || sums.skipped)) {
        r1_status dumped = r1_grpo_dump(run, &b, st == R1_OK ? err : NULL);
        st = st == R1_OK ? dumped : st;
    }
    if (sums.skipped) /* nobody ends the run before the batch is written */
        st = r1_agree(&run->world->learners, st, err);
    R1_TRY(st);
    record_loss(run, &sums, rec);
    int64_t tokens = 0;
    for (int i = 0; i < b.n; i++)
        tokens += groups[i / b.group_size].t[i % b.group_size].n;
    r1_record_int(rec, tokens, "num_tokens");
    for (int g = 0; g < b.n_groups; g++)
        tokens += b.groups[g].prompt_len;
    r1_record_int(rec, tokens, "perf/total_num_tokens");
    R1_TRY(refresh_reference(run, updates_before, err));
    st = r1_trainer_publish(run->trainer, err);
done:
    r1_trace_follow(0, 0);
    r1_grpo_batch_close(&b);
    return st;
}
