#ifndef R1_METRICS_METRICS_H
#define R1_METRICS_METRICS_H
/* Metrics of a run: one record a step, appended to metrics.jsonl as one JSON line by one write().
 *
 * Names are verl's where one exists (actor/grad_norm, critic/rewards/mean, response_length/mean,
 * perf/throughput, timing_s/...).  Everything but timing_s, perf and clocks is a pure function of
 * config and seed: a stopped and resumed run writes the same bytes.  For that a checkpoint stores
 * r1_metrics_offset, and resume cuts the file there.
 *
 * A NaN or an infinity becomes null, and the line gets "metrics/nonfinite": how many. */
#include "common/base/err.h"
#include "common/base/mem.h"

#include <stdint.h>

#define R1_METRIC_NAME 96
#define R1_METRIC_TEXT 64
#define R1_METRICS_MAX 256 /* in a record */

typedef enum r1_metric_kind {
    R1_METRIC_REAL,
    R1_METRIC_INT,
    R1_METRIC_TEXT_KIND
} r1_metric_kind;

typedef struct r1_metric {
    char name[R1_METRIC_NAME];
    r1_metric_kind kind;
    double real; /* also of an INT */
    int64_t integer;
    char text[R1_METRIC_TEXT];
} r1_metric;

/* Metrics in the order in which they were added.  Adding cannot fail: names come from the code; a
 * record that is full or a name that does not fit is a bug. */
typedef struct r1_record {
    int n;
    r1_metric item[R1_METRICS_MAX];
} r1_record;

void r1_record_clear(r1_record *rec);
/* A name that is there already gets the new value.  Names may be built by printf. */
void r1_record_real(r1_record *rec, double x, const char *fmt, ...) R1_PRINTF(3, 4);
void r1_record_int(r1_record *rec, int64_t x, const char *fmt, ...) R1_PRINTF(3, 4);
void r1_record_text(r1_record *rec, const char *text, const char *fmt, ...) R1_PRINTF(3, 4);
const r1_metric *r1_record_get(const r1_record *rec, const char *name); /* NULL: not there */
/* NaN if it is not there or a text. */
double r1_record_value(const r1_record *rec, const char *name);

/* One JSON object without a newline; *ret_nonfinite counts what became null. */
R1_MUST_USE r1_status r1_record_json(const r1_record *rec, r1_buf *out, int *ret_nonfinite,
                                     r1_err *err);

typedef struct r1_metrics {
    int fd; /* -1: closed */
    char path[1024];
    int64_t offset;    /* bytes up to and with the last whole line */
    int64_t nonfinite; /* values that became null since opening */
    int sync;          /* fsync after each line */
} r1_metrics;

/* Open for appending, created if absent.  keep >= 0: cut the file to so many bytes first (a resume);
 * a file that is shorter, or whose byte before the cut is no newline, is R1_DATA.  keep < 0: append
 * to what is there; a torn last line is cut off. */
R1_MUST_USE r1_status r1_metrics_open(r1_metrics *m, const char *path, int64_t keep, int sync,
                                      r1_err *err);
/* After a failed write the file is as before. */
R1_MUST_USE r1_status r1_metrics_append(r1_metrics *m, const r1_record *rec, r1_err *err);
int64_t r1_metrics_offset(const r1_metrics *m);
/* What was appended is on the disk when this returns. */
R1_MUST_USE r1_status r1_metrics_sync(const r1_metrics *m, r1_err *err);
void r1_metrics_close(r1_metrics *m); /* closed and {.fd = -1} ones are fine */

/* The console's line for a step, e.g.
 * "rl  12/150  reward 0.412  acc 0.390  len 31.2  loss -0.0123  grad 0.85  4123 tok/s  stage eta 1:23".
 * Only what the record has is shown; eta_s: to the end of the stage, < 0: no ETA.  Returns buf. */
const char *r1_console_line(const r1_record *rec, const char *stage, int64_t step, int64_t steps,
                            double eta_s, char *buf, size_t size);

/* "48.8 % +- 2.2", with so many decimals; "-" where nothing could be scored (NaN).  Returns buf. */
#define R1_ACCURACY_TEXT 48
const char *r1_accuracy_text(double accuracy, double stderr_, int decimals,
                             char buf[static R1_ACCURACY_TEXT]);

#endif
