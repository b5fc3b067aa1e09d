#ifndef R1_ACTOR_EVALUATE_H
#define R1_ACTOR_EVALUATE_H
/* What r1-eval does: problems of a JSONL file, n samples each, judged by one reward. */
#include "actor/loaded.h"
#include "reward/reward.h"

typedef struct r1_evaluate_options {
    const char *model, *tokenizer, *data, *reward, *from, *prompt_key, *answer_key, *dtype,
        *chat_template, *system, *stop, *rollouts;
    int n, limit, max_new, min_new, top_k, threads, batch, require_format;
    double temperature, top_p;
    uint64_t seed;
    struct r1_judge *judge; /* for reward code */
} r1_evaluate_options;

/* Collective.  Table on stderr, one JSON line on stdout (rank 0); rollouts: a file for every
 * completion with its verdict, or NULL. */
R1_MUST_USE r1_status r1_evaluate_model(r1_world *world, const r1_evaluate_options *o, r1_err *err);

#endif
