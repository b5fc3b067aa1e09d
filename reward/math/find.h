#ifndef R1_REWARD_MATH_FIND_H
#define R1_REWARD_MATH_FIND_H
/* Where a text says its mathematical answer.
 *
 * Passes over the bytes, none backtracks.  The first place that exists counts, and in it the last
 * candidate: box (neighbouring boxes make a list, unless all say the same), answer tag; and if not
 * strict ####, a phrase ("the answer is", up to the clause's end), a text that is an answer from end
 * to end, the last formula, bold text or number, with those that "and" or "or" joins to it.  A word
 * behind it that says how many (percent, million) belongs to it, behind a box a unit, too.  A box or
 * tag that is opened and never closed is no answer, nor is "the answer is not 42". */
#include "reward/math/math.h"
#include "reward/math/node.h"

/* 0 if there is none.  The text may be put together in the context. */
int r1_math_find(r1_mctx *c, const r1_math_opts *o, r1_text question, r1_text response,
                 r1_text *ret);

/* The letter of a choice that the text names, 0 if it names none or several. */
char r1_math_find_choice(r1_mctx *c, const r1_math_opts *o, r1_text question, r1_text response);

/* The text of the last box or boxes in a bare answer, else the whole; without marks like **..**. */
r1_text r1_math_find_whole(r1_mctx *c, r1_text answer);

#endif
