#ifndef R1_FORMATS_GGUF_H
#define R1_FORMATS_GGUF_H
/* The head of a GGUF file (versions 2 and 3): metadata by key, and where the tensors lie.
 *
 * The file stays mapped; strings and arrays are views into it (not NUL-terminated).  Everything is
 * checked at opening, so that readers can walk over arrays without another test.  Limits: 2^20 keys,
 * 2^20 tensors of at most 4 dimensions, names of 65535 bytes, no arrays of arrays. */
#include "common/base/err.h"
#include "common/base/file.h"

typedef enum r1_gguf_type {
    R1_GGUF_U8,
    R1_GGUF_I8,
    R1_GGUF_U16,
    R1_GGUF_I16,
    R1_GGUF_U32,
    R1_GGUF_I32,
    R1_GGUF_F32,
    R1_GGUF_BOOL,
    R1_GGUF_STRING,
    R1_GGUF_ARRAY,
    R1_GGUF_U64,
    R1_GGUF_I64,
    R1_GGUF_F64,
    R1_GGUF_TYPE_COUNT
} r1_gguf_type;

typedef struct r1_gguf_value {
    char *key;
    r1_gguf_type type; /* of the elements, if it is an array */
    int is_array;
    uint64_t n; /* elements; 1 unless it is an array */
    const uint8_t *data;
    size_t bytes;
} r1_gguf_value;

typedef struct r1_gguf_tensor {
    char *name;
    int n_dims;
    uint64_t dims[4]; /* innermost first, as the file has them */
    uint32_t type;    /* GGUF's number */
    uint64_t offset;  /* from data */
} r1_gguf_tensor;

typedef struct r1_gguf {
    char *path;
    r1_map map;
    size_t n_values, n_tensors;
    r1_gguf_value *values;
    r1_gguf_tensor *tensors;
    const uint8_t *data; /* where offsets count from */
    size_t data_bytes;
} r1_gguf;

R1_MUST_USE r1_status r1_gguf_open(r1_gguf *g, const char *path, r1_err *err);
void r1_gguf_close(r1_gguf *g);

/* Does the file start with GGUF's magic bytes? */
int r1_gguf_is(const char *path);

/* NULL if there is no such key. */
const r1_gguf_value *r1_gguf_find(const r1_gguf *g, const char *key);

/* A whole number (any integer type or bool) or real number; fallback where the key is absent; an error
 * that names key and file where it has another type. */
R1_MUST_USE r1_status r1_gguf_int(const r1_gguf *g, const char *key, int64_t fallback, int64_t *ret,
                                  r1_err *err);
R1_MUST_USE r1_status r1_gguf_num(const r1_gguf *g, const char *key, double fallback, double *ret,
                                  r1_err *err);
/* View of a string value; NULL if the key is absent or no string. */
const char *r1_gguf_str(const r1_gguf *g, const char *key, size_t *ret_len);

/* Element i of an array of integers or reals (as double, exact for 32-bit integers). */
double r1_gguf_element(const r1_gguf_value *v, uint64_t i);
/* The string at *at of an array of strings; moves *at (start with 0) behind it. */
const char *r1_gguf_next(const r1_gguf_value *v, size_t *at, size_t *ret_len);

#endif
