#ifndef R1_TOKENIZER_PRETOKENIZE_H
#define R1_TOKENIZER_PRETOKENIZE_H
/* Cutting text into the pieces that are merged one by one.
 *
 * A model's merges were learnt on pieces cut by one certain expression; another one gives other ids
 * for the same text, silently.  So only expressions are taken whose results were compared with
 * Hugging Face's on text made to be cut wrongly (tests/golden/make_tokenizer.py), and every
 * other one is refused by its own text.
 *
 * The expressions are Oniguruma's; PCRE2 runs them.  Where the two differ (what \s means), they are
 * rewritten when compiled.  Hostile text cannot make them slow: none of the expressions backtracks
 * over more than one run, and each run is consumed by the match that looked at it. */
#include "common/base/err.h"

#include <jansson.h>

typedef struct r1_pretok r1_pretok;

/* From the `pre_tokenizer` of a tokenizer.json. */
R1_MUST_USE r1_status r1_pretok_new(r1_pretok **ret, const json_t *pre, r1_err *err);
void r1_pretok_free(r1_pretok *p);

/* The `pre_tokenizer` and whether NFC comes before it, for a name from a GGUF's tokenizer.ggml.pre;
 * a new reference.  R1_DATA names it if it is unknown. */
R1_MUST_USE r1_status r1_pretok_named(const char *name, json_t **ret_pre, int *ret_nfc,
                                      int *ret_ignore_merges, r1_err *err);

/* Takes one piece; the text belongs to the caller of r1_pretok_run. */
typedef r1_status r1_piece_sink(void *ctx, const char *piece, size_t n, r1_err *err);

/* Cut well-formed UTF-8 and hand every piece to the sink, in order. */
R1_MUST_USE r1_status r1_pretok_run(const r1_pretok *p, const char *text, size_t n,
                                    r1_piece_sink *sink, void *ctx, r1_err *err);

#endif
