/* The reader of plain data; see literal.h. */
#include "reward/judge/literal.h"

#include <string.h>

typedef struct reader {
    const unsigned char *s;
    size_t n, at;
    const char *why;
} reader;

static int refuse(reader *r, const char *why) {
    r->why = why;
    return 0;
}

static int skip(reader *r, size_t n) {
    if (n > r->n - r->at)
        return refuse(r, "cut off");
    r->at += n;
    return 1;
}

static int read_count(reader *r, size_t *ret) {
    uint32_t v;

    if (!skip(r, sizeof v))
        return 0;
    memcpy(&v, r->s + r->at - sizeof v, sizeof v);
    *ret = v;
    return 1;
}

static int read_value(reader *r, int depth) {
    size_t n = 0;

    if (!skip(r, 1))
        return 0;
    int tag = r->s[r->at - 1];
    switch (tag) {
    case 'N':
    case 'T':
    case 'F':
        return 1;
    case 'f':
        return skip(r, 8);
    case 'c':
        return skip(r, 16);
    case 'i':
    case 's':
    case 'b':
        return read_count(r, &n) && (n || tag != 'i' || refuse(r, "an integer without digits")) &&
               skip(r, n);
    case 'l':
    case 't':
    case 'e':
    case 'z':
    case 'd':
        break;
    default:
        return refuse(r, "not plain data");
    }
    if (depth == R1_LITERAL_DEPTH_MAX)
        return refuse(r, "nested too deep");
    if (!read_count(r, &n))
        return 0;
    for (size_t i = 0; i < (tag == 'd' ? 2 * n : n); i++)
        if (!read_value(r, depth + 1))
            return 0;
    return 1;
}

const char *r1_literal_check(const void *bytes, size_t n) {
    reader r = {.s = bytes, .n = n};

    if (n > R1_LITERAL_BYTES_MAX)
        return "longer than 1 MiB";
    if (!read_value(&r, 0))
        return r.why;
    return r.at == n ? NULL : "bytes behind the value";
}

r1_status r1_literal_add_head(r1_buf *out, char tag, size_t count, r1_err *err) {
    uint32_t n = (uint32_t)count;
    r1_status st = r1_buf_add(out, &tag, 1, err);

    return st != R1_OK ? st : r1_buf_add(out, &n, sizeof n, err);
}

r1_status r1_literal_add_text(r1_buf *out, r1_text t, r1_err *err) {
    r1_status st = r1_literal_add_head(out, 's', t.n, err);

    return st != R1_OK ? st : r1_buf_add(out, t.s, t.n, err);
}
