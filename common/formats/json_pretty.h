#ifndef R1_FORMATS_JSON_PRETTY_H
#define R1_FORMATS_JSON_PRETTY_H
/* JSON files that people read: indented, numbers with as few digits as read back to the same value
 * (1e-5, not 1.0000000000000001e-5), a newline at the end. */
#include "common/base/err.h"

#include <jansson.h>

/* Caller frees (r1_free).  `what` is for the message when memory runs out, the only failure. */
R1_MUST_USE r1_status r1_json_pretty(const json_t *value, const char *what, char **ret_text,
                                     r1_err *err);

#endif
