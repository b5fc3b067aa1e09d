/* Heads of GGUF files; see gguf.h.  The format: magic, version, counts, key-value pairs, tensor
 * infos, padding up to the alignment, data (ggml/docs/gguf.md). */
#include "common/formats/gguf.h"

#include "common/base/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_ITEMS  ((uint64_t)1 << 20)
#define MAX_NAME   ((uint64_t)65535)
#define GGUF_ALIGN 32

/* A cursor over the mapped file; once past the end it stays failed and gives zeros. */
typedef struct cursor {
    const uint8_t *data;
    size_t len, at;
    int failed;
} cursor;

static const uint8_t *skip(cursor *c, uint64_t n) {
    const uint8_t *p = c->data + c->at;

    if (c->failed || n > c->len - c->at) {
        c->failed = 1;
        return NULL;
    }
    c->at += (size_t)n;
    return p;
}

static uint32_t take_u32(cursor *c) {
    const uint8_t *p = skip(c, 4);
    uint32_t x = 0;

    if (p)
        memcpy(&x, p, 4);
    return x;
}

static uint64_t take_u64(cursor *c) {
    const uint8_t *p = skip(c, 8);
    uint64_t x = 0;

    if (p)
        memcpy(&x, p, 8);
    return x;
}

/* Bytes of a scalar; 0 for strings and arrays. */
static size_t scalar_bytes(r1_gguf_type t) {
    static const uint8_t bytes[R1_GGUF_TYPE_COUNT] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return bytes[t];
}

/* part: of the file, for the message. */
static r1_status take_name(const r1_gguf *g, cursor *c, const char *part, char **ret, r1_err *err) {
    uint64_t n = take_u64(c);
    const uint8_t *p = n <= MAX_NAME ? skip(c, n) : NULL;

    if (!p)
        return R1_FAIL(err, R1_DATA, "'%s': damaged GGUF %s at byte %zu", g->path, part, c->at);
    *ret = r1_strndup((const char *)p, (size_t)n);
    return *ret ? R1_OK : R1_FAIL(err, R1_NOMEM, "out of memory: GGUF %s of '%s'", part, g->path);
}

/* n values of one type: their bytes lie between the cursor's places. */
static void skip_values(cursor *c, r1_gguf_type t, uint64_t n) {
    size_t one = scalar_bytes(t);
    uint64_t bytes;

    if (one) {
        skip(c, __builtin_mul_overflow(n, (uint64_t)one, &bytes) ? UINT64_MAX : bytes);
        return;
    }
    for (uint64_t i = 0; i < n && !c->failed; i++)
        skip(c, take_u64(c));
}

static r1_status read_value(r1_gguf *g, cursor *c, r1_gguf_value *v, r1_err *err) {
    r1_status st = take_name(g, c, "metadata", &v->key, err);

    if (st != R1_OK)
        return st;
    uint32_t type = take_u32(c);
    v->n = 1;
    if (type == R1_GGUF_ARRAY) {
        v->is_array = 1;
        type = take_u32(c);
        v->n = take_u64(c);
    }
    if (type >= R1_GGUF_TYPE_COUNT || type == R1_GGUF_ARRAY)
        return R1_FAIL(err, R1_DATA, "'%s': key '%s' has unsupported type %u", g->path, v->key,
                       type);
    v->type = (r1_gguf_type)type;
    v->data = c->data + c->at;
    size_t from = c->at;
    skip_values(c, v->type, v->n);
    v->bytes = c->at - from;
    if (c->failed)
        return R1_FAIL(err, R1_DATA, "'%s': the value of key '%s' ends behind the file", g->path,
                       v->key);
    return R1_OK;
}

static r1_status read_tensor(r1_gguf *g, cursor *c, r1_gguf_tensor *t, r1_err *err) {
    r1_status st = take_name(g, c, "tensor list", &t->name, err);

    if (st != R1_OK)
        return st;
    uint32_t n_dims = take_u32(c);
    if (n_dims > 4)
        return R1_FAIL(err, R1_DATA, "'%s': damaged GGUF tensor list at byte %zu", g->path, c->at);
    t->n_dims = (int)n_dims;
    for (uint32_t i = 0; i < n_dims; i++)
        t->dims[i] = take_u64(c);
    t->type = take_u32(c);
    t->offset = take_u64(c);
    if (c->failed)
        return R1_FAIL(err, R1_DATA, "'%s': tensor '%s' is described behind the end of the file",
                       g->path, t->name);
    return R1_OK;
}

static r1_status read_head(r1_gguf *g, r1_err *err) {
    cursor c = {.data = g->map.data, .len = g->map.len};
    int64_t align;
    r1_status st;

    uint32_t magic = take_u32(&c), version = take_u32(&c);
    uint64_t n_tensors = take_u64(&c), n_values = take_u64(&c);
    if (c.failed || magic != 0x46554747u)
        return R1_FAIL(err, R1_DATA, "'%s' is no GGUF file", g->path);
    if (version < 2 || version > 3)
        return R1_FAIL(err, R1_DATA, "'%s': GGUF version %u is not supported (2 and 3 are)",
                       g->path, version);
    if (n_tensors > MAX_ITEMS || n_values > MAX_ITEMS || n_tensors > c.len || n_values > c.len)
        return R1_FAIL(err, R1_DATA, "'%s': %llu tensors and %llu keys cannot be", g->path,
                       (unsigned long long)n_tensors, (unsigned long long)n_values);
    R1_TRY(R1_NEW(g->values, (size_t)n_values, err));
    R1_TRY(R1_NEW(g->tensors, (size_t)n_tensors, err));
    while (g->n_values < n_values)
        R1_TRY(read_value(g, &c, &g->values[g->n_values++], err));
    while (g->n_tensors < n_tensors)
        R1_TRY(read_tensor(g, &c, &g->tensors[g->n_tensors++], err));
    R1_TRY(r1_gguf_int(g, "general.alignment", GGUF_ALIGN, &align, err));
    if (align < 1 || align > 1 << 20 || (align & (align - 1)))
        return R1_FAIL(err, R1_DATA, "'%s': general.alignment %lld is no power of two", g->path,
                       (long long)align);
    size_t start = r1_align_up(c.at, (size_t)align);
    start = start < g->map.len ? start : g->map.len;
    g->data = g->map.data + start;
    g->data_bytes = g->map.len - start;
    return R1_OK;
done:
    return st;
}

