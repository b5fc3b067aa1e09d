#ifndef R1_REWARD_NUMBER_H
#define R1_REWARD_NUMBER_H
/* Numbers in running text, compared exactly.
 *
 * Accepted: integers, thousands in groups of three (1,234 and LaTeX's 1{,}234 and 1\,234, and with a
 * blank: 12 345 is one number), decimals (.5, 18.00), powers of ten (1.5e3), fractions of two
 * integers (3/4, \frac{3}{4}), mixed numbers (3 1/2), a sign where no operand stands before it,
 * U+2212 and U+2013 as minus, -$5, - 5.  Units are not read: 50% and $50 are 50.  A literal may have
 * up to 1000 digits and an exponent up to 1000; anything longer is no number.
 *
 * A number counts only when it is the whole of what is said.  Where a text must be one number (a
 * reference, a box, an answer tag), marks of currency and mathematics, one unit and a full stop may
 * stand beside it and nothing else: \sqrt{5}, 2\pi, x+1 and "less than 5" are not 5.  In running
 * text the last number must not be a part of something: an argument, an exponent, an operand of a
 * sum that nobody worked out, or in front of "million".
 *
 * Finding and evaluating are apart: a scan only marks spans, and the one number that counts is
 * turned into a rational.  So a text of nothing but 1e999 costs no more than any other of its
 * length. */
#include "reward/reward.h"

#include <gmp.h>

/* Spans of unsigned literals: whole + top / below, where absent parts have n = 0. */
typedef struct r1_number {
    r1_text whole, top, below;
    int negative;
    r1_text all; /* from its sign on; r1_number_next sets it */
} r1_number;

/* Next number at or behind *pos: 1 and *pos behind it, or 0. */
int r1_number_next(r1_text t, size_t *pos, r1_number *ret);
/* Its value, into an initialised mpq. */
void r1_number_value(const r1_number *x, mpq_t ret);

/* The last number of a text; 0 when there is none, -1 when it is a part of something larger. */
int r1_number_last(r1_text t, mpq_t ret);

/* The number that a text is; 0 when there is none in it, -1 when there is more than one number. */
int r1_number_only(r1_text t, mpq_t ret);

#endif
