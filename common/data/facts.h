#ifndef R1_DATA_FACTS_H
#define R1_DATA_FACTS_H
/* What a look at a stage's data found, for the plan of a run. */
#include <stdint.h>

#define R1_LINT_PROBLEMS 1000 /* of a task; a file is read as a whole */

typedef struct r1_data_facts {
    int used;           /* 0: the stage does not read it */
    uint64_t rows;      /* of the file; 0: a task */
    uint64_t problems;  /* on this side of the split; 0: a task, without end */
    int longest_prompt; /* tokens */
    int longest;        /* tokens of prompt and answer; 0: answers are sampled */
    int injected;       /* problems whose question holds added tokens as text */
} r1_data_facts;

typedef struct r1_stage_facts {
    r1_data_facts train, eval;
} r1_stage_facts;

#endif
