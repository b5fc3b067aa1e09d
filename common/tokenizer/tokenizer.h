#ifndef R1_TOKENIZER_TOKENIZER_H
#define R1_TOKENIZER_TOKENIZER_H
/* Text to ids and back.
 *
 * An opened tokenizer is immutable: any number of threads may use it.  Kinds: `bytes` (ids 0..255 are
 * bytes, 256 is the end of sequence, then added tokens; needs no file). */
#include "common/base/err.h"
#include "common/base/mem.h"

#include <stdint.h>

typedef struct r1_tokenizer r1_tokenizer;

/* Growable list of ids. */
typedef struct r1_ids {
    int32_t *ids;
    size_t n, cap;
} r1_ids;

void r1_ids_done(r1_ids *ids);
R1_MUST_USE r1_status r1_ids_add(r1_ids *ids, int32_t id, r1_err *err);

/* Byte tokenizer with these added tokens (copied), ids from 257 on. */
R1_MUST_USE r1_status r1_tokenizer_new_bytes(r1_tokenizer **ret, const char *const *added, int n,
                                             r1_err *err);
void r1_tokenizer_free(r1_tokenizer *t);

int r1_tokenizer_vocab_size(const r1_tokenizer *t);
/* All ids that end a sequence; returns their number (at most max). */
int r1_tokenizer_eos(const r1_tokenizer *t, int32_t *ret_ids, int max);
int32_t r1_tokenizer_id(const r1_tokenizer *t, const char *token); /* of an added token; -1 */

/* Append the ids of n bytes.  parse_special: added tokens in the text become their ids; else the text
 * is plain text whatever it looks like. */
R1_MUST_USE r1_status r1_tokenizer_encode(const r1_tokenizer *t, const char *text, size_t n,
                                          int parse_special, r1_ids *ids, r1_err *err);

/* Bytes of one id; the end of sequence and other control tokens have none when skip_special. */
const char *r1_tokenizer_piece(const r1_tokenizer *t, int32_t id, int skip_special,
                               size_t *ret_len);

/* Append the text of n ids. */
R1_MUST_USE r1_status r1_tokenizer_decode(const r1_tokenizer *t, const int32_t *ids, size_t n,
                                          int skip_special, r1_buf *text, r1_err *err);

/* Write what is needed to open it again into a directory. */
R1_MUST_USE r1_status r1_tokenizer_save(const r1_tokenizer *t, const char *dir, r1_err *err);

#endif
