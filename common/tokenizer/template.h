#ifndef R1_TOKENIZER_TEMPLATE_H
#define R1_TOKENIZER_TEMPLATE_H
/* Chat templates: a question becomes the ids that the model continues.
 *
 * The template's own control tokens are parsed as such; the question is plain text, so that a
 * question that contains "<|im_start|>" cannot open a turn.
 *
 *   plain     the question as it is; only here its added tokens count as tokens
 *   r1_zero   DeepSeek-R1, table 1
 *   chatml    <|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{prompt}<|im_end|>\n
 *             <|im_start|>assistant\n
 *   a text    with {system} and {prompt} */
#include "common/tokenizer/tokenizer.h"

/* R1_USAGE when the name is no kind and the text has no {prompt}. */
R1_MUST_USE r1_status r1_template_check(const char *kind_or_text, r1_err *err);

/* Append the ids; system may be NULL (none).  *ret_injected (may be NULL): how many control-token
 * texts the question held. */
R1_MUST_USE r1_status r1_template_encode(const r1_tokenizer *t, const char *kind_or_text,
                                         const char *system, const char *prompt, r1_ids *ids,
                                         int *ret_injected, r1_err *err);

#endif
