#ifndef R1_TOKENIZER_ADDED_H
#define R1_TOKENIZER_ADDED_H
/* Added tokens: texts that are one token wherever they stand, cut out before anything else.
 *
 * The search is leftmost-longest, as the automaton of Hugging Face's tokenizers does it: texts are
 * sorted, and from each position the range of those that still match is narrowed byte by byte. */
#include "common/base/err.h"
#include "common/base/mem.h"

#include <stdint.h>

typedef struct r1_added_token {
    char *text; /* what is searched; owned */
    size_t n;
    int32_t id;
    uint8_t single_word;    /* only where no word character touches it */
    uint8_t lstrip, rstrip; /* takes the white space beside it along */
} r1_added_token;

typedef struct r1_added {
    r1_added_token *tokens; /* sorted by text once r1_added_sort was called */
    size_t n, cap;
    uint8_t first[256]; /* bytes that some text begins with */
} r1_added;

/* Copies the text, which is not empty. */
R1_MUST_USE r1_status r1_added_add(r1_added *a, const r1_added_token *token, r1_err *err);
void r1_added_sort(r1_added *a);
void r1_added_done(r1_added *a);

/* Where no added token may lie: from `at` to `end`. */
typedef struct r1_span {
    size_t at, end;
} r1_span;

/* Takes a stretch of the text: an added token (id >= 0) or plain text (id -1). */
typedef r1_status r1_added_sink(void *ctx, size_t at, size_t end, int32_t id, r1_err *err);

/* Walk over the text; plain[0 .. n_plain) are sorted and do not overlap.  n = 0 gives nothing. */
R1_MUST_USE r1_status r1_added_split(const r1_added *a, const char *text, size_t n,
                                     const r1_span *plain, int n_plain, r1_added_sink *sink,
                                     void *ctx, r1_err *err);

#endif
