/* Group-relative advantages; see advantage.h.  All sums run in fp64 and sample order. */
#include "learner/advantage.h"

#include "common/base/trace.h"

#include <math.h>

static double usable_mean(const double *rewards, const int *usable, int n, int *ret_count) {
    double sum = 0;
    int count = 0;

    for (int i = 0; i < n; i++) {
        if (!usable[i])
            continue;
        sum += rewards[i];
        count++;
    }
    *ret_count = count;
    return count ? sum / count : 0.0;
}

double r1_reward_std(const double *rewards, const int *usable, int n) {
    int count;
    double mean = usable_mean(rewards, usable, n, &count), sq = 0;

    if (count < 2)
        return 0.0;
    for (int i = 0; i < n; i++)
        if (usable[i])
            sq += (rewards[i] - mean) * (rewards[i] - mean);
    return sqrt(sq / (count - 1));
}

int r1_rewards_equal(const double *rewards, const int *usable, int n) {
    const double *first = NULL;

    for (int i = 0; i < n; i++) {
        if (!usable[i])
            continue;
        if (first && rewards[i] != *first)
            return 0;
        first = &rewards[i];
    }
    return 1;
}

void r1_advantages(r1_advantage_kind kind, const double *rewards, const int *usable, int n,
                   double batch_std, double *adv) {
    int count;
    double mean = usable_mean(rewards, usable, n, &count);
    int flat = count < 2 || r1_rewards_equal(rewards, usable, n);
    double scale = 1.0;

    R1_TRACE();
    if (kind == R1_ADV_GROUP)
        scale = 1.0 / (r1_reward_std(rewards, usable, n) + R1_ADVANTAGE_EPS);
    else if (kind == R1_ADV_BATCH)
        scale = 1.0 / (batch_std + R1_ADVANTAGE_EPS);
    else if (kind == R1_ADV_LOO && count > 1)
        scale = (double)count / (count - 1); /* r - mean of others = (r - mean) n / (n - 1) */
    for (int i = 0; i < n; i++)
        adv[i] = !usable[i] || flat ? 0.0 : (rewards[i] - mean) * scale;
}
