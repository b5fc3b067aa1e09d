#ifndef R1_TOKENIZER_TOKENIZER_H
#define R1_TOKENIZER_TOKENIZER_H
/* Text to ids and back.
 *
 * Two kinds.  `bytes`: ids 0..255 are bytes, 256 is the end of sequence, then added tokens; it needs
 * no file.  Byte-level BPE, as a Hugging Face tokenizer.json or the vocabulary of a GGUF describes
 * it: its ids are those of Hugging Face's tokenizers for every input, and a file with a part whose
 * behaviour is not known here is refused by name, never read as something similar.
 *
 * The way of a text (bpe): ill-formed bytes become U+FFFD (open.c, utf8.c) -> added tokens are cut
 * out (added.c) -> NFC (nfc.c) -> pieces by regular expressions (pretokenize.c) -> merges (bpe.c).
 *
 * Whether the text of an added token counts as that token is decided part by part
 * (r1_text_part.special): a template's own "<|im_start|>" does, a user's does not, although both
 * stand in one text and are cut into pieces together, as Hugging Face cuts a rendered chat.
 *
 * A tokenizer carries the files that it was made of (r1_tokenizer_files), byte for byte, so that an
 * exported model and a checkpoint hold them; r1_tokenizer_open_files opens that set again.  A GGUF's
 * vocabulary becomes such files first: there is one reader.  Limits: 256 MiB a file, ids below 2^22,
 * 2^24 merges, added tokens of 1024 bytes, 8 steps of cutting.
 *
 * An opened tokenizer is immutable: any number of threads may use it. */
#include "common/base/err.h"
#include "common/base/mem.h"

#include <stdint.h>

typedef struct r1_tokenizer r1_tokenizer;

/* Longest text that is encoded at once, and most ids that end a sequence. */
#define R1_TEXT_MAX ((size_t)16 << 20)
#define R1_EOS_MAX  16

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

/* Open a directory (tokenizer.json with tokenizer_config.json, generation_config.json, config.json
 * and chat_template.jinja where they exist; or the tokenizer_bytes.json that r1_tokenizer_save
 * wrote), a bare tokenizer.json, or a .gguf file.  R1_DATA names file, key and value. */
R1_MUST_USE r1_status r1_tokenizer_open(r1_tokenizer **ret, const char *path, r1_err *err);
void r1_tokenizer_free(r1_tokenizer *t);

/* A file in memory; the bytes need no NUL behind them. */
typedef struct r1_tokenizer_file {
    const char *name; /* "tokenizer.json" */
    const char *data;
    size_t n;
} r1_tokenizer_file;

#define R1_TOKENIZER_FILES_MAX 5

/* The files of a tokenizer, views that live as long as it does; returns their number. */
int r1_tokenizer_files(const r1_tokenizer *t, r1_tokenizer_file ret[R1_TOKENIZER_FILES_MAX]);
/* Open from files in memory (copied); `where` (a checkpoint's path) is for messages. */
R1_MUST_USE r1_status r1_tokenizer_open_files(r1_tokenizer **ret, const r1_tokenizer_file *files,
                                              int n, const char *where, r1_err *err);
/* Write the files into a directory that exists. */
R1_MUST_USE r1_status r1_tokenizer_save(const r1_tokenizer *t, const char *dir, r1_err *err);

int r1_tokenizer_vocab_size(const r1_tokenizer *t); /* largest id + 1 */
/* All ids that end a sequence (tokenizer_config.json's first, then those of generation_config.json
 * and config.json); returns their number (at most max). */
int r1_tokenizer_eos(const r1_tokenizer *t, int32_t *ret_ids, int max);
/* The id that Hugging Face puts before every text (bos); -1 if none. */
int32_t r1_tokenizer_prefix(const r1_tokenizer *t);
int32_t r1_tokenizer_id(const r1_tokenizer *t, const char *token); /* of an added token; -1 */
/* The model's own chat template (Jinja); NULL if it brings none. */
const char *r1_tokenizer_chat_template(const r1_tokenizer *t);

/* A stretch of text; special: added tokens in it become their ids, else it is plain text whatever
 * it looks like. */
typedef struct r1_text_part {
    const char *text;
    size_t n;
    int special;
} r1_text_part;

/* Append the ids of the text that the parts make together.  No prefix is added.  R1_DATA if it is
 * longer than R1_TEXT_MAX. */
R1_MUST_USE r1_status r1_tokenizer_encode_parts(const r1_tokenizer *t, const r1_text_part *parts,
                                                int n_parts, r1_ids *ids, r1_err *err);
/* The same for one part. */
R1_MUST_USE r1_status r1_tokenizer_encode(const r1_tokenizer *t, const char *text, size_t n,
                                          int parse_special, r1_ids *ids, r1_err *err);

/* Bytes of one id; the end of sequence and other control tokens have none when skip_special.  An id
 * outside the vocabulary has none.  The bytes of several ids may make one character: a stream shows
 * what r1_utf8_complete (utf8.h) lets through. */
const char *r1_tokenizer_piece(const r1_tokenizer *t, int32_t id, int skip_special,
                               size_t *ret_len);

/* Append the bytes of n ids. */
R1_MUST_USE r1_status r1_tokenizer_decode(const r1_tokenizer *t, const int32_t *ids, size_t n,
                                          int skip_special, r1_buf *text, r1_err *err);

#endif
