#ifndef R1_FORMATS_TENSORS_H
#define R1_FORMATS_TENSORS_H
/* Named tensors in files, read as fp32.
 *
 * A source is a Hugging Face directory (model.safetensors, or the shards that
 * model.safetensors.index.json names), one .safetensors file, or one GGUF file.  The files stay mapped
 * while the source is open; an entry says where a tensor lies, and r1_tensors_read converts any run of
 * its elements, so that a reader takes just the rows it owns and nothing is ever copied whole.
 *
 * Names and rows are Hugging Face's whatever the file: a GGUF file's blk.0.attn_q.weight is
 * model.layers.0.self_attn.q_proj.weight here, and where GGUF stores the rows of q and k pair by pair
 * (architecture llama) they are read as halves again.
 *
 * Files come from outside: every length, offset, shape and name is checked at opening.  Limits: 2^20
 * tensors of at most 8 dimensions in 4096 files; headers and index of safetensors 100 MiB each; JSON
 * in it nested 2048 deep (jansson's limit, as everywhere); GGUF as gguf.h says. */
#include "common/base/err.h"
#include "common/formats/gguf.h"
#include "common/formats/quants.h"

#include <stdint.h>

#define R1_TENSOR_MAX_DIMS 8

typedef struct r1_tensor_entry {
    const char *name;
    const char *file; /* where it lies, for messages */
    r1_tensor_type type;
    int n_dims;
    uint64_t dims[R1_TENSOR_MAX_DIMS]; /* outermost first */
    size_t n;                          /* elements */
    int pair_rows; /* rows of a head whose pairs lie side by side in the file; 0: plain order */
    const uint8_t *data;
} r1_tensor_entry;

typedef struct r1_tensors r1_tensors;

R1_MUST_USE r1_status r1_tensors_open(r1_tensors **ret, const char *path, r1_err *err);
void r1_tensors_close(r1_tensors *t);

const char *r1_tensors_path(const r1_tensors *t); /* as opened */
size_t r1_tensors_count(const r1_tensors *t);
const r1_tensor_entry *r1_tensors_at(const r1_tensors *t, size_t i); /* by name, ascending */
/* NULL if there is none of this name. */
const r1_tensor_entry *r1_tensors_find(const r1_tensors *t, const char *name);

/* The metadata of a GGUF source; NULL for any other. */
const r1_gguf *r1_tensors_gguf(const r1_tensors *t);

/* Elements [first, first + n) in row-major order, as fp32. */
void r1_tensors_read(const r1_tensor_entry *e, size_t first, size_t n, float *out);

#endif
