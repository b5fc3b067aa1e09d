#ifndef R1_ACTOR_SCORER_H
#define R1_ACTOR_SCORER_H
/* A reward model: question and completion in, one number out.
 *
 * The model is a ...ForSequenceClassification of one label, as `transformers` saves it: a language
 * model whose head is `score.weight` [1, hidden size], read at the last token.  Its tokenizer and
 * chat template are its own, not the policy's.  A number does not depend on the batch. */
#include "common/store/policy.h"

typedef struct r1_scorer r1_scorer;

typedef struct r1_scorer_options {
    r1_policy_options policy; /* scores is set here */
    const char *system;       /* NULL: the template's own */
    int max_sequences;        /* at once */
} r1_scorer_options;

R1_MUST_USE r1_status r1_scorer_open(r1_scorer **ret, const r1_scorer_options *o, r1_err *err);
void r1_scorer_close(r1_scorer *s); /* NULL is fine */

/* Ids of a chat of one question and one answer, which are plain text: no token of theirs can end a
 * turn.  R1_DATA when there are none, or more than the model has positions. */
R1_MUST_USE r1_status r1_scorer_encode(const r1_scorer *s, const char *question,
                                       const char *completion, r1_ids *ids, r1_err *err);
/* Score n sequences, of at least one id each and no more than the model has positions. */
void r1_scorer_run(r1_scorer *s, const r1_ids *sequences, int n, float *ret);

#endif
