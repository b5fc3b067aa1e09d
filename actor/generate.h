#ifndef R1_ACTOR_GENERATE_H
#define R1_ACTOR_GENERATE_H
/* What r1-generate does: prompts to requests, finished samples to text or JSON lines on stdout. */
#include "actor/input.h"
#include "actor/loaded.h"

typedef struct r1_generate_options {
    const char *model, *tokenizer, *prompt, *prompts, *dtype, *chat_template, *system, *stop;
    int chat, n, max_new, min_new, top_k, logprobs, prompt_logprobs, ignore_eos, threads, batch;
    double temperature, top_p;
    uint64_t seed;
} r1_generate_options;

typedef struct r1_generate {
    r1_generate_options o;
    r1_world *world;
    r1_loaded loaded;
    r1_ids *prompts; /* [n] */
    r1_request *requests;
    const uint32_t *lines; /* [n] of the file; NULL: --prompt */
    uint64_t n, tokens;    /* tokens: drawn by this rank */
    r1_jsonl file;
    r1_buf tail; /* of the streamed text: bytes that are no whole character yet */
} r1_generate;

/* Collective.  Everything from the model's path to the last line. */
R1_MUST_USE r1_status r1_generate_run(r1_generate *j, r1_err *err);

#endif
