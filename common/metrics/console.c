/* The console's line for a step; see metrics.h. */
#include "common/metrics/metrics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What is shown, in this order, where the record has it. */
static const struct {
    const char *metric, *label;
    int decimals;
    const char *unit;
} columns[] = {
    {"critic/rewards/mean", "reward", 3, ""}, {"train/accuracy", "acc", 3, ""},
    {"response_length/mean", "len", 1, ""},   {"loss", "loss", 4, ""},
    {"actor/pg_loss", "loss", 4, ""},         {"actor/kl_loss", "kl", 5, ""},
    {"actor/grad_norm", "grad", 3, ""},       {"actor/lr", "lr", -1, ""},
    {"perf/throughput", "", 0, "tok/s"},
};

/* snprintf at *used that stops at the end of the buffer. */
static void put(char *buf, size_t size, size_t *used, const char *fmt, ...) R1_PRINTF(4, 5);
static void put(char *buf, size_t size, size_t *used, const char *fmt, ...) {
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(buf + *used, size - *used, fmt, ap);
    va_end(ap);
    *used = n < 0 || *used + (size_t)n >= size ? size - 1 : *used + (size_t)n;
}

const char *r1_console_line(const r1_record *rec, const char *stage, int64_t step, int64_t steps,
                            double eta_s, char *buf, size_t size) {
    size_t used = 0;
    int width = snprintf(NULL, 0, "%lld", (long long)steps);

    put(buf, size, &used, "%s %*lld/%lld", stage, width, (long long)step, (long long)steps);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        const r1_metric *m = r1_record_get(rec, columns[i].metric);
        if (!m || m->kind == R1_METRIC_TEXT_KIND)
            continue;
        put(buf, size, &used, "  %s%s", columns[i].label, *columns[i].label ? " " : "");
        if (isnan(m->real)) /* of nothing */
            put(buf, size, &used, "-");
        else if (columns[i].decimals < 0)
            put(buf, size, &used, "%.2e", m->real);
        else
            put(buf, size, &used, "%.*f", columns[i].decimals, m->real);
        if (*columns[i].unit)
            put(buf, size, &used, " %s", columns[i].unit);
    }
    if (eta_s >= 0 && isfinite(eta_s)) {
        long s = (long)(eta_s + 0.5);
        if (s >= 3600)
            put(buf, size, &used, "  stage eta %ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
        else
            put(buf, size, &used, "  stage eta %ld:%02ld", s / 60, s % 60);
    }
    return buf;
}

const char *r1_accuracy_text(double accuracy, double stderr_, int decimals,
                             char buf[static R1_ACCURACY_TEXT]) {
    if (isnan(accuracy))
        snprintf(buf, R1_ACCURACY_TEXT, "-");
    else
        snprintf(buf, R1_ACCURACY_TEXT, "%.*f %% +- %.*f", decimals, 100 * accuracy, decimals,
                 100 * stderr_);
    return buf;
}
