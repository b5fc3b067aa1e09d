#ifndef R1_REWARD_MATH_NODE_H
#define R1_REWARD_MATH_NODE_H
/* The tree of an answer.  Nodes are immutable once parsed and live in an r1_mctx. */
#include "reward/math/ctx.h"

typedef enum r1_node_kind {
    R1_N_NUM,    /* q; places = digits behind the point, -1 if it has none */
    R1_N_SYM,    /* text: canonical name, "x", "theta", "x_12", "bar(x)_i" */
    R1_N_CONST,  /* op: 'p' pi, 'e', 'i', 'o' infinity */
    R1_N_ADD,    /* sum of kids */
    R1_N_MUL,    /* product of kids */
    R1_N_POW,    /* kid[0] ^ kid[1] */
    R1_N_FN,     /* op: r1_fn; R1_FN_CALL has its name in text */
    R1_N_PM,     /* +-kid (op '+') or -+kid (op '-') */
    R1_N_UNIT,   /* kid with a unit: op as of R1_T_UNIT, 'u' else, named in text */
    R1_N_LIST,   /* a, b, c without brackets; op 'a' if it says "and" */
    R1_N_GROUP,  /* open, close: one of ( [ { <, with n items */
    R1_N_MATRIX, /* n kids in rows of `cols` */
    R1_N_REL,    /* n kids, n - 1 relations in text: = < > l(<=) g(>=) !(not) ~(about) c(congruent)
                    i(in) s(subset) */
    R1_N_SETOP,  /* op 'u' union, 'n' intersection, '\\' difference */
    R1_N_SET,    /* op: R Z Q N C, or 0 for the empty set */
    R1_N_BASE,   /* text: digits; q: the base */
    R1_N_COLON,  /* a:b or a:b:c */
    R1_N_TEXT,   /* words */
    R1_N_BIG,    /* op 's' sum, 'p' product, 'i' integral, 'l' limit, 'd' derivative */
} r1_node_kind;

typedef enum r1_fn {
    R1_FN_SIN,
    R1_FN_COS,
    R1_FN_TAN,
    R1_FN_COT,
    R1_FN_SEC,
    R1_FN_CSC,
    R1_FN_ASIN,
    R1_FN_ACOS,
    R1_FN_ATAN,
    R1_FN_SINH,
    R1_FN_COSH,
    R1_FN_TANH,
    R1_FN_ASINH,
    R1_FN_ACOSH,
    R1_FN_ATANH,
    R1_FN_LOG, /* one argument, or value and base */
    R1_FN_LN,
    R1_FN_EXP,
    R1_FN_ABS,
    R1_FN_FLOOR,
    R1_FN_CEIL,
    R1_FN_GCD,
    R1_FN_LCM,
    R1_FN_MAX,
    R1_FN_MIN,
    R1_FN_MOD,
    R1_FN_FACT,
    R1_FN_FACT2, /* n!! */
    R1_FN_BINOM,
    R1_FN_CONJ,
    R1_FN_ROOT, /* value, degree */
    R1_FN_DET,
    R1_FN_CIS, /* cos + i sin; the parser writes it out */
    R1_FN_CALL,
} r1_fn;

typedef struct r1_node r1_node;
struct r1_node {
    r1_node_kind kind;
    int op, n, places, cols;
    char open, close;
    const r1_node **kid;
    mpq_ptr q;
    r1_text text;
};

/* What the prediction's reading takes from the reference, and what a reading met. */
typedef struct r1_reading {
    int no_groups;          /* 1,234 is a list */
    int other_slash;        /* 1/2x is (1/2)x instead of 1/(2x); sin a/b is (sin a)/b */
    int units;              /* a letter behind a number and a blank may be its unit */
    const char *calls;      /* letters that name functions besides f, g, h */
    int grouped, ambiguous; /* out: such a comma, such a slash was met */
    int words;              /* out: longest run of plain letters that means nothing */
} r1_reading;

#define R1_MATH_TOKENS 4096
#define R1_MATH_DEPTH  128
#define R1_MATH_DIGITS 1000

/* The whole text as one answer; NULL if any part of it has no meaning. */
const r1_node *r1_math_read(r1_mctx *c, r1_text t, r1_reading *reading);

r1_node *r1_node_new(r1_mctx *c, r1_node_kind kind, int op, int n);
r1_node *r1_node_1(r1_mctx *c, r1_node_kind kind, int op, const r1_node *a);
r1_node *r1_node_2(r1_mctx *c, r1_node_kind kind, int op, const r1_node *a, const r1_node *b);
r1_node *r1_node_int(r1_mctx *c, long v);
r1_node *r1_node_negate(r1_mctx *c, const r1_node *a);
r1_node *r1_node_quotient(r1_mctx *c, const r1_node *a, const r1_node *b);
r1_node *r1_node_minus(r1_mctx *c, const r1_node *a, const r1_node *b);

int r1_node_count(const r1_node *a);
int r1_node_has(const r1_node *a, r1_node_kind kind, int op); /* op -1: any */
int r1_node_same(const r1_node *a, const r1_node *b);         /* the same tree */
/* The same but for the order of sums, products and sets. */
int r1_node_alike(r1_mctx *c, const r1_node *a, const r1_node *b);
/* The names in a tree, without those that sums bind; at most `most`, -1 if there are more. */
int r1_node_names(const r1_node *a, r1_text *ret, int n, int most);
/* A copy in which the symbol is replaced. */
const r1_node *r1_node_replace(r1_mctx *c, const r1_node *a, r1_text name, const r1_node *by);

#endif
