#ifndef R1_FORMATS_SAFETENSORS_WRITE_H
#define R1_FORMATS_SAFETENSORS_WRITE_H
/* Writing safetensors: model.safetensors, or above a limit model-00001-of-0000N.safetensors with the
 * index that names them.
 *
 * The writer pulls: it asks for a run of elements of one tensor at a time, converts it and appends it,
 * so that a model is never held twice and need not be held at all.  Runs begin at a multiple of the
 * tensor's grain (the whole units of a checkpoint, which are checked by their hashes as they are read).
 *
 * Inside a file the tensors of four bytes an element come first, so that every tensor is aligned. */
#include "common/base/dtype.h"
#include "common/base/err.h"

typedef struct r1_write_tensor {
    const char *name;
    r1_dtype dtype;
    int n_dims;
    uint64_t dims[2]; /* outermost first, none 0 */
    size_t n;         /* elements */
    size_t grain;     /* elements; runs start at multiples of it */
} r1_write_tensor;

/* Elements [first, first + n) of a tensor, row-major. */
typedef r1_status (*r1_write_read)(void *ctx, size_t tensor, size_t first, size_t n, float *out,
                                   r1_err *err);

typedef struct r1_write_job {
    const r1_write_tensor *tensors;
    size_t n_tensors;
    size_t shard_bytes; /* a file holds at most this, or one tensor */
    r1_write_read read;
    void *ctx;
} r1_write_job;

/* Into a directory that exists.  R1_DATA where a finite value does not fit the dtype (F16 ends at
 * 65504): it would become infinite. */
R1_MUST_USE r1_status r1_safetensors_write(const r1_write_job *job, const char *dir, r1_err *err);

#endif
