#ifndef R1_REWARD_MATH_SCANNER_H
#define R1_REWARD_MATH_SCANNER_H
/* The scanner's inside: numbers, commands and signs (scan.c), words (words.c). */
#include "reward/math/commands_table.h"
#include "reward/math/scan.h"

typedef struct r1_scan {
    r1_mctx *c;
    r1_text t;
    size_t i;
    r1_toks out;
    r1_reading *reading;
    int brackets;    /* open ( [ \{ */
    int space, side; /* white space, \left or \right was seen before the next token */
    int money;       /* an odd number of $: they are no delimiters */
    int words;
} r1_scan;

/* Does `what` stand at i? */
int r1_scan_at(const r1_scan *s, size_t i, const char *what);
/* The next token; NULL if there are too many. */
r1_tok *r1_scan_put(r1_scan *s, r1_tok_kind kind, int code);
/* Does the last token end an operand, so that a word behind it can be its unit? */
int r1_scan_behind_operand(const r1_scan *s);

/* words.c.  These return 0 if there is no token for it. */
const struct r1_command *r1_scan_command(const char *name, size_t n);
int r1_scan_letter(r1_scan *s, const char *letter);
int r1_scan_letters(r1_scan *s);           /* a run of plain letters */
int r1_scan_phrase(r1_scan *s, r1_text w); /* what \text{..} says */
/* Behind \frac: {\text{m}}{\text{s}} as the unit m/s; -1 if it is none. */
int r1_scan_unit_fraction(r1_scan *s);

#endif
