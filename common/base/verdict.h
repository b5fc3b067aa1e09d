#ifndef R1_BASE_VERDICT_H
#define R1_BASE_VERDICT_H
/* What a grader says about one completion.  Lives here, so that the wire and reward/ share it.
 *
 * "Unscorable" is not 0: UNPARSEABLE_GOLD, TIMEOUT and ERROR say nothing about the answer, and such
 * a sample leaves its group's statistics and the loss.  NOT_ASKED, of a reward for another source of
 * data, is no verdict at all and changes nothing. */

/* X(NAME, name in files and metrics, scorable) */
#define R1_VERDICT_LIST(X)                     \
    X(CORRECT, "correct", 1)                   \
    X(WRONG, "wrong", 1)                       \
    X(NO_ANSWER, "no_answer", 1)               \
    X(UNPARSEABLE_GOLD, "unparseable_gold", 0) \
    X(TIMEOUT, "timeout", 0)                   \
    X(ERROR, "error", 0)                       \
    X(NOT_ASKED, "not_asked", 0)

typedef enum r1_verdict_kind {
#define X(name, text, scorable) R1_VERDICT_##name,
    R1_VERDICT_LIST(X)
#undef X
    R1_VERDICT_COUNT
} r1_verdict_kind;

#define R1_VERDICT_NOTE_MAX 96

typedef struct r1_verdict {
    r1_verdict_kind kind;
    float score; /* meaningless unless the kind is scorable */
    char note[R1_VERDICT_NOTE_MAX];
} r1_verdict;

const char *r1_verdict_name(r1_verdict_kind kind);
int r1_verdict_scorable(r1_verdict_kind kind);

#endif
