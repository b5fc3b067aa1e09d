#ifndef R1_MODEL_EXPORT_H
#define R1_MODEL_EXPORT_H
/* A model as a Hugging Face directory: weights as safetensors, config.json, generation_config.json.
 *
 * Weights are asked for unit by unit of the flat space (layout.h), so that they may come from a slab,
 * a file or the shards of a checkpoint: the signature is that of r1_layout_load and r1_ckpt_read.
 * The tokenizer's files are the caller's (formats/hfdir.h, tokenizer.h). */
#include "common/model/layout.h"

/* Master weights of units [u0, u1); w takes the first one's first element. */
typedef r1_status (*r1_units_read)(void *ctx, uint32_t u0, uint32_t u1, float *w, r1_err *err);

typedef struct r1_export {
    const r1_layout *layout;
    const r1_dtype *dtypes; /* [layout->n_tensors] */
    size_t shard_bytes;     /* of one file; R1_EXPORT_SHARD where nothing else is asked for */
    r1_units_read read;
    void *ctx;
} r1_export;

#define R1_EXPORT_SHARD ((size_t)5000 * 1000 * 1000) /* transformers' own limit, 5 GB */

/* Into a directory that exists. */
R1_MUST_USE r1_status r1_export_weights(const r1_export *e, const char *dir, r1_err *err);

/* For r1_export.read: ctx is an r1_export_slab, master weights of the whole model in memory. */
typedef struct r1_export_slab {
    const r1_layout *layout;
    const float *w; /* [n_params] */
} r1_export_slab;
R1_MUST_USE r1_status r1_export_from_slab(void *ctx, uint32_t u0, uint32_t u1, float *w,
                                          r1_err *err);

/* config.json from the descriptor, and a generation_config.json where the directory has none.
 * dtype: of most weights. */
R1_MUST_USE r1_status r1_export_config(const r1_arch *arch, r1_dtype dtype, const char *dir,
                                       r1_err *err);

/* config.json of the directory `from` with all its keys, but this dtype. */
R1_MUST_USE r1_status r1_export_copy_config(const char *from, r1_dtype dtype, const char *dir,
                                            r1_err *err);

#endif
