/* Records and metrics.jsonl; see metrics.h. */
#include "common/metrics/metrics.h"

#include "common/metrics/json.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES (1 << 20)

void r1_record_clear(r1_record *rec) {
    rec->n = 0;
}

const r1_metric *r1_record_get(const r1_record *rec, const char *name) {
    for (int i = 0; i < rec->n; i++)
        if (strcmp(rec->item[i].name, name) == 0)
            return &rec->item[i];
    return NULL;
}

double r1_record_value(const r1_record *rec, const char *name) {
    const r1_metric *m = r1_record_get(rec, name);

    return m && m->kind != R1_METRIC_TEXT_KIND ? m->real : (double)NAN;
}

/* The entry of that name, made if it is absent. */
__attribute__((format(printf, 2, 0))) static r1_metric *entry(r1_record *rec, const char *fmt,
                                                              va_list ap) {
    char name[R1_METRIC_NAME];
    int n = vsnprintf(name, sizeof name, fmt, ap);

    R1_ASSERT(n > 0 && n < (int)sizeof name);
    for (int i = 0; i < rec->n; i++)
        if (strcmp(rec->item[i].name, name) == 0)
            return &rec->item[i];
    R1_ASSERT(rec->n < R1_METRICS_MAX);
    r1_metric *m = &rec->item[rec->n++];
    memcpy(m->name, name, sizeof name);
    return m;
}

void r1_record_real(r1_record *rec, double x, const char *fmt, ...) {
    va_list ap;

    va_start(ap, fmt);
    r1_metric *m = entry(rec, fmt, ap);
    va_end(ap);
    m->kind = R1_METRIC_REAL;
    m->real = x;
}

void r1_record_int(r1_record *rec, int64_t x, const char *fmt, ...) {
    va_list ap;

    va_start(ap, fmt);
    r1_metric *m = entry(rec, fmt, ap);
    va_end(ap);
    m->kind = R1_METRIC_INT;
    m->integer = x;
    m->real = (double)x;
}

void r1_record_text(r1_record *rec, const char *text, const char *fmt, ...) {
    va_list ap;

    va_start(ap, fmt);
    r1_metric *m = entry(rec, fmt, ap);
    va_end(ap);
    m->kind = R1_METRIC_TEXT_KIND;
    snprintf(m->text, sizeof m->text, "%s", text);
}

r1_status r1_record_json(const r1_record *rec, r1_buf *out, int *ret_nonfinite, r1_err *err) {
    r1_status st = R1_OK;
    int nonfinite = 0;

    R1_TRY(r1_buf_add(out, "{", 1, err));
    for (int i = 0; i < rec->n; i++) {
        const r1_metric *m = &rec->item[i];
        if (i)
            R1_TRY(r1_buf_add(out, ", ", 2, err));
        R1_TRY(r1_json_text(out, m->name, strlen(m->name), err));
        R1_TRY(r1_buf_add(out, ": ", 2, err));
        if (m->kind == R1_METRIC_INT)
            R1_TRY(r1_buf_addf(out, err, "%lld", (long long)m->integer));
        else if (m->kind == R1_METRIC_TEXT_KIND)
            R1_TRY(r1_json_text(out, m->text, strlen(m->text), err));
        else
            R1_TRY(r1_json_number(out, m->real, err));
        nonfinite += m->kind == R1_METRIC_REAL && !isfinite(m->real);
    }
    if (nonfinite)
        R1_TRY(r1_buf_addf(out, err, "%s\"metrics/nonfinite\": %d", rec->n ? ", " : "", nonfinite));
    R1_TRY(r1_buf_add(out, "}", 1, err));
    *ret_nonfinite = nonfinite;
done:
    return st;
}

/* Where the last whole line of a file of `size` bytes ends.  Only its tail has to be read: one line
 * is at most LINE_MAX_BYTES. */
