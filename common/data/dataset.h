#ifndef R1_DATA_DATASET_H
#define R1_DATA_DATASET_H
/* Problems by index, from a procedural task or a JSONL file.
 *
 * Training: index = how many problems were dealt before it in the whole run, so the cursor is one
 * integer and nothing else needs to be saved.  A task draws problem i afresh (until it lies on the
 * right side of the split); a file deals its rows in a new permutation each epoch.
 * A file's row lies on the side of its prompt, white space folded; plain text too, save with split
 * all.  With n, only the first n problems (of that side) are there.
 * Evaluation: a fixed list of distinct problems, the same for every seed and stage. */
#include "common/data/jsonl.h"
#include "common/data/tasks.h"

typedef struct r1_dataset r1_dataset;

typedef struct r1_dataset_options {
    const r1_data_spec *spec; /* must outlive the dataset */
    uint64_t seed;
    uint32_t stage;
    int evaluation;    /* the fixed list of spec->n distinct problems */
    int in_order;      /* training, for a look at it: a file's rows as they stand */
    double error_rate; /* of traces; < 0: no traces (and no SFT completions) */
} r1_dataset_options;

R1_MUST_USE r1_status r1_dataset_open(r1_dataset **ret, const r1_dataset_options *o, r1_err *err);
void r1_dataset_close(r1_dataset *d);

const r1_data_spec *r1_dataset_spec(const r1_dataset *d);
/* Rows of the file, whatever their side of the split; 0: a task. */
uint64_t r1_dataset_rows(const r1_dataset *d);
/* Problems before the dataset repeats; 0: it never does (a task). */
uint64_t r1_dataset_size(const r1_dataset *d);
/* Of the file's contents or of the task's parameters; nothing needs to be open. */
R1_MUST_USE r1_status r1_data_fingerprint(const r1_data_spec *s, uint64_t *ret, r1_err *err);

/* Problem `index`; the caller calls r1_problem_done. */
R1_MUST_USE r1_status r1_dataset_get(r1_dataset *d, uint64_t index, r1_problem *ret, r1_err *err);

/* Where problem `index` comes from, for messages: "FILE:LINE" or "problem 17". */
void r1_dataset_where(r1_dataset *d, uint64_t index, char *buf, size_t size);

#endif
