#ifndef R1_REWARD_JUDGE_JUDGE_H
#define R1_REWARD_JUDGE_JUDGE_H
/* The code judge: a program and its tests in, a verdict out.
 *
 * The program runs in sandboxes (box.h), a fresh one for each test; what it should print, and every
 * comparison, stays here.  A judge owns a pool of threads, so that grading goes on while tokens are
 * drawn: submit jobs as completions end, wait for them when they are needed.
 *
 * A judge starts a process, which a rank must not do once MPI runs: open it before MPI_Init, or
 * with a launcher that was opened then. */
#include "reward/judge/client.h"
#include "reward/judge/compare.h"

/* X(NAME) */
#define R1_JUDGE_LIST(X)                                            \
    X(AC)  /* accepted: every test passed */                        \
    X(WA)  /* wrong answer */                                       \
    X(TLE) /* time limit: processor time, or asleep for too long */ \
    X(MLE) /* memory limit */                                       \
    X(OLE) /* printed too much */                                   \
    X(RTE) /* ended by a signal or with another status than 0 */    \
    X(CE)  /* does not compile */                                   \
    X(IE)  /* the judge itself failed, twice: says nothing about the program */

typedef enum r1_judge_verdict {
#define X(name) R1_JUDGE_##name,
    R1_JUDGE_LIST(X)
#undef X
} r1_judge_verdict;

const char *r1_judge_verdict_name(r1_judge_verdict v); /* "AC", ... */

typedef enum r1_language {
    R1_LANGUAGE_C,
    R1_LANGUAGE_CPP,
    R1_LANGUAGE_PYTHON,
    R1_LANGUAGE_COUNT
} r1_language;

/* "c", "cpp", "c++", "python", "py", ..., in any case; 0 if it is none of them. */
int r1_language_parse(const char *name, size_t n, r1_language *ret);

typedef struct r1_judge_limits {
    double cpu_s, wall_s; /* for one test; 0: the default (wall: 2 cpu + 2) */
    double memory_mb, output_kb, file_kb;
    int procs, open_files;
} r1_judge_limits;

/* What stands in a limit that is 0. */
extern const r1_judge_limits r1_judge_defaults;

typedef struct r1_judge_test {
    r1_text input, output;
} r1_judge_test;

#define R1_JUDGE_SOURCE_MAX ((size_t)64 << 10)

typedef struct r1_judge_result {
    r1_judge_verdict verdict; /* of the first test that failed */
    double score;             /* in [0, 1]; meaningless with IE */
    int n_passed, n_tests;
    int n_copied; /* tests whose output, if it is long, stands in the source word for word */
    uint64_t cpu_us, wall_us; /* of the longest test or compilation */
    uint64_t delay_us;        /* of wall_us: waited for a processor */
    uint64_t peak_bytes;
    char why[160]; /* printable ASCII without quotes; with AC only about n_copied */
} r1_judge_result;

/* Texts are not copied: they must stay until the job is done. */
typedef struct r1_judge_job {
    r1_language language;
    r1_text source; /* s NULL: the answer holds no program, which is CE */
    r1_judge_limits limits;
    int fraction; /* score: share of the tests that passed; else 1 if all did */

    /* Standard input to standard output. */
    const r1_judge_test *tests;
    int n_tests;
    r1_compare compare;
    /* compare.mode CHECKER: called as `checker input output answer`, where output is what the
     * program printed and answer what the test holds; exit status 0 accepts, any other end does
     * not. */
    r1_text checker_source;
    r1_language checker_language;

    /* Functions of a Python source: n_cases > 0.  setup (trusted) runs in front of the cases; each
     * case passes if it ends without an exception.  The functions of the candidate that are called:
     * names, or with n_names = 0 what the cases name and nothing else defines. */
    r1_text setup;
    const r1_text *cases, *names;
    int n_cases, n_names;

    r1_judge_result result; /* once it is done */

    struct r1_judge_job *next; /* the judge's own */
    int done;
    _Atomic int dropped; /* no verdict is wanted */
} r1_judge_job;

typedef struct r1_judge r1_judge;

typedef struct r1_judge_options {
    const char *program;         /* the launcher's file, see r1_launcher_open */
    const r1_launcher *launcher; /* or one that runs already, and outlives the judge */
    int boxes; /* programs judged at a time, 1 .. R1_JUDGE_BOXES_MAX; 0: one a core */
} r1_judge_options;

#define R1_JUDGE_BOXES_MAX 256

R1_MUST_USE r1_status r1_judge_open(r1_judge **ret, const r1_judge_options *options, r1_err *err);
void r1_judge_close(r1_judge *j); /* no job may be on its way */
const char *r1_judge_layers(const r1_judge *j);

/* Any thread may call these.  The job belongs to the caller, who leaves it alone until it is
 * done. */
void r1_judge_submit(r1_judge *j, r1_judge_job *job);
int r1_judge_poll(r1_judge *j, const r1_judge_job *job); /* 1: it is done */
void r1_judge_wait(r1_judge *j, const r1_judge_job *job);
/* No verdict is wanted: one that has not begun never does, one that has ends with its test. */
void r1_judge_drop(r1_judge *j, r1_judge_job *job);

#endif
