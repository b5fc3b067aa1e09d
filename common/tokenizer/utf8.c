/* Well-formed and ill-formed UTF-8; see utf8.h. */
#include "common/tokenizer/utf8.h"

size_t r1_utf8_next(const char *s, size_t n, int32_t *ret_cp) {
    const uint8_t *b = (const uint8_t *)s;
    uint8_t lo = 0x80, hi = 0xbf; /* range of the second byte; Unicode, table 3-7 */
    size_t len;
    int32_t cp;

    *ret_cp = -1;
    if (b[0] < 0x80) {
        *ret_cp = b[0];
        return 1;
    }
    if (b[0] < 0xc2 || b[0] > 0xf4)
        return 1;
    if (b[0] < 0xe0) {
        len = 2, cp = b[0] & 0x1f;
    } else if (b[0] < 0xf0) {
        len = 3, cp = b[0] & 0x0f;
        lo = b[0] == 0xe0 ? 0xa0 : lo;
        hi = b[0] == 0xed ? 0x9f : hi;
    } else {
        len = 4, cp = b[0] & 0x07;
        lo = b[0] == 0xf0 ? 0x90 : lo;
        hi = b[0] == 0xf4 ? 0x8f : hi;
    }
    for (size_t i = 1; i < len; i++) {
        if (i >= n || b[i] < lo || b[i] > hi)
            return i;
        cp = cp << 6 | (b[i] & 0x3f);
        lo = 0x80, hi = 0xbf;
    }
    *ret_cp = cp;
    return len;
}

size_t r1_utf8_put(int32_t cp, char out[4]) {
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xc0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xe0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
        out[2] = (char)(0x80 | (cp & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
    out[3] = (char)(0x80 | (cp & 0x3f));
    return 4;
}

int r1_utf8_valid(const char *s, size_t n) {
    int32_t cp = 0;

    for (size_t i = 0; i < n && cp >= 0;)
        i += r1_utf8_next(s + i, n - i, &cp);
    return cp >= 0;
}

r1_status r1_utf8_replace(const char *s, size_t n, r1_buf *out, r1_err *err) {
    size_t from = 0;
    r1_status st = R1_OK;

    for (size_t i = 0; i < n;) {
        int32_t cp;
        size_t len = r1_utf8_next(s + i, n - i, &cp);
        if (cp < 0) {
            R1_TRY(r1_buf_add(out, s + from, i - from, err));
            R1_TRY(r1_buf_add(out, "\xef\xbf\xbd", 3, err));
            from = i + len;
        }
        i += len;
    }
    st = r1_buf_add(out, s + from, n - from, err);
done:
    return st;
}

size_t r1_utf8_complete(const char *s, size_t n) {
    /* Only a lead byte among the last three can begin an unfinished character. */
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        const char *p = s + n - back;
        int32_t cp;
        if (((uint8_t)*p & 0xc0) == 0x80)
            continue;
        if ((uint8_t)*p < 0xc2 || (uint8_t)*p > 0xf4)
            return n;
        int want = (uint8_t)*p < 0xe0 ? 2 : (uint8_t)*p < 0xf0 ? 3 : 4;
        return r1_utf8_next(p, back, &cp) == back && cp < 0 && back < (size_t)want ? n - back : n;
    }
    return n;
}
