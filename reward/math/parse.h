#ifndef R1_REWARD_MATH_PARSE_H
#define R1_REWARD_MATH_PARSE_H
/* The parser's inside: operators (parse.c) above operands (operand.c).
 *
 * Every function returns NULL when the tokens have no meaning; nothing is skipped or repaired. */
#include "reward/math/scan.h"

typedef struct r1_parse {
    r1_mctx *c;
    const r1_tok *t;
    int i;
    r1_reading *reading;
    int depth;    /* of recursion */
    int bars;     /* open |: a bar where an operator could stand closes */
    int no_bar;   /* in \{x | ...\}: a bar there is "such that" */
    int reversed; /* in ]a, b[ */
    int integral; /* in an integrand: d before a name is its differential */
    r1_text differential;
    int script;    /* in ^2_i: the subscript is the base's */
    r1_text bound; /* a letter that a sum binds: e and i lose their meaning */
} r1_parse;

static inline const r1_tok *r1_parse_peek(const r1_parse *p) {
    return &p->t[p->i];
}
static inline int r1_parse_is(const r1_parse *p, r1_tok_kind kind, int code) {
    return p->t[p->i].kind == kind && p->t[p->i].code == code;
}
static inline int r1_parse_eat(r1_parse *p, r1_tok_kind kind, int code) {
    return r1_parse_is(p, kind, code) ? (p->i++, 1) : 0;
}

static inline int r1_parse_is_money(int code) {
    return code == '$' || code == 'E' || code == 'L' || code == 'Y' || code == 'R' || code == 'c';
}

const r1_node *r1_parse_list(r1_parse *p);    /* a, b; c and d */
const r1_node *r1_parse_items(r1_parse *p);   /* the same without ; and rows */
const r1_node *r1_parse_rel(r1_parse *p);     /* a = b < c */
const r1_node *r1_parse_sum(r1_parse *p);     /* a + b */
const r1_node *r1_parse_product(r1_parse *p); /* a b / c */
const r1_node *r1_parse_power(r1_parse *p);   /* a^b! */
const r1_node *r1_parse_script(r1_parse *p);  /* behind ^ */
const r1_node *r1_parse_operand(r1_parse *p);
int r1_parse_starts_operand(const r1_parse *p);
/* Name of a subscript: its tokens without blanks and braces; 0 if it has none. */
int r1_parse_subscript(r1_parse *p, r1_text *ret);

/* atom.c: the token k was just eaten. */
const r1_node *r1_parse_number(r1_parse *p, const r1_tok *k);
const r1_node *r1_parse_based(r1_parse *p, const r1_node *digits); /* behind its _ */
const r1_node *r1_parse_named(r1_parse *p, const r1_tok *k, r1_text name);
const r1_node *r1_parse_barred(r1_parse *p, const r1_tok *k);

/* big.c: behind the command. */
const r1_node *r1_parse_environment(r1_parse *p);
const r1_node *r1_parse_big(r1_parse *p);

#endif
