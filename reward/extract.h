#ifndef R1_REWARD_EXTRACT_H
#define R1_REWARD_EXTRACT_H
/* Where in a completion the answer stands.  One pass, no backtracking, never "any of": the last
 * candidate of the asked kind, or none. */
#include "reward/reward.h"

/* Each returns 1 and the span, or 0. */
int r1_extract_boxed(r1_text t, r1_text *ret);                /* last \boxed{...}, braces matched */
int r1_extract_tag(r1_text t, const char *tag, r1_text *ret); /* last complete <tag>...</tag> */
int r1_extract_hash(r1_text t, r1_text *ret); /* behind the last ####, to the line's end */

r1_text r1_text_trim(r1_text t); /* ASCII white space off both ends */
/* Offset of `needle` at or behind `from`; -1 when absent. */
long r1_text_find(r1_text t, size_t from, const char *needle);
long r1_text_find_last(r1_text t, const char *needle);
int r1_text_count(r1_text t, const char *needle);

#endif
