#ifndef R1_ACTOR_INPUT_H
#define R1_ACTOR_INPUT_H
/* Rows that a program is given: a file that every rank can read, or stdin. */
#include "common/comm/world.h"
#include "common/data/jsonl.h"

/* Collective.  path "-" is stdin, which only the first rank has: its bytes go to the others.
 * Messages then name it "stdin".  The caller closes (r1_jsonl_close). */
R1_MUST_USE r1_status r1_input_open(r1_jsonl *j, const r1_world *world, const char *path,
                                    r1_err *err);

#endif
