#ifndef R1_LEARNER_INPUTS_H
#define R1_LEARNER_INPUTS_H
/* What a run reads besides its configuration.  Paths may change on resume, what lies there may not:
 * other rows or another tokenizer would go on as another run without a word.  The fingerprints are a
 * text, "WHAT: HASH" line by line, which checkpoints hold. */
#include "learner/run.h"

/* Of the run's model descriptor, its tokenizer, and the data of each stage; the caller frees. */
R1_MUST_USE r1_status r1_inputs_text(const r1_run *run, char **ret, r1_err *err);
/* R1_USAGE naming the first input that differs, with both hashes; where: the checkpoint. */
R1_MUST_USE r1_status r1_inputs_same(const char *then, const char *now, const char *where,
                                     r1_err *err);

#endif
