#ifndef R1_METRICS_TENSORBOARD_H
#define R1_METRICS_TENSORBOARD_H
/* TensorBoard event files: scalars only.
 *
 * A file is a sequence of TFRecords: length (u64 LE), masked CRC-32C of the length, payload, masked
 * CRC-32C of the payload.  A payload is a protobuf `Event`: wall_time = 1 (double), step = 2 (int64),
 * file_version = 3 (string, the first record), summary = 5 {value = 1 {tag = 1, simple_value = 2}}.
 * Written by hand: it is five fields, and protobuf would be the heaviest library of the project.
 *
 * The file's name is fixed, so that a resumed run cuts and continues it as it does metrics.jsonl. */
#include "common/base/err.h"
#include "common/metrics/metrics.h"

#include <stdint.h>

/* CRC-32C (Castagnoli, reflected 0x82f63b78) and TFRecord's mask of it. */
uint32_t r1_crc32c(const void *bytes, size_t n);
uint32_t r1_crc32c_masked(const void *bytes, size_t n);

typedef struct r1_tensorboard {
    int fd; /* -1: closed */
    char path[1024];
    int64_t offset;
} r1_tensorboard;

#define R1_TENSORBOARD_FILE "events.out.tfevents.0000000001.r1"

/* DIR/R1_TENSORBOARD_FILE.  keep as in r1_metrics_open, but keep < 0 starts anew. */
R1_MUST_USE r1_status r1_tensorboard_open(r1_tensorboard *tb, const char *dir, int64_t keep,
                                          r1_err *err);
/* All finite numbers of the record as one event; wall_time_s in seconds since 1970. */
R1_MUST_USE r1_status r1_tensorboard_append(r1_tensorboard *tb, const r1_record *rec, int64_t step,
                                            double wall_time_s, r1_err *err);
/* What was appended is on the disk when this returns; nothing to do for a closed one. */
R1_MUST_USE r1_status r1_tensorboard_sync(const r1_tensorboard *tb, r1_err *err);
void r1_tensorboard_close(r1_tensorboard *tb);

#endif
