#ifndef R1_TESTS_JUDGE_KIT_H
#define R1_TESTS_JUDGE_KIT_H
/* What the tests of the judge share: a judge or a skip, rows, many jobs at a time, failures
 * counted. */
#include "reward/judge/judge_row.h"

typedef struct kit {
    r1_judge *judge;
    char launcher[1024]; /* the launcher's file */
    int failed, checked;
} kit;

/* Opens the judge; where this machine allows no sandbox it says so and ends with 77. */
void kit_open(kit *k, int boxes);
/* Closes it, prints the counts; the exit code of the test. */
int kit_close(kit *k);

/* Counts a check, prints the message if it failed. */
void kit_check(kit *k, int ok, const char *fmt, ...) R1_PRINTF(3, 4);

/* $R1_SHARED/data/NAME, or an end with 77 where R1_SHARED is not set. */
const char *kit_shared(const char *name);
/* All rows of a file; an end with 99 if it can't be read. */
json_t *kit_rows(const char *path);
const char *kit_text(const json_t *row, const char *key); /* "" if it is not there */

/* A row's job, ready to be submitted; `source` NULL: its own program. */
void kit_job(const json_t *row, const r1_problems *problems, const char *source, r1_row_job *ret);
/* Submit n of them and wait for all. */
void kit_run(kit *k, r1_row_job *jobs, size_t n);
/* One alone. */
void kit_run_one(kit *k, const json_t *row, const char *source, r1_row_job *ret);

/* Is the verdict one of row.verdict_in? */
int kit_allowed(const json_t *row, const r1_judge_result *r);

#endif
