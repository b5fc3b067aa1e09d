/* TensorBoard event files; see tensorboard.h. */
#include "common/metrics/tensorboard.h"

#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVENT_MAX (1 << 20)

uint32_t r1_crc32c(const void *bytes, size_t n) {
    const uint8_t *p = bytes;
    uint32_t crc = 0xffffffffu;

    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

uint32_t r1_crc32c_masked(const void *bytes, size_t n) {
    uint32_t crc = r1_crc32c(bytes, n);

    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

/* ---- protobuf: tag = field << 3 | wire type (0 varint, 1 fixed64, 2 bytes, 5 fixed32) ---- */

static r1_status put_varint(r1_buf *b, uint64_t x, r1_err *err) {
    uint8_t bytes[10];
    size_t n = 0;

    do {
        bytes[n++] = (uint8_t)((x & 127) | (x > 127 ? 128 : 0));
        x >>= 7;
    } while (x);
    return r1_buf_add(b, bytes, n, err);
}

/* Fixed-size fields are little endian in the file, as in memory here. */
static r1_status put_fixed(r1_buf *b, int tag, const void *bytes, size_t n, r1_err *err) {
    r1_status st = put_varint(b, (uint64_t)tag, err);

    return st == R1_OK ? r1_buf_add(b, bytes, n, err) : st;
}

static r1_status put_bytes(r1_buf *b, int field, const void *bytes, size_t n, r1_err *err) {
    r1_status st = R1_OK;

    R1_TRY(put_varint(b, (uint64_t)(field << 3 | 2), err));
    R1_TRY(put_varint(b, n, err));
    R1_TRY(r1_buf_add(b, bytes, n, err));
done:
    return st;
}

static r1_status put_record(r1_tensorboard *tb, const r1_buf *event, r1_err *err) {
    uint64_t len = event->len;
    uint32_t crc = r1_crc32c_masked(&len, sizeof len);
    r1_status st = R1_OK;
    r1_buf out;

    r1_buf_init(&out, EVENT_MAX + 16);
    R1_TRY(r1_buf_add(&out, &len, sizeof len, err));
    R1_TRY(r1_buf_add(&out, &crc, sizeof crc, err));
    R1_TRY(r1_buf_add(&out, event->data, event->len, err));
    crc = r1_crc32c_masked(event->data, event->len);
    R1_TRY(r1_buf_add(&out, &crc, sizeof crc, err));
    ssize_t put = write(tb->fd, out.data, out.len);
    if (put != (ssize_t)out.len) {
        int why = put < 0 ? errno : ENOSPC;
        if (put > 0 && ftruncate(tb->fd, tb->offset) != 0)
            why = errno;
        st = R1_FAIL(err, R1_IO, "write '%s': %s", tb->path, strerror(why));
        goto done;
    }
    tb->offset += (int64_t)out.len;
done:
    r1_buf_done(&out);
    return st;
}

static r1_status put_version(r1_tensorboard *tb, r1_err *err) {
    static const char version[] = "brain.Event:2";
    double wall = 0;
    r1_status st = R1_OK;
    r1_buf event;

    r1_buf_init(&event, EVENT_MAX);
    R1_TRY(put_fixed(&event, 1 << 3 | 1, &wall, sizeof wall, err));
    R1_TRY(put_bytes(&event, 3, version, sizeof version - 1, err));
    R1_TRY(put_record(tb, &event, err));
done:
    r1_buf_done(&event);
    return st;
}

r1_status r1_tensorboard_open(r1_tensorboard *tb, const char *dir, int64_t keep, r1_err *err) {
    r1_status st = R1_OK;
    struct stat sb;

    *tb = (r1_tensorboard){.fd = -1};
    if ((st = r1_dir_make(dir, err)) != R1_OK)
        return st;
    int n = snprintf(tb->path, sizeof tb->path, "%s/" R1_TENSORBOARD_FILE, dir);
    if (n < 0 || (size_t)n >= sizeof tb->path)
        return R1_FAIL(err, R1_IO, "the path '%.60s...' is too long", dir);
    tb->fd = open(tb->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (tb->fd < 0 || fstat(tb->fd, &sb) != 0) {
        st = R1_FAIL(err, R1_IO, "open '%s': %s", tb->path, strerror(errno));
        goto done;
    }
    if (keep > sb.st_size) {
        st = R1_FAIL(err, R1_DATA,
                     "'%s' has %lld bytes, but the checkpoint was written when it had %lld",
                     tb->path, (long long)sb.st_size, (long long)keep);
        goto done;
    }
    tb->offset = keep > 0 ? keep : 0;
    if (ftruncate(tb->fd, tb->offset) != 0) {
        st = R1_FAIL(err, R1_IO, "truncate '%s': %s", tb->path, strerror(errno));
        goto done;
    }
    if (!tb->offset)
        R1_TRY(put_version(tb, err));
done:
    if (st != R1_OK)
        r1_tensorboard_close(tb);
    return st;
}

/* summary.value of one metric, appended to the summary. */
static r1_status put_scalar(r1_buf *summary, const r1_metric *m, r1_err *err) {
    float x = (float)m->real;
    r1_status st = R1_OK;
    r1_buf value;

    r1_buf_init(&value, 1024);
    R1_TRY(put_bytes(&value, 1, m->name, strlen(m->name), err));
    R1_TRY(put_fixed(&value, 2 << 3 | 5, &x, sizeof x, err));
    R1_TRY(put_bytes(summary, 1, value.data, value.len, err));
done:
    r1_buf_done(&value);
    return st;
}

r1_status r1_tensorboard_append(r1_tensorboard *tb, const r1_record *rec, int64_t step,
                                double wall_time_s, r1_err *err) {
    r1_status st = R1_OK;
    r1_buf event, summary;

    r1_buf_init(&event, EVENT_MAX);
    r1_buf_init(&summary, EVENT_MAX / 2);
    for (int i = 0; i < rec->n; i++)
        if (rec->item[i].kind != R1_METRIC_TEXT_KIND && isfinite(rec->item[i].real))
            R1_TRY(put_scalar(&summary, &rec->item[i], err));
    R1_TRY(put_fixed(&event, 1 << 3 | 1, &wall_time_s, sizeof wall_time_s, err));
    R1_TRY(put_varint(&event, 2 << 3 | 0, err));
    R1_TRY(put_varint(&event, (uint64_t)step, err));
    R1_TRY(put_bytes(&event, 5, summary.data ? summary.data : "", summary.len, err));
    R1_TRY(put_record(tb, &event, err));
done:
    r1_buf_done(&event);
    r1_buf_done(&summary);
    return st;
}

r1_status r1_tensorboard_sync(const r1_tensorboard *tb, r1_err *err) {
    if (tb->fd >= 0 && fsync(tb->fd) != 0)
        return R1_FAIL(err, R1_IO, "fsync '%s': %s", tb->path, strerror(errno));
    return R1_OK;
}

void r1_tensorboard_close(r1_tensorboard *tb) {
    if (tb->fd >= 0)
        close(tb->fd);
    tb->fd = -1;
}
