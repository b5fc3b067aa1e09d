/* JSON for people; see json_pretty.h. */
#include "common/formats/json_pretty.h"

#include "common/base/json.h"
#include "common/base/mem.h"

#include <string.h>

/* Does the text read back as the same value? */
static int reads_back(const char *text, const json_t *value) {
    json_t *back = json_loads(text, JSON_DECODE_ANY, NULL);
    int same = back && json_equal(back, value);

    json_decref(back);
    return same;
}

r1_status r1_json_pretty(const json_t *value, const char *what, char **ret_text, r1_err *err) {
    char *text = NULL;
    size_t digits = 6;
    r1_status st;

    do { /* 17 digits give back any double */
        r1_free(text);
        text = NULL;
        R1_TRY(r1_json_dump(value, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits),
                            what, &text, err));
    } while (digits++ < 17 && !reads_back(text, value));
    size_t n = strlen(text);
    char *longer = r1_realloc(text, n + 2, 1);
    if (!longer) {
        st = R1_FAIL(err, R1_NOMEM, "out of memory: %s", what);
        goto done;
    }
    memcpy(longer + n, "\n", 2);
    *ret_text = longer;
    return R1_OK;
done:
    r1_free(text);
    return st;
}
