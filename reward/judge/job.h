#ifndef R1_REWARD_JUDGE_JOB_H
#define R1_REWARD_JUDGE_JOB_H
/* One job from beginning to end, in the thread that calls. */
#include "reward/judge/judge.h"

/* How a program of a language is started in a box. */
typedef struct r1_runnable {
    r1_language language;
    r1_text code; /* the source, or what the compiler made of it */
} r1_runnable;

/* Words, environment, files and limits to run it; `limits` has no zeros.  Points into p. */
void r1_runnable_request(const r1_runnable *p, const r1_judge_limits *limits, r1_box_request *ret);
/* The same for Python with the given file as its program. */
void r1_python_request(const r1_judge_limits *limits, const char *name, r1_text code,
                       r1_box_request *ret);
void r1_box_add_file(r1_box_request *b, const char *name, r1_text contents, uint32_t mode);

/* Keep the times of what ran longest. */
void r1_note_use(r1_judge_result *to, const r1_box_result *from);

/* Compile in a sandbox: R1_JUDGE_AC, CE or IE, with result->why.  *ret_binary is made by
 * r1_buf_init and is for the caller to give back. */
r1_judge_verdict r1_compile(const r1_launcher *l, r1_language language, r1_text source,
                            const r1_judge_limits *limits, r1_buf *ret_binary,
                            r1_judge_result *result);

/* What a box's end means for the program in it; AC: it ended well. */
r1_judge_verdict r1_box_verdict(const r1_box_result *r, char *why, size_t why_size);

/* What a checker of functions says, "TOKEN VERDICT PASSED why", into r, whose n_tests is set.  0, and
 * r untouched: it is no such text. */
int r1_verdict_read(const char *text, const char *token, r1_judge_result *r);

/* Printable ASCII without quotes and backslashes, in one line. */
void r1_plain_text(char *to, size_t size, const char *from);

/* Both may say IE where a second try may do better. */
void r1_job_stdio(const r1_launcher *l, r1_judge_job *job);
void r1_job_function(const r1_launcher *l, r1_judge_job *job);

#endif
