#ifndef R1_METRICS_JSON_H
#define R1_METRICS_JSON_H
/* JSON text written piece by piece into a buffer, for files of many lines.  Bytes that are not valid
 * UTF-8 become U+FFFD, as decoders of text do, so that every line can be read by any JSON reader
 * whatever a model wrote; numbers are the shortest text that reads back as the same double. */
#include "common/base/err.h"
#include "common/base/mem.h"

/* "...", quotes included. */
R1_MUST_USE r1_status r1_json_text(r1_buf *out, const char *bytes, size_t n, r1_err *err);
/* A number; a NaN or an infinity gives null. */
R1_MUST_USE r1_status r1_json_number(r1_buf *out, double x, r1_err *err);

#endif
