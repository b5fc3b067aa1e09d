#ifndef R1_REWARD_NUMBER_H
#define R1_REWARD_NUMBER_H
/* Numbers in running text, compared exactly.
 *
 * Accepted: integers, thousands in groups of three (1,234 and LaTeX's 1{,}234 and 1\,234),
 * decimals (.5, 18.00), powers of ten (1.5e3), fractions of two integers (3/4, \frac{3}{4}), mixed
 * numbers (3 1/2), a sign where no operand stands before it, U+2212 as minus, -$5.  Units are not
 * read: 50% and $50 are 50.  A literal may have up to 1000 digits and an exponent up to 1000;
 * anything longer is no number.
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
} r1_number;

/* Next number at or behind *pos: 1 and *pos behind it, or 0. */
int r1_number_next(r1_text t, size_t *pos, r1_number *ret);
/* Its value, into an initialised mpq. */
void r1_number_value(const r1_number *x, mpq_t ret);

/* The last number of a text; 0 when there is none. */
int r1_number_last(r1_text t, mpq_t ret);

/* The one number of a text that may have words, currency or a full stop around it; 0 when there is
 * none, -1 when there are several. */
int r1_number_only(r1_text t, mpq_t ret);

#endif