static r1_status last_line_end(const r1_metrics *m, int64_t size, int64_t *ret_end, r1_err *err) {
    char tail[4096];

    for (int64_t end = size; end > 0 && size - end <= LINE_MAX_BYTES;) {
        int64_t from = end > (int64_t)sizeof tail ? end - (int64_t)sizeof tail : 0;
        ssize_t got = pread(m->fd, tail, (size_t)(end - from), from);
        if (got != end - from)
            return R1_FAIL(err, R1_IO, "read '%s': %s", m->path, strerror(got < 0 ? errno : EIO));
        for (ssize_t i = got; i > 0; i--)
            if (tail[i - 1] == '\n') {
                *ret_end = from + i;
                return R1_OK;
            }
        end = from;
    }
    if (size > LINE_MAX_BYTES)
        return R1_FAIL(err, R1_DATA, "'%s' does not end in a line of JSON", m->path);
    *ret_end = 0;
    return R1_OK;
}

static r1_status cut(r1_metrics *m, int64_t keep, r1_err *err) {
    struct stat sb;
    char last = '\n';
    r1_status st = R1_OK;

    if (fstat(m->fd, &sb) != 0)
        return R1_FAIL(err, R1_IO, "stat '%s': %s", m->path, strerror(errno));
    if (!S_ISREG(sb.st_mode))
        return R1_FAIL(err, R1_DATA, "'%s' is not a regular file", m->path);
    if (keep > sb.st_size)
        return R1_FAIL(err, R1_DATA,
                       "'%s' has %lld bytes, but the checkpoint was written when it had %lld",
                       m->path, (long long)sb.st_size, (long long)keep);
    if (keep < 0)
        R1_TRY(last_line_end(m, sb.st_size, &keep, err));
    if (keep > 0 && (pread(m->fd, &last, 1, keep - 1) != 1 || last != '\n'))
        return R1_FAIL(err, R1_DATA, "'%s': byte %lld is not the end of a line", m->path,
                       (long long)keep);
    if (keep < sb.st_size && ftruncate(m->fd, keep) != 0)
        return R1_FAIL(err, R1_IO, "truncate '%s': %s", m->path, strerror(errno));
    m->offset = keep;
done:
    return st;
}

r1_status r1_metrics_open(r1_metrics *m, const char *path, int64_t keep, int sync, r1_err *err) {
    r1_status st = R1_OK;

    *m = (r1_metrics){.fd = -1, .sync = sync};
    if ((size_t)snprintf(m->path, sizeof m->path, "%s", path) >= sizeof m->path)
        return R1_FAIL(err, R1_IO, "the path '%.60s...' is too long", path);
    m->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (m->fd < 0)
        return R1_FAIL(err, R1_IO, "open '%s': %s", path, strerror(errno));
    if ((st = cut(m, keep, err)) != R1_OK)
        r1_metrics_close(m);
    return st;
}

r1_status r1_metrics_sync(const r1_metrics *m, r1_err *err) {
    if (fsync(m->fd) != 0)
        return R1_FAIL(err, R1_IO, "fsync '%s': %s", m->path, strerror(errno));
    return R1_OK;
}

r1_status r1_metrics_append(r1_metrics *m, const r1_record *rec, r1_err *err) {
    r1_status st = R1_OK;
    r1_buf line;
    int nonfinite = 0;

    r1_buf_init(&line, LINE_MAX_BYTES);
    R1_TRY(r1_record_json(rec, &line, &nonfinite, err));
    R1_TRY(r1_buf_add(&line, "\n", 1, err));
    ssize_t put = write(m->fd, line.data, line.len);
    if (put != (ssize_t)line.len) {
        int why = put < 0 ? errno : ENOSPC;
        if (put > 0 && ftruncate(m->fd, m->offset) != 0)
            why = errno;
        st = R1_FAIL(err, R1_IO, "write '%s': %s", m->path, strerror(why));
        goto done;
    }
    m->offset += (int64_t)line.len;
    m->nonfinite += nonfinite;
    if (m->sync)
        st = r1_metrics_sync(m, err);
done:
    r1_buf_done(&line);
    return st;
}

int64_t r1_metrics_offset(const r1_metrics *m) {
    return m->offset;
}

void r1_metrics_close(r1_metrics *m) {
    if (m->fd >= 0)
        close(m->fd);
    m->fd = -1;
}
