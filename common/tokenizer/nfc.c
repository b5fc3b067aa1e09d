/* Canonical composition.
 *
 * utf8proc's own decomposition sorts combining marks by insertion, which takes quadratic time on a
 * long run of them; so the marks are sorted here by counting, and utf8proc gives the decomposition
 * of a character and composes. */
#include "common/tokenizer/tokenizer.h"
#include "common/tokenizer/utf8.h"

#include <string.h>
#include <utf8proc.h>

/* No character below U+0300 combines, and none there is changed by NFC on its own. */
static int is_nfc_at_a_glance(const char *s, size_t n) {
    for (size_t i = 0; i < n; i++)
        if ((uint8_t)s[i] >= 0xcc)
            return 0;
    return 1;
}

static r1_status decompose(const char *s, size_t n, r1_ids *cps, r1_err *err) {
    r1_status st = R1_OK;

    for (size_t i = 0; i < n && st == R1_OK;) {
        utf8proc_int32_t parts[32], cp;
        int boundary = 0;
        i += r1_utf8_next(s + i, n - i, &cp);
        R1_ASSERT(cp >= 0);
        utf8proc_ssize_t k =
            utf8proc_decompose_char(cp, parts, 32, UTF8PROC_DECOMPOSE | UTF8PROC_STABLE, &boundary);
        R1_ASSERT(k >= 1 && k <= 32);
        for (utf8proc_ssize_t j = 0; j < k && st == R1_OK; j++)
            st = r1_ids_add(cps, parts[j], err);
    }
    return st;
}

static int class_of(int32_t cp) {
    return cp < 0x300 ? 0 : utf8proc_get_property(cp)->combining_class;
}

/* Stable sort of a run of combining marks by their class, by counting. */
static r1_status sort_run(int32_t *cps, size_t n, r1_err *err) {
    size_t at[257] = {0};
    int32_t *sorted = NULL;
    r1_status st;

    R1_TRY(R1_NEW(sorted, n, err));
    for (size_t i = 0; i < n; i++)
        at[class_of(cps[i]) + 1]++;
    for (int c = 0; c < 256; c++)
        at[c + 1] += at[c];
    for (size_t i = 0; i < n; i++)
        sorted[at[class_of(cps[i])]++] = cps[i];
    memcpy(cps, sorted, n * sizeof *cps);
done:
    r1_free(sorted);
    return st;
}

static r1_status order_marks(int32_t *cps, size_t n, r1_err *err) {
    for (size_t i = 0; i < n;) {
        size_t from = i;
        int last = 0, sorted = 1;
        for (int c; i < n && (c = class_of(cps[i])) != 0; i++) {
            sorted &= c >= last;
            last = c;
        }
        if (!sorted) {
            r1_status st = sort_run(cps + from, i - from, err);
            if (st != R1_OK)
                return st;
        }
        i += i == from;
    }
    return R1_OK;
}

r1_status r1_utf8_nfc(const char *s, size_t n, r1_buf *out, r1_err *err) {
    r1_ids cps = {0};
    r1_status st;

    if (is_nfc_at_a_glance(s, n))
        return r1_buf_add(out, s, n, err);
    R1_TRY(decompose(s, n, &cps, err));
    R1_TRY(order_marks(cps.ids, cps.n, err));
    utf8proc_ssize_t k = utf8proc_normalize_utf32(cps.ids, (utf8proc_ssize_t)cps.n,
                                                  UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    R1_ASSERT(k >= 0 && cps.ids); /* no text at all is NFC at a glance */
    for (utf8proc_ssize_t i = 0; i < k; i++) {
        char c[4];
        R1_TRY(r1_buf_add(out, c, r1_utf8_put(cps.ids[i], c), err));
    }
done:
    r1_ids_done(&cps);
    return st;
}
