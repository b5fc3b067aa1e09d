/* Policy-gradient losses; see loss.h for the formulas. */
#include "learner/loss.h"

#include "common/base/trace.h"

#include <math.h>

double r1_loss_weight(const r1_loss_params *p, const r1_loss_counts *counts, int len) {
    switch (p->aggregation) {
    case R1_AGG_TOKEN_MEAN:
        return 1.0 / counts->tokens;
    case R1_AGG_SEQ_MEAN_TOKEN_SUM:
        return 1.0 / counts->samples;
    case R1_AGG_SEQ_MEAN_TOKEN_SUM_NORM:
        return 1.0 / (counts->samples * p->max_len);
    case R1_AGG_SEQ_MEAN_TOKEN_MEAN:
        break;
    }
    return 1.0 / (counts->samples * len);
}

double r1_loss_sequence_ratio(const float *logp, const float *old_logp, int len) {
    double sum = 0;

    for (int t = 0; t < len; t++)
        sum += (double)logp[t] - (double)old_logp[t];
    return exp(sum / len);
}

double r1_kl_estimate(r1_kl_estimator kind, double logp, double ref_logp) {
    double d = logp - ref_logp;

    switch (kind) {
    case R1_KL_K1:
        return d;
    case R1_KL_K2:
        return 0.5 * d * d;
    case R1_KL_K3:
        break;
    }
    return expm1(-d) + d;
}

/* Derivative of r1_kl_estimate with respect to logp. */
static double kl_slope(r1_kl_estimator kind, double logp, double ref_logp) {
    double d = logp - ref_logp;

    switch (kind) {
    case R1_KL_K1:
        return 1.0;
    case R1_KL_K2:
        return d;
    case R1_KL_K3:
        break;
    }
    return -expm1(-d);
}

/* Policy loss of one token and its derivative with respect to logp. */
static double policy_token(const r1_loss_params *p, double adv, double ratio, double logp,
                           double *ret_slope, r1_loss_stats *stats) {
    double low = 1.0 - p->clip_low, high = 1.0 + p->clip_high;
    double bounded = ratio < low ? low : ratio > high ? high : ratio;

    if (p->policy_loss == R1_LOSS_CISPO) {
        stats->clipped += bounded != ratio;
        *ret_slope = -bounded * adv;
        return -bounded * adv * logp;
    }
    double free_loss = -adv * ratio, clipped_loss = -adv * bounded;
    double loss = free_loss;
    double slope = -adv * ratio;
    if (clipped_loss > free_loss) {
        loss = clipped_loss;
        slope = 0.0;
        stats->clipped += 1;
    }
    if (p->dual_clip > 0 && adv < 0 && loss > -adv * p->dual_clip) {
        loss = -adv * p->dual_clip;
        slope = 0.0;
        stats->clipped_lower += 1;
    }
    *ret_slope = slope;
    return loss;
}

void r1_loss_tokens(const r1_loss_params *p, const r1_loss_counts *counts, const r1_loss_sample *s,
                    int first, int n, const float *logp, const float *entropy, float *ret_dlogp,
                    float *ret_dent, r1_loss_stats *stats) {
    double w = r1_loss_weight(p, counts, s->len);

    R1_TRACE();
    for (int i = 0; i < n; i++) {
        int t = first + i;
        double lp = (double)logp[i], old = (double)s->old_logp[t],
               behaviour = (double)s->rollout[t];
        double own_ratio = exp(lp - old), slope;
        double ratio = p->ratio_level == R1_RATIO_SEQUENCE ? s->sequence_ratio : own_ratio;
        double pg = policy_token(p, s->advantage, ratio, lp, &slope, stats);

        if (p->mismatch_cap > 0) {
            double correction = exp(old - behaviour);
            correction = correction > p->mismatch_cap ? p->mismatch_cap : correction;
            pg *= correction;
            slope *= correction;
        }
        stats->pg_loss_w += w * pg;
        if (s->ref_logp) {
            double ref = (double)s->ref_logp[t];
            stats->kl_loss_w += w * r1_kl_estimate(p->kl_estimator, lp, ref);
            stats->k3 += r1_kl_estimate(R1_KL_K3, lp, ref);
            slope += p->kl_coef * kl_slope(p->kl_estimator, lp, ref);
        }
        ret_dlogp[i] = (float)(w * slope);
        ret_dent[i] = (float)(-w * p->entropy_coef);
        stats->entropy_w += w * (double)entropy[i];
        stats->entropy += (double)entropy[i];
        stats->tokens += 1;
        stats->ratio += own_ratio;
        stats->ppo_kl += old - lp;
        double diff = fabs(exp(lp) - exp(behaviour));
        stats->diff += diff;
        stats->diff_max = fmax(stats->diff_max, diff);
    }
}

void r1_loss_stats_add(r1_loss_stats *stats, const r1_loss_stats *other) {
    stats->pg_loss_w += other->pg_loss_w;
    stats->kl_loss_w += other->kl_loss_w;
    stats->entropy_w += other->entropy_w;
    stats->tokens += other->tokens;
    stats->clipped += other->clipped;
    stats->clipped_lower += other->clipped_lower;
    stats->ratio += other->ratio;
    stats->ppo_kl += other->ppo_kl;
    stats->k3 += other->k3;
    stats->diff += other->diff;
    stats->diff_max = fmax(stats->diff_max, other->diff_max);
    stats->entropy += other->entropy;
}
