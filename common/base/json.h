#ifndef R1_BASE_JSON_H
#define R1_BASE_JSON_H
/* JSON where memory may run out.  jansson does not tell a lack of memory from bad data when it reads,
 * and may leave a piece out of the text without a word when it writes: here both are R1_NOMEM. */
#include "common/base/err.h"

#include <jansson.h>

/* n bytes of text; the caller decrefs *ret.  R1_DATA or R1_NOMEM with the reason in why->text, for the
 * caller's message. */
R1_MUST_USE r1_status r1_json_parse(json_t **ret, const char *text, size_t n, size_t flags,
                                    json_error_t *why);
/* The text of a value; the caller frees (r1_free).  NULL, a value that could not be built, is R1_NOMEM
 * too.  what: for the message. */
R1_MUST_USE r1_status r1_json_dump(const json_t *value, size_t flags, const char *what,
                                   char **ret_text, r1_err *err);

#endif
