#ifndef R1_REWARD_REFLECT_H
#define R1_REWARD_REFLECT_H
/* What a completion shows of thinking: how often it reconsiders, whether its answer changes, how long
 * the thought is.  Not rewards: numbers to watch (the "aha moment" of arXiv 2501.12948, 2.2.4).
 *
 * One pass over the text for all words of the list. */
#include "reward/reward.h"

#define R1_REFLECTION_WORDS_MAX 64

typedef struct r1_reflection_words {
    int n;
    struct {
        const char *s; /* the caller's */
        size_t n;
    } word[R1_REFLECTION_WORDS_MAX];
    uint64_t starts[256]; /* by a text's byte: the words that may begin with it */
} r1_reflection_words;

/* Words and phrases; letters A-Z match in either case.  More than the maximum, or an empty one, is
 * R1_USAGE. */
R1_MUST_USE r1_status r1_reflection_init(r1_reflection_words *w, const char *const *words, int n,
                                         r1_err *err);

/* How often the words stand in the text, the longest where several do.  A word of Latin letters must
 * stand alone ("wait" is not in "await"); others, as Chinese, have no borders. */
int r1_reflections(const r1_reflection_words *w, r1_text t);

/* Does it announce different answers one after the other (\boxed{..}, "answer is .."), in its
 * thinking or behind it? */
int r1_answer_changed(r1_text completion);

/* Characters of a text. */
int r1_text_chars(r1_text t);

#endif
