#ifndef R1_LEARNER_GRPO_BATCH_H
#define R1_LEARNER_GRPO_BATCH_H
/* The samples of one GRPO step: groups as they came over the wire, and what the learner derives.
 *
 * A sample's number is group * group_size + member.  Per-token values lie in one array, sample after
 * sample; `off` says where each begins.  Everything is the same on every learner. */
#include "common/config/config.h"
#include "common/metrics/metrics.h"
#include "common/wire/trajectory.h"
#include "learner/packing.h"

typedef struct r1_grpo_batch {
    int n_groups, group_size, n; /* n = n_groups * group_size samples */
    r1_group *groups;            /* [n_groups] in deal order */
    r1_item *items;              /* [n_groups], samples outside the loss have length 0 */
    const int32_t **ids;         /* [n] */
    int *lens;                   /* [n] completion tokens in the loss */
    size_t *off;                 /* [n + 1] into the per-token arrays */
    int *usable;                 /* [n] its reward could be scored */
    double *score, *reward;      /* [n] weighted rewards; and with penalties and KL */
    double *advantage;           /* [n] */
    const float *rollout;        /* [off[n]] behaviour log-probs (below) */
    const float *old_logp;       /* [off[n]] == rollout, or scored again */
    float *ref_logp;             /* [off[n]] or NULL without a reference */
    float *rollout_store, *old_store;
    int zero_std; /* groups whose usable rewards agree */
} r1_grpo_batch;

/* Takes the groups over, also on failure. */
R1_MUST_USE r1_status r1_grpo_batch_open(r1_grpo_batch *b, const r1_stage_config *s,
                                         r1_group *groups, r1_err *err);
void r1_grpo_batch_close(r1_grpo_batch *b);

/* Rewards with the overlong penalty and, where it is in the reward, KL; then advantages. */
void r1_grpo_batch_advantages(r1_grpo_batch *b, const r1_stage_config *s);

/* Does no sample of the group pull the policy anywhere? */
int r1_grpo_batch_flat(const r1_grpo_batch *b, int group);

/* critic/..., response_length/..., prompt_length/..., reward/..., reflection/..., think/...,
 * language/..., batch/samples_masked and others of the step. */
void r1_grpo_batch_record(const r1_grpo_batch *b, const r1_stage_config *s, r1_record *rec);

/* All usable rewards of a group agree: nothing to learn from it (dynamic sampling drops it). */
int r1_group_is_flat(const r1_group *g);
/* A wall-clock time-out decided a verdict of one of n groups: the run cannot be reproduced. */
int r1_groups_timed_out(const r1_group *g, int n);

#endif
