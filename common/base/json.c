/* JSON; see json.h. */
#include "common/base/json.h"

#include "common/base/mem.h"

#include <errno.h>
#include <stdio.h>

r1_status r1_json_parse(json_t **ret, const char *text, size_t n, size_t flags, json_error_t *why) {
    errno = 0; /* jansson's failures end with malloc's errno, or with 0 */
    json_t *root = json_loadb(text, n, flags, why);

    if (root) {
        *ret = root;
        return R1_OK;
    }
    if (errno != ENOMEM)
        return R1_DATA;
    snprintf(why->text, sizeof why->text, "out of memory");
    return R1_NOMEM;
}

/* Where the text goes; a failure is remembered, since jansson does not look at each. */
typedef struct sink {
    r1_buf text;
    r1_status st;
} sink;

static int write_sink(const char *bytes, size_t n, void *to) {
    sink *s = to;

    if (s->st == R1_OK)
        s->st = r1_buf_add(&s->text, bytes, n, NULL);
    return s->st == R1_OK ? 0 : -1;
}

r1_status r1_json_dump(const json_t *value, size_t flags, const char *what, char **ret_text,
                       r1_err *err) {
    sink to = {.st = R1_OK};

    r1_buf_init(&to.text, SIZE_MAX);
    if (json_dump_callback(value, write_sink, &to, flags) != 0 || to.st != R1_OK) {
        r1_buf_done(&to.text);
        return R1_FAIL(err, R1_NOMEM, "out of memory: %s", what);
    }
    *ret_text = to.text.data;
    return R1_OK;
}
