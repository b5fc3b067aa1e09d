#ifndef R1_LEARNER_LOSS_H
#define R1_LEARNER_LOSS_H
/* The policy-gradient losses, token by token.
 *
 * For token t of sample s, with advantage A_s, new log-prob p_t (the only one that carries a
 * gradient), old log-prob o_t, behaviour (rollout) log-prob b_t and reference log-prob f_t:
 *   ratio      token level: r = exp(p_t - o_t);  sequence level (GSPO, arXiv 2507.18071):
 *              r = exp(mean over the sample's tokens of p - o), gradient of r w.r.t. p_t taken as r
 *   clip       pg = max(-A r, -A clip(r, 1 - low, 1 + high))                          (PPO, DAPO)
 *   dual clip  where A < 0: pg = min(pg, -A c)
 *   cispo      pg = -clip(r, 1 - low, 1 + high) A p_t, the clipped ratio held fixed
 *              (arXiv 2506.13585, with verl's bounds)
 *   mismatch   pg *= min(exp(o_t - b_t), cap), held fixed                             (TIS)
 *   KL         k1 = p - f;  k2 = (p - f)^2 / 2;  k3 = exp(f - p) - (f - p) - 1 (Schulman);
 *              added with kl_coef when kl.in = loss
 *   entropy    -entropy_coef * H_t
 * Every term is summed with the token's weight w_s:
 *   seq-mean-token-mean      1 / (B * C_s)     R1's GRPO
 *   token-mean               1 / (all tokens)  DAPO
 *   seq-mean-token-sum       1 / B
 *   seq-mean-token-sum-norm  1 / (B * max_len) Dr. GRPO (verl divides by max_len only)
 * B and the token count are those of the whole update: they are taken before any split, so ranks,
 * micro-batches and order do not change the loss. */
#include "common/config/config.h"

typedef struct r1_loss_params {
    r1_ratio_level ratio_level;
    r1_policy_loss_kind policy_loss;
    r1_aggregation_kind aggregation;
    r1_kl_estimator kl_estimator;
    double clip_low, clip_high;
    double dual_clip;    /* 0: off */
    double kl_coef;      /* in the loss; 0: off */
    double entropy_coef; /* 0: off */
    double mismatch_cap; /* 0: off */
    int max_len;         /* for seq-mean-token-sum-norm */
} r1_loss_params;

/* Counts of the whole update: samples in the loss and their completion tokens. */
typedef struct r1_loss_counts {
    double samples, tokens;
} r1_loss_counts;

/* fp64 sums over tokens; `w` sums carry the aggregation weight, the others count tokens. */
typedef struct r1_loss_stats {
    double pg_loss_w, kl_loss_w, entropy_w; /* parts of the loss before their coefficients */
    double tokens, clipped, clipped_lower;  /* clipped_lower: dual clip acted */
    double ratio, ppo_kl, k3;               /* sums of r, of o - p, of k3 */
    double diff, diff_max;                  /* |exp(p) - exp(b)|: rollout against learner */
    double entropy;
} r1_loss_stats;

/* One sample's view for one call. */
typedef struct r1_loss_sample {
    double advantage;
    int len;               /* C_s, all completion tokens of the sample */
    const float *old_logp; /* [len] */
    const float *rollout;  /* [len] behaviour log-probs */
    const float *ref_logp; /* [len] or NULL without KL */
    double sequence_ratio; /* sequence level only, see r1_loss_sequence_ratio */
} r1_loss_sample;

double r1_loss_weight(const r1_loss_params *p, const r1_loss_counts *counts, int len);

/* Tokens [first, first + n) of a sample: dL/dlogp and dL/dentropy out, stats += . */
void r1_loss_tokens(const r1_loss_params *p, const r1_loss_counts *counts, const r1_loss_sample *s,
                    int first, int n, const float *logp, const float *entropy, float *ret_dlogp,
                    float *ret_dent, r1_loss_stats *stats);

/* exp(mean(logp - old)) over a whole sample. */
double r1_loss_sequence_ratio(const float *logp, const float *old_logp, int len);

/* KL estimate of one token from its log-probs under the policy and under the reference. */
double r1_kl_estimate(r1_kl_estimator kind, double logp, double ref_logp);

/* stats += other (maxima joined). */
void r1_loss_stats_add(r1_loss_stats *stats, const r1_loss_stats *other);

#endif
