#ifndef R1_REWARD_JUDGE_CODE_BLOCK_H
#define R1_REWARD_JUDGE_CODE_BLOCK_H
/* The program in a completion: the last fenced block of the language, else the last one without a
 * language.  A fence is three or more ` or ~ at the beginning of a line, and the same again closes
 * it; if the last fence of all is never closed there is no program, or a policy would learn to
 * write several and to cut off. */
#include "reward/judge/judge.h"

/* 0: there is none. */
int r1_code_block(r1_text segment, r1_language language, r1_text *ret);

#endif
