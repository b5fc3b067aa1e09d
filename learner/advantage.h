#ifndef R1_LEARNER_ADVANTAGE_H
#define R1_LEARNER_ADVANTAGE_H
/* Group-relative advantages (GRPO: arXiv 2402.03300, section 4.1.2; DeepSeek-R1, equation 3).
 *
 * A sample is usable when its reward could be scored; the others get advantage 0, leave the group's
 * statistics and do not count in the loss.  Equal rewards carry no signal: they give exact zeros, not
 * rounding noise divided by eps.  With a single usable sample there is nothing to compare: 0.
 *
 *   group  (r - mean) / (std + 1e-6), std with ddof 1          GRPO as in R1
 *   mean   r - mean                                            Dr. GRPO (arXiv 2503.20783)
 *   loo    r - mean of the other usable samples                RLOO (arXiv 2402.14740)
 *   batch  (r - mean of the group) / (std over all usable samples of the step + 1e-6), ddof 1 */
#include "common/config/config.h"

#define R1_ADVANTAGE_EPS 1e-6

/* One group: rewards [n] and usable [n] -> adv [n].  batch_std is read for R1_ADV_BATCH only. */
void r1_advantages(r1_advantage_kind kind, const double *rewards, const int *usable, int n,
                   double batch_std, double *adv);

/* Standard deviation (ddof 1) over the usable of n rewards, in order; 0 when fewer than two. */
double r1_reward_std(const double *rewards, const int *usable, int n);

/* Do all usable rewards of the group agree (so that it gives no policy gradient)? */
int r1_rewards_equal(const double *rewards, const int *usable, int n);

#endif
