/* JSON for people; see json_pretty.h. */
#include "common/formats/json_pretty.h"

#include "common/base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Does the text read back as the same value? */
static int reads_back(const char *text, const json_t *value) {
    json_t *back = json_loads(text, JSON_DECODE_ANY, NULL);
    int same = back && json_equal(back, value);

    json_decref(back);
    return same;
}

r1_status r1_json_pretty(const json_t *value, const char *what, char **ret_text, r1_err *err) {
    char *text = NULL, *copy;

    for (int digits = 6; digits <= 17; digits++) { /* 17 digits give back any double */
        free(text);
        text = json_dumps(value,
                          JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION((size_t)digits));
        if (!text || reads_back(text, value))
            break;
    }
    size_t n = text ? strlen(text) : 0;
    copy = text ? r1_calloc(n + 2, 1) : NULL;
    if (copy) {
        memcpy(copy, text, n);
        copy[n] = '\n';
        *ret_text = copy;
    }
    free(text);
    return copy ? R1_OK : R1_FAIL(err, R1_NOMEM, "out of memory: %s", what);
}
