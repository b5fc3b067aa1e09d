#ifndef R1_TOKENIZER_IMPL_H
#define R1_TOKENIZER_IMPL_H
/* What the kinds of tokenizers share: a table of pieces, and the added tokens. */
#include "common/tokenizer/tokenizer.h"

typedef struct r1_piece_text {
    char *s;
    size_t n;
    int control; /* no text of its own: skipped when special tokens are */
    int added;   /* found in text before anything else */
} r1_piece_text;

struct r1_tokenizer {
    r1_piece_text *pieces; /* [vocab] */
    int vocab;
    int32_t eos[16];
    int n_eos;
    int32_t *added; /* ids, longest text first */
    int n_added;
};

#endif
