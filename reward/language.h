#ifndef R1_REWARD_LANGUAGE_H
#define R1_REWARD_LANGUAGE_H
/* Language consistency: the share of target-language words among the words of a text (R1's
 * definition, arXiv 2501.12948, 2.3.2).
 *
 * What is no language is not counted: code (fences, `spans`), mathematics ($..$, \(..\), \[..\],
 * LaTeX commands, \boxed{..}), tags, URLs, numbers, single letters (variables) and tokens that mix
 * letters with digits (names of variables, hashes).  What is left is told apart by script; languages
 * of one script by sentence, with tables of function words, letter trigrams and letters.  A sentence
 * counts for the target unless the evidence is clear: formulas and names have none.
 *
 * One pass over the text, no allocation. */
#include "reward/reward.h"

typedef enum r1_language_unit {
    R1_UNIT_WHITESPACE, /* what stands between blanks is a word, once for each script in it */
    R1_UNIT_CHARS,      /* words of letters; 1.6 characters of Han, Kana or Thai weigh as one */
} r1_language_unit;

typedef struct r1_language_share {
    double target, all; /* words */
} r1_language_share;

/* Index of "en", "zh", "de", ...; -1: unknown. */
int r1_language_find(const char *name);
const char *r1_language_name(int language);
/* All names with commas between them. */
const char *r1_language_names(void);

/* The language that most of a text is in; `fallback` where it has no words. */
int r1_language_of(r1_text t, int fallback);

r1_language_share r1_language_count(r1_text t, int target, r1_language_unit unit);

/* The language of what was asked; English where it has no words. */
int r1_language_asked(const r1_grade_input *in);

/* target / all; 1 where there are fewer than min_words, or none. */
double r1_language_consistency(r1_language_share share, int min_words);

#endif
