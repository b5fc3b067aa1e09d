/* Added tokens; see added.h. */
#include "common/tokenizer/added.h"

#include "common/tokenizer/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

r1_status r1_added_add(r1_added *a, const r1_added_token *token, r1_err *err) {
    if (a->n == a->cap) {
        size_t cap = a->cap ? 2 * a->cap : 16;
        r1_added_token *grown = r1_realloc(a->tokens, cap, sizeof *grown);
        if (!grown)
            return R1_FAIL(err, R1_NOMEM, "out of memory: %zu added tokens", cap);
        a->tokens = grown;
        a->cap = cap;
    }
    a->tokens[a->n] = *token;
    a->tokens[a->n].text = r1_strndup(token->text, token->n);
    if (!a->tokens[a->n].text)
        return R1_FAIL(err, R1_NOMEM, "out of memory: added token");
    a->first[(uint8_t)token->text[0]] = 1;
    a->n++;
    return R1_OK;
}

static int by_text(const void *x, const void *y) {
    const r1_added_token *a = x, *b = y;
    int c = memcmp(a->text, b->text, a->n < b->n ? a->n : b->n);

    return c ? c : (a->n > b->n) - (a->n < b->n);
}

void r1_added_sort(r1_added *a) {
    if (a->n)
        qsort(a->tokens, a->n, sizeof *a->tokens, by_text);
}

void r1_added_done(r1_added *a) {
    for (size_t i = 0; i < a->n; i++)
        r1_free(a->tokens[i].text);
    r1_free(a->tokens);
    *a = (r1_added){0};
}

/* First token in [lo, hi) whose byte at `depth` is at least `byte`; shorter texts come first. */
static size_t lower(const r1_added *a, size_t lo, size_t hi, size_t depth, int byte) {
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const r1_added_token *t = &a->tokens[mid];
        if (t->n <= depth || (uint8_t)t->text[depth] < byte)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* The longest token that s begins with. */
static const r1_added_token *longest_at(const r1_added *a, const char *s, size_t n) {
    const r1_added_token *best = NULL;
    size_t lo = 0, hi = a->n;

    for (size_t depth = 0; depth < n && lo < hi; depth++) {
        int byte = (uint8_t)s[depth];
        lo = lower(a, lo, hi, depth, byte);
        hi = lower(a, lo, hi, depth, byte + 1);
        if (lo < hi && a->tokens[lo].n == depth + 1)
            best = &a->tokens[lo];
    }
    return best;
}

/* \w of Rust's regular expressions (UTS 18): alphabetic, mark, decimal number, connector, joiner.
 * Alphabetic beyond letters and marks: letter numbers and the circled letters. */
static int is_word(int32_t cp) {
    switch (utf8proc_category(cp)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
        return 1;
    default:
        return cp == 0x200c || cp == 0x200d || (cp >= 0x24b6 && cp <= 0x24e9) ||
               (cp >= 0x1f130 && cp <= 0x1f149) || (cp >= 0x1f150 && cp <= 0x1f169) ||
               (cp >= 0x1f170 && cp <= 0x1f189);
    }
}

static int is_space(int32_t cp) {
    return (cp >= 9 && cp <= 13) || cp == 0x20 || cp == 0x85 || cp == 0xa0 || cp == 0x1680 ||
           (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 || cp == 0x202f ||
           cp == 0x205f || cp == 0x3000;
}

/* The character that ends at `end` (> 0), and where it begins. */
static size_t before(const char *text, size_t end, int32_t *ret_cp) {
    size_t at = end - 1;

    while (at && ((uint8_t)text[at] & 0xc0) == 0x80)
        at--;
    r1_utf8_next(text + at, end - at, ret_cp);
    return at;
}

static int stands_alone(const char *text, size_t n, size_t at, size_t end) {
    int32_t cp;

    if (at && (before(text, at, &cp), is_word(cp)))
        return 0;
    if (end < n && (r1_utf8_next(text + end, n - end, &cp), is_word(cp)))
        return 0;
    return 1;
}

/* Widen a match over the white space beside it, but not into what was given away already.  *blank
 * is the run of white space that was looked at last: a token that is white space itself matches
 * again and again inside of one run, which must not be read to its end each time. */
static void strip(const r1_added_token *t, const char *text, size_t n, size_t given, size_t *at,
                  size_t *end, r1_span *blank) {
    int32_t cp;

    for (size_t p; t->lstrip && *at > given && (p = before(text, *at, &cp), is_space(cp));)
        *at = p;
    if (!t->rstrip)
        return;
    if (*end < blank->at || *end > blank->end)
        *blank = (r1_span){*end, *end};
    while (blank->end < n) {
        size_t len = r1_utf8_next(text + blank->end, n - blank->end, &cp);
        if (!is_space(cp))
            break;
        blank->end += len;
    }
    *end = blank->end;
}

r1_status r1_added_split(const r1_added *a, const char *text, size_t n, const r1_span *plain,
                         int n_plain, r1_added_sink *sink, void *ctx, r1_err *err) {
    size_t given = 0; /* everything before is with the sink */
    r1_span blank = {0, 0};
    int k = 0;
    r1_status st = R1_OK;

    for (size_t i = 0; i < n && a->n;) {
        while (k < n_plain && plain[k].end <= i)
            k++;
        if (k < n_plain && plain[k].at <= i) {
            i = plain[k].end;
            continue;
        }
        size_t stop = k < n_plain && plain[k].at < n ? plain[k].at : n;
        const r1_added_token *t =
            a->first[(uint8_t)text[i]] ? longest_at(a, text + i, stop - i) : NULL;
        if (!t) {
            i++;
            continue;
        }
        size_t at = i, end = i + t->n;
        i = end; /* also where it does not count: matches do not overlap */
        if (t->single_word && !stands_alone(text, n, at, end))
            continue;
        strip(t, text, n, given, &at, &end, &blank);
        if (given < at)
            R1_TRY(sink(ctx, given, at, -1, err));
        R1_TRY(sink(ctx, at, end, t->id, err));
        given = end;
    }
    if (given < n)
        st = sink(ctx, given, n, -1, err);
done:
    return st;
}
