/* Rewards, advantages and statistics of a step's samples; see grpo_batch.h. */
#include "learner/grpo_batch.h"

#include "common/base/trace.h"
#include "learner/advantage.h"
#include "learner/loss.h"

#include <math.h>
#include <string.h>

static r1_trajectory *sample_of(const r1_grpo_batch *b, int i) {
    return &b->groups[i / b->group_size].t[i % b->group_size];
}

/* Truncated samples leave the loss where overlong.mask says so (DAPO, arXiv 2503.14476, 3.4). */
static int in_loss(const r1_stage_config *s, const r1_trajectory *t) {
    return t->usable && t->n > 0 && !(s->overlong.mask && t->finish != 0);
}

static void fill_items(r1_grpo_batch *b, const r1_stage_config *s) {
    for (int i = 0; i < b->n; i++) {
        const r1_trajectory *t = sample_of(b, i);
        b->usable[i] = t->usable;
        b->ids[i] = t->ids;
        b->lens[i] = in_loss(s, t) ? t->n : 0;
        b->off[i + 1] = b->off[i] + (size_t)b->lens[i];
        b->score[i] = t->reward;
    }
    for (int g = 0; g < b->n_groups; g++)
        b->items[g] = (r1_item){.prompt = b->groups[g].prompt,
                                .prompt_len = b->groups[g].prompt_len,
                                .n = b->group_size,
                                .ids = b->ids + g * b->group_size,
                                .lens = b->lens + g * b->group_size};
}

r1_status r1_grpo_batch_open(r1_grpo_batch *b, const r1_stage_config *s, r1_group *groups,
                             r1_err *err) {
    size_t n = (size_t)s->prompts_per_step * (size_t)s->group_size;
    r1_status st;

    *b = (r1_grpo_batch){.n_groups = s->prompts_per_step,
                         .group_size = s->group_size,
                         .n = (int)n,
                         .groups = groups};
    for (int g = 0; g < b->n_groups; g++)
        if (groups[g].n != s->group_size) {
            st = R1_FAIL(err, R1_BUG, "group %llu has %d samples, not %d",
                         (unsigned long long)groups[g].deal, groups[g].n, s->group_size);
            goto done;
        }
    R1_TRY(R1_NEW(b->items, (size_t)b->n_groups, err));
    R1_TRY(R1_NEW(b->ids, n, err));
    R1_TRY(R1_NEW(b->lens, n, err));
    R1_TRY(R1_NEW(b->off, n + 1, err));
    R1_TRY(R1_NEW(b->usable, n, err));
    R1_TRY(R1_NEW(b->score, n, err));
    R1_TRY(R1_NEW(b->reward, n, err));
    R1_TRY(R1_NEW(b->advantage, n, err));
    fill_items(b, s);
    R1_TRY(R1_NEW(b->rollout_store, b->off[n], err));
    for (int i = 0; i < b->n; i++)
        memcpy(b->rollout_store + b->off[i], sample_of(b, i)->logp,
               (size_t)b->lens[i] * sizeof(float));
    b->rollout = b->old_logp = b->rollout_store;
    return R1_OK;
done:
    r1_grpo_batch_close(b);
    return st;
}

void r1_grpo_batch_close(r1_grpo_batch *b) {
    for (int g = 0; g < b->n_groups; g++)
        r1_group_done(&b->groups[g]);
    r1_free(b->groups);
    r1_free(b->items);
    r1_free(b->ids);
    r1_free(b->lens);
    r1_free(b->off);
    r1_free(b->usable);
    r1_free(b->score);
    r1_free(b->reward);
    r1_free(b->advantage);
    r1_free(b->rollout_store);
    r1_free(b->old_store);
    r1_free(b->ref_logp);
    *b = (r1_grpo_batch){0};
}

int r1_group_is_flat(const r1_group *g) {
    const double *first = NULL;

    for (int i = 0; i < g->n; i++) {
        if (!g->t[i].usable)
            continue;
        if (first && g->t[i].reward != *first)
            return 0;
        first = &g->t[i].reward;
    }
    return 1;
}

int r1_groups_timed_out(const r1_group *g, int n) {
    for (int i = 0; i < n; i++)
        for (int m = 0; m < g[i].n; m++)
            for (int r = 0; r < g[i].t[m].n_rewards; r++)
                if (g[i].t[m].verdict[r] == R1_VERDICT_TIMEOUT)
                    return 1;
    return 0;
}

/* Soft overlong punishment (DAPO, equation 13): 0 up to max - buffer, then linearly down to
 * -penalty at the limit. */
static double overlong(const r1_stage_config *s, const r1_trajectory *t) {
    double start = (double)(s->max_response_len - s->overlong.buffer);

    if (s->overlong.buffer == 0 || s->overlong.penalty == 0 || t->n <= start)
        return 0;
    return -s->overlong.penalty * (t->n - start) / s->overlong.buffer;
}

/* KL in the reward: the sum over a sample's tokens, as verl has it. */
static double kl_of_sample(const r1_grpo_batch *b, const r1_stage_config *s, int i) {
    double sum = 0;

    for (size_t t = b->off[i]; t < b->off[i + 1]; t++)
        sum += r1_kl_estimate((r1_kl_estimator)s->kl.estimator, (double)b->old_logp[t],
                              (double)b->ref_logp[t]);
    return sum;
}