r1_status r1_gguf_open(r1_gguf *g, const char *path, r1_err *err) {
    r1_status st;

    *g = (r1_gguf){0};
    if (!(g->path = r1_strdup(path)))
        return R1_FAIL(err, R1_NOMEM, "out of memory: '%s'", path);
    R1_TRY(r1_map_open(&g->map, path, err));
    R1_TRY(read_head(g, err));
    return R1_OK;
done:
    r1_gguf_close(g);
    return st;
}

void r1_gguf_close(r1_gguf *g) {
    for (size_t i = 0; i < g->n_values; i++)
        r1_free(g->values[i].key);
    for (size_t i = 0; i < g->n_tensors; i++)
        r1_free(g->tensors[i].name);
    r1_free(g->values);
    r1_free(g->tensors);
    r1_free(g->path);
    r1_map_close(&g->map);
    *g = (r1_gguf){0};
}

int r1_gguf_is(const char *path) {
    char magic[4] = "";
    int fd =
        open(path, O_RDONLY | O_CLOEXEC); /* takes no memory, so that a lack of it is no "no" */

    if (fd < 0)
        return 0;
    ssize_t n = read(fd, magic, 4);
    close(fd);
    return n == 4 && memcmp(magic, "GGUF", 4) == 0;
}

const r1_gguf_value *r1_gguf_find(const r1_gguf *g, const char *key) {
    for (size_t i = 0; i < g->n_values; i++)
        if (strcmp(g->values[i].key, key) == 0)
            return &g->values[i];
    return NULL;
}

/* Scalar element i as an integer or as a real; is_int says which. */
static int64_t element(const r1_gguf_value *v, uint64_t i, double *real, int *is_int) {
    const uint8_t *p = v->data + i * scalar_bytes(v->type);
    union {
        uint8_t u8;
        int8_t i8;
        uint16_t u16;
        int16_t i16;
        uint32_t u32;
        int32_t i32;
        uint64_t u64;
        int64_t i64;
        float f32;
        double f64;
    } x = {.u64 = 0};
    int64_t n = 0;

    memcpy(&x, p, scalar_bytes(v->type));
    *is_int = v->type != R1_GGUF_F32 && v->type != R1_GGUF_F64;
    switch (v->type) {
    case R1_GGUF_I8:
        n = x.i8; /* NOLINT(bugprone-signed-char-misuse,cert-str34-c): it is a number */
        break;
    case R1_GGUF_I16:
        n = x.i16;
        break;
    case R1_GGUF_I32:
        n = x.i32;
        break;
    case R1_GGUF_U64: /* beyond int64 is beyond every limit that a caller has */
        n = x.u64 > INT64_MAX ? INT64_MAX : (int64_t)x.u64;
        break;
    case R1_GGUF_F32:
    case R1_GGUF_F64:
        break;
    default: /* unsigned and 64 bits: the upper bytes of the union are zero */
        n = x.i64;
        break;
    }
    *real = *is_int ? (double)n : v->type == R1_GGUF_F32 ? (double)x.f32 : x.f64;
    return n;
}

r1_status r1_gguf_int(const r1_gguf *g, const char *key, int64_t fallback, int64_t *ret,
                      r1_err *err) {
    const r1_gguf_value *v = r1_gguf_find(g, key);
    double real;
    int is_int = 0;

    *ret = fallback;
    if (!v)
        return R1_OK;
    if (!v->is_array && v->type != R1_GGUF_STRING)
        *ret = element(v, 0, &real, &is_int);
    return is_int ? R1_OK : R1_FAIL(err, R1_DATA, "'%s': key '%s' is not an integer", g->path, key);
}

r1_status r1_gguf_num(const r1_gguf *g, const char *key, double fallback, double *ret,
                      r1_err *err) {
    const r1_gguf_value *v = r1_gguf_find(g, key);
    int is_int;

    *ret = fallback;
    if (!v)
        return R1_OK;
    if (v->is_array || v->type == R1_GGUF_STRING)
        return R1_FAIL(err, R1_DATA, "'%s': key '%s' is not a number", g->path, key);
    element(v, 0, ret, &is_int);
    return R1_OK;
}

const char *r1_gguf_str(const r1_gguf *g, const char *key, size_t *ret_len) {
    const r1_gguf_value *v = r1_gguf_find(g, key);
    size_t at = 0;

    return v && v->type == R1_GGUF_STRING && !v->is_array ? r1_gguf_next(v, &at, ret_len) : NULL;
}

double r1_gguf_element(const r1_gguf_value *v, uint64_t i) {
    double real;
    int is_int;

    R1_ASSERT(i < v->n && v->type != R1_GGUF_STRING);
    element(v, i, &real, &is_int);
    return real;
}

const char *r1_gguf_next(const r1_gguf_value *v, size_t *at, size_t *ret_len) {
    uint64_t n;

    R1_ASSERT(v->type == R1_GGUF_STRING && *at + 8 <= v->bytes);
    memcpy(&n, v->data + *at, 8);
    const char *text = (const char *)v->data + *at + 8;
    *at += 8 + (size_t)n;
    *ret_len = (size_t)n;
    return text;
}
