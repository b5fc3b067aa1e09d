#ifndef R1_DATA_EXAMPLE_H
#define R1_DATA_EXAMPLE_H
/* A problem with its answer becomes the ids of a training example. */
#include "common/data/tasks.h"
#include "common/tokenizer/template.h"

typedef struct r1_example {
    r1_ids ids;     /* prompt, completion, end of sequence */
    int prompt_len; /* plain text: 1, everything behind the first token is learned */
} r1_example;

/* How questions become prompts. */
typedef struct r1_prompting {
    const r1_tokenizer *tokenizer;
    const char *template_kind; /* resolved: never "auto" */
    const char *system;        /* may be NULL */
} r1_prompting;

/* R1_DATA if there is nothing to learn in it.  *ret_injected (may be NULL): added tokens that the
 * question holds as text.  ret is zeroed or used before; the caller calls r1_ids_done. */
R1_MUST_USE r1_status r1_example_encode(const r1_prompting *how, const r1_problem *p,
                                        r1_example *ret, int *ret_injected, r1_err *err);

#endif
