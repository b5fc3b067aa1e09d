/* Requests to the launcher as bytes; see box.h. */
#include "reward/judge/box.h"

#include <string.h>

#define SECONDS_MAX 1e7

static r1_status add_record(r1_buf *out, char tag, size_t n, r1_err *err) {
    uint32_t len = (uint32_t)n;
    r1_status st = r1_buf_add(out, &tag, 1, err);

    return st != R1_OK ? st : r1_buf_add(out, &len, sizeof len, err);
}

static r1_status add_text(r1_buf *out, char tag, const char *s, r1_err *err) {
    size_t n = strlen(s) + 1;
    r1_status st = add_record(out, tag, n, err);

    return st != R1_OK ? st : r1_buf_add(out, s, n, err);
}

static r1_status add_file(r1_buf *out, const r1_box_file *f, r1_err *err) {
    size_t name = strlen(f->name) + 1;
    r1_status st;

    if (f->n > R1_BOX_BYTES_MAX)
        return R1_FAIL(err, R1_DATA, "'%s' has %zu bytes", f->name, f->n);
    R1_TRY(add_record(out, 'F', sizeof f->mode + name + f->n, err));
    R1_TRY(r1_buf_add(out, &f->mode, sizeof f->mode, err));
    R1_TRY(r1_buf_add(out, f->name, name, err));
    st = r1_buf_add(out, f->data, f->n, err);
done:
    return st;
}

r1_status r1_box_encode(const r1_box_request *b, r1_buf *out, r1_err *err) {
    r1_status st;

    R1_TRY(add_record(out, 'L', sizeof b->limits, err));
    R1_TRY(r1_buf_add(out, &b->limits, sizeof b->limits, err));
    for (int i = 0; i < b->n_words; i++)
        R1_TRY(add_text(out, 'A', b->words[i], err));
    for (int i = 0; i < b->n_env; i++)
        R1_TRY(add_text(out, 'E', b->env[i], err));
    for (int i = 0; i < b->n_files; i++)
        R1_TRY(add_file(out, &b->files[i], err));
    if (b->fetch)
        R1_TRY(add_text(out, 'G', b->fetch, err));
done:
    return st;
}

/* A text that ends with the record's last byte, and only there. */
static const char *text_of(const char *bytes, size_t n) {
    return n && memchr(bytes, '\0', n) == bytes + n - 1 ? bytes : NULL;
}

static int is_plain_name(const char *name) {
    return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int read_file(const char *bytes, size_t n, r1_box_file *ret) {
    const char *end =
        n > sizeof ret->mode ? memchr(bytes + sizeof ret->mode, '\0', n - sizeof ret->mode) : NULL;

    if (!end)
        return 0;
    memcpy(&ret->mode, bytes, sizeof ret->mode);
    ret->name = bytes + sizeof ret->mode;
    ret->data = end + 1;
    ret->n = n - (size_t)(end + 1 - bytes);
    return is_plain_name(ret->name) && (ret->mode & ~0777u) == 0;
}

static int sane(const r1_box_limits *l) {
    return l->cpu_s > 0 && l->cpu_s < SECONDS_MAX && l->wall_s > 0 && l->wall_s < SECONDS_MAX &&
           l->memory_bytes && l->stack_bytes && l->tasks && l->open_files > R1_BOX_FDS_MAX;
}

/* One record into *r; 0 when it is not allowed there. */
static int read_record(char tag, const char *bytes, size_t n, r1_box_request *r) {
    const char **list = tag == 'A' ? r->words : r->env;
    int *count = tag == 'A' ? &r->n_words : &r->n_env;

    switch (tag) {
    case 'A':
    case 'E':
        if (*count == R1_BOX_WORDS_MAX || !(list[*count] = text_of(bytes, n)))
            return 0;
        list[++*count] = NULL;
        return 1;
    case 'F':
        return r->n_files < R1_BOX_FILES_MAX && read_file(bytes, n, &r->files[r->n_files++]);
    case 'G':
        return !r->fetch && (r->fetch = text_of(bytes, n)) && is_plain_name(r->fetch);
    default:
        return 0;
    }
}

r1_status r1_box_decode(const void *bytes, size_t n, r1_box_request *ret, r1_err *err) {
    const char *s = bytes;
    r1_box_request r = {.n_words = 0};

    for (size_t at = 0; at < n;) {
        uint32_t len;
        if (n - at < 1 + sizeof len)
            return R1_FAIL(err, R1_DATA, "box: cut off in a record's head at byte %zu", at);
        memcpy(&len, s + at + 1, sizeof len);
        char tag = s[at];
        size_t body = at + 1 + sizeof len;
        if (len > n - body)
            return R1_FAIL(err, R1_DATA, "box: cut off in a record at byte %zu", at);
        if (at == 0) {
            if (tag != 'L' || len != sizeof r.limits)
                return R1_FAIL(err, R1_DATA, "box: does not begin with limits");
            memcpy(&r.limits, s + body, sizeof r.limits);
        } else if (!read_record(tag, s + body, len, &r)) {
            return R1_FAIL(err, R1_DATA, "box: record '%c' at byte %zu is wrong",
                           tag >= ' ' && tag <= '~' ? tag : '?', at);
        }
        at = body + len;
    }
    if (!sane(&r.limits))
        return R1_FAIL(err, R1_DATA, "box: limits that cannot be");
    if (r.n_words == 0 || r.words[0][0] != '/')
        return R1_FAIL(err, R1_DATA, "box: no program with a full path");
    *ret = r;
    return R1_OK;
}