void r1_grpo_batch_advantages(r1_grpo_batch *b, const r1_stage_config *s) {
    int kl = s->kl.coef > 0 && s->kl.in == R1_KL_IN_REWARD;

    R1_TRACE();
    for (int i = 0; i < b->n; i++) {
        b->reward[i] = b->score[i] + overlong(s, sample_of(b, i));
        if (kl)
            b->reward[i] -= s->kl.coef * kl_of_sample(b, s, i);
    }
    double batch_std = r1_reward_std(b->reward, b->usable, b->n);
    b->zero_std = 0;
    for (int g = 0; g < b->n_groups; g++) {
        int at = g * b->group_size;
        r1_advantages((r1_advantage_kind)s->advantage, b->reward + at, b->usable + at,
                      b->group_size, batch_std, b->advantage + at);
        b->zero_std += r1_rewards_equal(b->reward + at, b->usable + at, b->group_size);
    }
}

int r1_grpo_batch_flat(const r1_grpo_batch *b, int group) {
    for (int i = group * b->group_size; i < (group + 1) * b->group_size; i++)
        if (b->lens[i] > 0 && b->advantage[i] != 0)
            return 0;
    return 1;
}

/* ---- metrics ---- */

typedef struct spread {
    double n, sum, min, max;
} spread;

static void add(spread *s, double x) {
    s->min = s->n == 0 || x < s->min ? x : s->min;
    s->max = s->n == 0 || x > s->max ? x : s->max;
    s->sum += x;
    s->n += 1;
}

static void put(r1_record *rec, const spread *s, const char *name) {
    if (s->n == 0)
        return;
    r1_record_real(rec, s->sum / s->n, "%s/mean", name);
    r1_record_real(rec, s->max, "%s/max", name);
    r1_record_real(rec, s->min, "%s/min", name);
}

/* Mean score and counts of verdicts of each reward. */
static void record_rewards(const r1_grpo_batch *b, const r1_stage_config *s, r1_record *rec) {
    for (int r = 0; r < s->n_rewards; r++) {
        int count[R1_VERDICT_COUNT] = {0};
        char name[R1_REWARD_LABEL];
        spread scores = {0};
        r1_reward_label(&s->rewards[r], name);
        for (int i = 0; i < b->n; i++) {
            const r1_trajectory *t = sample_of(b, i);
            count[t->verdict[r]]++;
            if (r1_verdict_scorable((r1_verdict_kind)t->verdict[r]))
                add(&scores, (double)t->score[r]);
        }
        if (scores.n > 0)
            r1_record_real(rec, scores.sum / scores.n, "reward/%s/mean", name);
        count[R1_VERDICT_NOT_ASKED] = 0;
        for (int v = 0; v < R1_VERDICT_COUNT; v++)
            if (count[v] || v == R1_VERDICT_CORRECT || v == R1_VERDICT_WRONG)
                r1_record_int(rec, count[v], "reward/%s/%s", name,
                              r1_verdict_name((r1_verdict_kind)v));
    }
}

/* What the answers show of thinking; over all samples, whatever they are worth. */
static void record_texts(const r1_grpo_batch *b, r1_record *rec) {
    double sum[R1_TEXT_COUNT] = {0}, with = 0;

    for (int i = 0; i < b->n; i++) {
        const r1_trajectory *t = sample_of(b, i);
        for (int k = 0; k < R1_TEXT_COUNT; k++)
            sum[k] += (double)t->text[k];
        with += t->text[R1_TEXT_REFLECTIONS] > 0;
    }
    r1_record_real(rec, sum[R1_TEXT_REFLECTIONS] / b->n, "reflection/words_mean");
    r1_record_real(rec, with / b->n, "reflection/frac_with");
    r1_record_real(rec, sum[R1_TEXT_ANSWER_CHANGED] / b->n, "reflection/answer_changed_frac");
    r1_record_real(rec, sum[R1_TEXT_THINK_CHARS] / b->n, "think/chars_mean");
    r1_record_real(rec, sum[R1_TEXT_LANGUAGE] / b->n, "language/consistency");
}

void r1_grpo_batch_record(const r1_grpo_batch *b, const r1_stage_config *s, r1_record *rec) {
    spread score = {0}, reward = {0}, advantage = {0}, length = {0}, prompt = {0};
    double cut = 0, unusable = 0, correct = 0; /* unscorable samples are no wrong ones */
    int injected = 0, masked = 0;

    for (int i = 0; i < b->n; i++) {
        const r1_trajectory *t = sample_of(b, i);
        add(&length, t->n);
        cut += t->finish != 0;
        unusable += !t->usable;
        masked += t->usable && b->lens[i] == 0;
        if (!t->usable)
            continue;
        correct += t->correct;
        add(&score, b->score[i]);
        add(&reward, b->reward[i]);
        add(&advantage, b->advantage[i]);
    }
    for (int g = 0; g < b->n_groups; g++) {
        add(&prompt, b->groups[g].prompt_len);
        injected += b->groups[g].injected > 0;
    }
    put(rec, &score, "critic/score");
    put(rec, &reward, "critic/rewards");
    put(rec, &advantage, "critic/advantages");
    put(rec, &length, "response_length");
    r1_record_real(rec, cut / b->n, "response_length/clip_ratio");
    put(rec, &prompt, "prompt_length");
    r1_record_int(rec, injected, "data/injected");
    r1_record_int(rec, masked, "batch/samples_masked");
    if (unusable < b->n)
        r1_record_real(rec, correct / (b->n - unusable), "train/accuracy");
    r1_record_real(rec, (double)b->zero_std / b->n_groups, "frac_reward_zero_std");
    r1_record_real(rec, unusable / b->n, "frac_unscorable");
    record_rewards(b, s, rec);
    record_texts(b, rec);
}
