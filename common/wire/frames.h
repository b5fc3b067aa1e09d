#ifndef R1_WIRE_FRAMES_H
#define R1_WIRE_FRAMES_H
/* Several messages in one buffer: each is its length as 8 bytes, then the bytes. */
#include "common/base/mem.h"

/* Append one message; or begin one, append to buf, and end it. */
R1_MUST_USE r1_status r1_frame_add(r1_buf *buf, const void *data, size_t n, r1_err *err);
R1_MUST_USE r1_status r1_frame_begin(r1_buf *buf, size_t *ret_mark, r1_err *err);
void r1_frame_end(r1_buf *buf, size_t mark);

/* The message at *at, which moves behind it.  R1_DATA: its length is not in the buffer.  The caller
 * stops when *at has reached buf->len. */
R1_MUST_USE r1_status r1_frame_next(const r1_buf *buf, size_t *at, const char **ret_data,
                                    size_t *ret_n, r1_err *err);

#endif
