#ifndef R1_LEARNER_SCHEDULE_H
#define R1_LEARNER_SCHEDULE_H
/* Learning rate of an update: linear warm-up, then constant, linear or cosine decay.
 *
 * Update u counts from 0.  During warm-up lr * (u + 1) / warmup, so that the first update is not
 * lost.  Afterwards, with t = (u - warmup) / (total - warmup) in [0, 1):
 *   constant  lr        linear  lr * (1 - t)        cosine  lr * (1 + cos(pi t)) / 2 */
#include "common/config/config.h"

double r1_schedule_lr(r1_schedule_kind kind, double lr, int warmup, long update, long total);

#endif
