#ifndef R1_REWARD_GRADE_H
#define R1_REWARD_GRADE_H
/* What r1-grade does: rows of JSON -> verdict lines, by a table of kinds.
 *
 * A kind reads a row and says what it is worth; everything else (files, threads, order, the line's
 * form) is the same for all of them.  A new kind is one entry in grade_kinds.c.
 *
 * A line holds id (the row's, or its task_id, else its line number), verdict, score (null where nothing can be
 * said: unscorable is not 0), how (where the answer stood, which test decided), why, and us
 * (microseconds of the grading).  Only us differs between two runs. */
#include "common/base/mem.h"
#include "reward/reward.h"

#include <jansson.h>
#include <stdio.h>

#define R1_GRADE_JOBS_MAX 256
#define R1_GRADE_WHY_MAX  256
#define R1_GRADE_LINE_MAX ((size_t)16 << 20) /* bytes of a row */

/* The command line; a kind names the options that it takes, all others stay NULL. */
typedef struct r1_grade_options {
    const char *kind, *path;         /* path "-": stdin */
    int jobs;                        /* threads, 1 .. R1_GRADE_JOBS_MAX */
    const char *from;                /* number */
    const char *target;              /* language */
    const char *answer_key, *reward; /* lint */
    const char *problems, *score;    /* code */
} r1_grade_options;

typedef struct r1_grade_row {
    const json_t *json; /* an object */
    r1_text text;       /* the same as it stands in the file */
    uint64_t line;      /* from 1 */
    int worker;         /* which thread asks: 0 .. jobs - 1 */
} r1_grade_row;

typedef struct r1_row_verdict {
    const char *verdict; /* lives as long as the kind's context */
    char how[96], why[R1_GRADE_WHY_MAX];
    double score; /* NaN: null */
    double *list; /* the score is this list (r1_free by the caller); NULL: it is `score` */
    size_t n_list;
} r1_row_verdict;

typedef struct r1_grade_kind {
    const char *name, *help; /* help: the keys of a row, lines of at most 70 columns */
    const char *options;     /* those of r1-grade that it takes, "from reward"; NULL: none */
    r1_status (*open)(const r1_grade_options *o, void **ret_ctx, r1_err *err);
    /* Called by `jobs` threads at once.  R1_DATA: the row is broken, and grading ends there; the
     * message names the key.  *ret is zeroed on entry. */
    r1_status (*row)(void *ctx, const r1_grade_row *row, r1_row_verdict *ret, r1_err *err);
    void (*close)(void *ctx); /* may say on stderr what it counted */
} r1_grade_kind;

extern const r1_grade_kind *const r1_grade_kinds[]; /* ends with NULL */

/* R1_USAGE, with the names there are, for any other. */
R1_MUST_USE r1_status r1_grade_kind_find(const char *name, const r1_grade_kind **ret, r1_err *err);

/* One row; appends its line to out.  *ret_verdict as in r1_row_verdict. */
R1_MUST_USE r1_status r1_grade_line(const r1_grade_kind *kind, void *ctx, r1_text text,
                                    uint64_t line_number, int worker, r1_buf *out,
                                    const char **ret_verdict, r1_err *err);

/* How often each verdict was given, in the order of their first appearance. */
#define R1_GRADE_VERDICTS_MAX 32
typedef struct r1_grade_tally {
    int n;
    struct {
        const char *verdict;
        uint64_t count;
    } of[R1_GRADE_VERDICTS_MAX];
} r1_grade_tally;

/* A line for each row of the file, in order.  A broken row is R1_DATA naming file and line; all
 * lines before it are written then.  ret_tally counts them, on errors too; its texts live as long as
 * ctx. */
R1_MUST_USE r1_status r1_grade_file(const r1_grade_kind *kind, void *ctx, const r1_grade_options *o,
                                    FILE *to, r1_grade_tally *ret_tally, r1_err *err);

/* ---- for row graders ---- */

/* The first of the keys (NULL at the end) that the row has, and its name; NULL: none. */
const json_t *r1_row_first(const json_t *row, const char *const *keys, const char **ret_key);

/* A string or number as text, null as the empty one; *ret_own, if set, is for the caller to free (r1_free).
 * Anything else is R1_DATA. */
R1_MUST_USE r1_status r1_row_text(const json_t *v, const char *key, r1_text *ret, char **ret_own,
                                  r1_err *err);

/* The shortest decimal that reads back as x. */
#define R1_NUMBER_CHARS 32
const char *r1_number_chars(double x, char buf[static R1_NUMBER_CHARS]);

/* The kinds of grade_rules.c: an r1_reward for every row. */
extern const r1_grade_kind r1_grade_number, r1_grade_exact, r1_grade_choice, r1_grade_countdown,
    r1_grade_format, r1_grade_language;
extern const r1_grade_kind r1_grade_shaping, r1_grade_lint;
extern const r1_grade_kind r1_grade_code; /* judge/judge_row.c */
extern const r1_grade_kind r1_grade_math; /* math/math_row.c */

#endif
