#include "learner/schedule.h"

#include <math.h>

double r1_schedule_lr(r1_schedule_kind kind, double lr, int warmup, long update, long total) {
    if (update < warmup)
        return lr * (double)(update + 1) / warmup;
    if (kind == R1_SCHED_CONSTANT || total <= warmup)
        return lr;
    double t = (double)(update - warmup) / (double)(total - warmup);
    t = t > 1.0 ? 1.0 : t;
    return kind == R1_SCHED_LINEAR ? lr * (1.0 - t) : lr * 0.5 * (1.0 + cos(M_PI * t));
}
