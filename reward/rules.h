#ifndef R1_REWARD_RULES_H
#define R1_REWARD_RULES_H
/* The rules behind the registry: a table entry each, see the files of the same names. */
#include "reward/extract.h"

typedef enum r1_number_from {
    R1_FROM_AUTO, /* \boxed, else <answer>, else ####, else the last number */
    R1_FROM_LAST,
    R1_FROM_BOXED,
    R1_FROM_ANSWER_TAG,
    R1_FROM_HASH
} r1_number_from;

typedef struct r1_rule r1_rule;
typedef struct r1_program r1_program;
typedef struct r1_worker r1_worker;

struct r1_reward {
    const r1_rule *rule;
    r1_reward_options o; /* defaults filled in */
    r1_number_from from;
    int language;        /* r1_language_find; -1: that of the question */
    r1_program *program; /* exec */
    r1_worker *worker;   /* exec: asks it */
};

/* Judges one sample. */
typedef r1_verdict r1_rule_fn(const r1_reward *r, const r1_grade_input *in);
/* Judges the n samples of a group; `first` are the verdicts of the first reward that is asked, for
 * rules that follow it. */
typedef void r1_group_rule_fn(const r1_reward *r, const r1_grade_input *in, const r1_verdict *first,
                              int n, r1_verdict *ret);

/* Judges a group by programs, beside other work. */
typedef struct r1_beside_rule {
    /* in [n] is filled, and stays, until the end; NULL: no memory. */
    void *(*open)(const r1_reward *r, const r1_grade_input *in, int n);
    void (*add)(void *task, int s); /* in[s] is there; not twice */
    int (*ready)(void *task);       /* all were added, and the end would not wait */
    /* Waits for all that were added and frees the task; ret NULL: the verdicts are not wanted. */
    void (*end)(void *task, r1_verdict *ret);
} r1_beside_rule;

struct r1_rule {
    const char *name;
    r1_rule_fn *grade; /* one of the three */
    r1_group_rule_fn *group;
    const char *(*how)(const r1_reward *r, const r1_grade_input *in); /* NULL: "text" */
    int compares; /* with any reference: r1-grade lint asks it by default */
    int follows;  /* goes by what another reward says */
    const r1_beside_rule *beside;
};

r1_rule_fn r1_rule_number, r1_rule_exact, r1_rule_countdown, r1_rule_choice;
r1_group_rule_fn r1_rule_math; /* math/rule.c */
r1_rule_fn r1_rule_format, r1_rule_format_code, r1_rule_tag_count, r1_rule_reasoning_steps;
r1_rule_fn r1_rule_language, r1_rule_length, r1_rule_repetition, r1_rule_loop;
r1_group_rule_fn r1_rule_cosine, r1_rule_kimi;
extern const r1_beside_rule r1_rule_exec;
extern const r1_beside_rule r1_rule_code; /* judge/code_rule.c */

/* Where the number rule looks in a completion. */
r1_place r1_number_place(r1_number_from from, const r1_grade_input *in, r1_text *ret);

r1_verdict r1_verdict_of(r1_verdict_kind kind, const char *note); /* score 1 when CORRECT */
/* A value on a scale: CORRECT at its best, else WRONG, with the value as score. */
r1_verdict r1_verdict_scored(double value, double best, const char *note);

#endif
