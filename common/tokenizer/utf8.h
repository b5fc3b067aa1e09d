#ifndef R1_TOKENIZER_UTF8_H
#define R1_TOKENIZER_UTF8_H
/* UTF-8 as Unicode chapter 3 defines it: no overlong forms, no surrogates, at most U+10FFFF.  What is
 * ill-formed is replaced by one U+FFFD for each maximal subpart, as Python's errors="replace" and
 * Rust's from_utf8_lossy do. */
#include "common/base/err.h"
#include "common/base/mem.h"

#include <stdint.h>

/* Bytes of the character at s (n > 0 bytes left) and its code point; of an ill-formed sequence the
 * length of its maximal subpart (at least 1) and -1. */
size_t r1_utf8_next(const char *s, size_t n, int32_t *ret_cp);
/* Write a code point; returns its length (1..4). */
size_t r1_utf8_put(int32_t cp, char out[4]);

int r1_utf8_valid(const char *s, size_t n);
/* Append the text with U+FFFD for what is ill-formed. */
R1_MUST_USE r1_status r1_utf8_replace(const char *s, size_t n, r1_buf *out, r1_err *err);
/* Length of the longest beginning that does not end within a character that more bytes could still
 * complete: what a stream may show now. */
size_t r1_utf8_complete(const char *s, size_t n);

/* Canonical composition (NFC) of well-formed text, appended to out.  Linear in n for any input. */
R1_MUST_USE r1_status r1_utf8_nfc(const char *s, size_t n, r1_buf *out, r1_err *err);

#endif
