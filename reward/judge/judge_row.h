#ifndef R1_REWARD_JUDGE_JUDGE_ROW_H
#define R1_REWARD_JUDGE_JUDGE_ROW_H
/* Rows of JSON as jobs of the judge.
 *
 * What a row may be:
 *   stdio      tests [{stdin, stdout}] (also input, output), or stdin and expected_stdout, or
 *              problem_id of a problem of r1_problems; compare; checker, checker_language
 *   function   mode "function NAME: EXPR, EXPR ...": each EXPR must be true
 *   HumanEval  prompt, entry_point, test: the candidate is the source if that defines entry_point,
 *              else prompt and source; prompt and test are the trusted side
 *   MBPP       test_list, test_setup_code, challenge_test_list (not judged)
 * with language (default python), limits {cpu_s, wall_s, mem_mb, output_kb, file_kb, procs,
 * open_files}, time_limit_s, memory_limit_mb.  The program is source_code, else completion, pred or
 * response; a row of HumanEval or MBPP without any has its own reference solution judged.  As a
 * kind of r1-grade: r1_grade_code (grade.h). */
#include "reward/judge/judge.h"

#include <jansson.h>

/* Problems by problem_id; immutable once read. */
typedef struct r1_problems r1_problems;
R1_MUST_USE r1_status r1_problems_read(const char *path, r1_problems **ret, r1_err *err);
void r1_problems_free(r1_problems *p);

/* A job with the texts that it points into. */
typedef struct r1_row_job {
    r1_judge_job job;
    const char *how; /* "stdio" or "function" */
    r1_judge_test *tests;
    r1_text *cases;
    r1_text name;
    r1_buf source, setup, text; /* what was put together */
} r1_row_job;

/* The tests and limits of a row (or of its problem, which may be NULL); no source yet.  R1_DATA
 * names the key.  Points into row and problems. */
R1_MUST_USE r1_status r1_row_tests(const json_t *row, const r1_problems *problems, r1_row_job *ret,
                                   r1_err *err);
/* What of a row is to be judged; ret->s is NULL when a completion has no program in it. */
R1_MUST_USE r1_status r1_row_program(const json_t *row, r1_language language, r1_text *ret,
                                     r1_err *err);
/* The candidate: put together with what stands in front of it. */
R1_MUST_USE r1_status r1_row_source(const json_t *row, r1_text source, r1_row_job *job,
                                    r1_err *err);
void r1_row_job_done(r1_row_job *j);

#endif
