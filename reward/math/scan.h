#ifndef R1_REWARD_MATH_SCAN_H
#define R1_REWARD_MATH_SCAN_H
/* Bytes -> tokens, one forward pass over LaTeX, plain and Unicode mathematics alike.
 *
 * Rules kept here:
 *  - spacing, size, style and colour commands mean nothing; \left and \right only say which side a
 *    bracket or bar is;
 *  - digits group as thousands with {,} ,\! \, anywhere, with a plain comma or blank outside of
 *    brackets only, in threes behind a first group of 1 to 3 that does not begin with 0;
 *  - 3e8 is a number, 0.1\overline{6} and 0.\dot{1}4285\dot{7} are repeating decimals, a point
 *    never groups;
 *  - a run of plain letters is a known word (function, constant, unit behind an operand, and, or)
 *    or single letters; the rules for words are in words.c;
 *  - \text{..} is a connective, a number, one letter, or a word token. */
#include "reward/math/node.h"

typedef enum r1_tok_kind {
    R1_T_END,
    R1_T_NUM,   /* text: digits, separators, point; rep: repeating digits; code: 10^exponent */
    R1_T_HALF,  /* a Unicode fraction: code = 10 * numerator + denominator */
    R1_T_SYM,   /* text: canonical name */
    R1_T_CONST, /* code as in R1_N_CONST */
    R1_T_FN,    /* code: r1_fn */
    R1_T_WORD,  /* text: a unit or a word */
    R1_T_OP,    /* code: + - * / ^ _ ! ' & , ; : and brackets, see below */
    R1_T_REL,   /* code as in R1_N_REL */
    R1_T_SETOP, /* code as in R1_N_SETOP */
    R1_T_SET,   /* code as in R1_N_SET */
    R1_T_PM,    /* code + or - */
    R1_T_FRAC,
    R1_T_SQRT,
    R1_T_BINOM,
    R1_T_OVER,  /* code '/' or 'c' */
    R1_T_BAR,   /* \overline, \bar; code: first letter of what it is */
    R1_T_BIG,   /* code as in R1_N_BIG; 'd' for \partial */
    R1_T_JOIN,  /* and, or: code 'a', 'o'; in cases if, otherwise: 'i', 'e' */
    R1_T_BEGIN, /* text: name of the environment */
    R1_T_ENDENV,
    R1_T_UNIT, /* code '%', 'd' degrees, or money: '$', 'c' cents, 'E' euro, 'L' pound, 'Y' yen,
                  'R' rupee */
    R1_T_MOD,  /* code 'b' \bmod, \mod; 'p' \pmod */
    R1_T_ROW,  /* \\ */
} r1_tok_kind;

/* Bracket codes: ( ) [ ] < > for angles, { } of TeX, L R for \{ \}, | a bare bar, A Z bars with a
 * side, F f floor, C c ceiling. */
typedef struct r1_tok {
    r1_tok_kind kind;
    int code;
    int space; /* white space stands before it */
    r1_text text, rep;
} r1_tok;

typedef struct r1_toks {
    r1_tok *t;
    int n; /* without the R1_T_END behind them */
} r1_toks;

/* 0 if the text has a byte or command without a meaning, or too many tokens or digits. */
int r1_math_scan(r1_mctx *c, r1_text t, r1_reading *reading, r1_toks *ret);

#endif
