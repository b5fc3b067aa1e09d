#ifndef R1_TOKENIZER_TEMPLATE_H
#define R1_TOKENIZER_TEMPLATE_H
/* Chat templates: a question becomes the ids that the model continues.
 *
 * The template's own control tokens are parsed as such; the question and the system text are plain
 * text, so that a question that contains "<|im_start|>" cannot open a turn.  Template and question
 * are cut into tokens as one text, as Hugging Face does with a rendered chat.
 *
 *   plain     the question as it is; only here its added tokens count as tokens
 *   r1_zero   DeepSeek-R1, table 1
 *   chatml    <|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n (Qwen, SmolLM2)
 *   llama3    headers of Llama 3; the question without the white space around it, as its template
 *             strips it
 *   deepseek  <｜User｜>{prompt}<｜Assistant｜> (DeepSeek-V3, R1 and its distilled models)
 *   a text    with {system} and {prompt}
 *
 * A system text makes a system turn; without one, chatml takes the default that the model's own
 * template states ("You are a helpful ..."), the others leave the turn out.  plain, r1_zero and a text
 * begin with the tokenizer's bos if it has one; the others spell theirs out. */
#include "common/tokenizer/tokenizer.h"

/* R1_USAGE when the name is no kind and the text has no {prompt}. */
R1_MUST_USE r1_status r1_template_check(const char *kind_or_text, r1_err *err);

/* The kind that the model's own chat template is of, recognised by its control tokens: chatml, llama3
 * or deepseek; plain if it has none, or another one. */
const char *r1_template_of(const r1_tokenizer *t);

/* Append the ids; system may be NULL (none).  *ret_injected (may be NULL): how many texts of added
 * tokens the question holds. */
R1_MUST_USE r1_status r1_template_encode(const r1_tokenizer *t, const char *kind_or_text,
                                         const char *system, const char *prompt, r1_ids *ids,
                                         int *ret_injected, r1_err *err);
/* That count alone. */
R1_MUST_USE r1_status r1_template_injected(const r1_tokenizer *t, const char *prompt, int *ret,
                                           r1_err *err);
/* A chat that is over: the answer stands behind the prompt, as plain text, and what ends it behind the
 * answer (nothing in plain, r1_zero and texts). */
R1_MUST_USE r1_status r1_template_encode_answered(const r1_tokenizer *t, const char *kind_or_text,
                                                  const char *system, const char *prompt,
                                                  const char *answer, r1_ids *ids, r1_err *err);

#endif
