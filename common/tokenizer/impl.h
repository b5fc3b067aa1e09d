#ifndef R1_TOKENIZER_IMPL_H
#define R1_TOKENIZER_IMPL_H
/* What the kinds of tokenizers share: the table of tokens, the added tokens, the files. */
#include "common/tokenizer/added.h"
#include "common/tokenizer/bpe.h"
#include "common/tokenizer/pretokenize.h"
#include "common/tokenizer/tokenizer.h"

/* Limits on what a file may ask for. */
#define R1_VOCAB_MAX          (1 << 22)
#define R1_ADDED_TOKEN_MAX    1024 /* bytes; a search looks so far ahead */
#define R1_TOKENIZER_FILE_MAX ((size_t)256 << 20)

typedef struct r1_token {
    uint32_t at, n; /* bytes in r1_tokenizer.text */
    uint8_t exists;
    uint8_t control; /* no text of its own: skipped when special tokens are */
} r1_token;

struct r1_tokenizer {
    r1_token *tokens; /* [vocab] */
    int vocab;
    r1_buf text; /* of all tokens */
    int32_t eos[R1_EOS_MAX];
    int n_eos;
    int32_t prefix;
    /* Added tokens: `raw` are searched in the text as it is, `normalized` after NFC. */
    r1_added raw, normalized;
    char *chat_template;
    r1_tokenizer_file files[R1_TOKENIZER_FILES_MAX]; /* owned; names are constants */
    int n_files;

    /* Byte-level BPE only; pretok is NULL for the byte tokenizer. */
    r1_pretok *pretok;
    r1_bpe bpe;
    int nfc;
    /* ignore_merges: a whole piece that is in the vocabulary is its token.  Hash table of ids by
     * text, -1 = free; NULL if merges count. */
    int32_t *whole;
    uint64_t whole_mask;
};

/* Give an id its bytes; R1_DATA if it has some. */
R1_MUST_USE r1_status r1_token_set(r1_tokenizer *t, int32_t id, const char *s, size_t n,
                                   int control, r1_err *err);
static inline const char *r1_token_text(const r1_tokenizer *t, int32_t id) {
    return t->text.data + t->tokens[id].at;
}
/* Keep a file (copied) under one of the known names; one of that name is replaced. */
R1_MUST_USE r1_status r1_tokenizer_keep(r1_tokenizer *t, const char *name, const char *data,
                                        size_t n, r1_err *err);

/* gguf_vocab.c: open the vocabulary inside a GGUF file. */
R1_MUST_USE r1_status r1_tokenizer_open_gguf(r1_tokenizer **ret, const char *path, r1_err *err);

/* tokenizer_json.c: fill a zeroed tokenizer from the text of a tokenizer.json. */
R1_MUST_USE r1_status r1_tokenizer_read_json(r1_tokenizer *t, const char *text, size_t n,
                                             r1_err *err);
/* An added token of tokenizer.json or of tokenizer_config.json's added_tokens_decoder. */
R1_MUST_USE r1_status r1_tokenizer_read_added(r1_tokenizer *t, const json_t *o, json_int_t id,
                                              const json_t *vocab, r1_err *err);

/* Bytes that a token's text stands for: the byte-level alphabet undone; a text with a character
 * outside the alphabet stands for itself. */
R1_MUST_USE r1_status r1_alphabet_undo(const char *s, size_t n, r1_buf *out, r1_err *err);
/* The character that stands for a byte, as UTF-8; returns its length. */
size_t r1_alphabet_put(uint8_t byte, char out[4]);

#endif
