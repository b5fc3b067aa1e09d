/* JSON strings and numbers; see json.h. */
#include "common/metrics/json.h"

#include "common/config/number.h"

#include <math.h>
#include <string.h>

/* Bytes of the valid UTF-8 sequence at s (n >= 1 bytes are there); 0 if there is none.  Overlong
 * forms, surrogates and code points above U+10FFFF are invalid (Unicode 15, table 3-7). */
static size_t utf8_len(const unsigned char *s, size_t n) {
    unsigned lo = 0x80, hi = 0xbf;
    size_t len;

    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf)
        len = 2;
    else if (s[0] >= 0xe0 && s[0] <= 0xef)
        len = 3;
    else if (s[0] >= 0xf0 && s[0] <= 0xf4)
        len = 4;
    else
        return 0;
    if (s[0] == 0xe0)
        lo = 0xa0;
    else if (s[0] == 0xed)
        hi = 0x9f;
    else if (s[0] == 0xf0)
        lo = 0x90;
    else if (s[0] == 0xf4)
        hi = 0x8f;
    if (n < len || s[1] < lo || s[1] > hi)
        return 0;
    for (size_t i = 2; i < len; i++)
        if (s[i] < 0x80 || s[i] > 0xbf)
            return 0;
    return len;
}

/* Does the byte stand for itself in a JSON string? */
static int ordinary(unsigned char c) {
    return c >= 32 && c < 0x7f && c != '"' && c != '\\';
}

r1_status r1_json_text(r1_buf *out, const char *bytes, size_t n, r1_err *err) {
    const unsigned char *s = (const unsigned char *)bytes;
    r1_status st = R1_OK;

    R1_TRY(r1_buf_add(out, "\"", 1, err));
    for (size_t i = 0, run; i < n; i += run) {
        for (run = 0; i + run < n && ordinary(s[i + run]); run++)
            ;
        if (run) {
            R1_TRY(r1_buf_add(out, bytes + i, run, err));
            continue;
        }
        run = utf8_len(s + i, n - i);
        if (run > 1) {
            R1_TRY(r1_buf_add(out, bytes + i, run, err));
        } else if (run == 0) {
            R1_TRY(r1_buf_add(out, "\xef\xbf\xbd", 3, err));
            run = 1;
        } else if (s[i] == '"' || s[i] == '\\') {
            R1_TRY(r1_buf_addf(out, err, "\\%c", s[i]));
        } else if (s[i] == '\n') {
            R1_TRY(r1_buf_add(out, "\\n", 2, err));
        } else {
            R1_TRY(r1_buf_addf(out, err, "\\u%04x", s[i]));
        }
    }
    R1_TRY(r1_buf_add(out, "\"", 1, err));
done:
    return st;
}

r1_status r1_json_number(r1_buf *out, double x, r1_err *err) {
    char text[R1_NUMBER_TEXT];

    return r1_buf_addf(out, err, "%s", isfinite(x) ? r1_number_text(x, text) : "null");
}
