#ifndef R1_MODEL_LAYOUT_H
#define R1_MODEL_LAYOUT_H
/* Where every parameter lives, in two spaces.
 *
 * Flat space: all parameters as fp32, tensor after tensor in the byte order of their Hugging Face
 * names (strcmp), each row-major; a tied head exists once, as model.embed_tokens.weight.  Master
 * weights, gradients and both moments are (pieces of) this space.  It is cut into units = 64 rows of
 * one tensor (a vector is one row): the grain of sharding, of norms and of checksums.
 *
 * Payload: the bytes that forward and backward read: matrices packed in panels of the compute dtype
 * (a unit is a panel), vectors as fp32, each tensor 64-byte aligned.  This is what is published in
 * the weight window and sent between nodes. */
#include "common/kernels/kernels.h"
#include "common/model/arch.h"

typedef struct r1_tensor {
    char name[96];  /* Hugging Face name */
    int rows, cols; /* a vector: 1 x n */
    int is_matrix;  /* 0: vector (norm or bias): fp32 in the payload, no weight decay */
    size_t offset;  /* first element in the flat space */
    size_t payload; /* first byte in the payload */
    uint32_t unit0; /* its first unit */
    int layer;      /* -1: not of a layer */
} r1_tensor;

typedef struct r1_unit {
    uint32_t tensor;
    int row0, rows;
    size_t offset;  /* first element in the flat space */
    size_t n;       /* elements = rows * cols */
    size_t payload; /* first byte in the payload */
    size_t payload_bytes;
} r1_unit;

/* Indices into tensors[] of one layer; -1 where the architecture has none. */
typedef struct r1_layer_tensors {
    int input_norm, q, k, v, o, q_bias, k_bias, v_bias, q_norm, k_norm, post_norm, gate, up, down;
} r1_layer_tensors;

typedef struct r1_layout {
    r1_dtype dtype; /* of the payload's matrices */
    uint32_t n_tensors, n_units;
    r1_tensor *tensors;
    r1_unit *units;
    r1_layer_tensors *layers;    /* [arch.layers] */
    int embed, final_norm, head; /* tied: head == embed */
    size_t n_params;             /* elements of the flat space */
    size_t payload_bytes;        /* multiple of 64 */
} r1_layout;

R1_MUST_USE r1_status r1_layout_open(r1_layout *l, const r1_arch *arch, r1_dtype dtype,
                                     r1_err *err);
void r1_layout_close(r1_layout *l);

/* First element and first payload byte of unit u; of unit n_units: the ends of the two spaces. */
size_t r1_layout_first(const r1_layout *l, uint32_t u);
size_t r1_layout_payload_first(const r1_layout *l, uint32_t u);

/* Units [u0, u1) of the flat space (w points at element units[u0].offset) -> payload. */
void r1_layout_pack(const r1_layout *l, const r1_ops *ops, const float *w, uint32_t u0, uint32_t u1,
                    void *payload);

/* Cut the units among n owners by elements: owner i has units [ret[i], ret[i+1]); ret has n + 1.
 * A pure function of the layout and n. */
void r1_layout_cut(const r1_layout *l, int n, uint32_t *ret);

/* Hash of each unit's fp32 bytes (little endian), w as in pack; hashes[0] is unit u0's.  The
 * checksum of the whole is r1_hash64 over all units' hashes in unit order. */
void r1_layout_hash(const r1_layout *l, const r1_ops *ops, const float *w, uint32_t u0, uint32_t u1,
                    uint64_t *hashes);

/* The same of each unit's bytes in a payload. */
void r1_layout_hash_payload(const r1_layout *l, const r1_ops *ops, const void *payload, uint32_t u0,
                            uint32_t u1, uint64_t *hashes);

/* Fill units [u0, u1) of the flat space from any model source (Hugging Face directory, GGUF,
 * safetensors), checking every tensor's name and shape. */
struct r1_tensors;
R1_MUST_USE r1_status r1_layout_load(const r1_layout *l, const struct r1_tensors *src, uint32_t u0,
                                     uint32_t u1, float *w, r1_err *err);
/* Random initialisation: norms 1, biases 0, matrices N(0, init_std) drawn by (tensor, element). */
void r1_layout_init(const r1_layout *l, double init_std, uint64_t seed, uint32_t u0, uint32_t u1,
                    float *w);

#endif
