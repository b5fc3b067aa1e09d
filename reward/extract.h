#ifndef R1_REWARD_EXTRACT_H
#define R1_REWARD_EXTRACT_H
/* Where in a completion the answer stands.
 *
 * Linear passes, no backtracking, never "any of": the last candidate of the asked kind counts.  If
 * that one is cut off (a box or tag never closed, thinking never ended) there is no answer; an
 * earlier candidate is not tried, or a policy would learn to write down many. */
#include "reward/reward.h"

typedef enum r1_place {
    R1_PLACE_NONE, /* the asked mark is not in the text */
    R1_PLACE_CUT,  /* it is, but is never closed */
    R1_PLACE_BOXED,
    R1_PLACE_ANSWER_TAG,
    R1_PLACE_HASH,
    R1_PLACE_LAST, /* no mark: the running text itself */
} r1_place;

/* "boxed", "answer_tag", ... as r1-grade prints it. */
const char *r1_place_name(r1_place place);

/* What may hold an answer: up to the first end of a turn (<|im_end|> and the other families'
 * marks), behind the last </think>.  Empty when <think> is opened, by the answer or by a question
 * that ends in it, and never closed. */
r1_text r1_extract_segment(r1_text question, r1_text completion);
/* The thinking: up to the last </think>, behind a <think> in front of it.  Without such tags, or
 * where they are never closed, all of the completion. */
r1_text r1_extract_thinking(r1_text completion);
/* Does a question end in <think>, so that the completion begins inside of the thought? */
int r1_extract_opened(r1_text question);

/* Each returns its own place and the span, or NONE or CUT. */
r1_place r1_extract_boxed(r1_text t, r1_text *ret);      /* last \boxed{...}, braces matched */
r1_place r1_extract_answer_tag(r1_text t, r1_text *ret); /* last <answer>...</answer> */
r1_place r1_extract_hash(r1_text t, r1_text *ret); /* behind the last ####, to the line's end */

/* The first of box, tag, #### that is there at all; else LAST and the whole text. */
r1_place r1_extract_marked(r1_text t, r1_text *ret);

r1_text r1_text_trim(r1_text t); /* ASCII white space off both ends */
/* Offset of `needle` at or behind `from`; -1 when absent. */
long r1_text_find(r1_text t, size_t from, const char *needle);
long r1_text_find_last(r1_text t, const char *needle);
int r1_text_count(r1_text t, const char *needle);

#endif
