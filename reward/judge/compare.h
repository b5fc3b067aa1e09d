#ifndef R1_REWARD_JUDGE_COMPARE_H
#define R1_REWARD_JUDGE_COMPARE_H
/* Is what a program printed what it should have?  Outside of every sandbox.
 *
 * tokens         the same words, whatever white space is between them
 * tokens+floatE  the same, but where the expected word is a number with a point or an exponent, a
 *                number with an absolute or relative error of at most E will do
 * lines          the same lines; white space at their ends does not count
 * exact          the same bytes
 * checker        a program of the problem's author decides (see judge.h)
 * Nothing printed is right only where nothing is expected. */
#include "reward/reward.h"

typedef enum r1_compare_mode {
    R1_COMPARE_TOKENS,
    R1_COMPARE_LINES,
    R1_COMPARE_EXACT,
    R1_COMPARE_CHECKER,
} r1_compare_mode;

typedef struct r1_compare {
    r1_compare_mode mode;
    double error; /* TOKENS: below 0 means words only */
} r1_compare;

/* "tokens", "tokens+float1e-5", ...; NULL: the default, tokens+float1e-9.  0 if it is none of
 * these. */
int r1_compare_parse(const char *text, r1_compare *ret);

/* Not for CHECKER. */
int r1_compare_equal(const r1_compare *c, r1_text expected, r1_text printed);

#endif
