#ifndef R1_REWARD_MATH_UNITS_H
#define R1_REWARD_MATH_UNITS_H
/* Units that are known by name: what they measure and how much of it one is. */
#include "reward/reward.h"

typedef struct r1_unit {
    const char *name;
    int measures;  /* l length, t time, m mass, a angle, $ money of one currency, ... */
    long num, den; /* in the measure's base */
} r1_unit;

/* NULL if the word (singular or plural) is no unit. */
const r1_unit *r1_unit_find(r1_text word);
/* "12" for dozen, "1000" for thousand; NULL if the word multiplies nothing. */
const char *r1_unit_magnitude(r1_text word);
/* Do two unit texts agree?  1 yes (*ret_num / *ret_den = a in b's), 0 no.  A unit that is not known
 * agrees with the same word only; "units" agrees with any. */
int r1_unit_ratio(r1_text a, r1_text b, long *ret_num, long *ret_den);

#endif
