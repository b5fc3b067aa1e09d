#ifndef R1_MODEL_ARCH_H
#define R1_MODEL_ARCH_H
/* A model's shape as numbers and flags.  One forward and backward serve all architectures; what
 * differs between Llama, Qwen2 and Qwen3 is a flag here.  Unknown architectures, rope types and
 * activations are errors that name them. */
#include "common/base/err.h"

#include <stddef.h>
#include <stdint.h>

typedef enum r1_arch_kind {
    R1_ARCH_LLAMA,
    R1_ARCH_QWEN2,
    R1_ARCH_QWEN3
} r1_arch_kind;
typedef enum r1_rope_kind {
    R1_ROPE_DEFAULT,
    R1_ROPE_LINEAR,
    R1_ROPE_LLAMA3
} r1_rope_kind;

#define R1_ARCH_MAX_EOS 8

typedef struct r1_arch {
    r1_arch_kind kind;
    int vocab_size, hidden_size, layers, heads, kv_heads, head_dim, intermediate_size;
    int max_positions;
    float norm_eps;
    int tied;     /* the head is the embedding */
    int scores;   /* the head gives one number, not logits: a reward model */
    int qkv_bias; /* q, k, v have biases (Qwen2) */
    int qk_norm;  /* RMS norm on each head of q and k (Qwen3) */
    r1_rope_kind rope;
    double rope_theta, rope_factor, rope_low_freq, rope_high_freq;
    int rope_original_positions;
    double init_std; /* initializer_range */
    int bos_id;      /* -1: none */
    int n_eos, eos_ids[R1_ARCH_MAX_EOS];
} r1_arch;

/* config.json of transformers 4 or 5, of a model ...ForCausalLM or ...ForSequenceClassification with
 * one label (text of len bytes; files up to 16 MiB are read); path only for
 * messages. */
R1_MUST_USE r1_status r1_arch_from_json(r1_arch *ret_arch, const char *text, size_t len,
                                        const char *path, r1_err *err);
/* From any model M: Hugging Face directory, .gguf file, checkpoint directory (has config.json).  The
 * stop tokens are generation_config.json's where that names any. */
R1_MUST_USE r1_status r1_arch_open(r1_arch *ret_arch, const char *path, r1_err *err);
/* The same of a model that gives one number (arch.scores), which the other refuses. */
R1_MUST_USE r1_status r1_arch_open_reward_model(r1_arch *ret_arch, const char *path, r1_err *err);
/* Why a path is no model: never R1_OK.  Runs, checkpoints' files and the like are told what to give
 * instead. */
R1_MUST_USE r1_status r1_arch_not_a_model(const char *path, r1_err *err);
/* config.json text (transformers 4 keys, which both generations read).  Caller frees (r1_free).
 * torch_dtype: "float32", "bfloat16", "float16". */
R1_MUST_USE r1_status r1_arch_to_json(const r1_arch *a, const char *torch_dtype, char **ret_text,
                                      r1_err *err);
/* Sizes within limits (hidden 2^16, 512 layers, 1024 heads of 256, intermediate 2^18, vocabulary 2^21,
 * 2^28 positions) that fit together, even head_dim etc.; the message names the field. */
R1_MUST_USE r1_status r1_arch_check(const r1_arch *a, const char *path, r1_err *err);
/* From the metadata of a GGUF source (tensors.h). */
struct r1_tensors;
R1_MUST_USE r1_status r1_arch_from_gguf(r1_arch *ret_arch, const struct r1_tensors *t, r1_err *err);

/* Inverse frequency of pair i < head_dim / 2, as `transformers` computes it
 * (modeling_rope_utils.py): default theta^(-2i/hd); linear: divided by the factor; llama3: long
 * wavelengths divided, short ones kept, those between blended. */
double r1_arch_inv_freq(const r1_arch *a, int i);

const char *r1_arch_kind_name(r1_arch_kind kind); /* "llama", "qwen2", "qwen3" */

#endif
