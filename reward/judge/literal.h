#ifndef R1_REWARD_JUDGE_LITERAL_H
#define R1_REWARD_JUDGE_LITERAL_H
/* Plain data of Python as bytes: all that passes between a candidate's process and the checker's.
 *
 * A value is a tag and what follows (numbers little-endian, counts and lengths of 4 bytes):
 *   N T F          None, True, False
 *   i length bytes  integer, two's complement        f 8 bytes  float     c 16 bytes  complex
 *   s length bytes  str in UTF-8 (lone surrogates too)   b length bytes  bytes
 *   l t e z count values  list, tuple, set, frozenset    d count keys and values  dict
 * Nothing else exists: no object, no reference, no code.  On the wire a frame is the length of one
 * value, then the value.  checker.py and solver.py hold the same table. */
#include "common/base/mem.h"
#include "reward/reward.h"

#define R1_LITERAL_DEPTH_MAX 50
#define R1_LITERAL_BYTES_MAX ((size_t)1 << 20)

/* NULL if these bytes are exactly one value within the limits; else what is wrong. */
const char *r1_literal_check(const void *bytes, size_t n);

/* Parts of a value for r1_literal_check's other side. */
R1_MUST_USE r1_status r1_literal_add_text(r1_buf *out, r1_text t, r1_err *err);
R1_MUST_USE r1_status r1_literal_add_head(r1_buf *out, char tag, size_t count, r1_err *err);

#endif
