#ifndef R1_REWARD_NUMBER_H
#define R1_REWARD_NUMBER_H
/* Numbers in running text, compared exactly.
 *
 * Accepted: integers, thousands in groups of three (1,234), decimals (.5, 18.00), fractions of two
 * integers (3/4), powers of ten (1.5e3), a sign where no operand stands before it, U+2212 as minus.
 * A number may have up to 1000 digits and an exponent up to 1000; anything longer is no number. */
#include "reward/reward.h"

#include <gmp.h>

/* Next number at or behind *pos: 1, its value (initialised mpq) and *pos behind it; 0: none left. */
int r1_number_next(r1_text t, size_t *pos, mpq_t ret);

/* The last number of a text. */
int r1_number_last(r1_text t, mpq_t ret);

/* The one number of a text that may have signs of currency or a full stop around it; 0 when there is
 * none, -1 when there are several. */
int r1_number_only(r1_text t, mpq_t ret);

#endif
