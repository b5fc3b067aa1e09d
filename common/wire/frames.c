/* Several messages in one buffer; see frames.h. */
#include "common/wire/frames.h"

#include <stdint.h>
#include <string.h>

r1_status r1_frame_begin(r1_buf *buf, size_t *ret_mark, r1_err *err) {
    uint64_t n = 0;
    size_t mark = buf->len;
    r1_status st = r1_buf_add(buf, &n, sizeof n, err);

    if (st == R1_OK)
        *ret_mark = mark;
    return st;
}

void r1_frame_end(r1_buf *buf, size_t mark) {
    uint64_t n = buf->len - mark - sizeof n;

    memcpy(buf->data + mark, &n, sizeof n);
}

r1_status r1_frame_add(r1_buf *buf, const void *data, size_t n, r1_err *err) {
    size_t mark;
    r1_status st;

    R1_TRY(r1_frame_begin(buf, &mark, err));
    R1_TRY(r1_buf_add(buf, data, n, err));
    r1_frame_end(buf, mark);
done:
    return st;
}

r1_status r1_frame_next(const r1_buf *buf, size_t *at, const char **ret_data, size_t *ret_n,
                        r1_err *err) {
    uint64_t n;
    size_t left = buf->len - *at;

    if (left < sizeof n)
        return R1_FAIL(err, R1_DATA, "message at byte %zu: %zu bytes are left, no length", *at,
                       left);
    memcpy(&n, buf->data + *at, sizeof n);
    left -= sizeof n;
    if (n > left)
        return R1_FAIL(err, R1_DATA, "message at byte %zu: %llu bytes long, %zu are left", *at,
                       (unsigned long long)n, left);
    *ret_data = buf->data + *at + sizeof n;
    *ret_n = (size_t)n;
    *at += sizeof n + (size_t)n;
    return R1_OK;
}
