#ifndef R1_LEARNER_CONVERT_H
#define R1_LEARNER_CONVERT_H
/* A model in one form -> the same model in another: what r1-convert does.
 *
 * In: a Hugging Face directory, a GGUF file or a checkpoint of ours.  Out: a Hugging Face directory
 * (tokenizer included) or a checkpoint at step 0 whose moments are zero.  Weights that keep their
 * dtype keep their bits; what the model's directory says besides (config.json's other keys, tokenizer,
 * generation_config.json) is carried over unchanged.
 *
 * OUT appears whole or not at all, and nothing that exists is overwritten. */
#include "common/base/err.h"

typedef struct r1_convert_options {
    const char *in, *out;
    const char
        *dtype; /* F32, BF16, F16; NULL: each tensor keeps its own, fp32 where that is quantised */
    const char *to; /* "hf", "checkpoint" or "auto": a checkpoint if OUT's name begins with step_ */
    int shard_mb;   /* largest file of weights, in 10^6 bytes */
} r1_convert_options;

R1_MUST_USE r1_status r1_convert_run(const r1_convert_options *o, r1_err *err);

#endif
