#ifndef R1_STORE_POLICY_H
#define R1_STORE_POLICY_H
/* A language model as a configuration or a path names it: shape, operations, layout, tokenizer and
 * template.  No weights: those live in a window or a slab that the caller owns, and are filled by
 * r1_policy_weights, each rank its own units. */
#include "common/config/config.h"
#include "common/formats/tensors.h"
#include "common/model/model.h"
#include "common/store/checkpoint.h"
#include "common/tokenizer/template.h"

typedef struct r1_policy {
    r1_arch arch;
    r1_ops *ops;
    r1_model model; /* with the layout */
    r1_tokenizer *tokenizer;
    const char *template_kind, *system; /* resolved: never "auto"; system may be NULL */
    r1_tensors *source;                 /* of a Hugging Face directory or a GGUF file; else NULL */
    r1_ckpt *checkpoint;                /* of a checkpoint; both NULL: random initialisation */
    double init_std;
    uint64_t seed;
} r1_policy;

/* What a run's configuration says.  threads: of this rank. */
R1_MUST_USE r1_status r1_policy_open(r1_policy *p, const r1_config *cfg, int threads, r1_err *err);

/* Fill in the numeric keys that only the opened model decides (numeric_path, template, a new model's
 * vocab_size), so that the configuration says what is computed.  Its texts then live as long as p. */
void r1_policy_resolve(const r1_policy *p, r1_config *cfg);

/* What a program's options say. */
typedef struct r1_policy_options {
    const char *model, *tokenizer; /* paths; tokenizer NULL: the model's own */
    const char *chat_template;     /* "auto": the model's own */
    r1_dtype dtype;
    int threads, max_len; /* positions that will be used; 0: all that the model has */
    int scores;           /* a reward model; otherwise those are refused */
} r1_policy_options;

R1_MUST_USE r1_status r1_policy_open_model(r1_policy *p, const r1_policy_options *o, r1_err *err);

void r1_policy_close(r1_policy *p);

/* Master weights of units [u0, u1): w points at the first one's first element. */
R1_MUST_USE r1_status r1_policy_weights(const r1_policy *p, uint32_t u0, uint32_t u1, float *w,
                                        r1_err *err);

#endif
