#ifndef R1_REWARD_PROSE_H
#define R1_REWARD_PROSE_H
/* The words of a text, without code, mathematics, tags, URLs and numbers; see language.h. */
#include "reward/reward.h"

#include <stdint.h>

typedef enum r1_script {
    R1_SCRIPT_LATIN,
    R1_SCRIPT_HAN,
    R1_SCRIPT_KANA,
    R1_SCRIPT_HANGUL,
    R1_SCRIPT_CYRILLIC,
    R1_SCRIPT_GREEK,
    R1_SCRIPT_ARABIC,
    R1_SCRIPT_HEBREW,
    R1_SCRIPT_DEVANAGARI,
    R1_SCRIPT_THAI,
    R1_SCRIPT_OTHER,
    R1_N_SCRIPTS,
} r1_script;

/* Letters of one script without a break. */
typedef struct r1_word {
    r1_text text;
    r1_script script;
    int chars;     /* code points */
    int new_token; /* there was white space before it, or another script: it is a word of its own */
    int sentence;  /* counts from 0 */
} r1_word;

typedef struct r1_prose {
    r1_text t;
    size_t i;
    int sentence, blank, last_script;
    unsigned unclosed; /* marks without a partner ahead */
} r1_prose;

void r1_prose_start(r1_prose *p, r1_text t);
/* The next word that counts: 1, or 0 at the end. */
int r1_prose_next(r1_prose *p, r1_word *ret);

/* The script of a letter; R1_N_SCRIPTS: no letter. */
r1_script r1_script_of(int32_t code);
/* One code point at i and its width in bytes; a byte that is no UTF-8 is 0xFFFD of width 1. */
int32_t r1_utf8_at(r1_text t, size_t i, size_t *ret_width);

#endif
