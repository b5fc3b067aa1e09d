#ifndef R1_FORMATS_HFDIR_H
#define R1_FORMATS_HFDIR_H
/* A directory that is there whole or not at all: written beside its place, then renamed.
 *
 *     char tmp[R1_PATH_MAX];
 *     R1_TRY(r1_hfdir_begin(out, tmp, sizeof tmp, err));
 *     ... write files into tmp ...
 *     st = r1_hfdir_finish(out, tmp, err);
 *     done: if (st != R1_OK) r1_hfdir_drop(tmp);
 *
 * Nothing that exists is overwritten: a path with something in it is R1_USAGE. */
#include "common/base/err.h"

/* Make an empty directory beside `out`; its path goes to ret_tmp, "" if there is none.  Of missing
 * parents at most one is made: more of them are a misspelt path. */
R1_MUST_USE r1_status r1_hfdir_begin(const char *out, char *ret_tmp, size_t size, r1_err *err);
R1_MUST_USE r1_status r1_hfdir_finish(const char *out, const char *tmp, r1_err *err);
void r1_hfdir_drop(const char *tmp);

/* Copy what belongs to a model besides its weights and config.json, where it exists: tokenizer, chat
 * template, generation_config.json, byte for byte. */
R1_MUST_USE r1_status r1_hfdir_copy_extras(const char *from, const char *to, r1_err *err);

#endif
