/* Formulas; see shaping.h. */
#include "reward/shaping.h"

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "reward/extract.h"
#include "reward/prose.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

/* ---- lengths ---- */

double r1_shape_cosine(const r1_cosine *c, int correct, double length) {
    double progress = length / c->max_len;
    double shortest = correct ? c->max_correct : c->min_wrong,
           longest = correct ? c->min_correct : c->max_wrong;

    if (c->clamp && progress > 1)
        progress = 1;
    return longest + 0.5 * (shortest - longest) * (1 + cos(progress * M_PI));
}

void r1_shape_kimi(const int *correct, const double *length, size_t n, double *ret) {
    double min = 0, max = 0;

    for (size_t i = 0; i < n; i++) {
        min = i == 0 || length[i] < min ? length[i] : min;
        max = i == 0 || length[i] > max ? length[i] : max;
    }
    for (size_t i = 0; i < n; i++) {
        double lambda = max > min ? 0.5 - (length[i] - min) / (max - min) : 0;
        ret[i] = correct[i] || lambda < 0 ? lambda : 0;
    }
}

double r1_shape_overlong(double length, double max_len, double cache) {
    if (length <= max_len - cache)
        return 0;
    return length >= max_len ? -1 : (max_len - cache - length) / cache;
}

double r1_shape_length(double length, double target) {
    return -fmin(1, fabs(length - target) / target);
}

/* ---- items ---- */

r1_status r1_shape_repetition(const uint64_t *items, size_t n, size_t ngram, double *ret,
                              r1_err *err) {
    size_t all = n < ngram ? 0 : n - ngram + 1, slots = 16, different = 0;
    size_t *at; /* 1 + where an n-gram begins; 0: free */
    r1_status st;

    *ret = 0;
    if (all == 0)
        return R1_OK;
    while (slots < 2 * all)
        slots *= 2;
    if ((st = R1_NEW(at, slots, err)) != R1_OK)
        return st;
    for (size_t i = 0; i < all; i++) {
        size_t k = r1_hash64(items + i, ngram * sizeof *items) & (slots - 1);
        while (at[k] && memcmp(items + at[k] - 1, items + i, ngram * sizeof *items) != 0)
            k = (k + 1) & (slots - 1);
        different += at[k] == 0;
        at[k] = at[k] ? at[k] : i + 1;
    }
    r1_free(at);
    *ret = 1 - (double)different / (double)all;
    return R1_OK;
}

int r1_shape_loops(const uint64_t *items, size_t n, size_t max_period, size_t times) {
    for (size_t p = 1; p <= max_period && p * times <= n; p++) {
        size_t i = n - p * (times - 1);
        while (i < n && items[i] == items[i - p])
            i++;
        if (i == n)
            return 1;
    }
    return 0;
}

static int is_blank(int32_t code) {
    return code == ' ' || (code >= '\t' && code <= '\r') ||
           (code >= 0x80 && utf8proc_category(code) == UTF8PROC_CATEGORY_ZS);
}

r1_status r1_shape_words(r1_text t, uint64_t **ret_items, size_t *ret_n, r1_err *err) {
    uint64_t *items = NULL;
    size_t n = 0, width, word = 0;
    r1_buf low;
    r1_status st;

    r1_buf_init(&low, 4 * t.n + 1);
    R1_TRY(R1_NEW(items, t.n / 2 + 1, err));
    for (size_t i = 0; i <= t.n; i += width) {
        int32_t code = i < t.n ? r1_utf8_at(t, i, &width) : ' ';
        utf8proc_uint8_t bytes[4];
        if (!is_blank(code)) {
            utf8proc_ssize_t len = utf8proc_encode_char(utf8proc_tolower(code), bytes);
            R1_TRY(r1_buf_add(&low, bytes, (size_t)len, err));
            continue;
        }
        if (low.len > word)
            items[n++] = r1_hash64(low.data + word, low.len - word);
        word = low.len;
        width = i < t.n ? width : 1;
    }
    *ret_items = items;
    *ret_n = n;
    items = NULL;
done:
    r1_free(items);
    r1_buf_done(&low);
    return st;
}

/* ---- text ---- */

static int starts(r1_text t, size_t i, const char *s) {
    size_t n = strlen(s);

    return t.n - i >= n && memcmp(t.s + i, s, n) == 0;
}

static size_t skip_digits(r1_text t, size_t i) {
    while (i < t.n && t.s[i] >= '0' && t.s[i] <= '9')
        i++;
    return i;
}

/* Behind a mark of a step that begins at i; i: none does. */
static size_t skip_step(r1_text t, size_t i) {
    static const char *const words[] = {"First,", "Second,", "Next,", "Finally,"};
    int at_start = i == 0 || t.s[i - 1] == '\n';
    size_t end;

    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (starts(t, i, words[k]))
            return i + strlen(words[k]);
    if (starts(t, i, "Step ")) {
        end = skip_digits(t, i + 5);
        return end > i + 5 && starts(t, end, ":") ? end + 1 : i;
    }
    end = skip_digits(t, i);
    if (at_start && end > i && starts(t, end, "."))
        return end + 1;
    return at_start && i > 0 && (t.s[i] == '-' || t.s[i] == '*') ? i + 1 : i;
}

double r1_shape_steps(r1_text t, int min_steps) {
    int steps = 0;

    for (size_t i = 0; i < t.n;) {
        size_t end = skip_step(t, i);
        steps += end > i;
        i = end > i ? end : i + 1;
    }
    return fmin(1, (double)steps / min_steps);
}

int r1_shape_between(r1_text t, const char *name, r1_text *ret) {
    char open[80], close[80];

    snprintf(open, sizeof open, "<%.64s>", name);
    snprintf(close, sizeof close, "</%.64s>", name);
    long from = r1_text_find(t, 0, open), to = r1_text_find_last(t, close);
    size_t n = strlen(open);
    if (from < 0 || to < from + (long)n)
        return 0;
    *ret = (r1_text){t.s + from + n, (size_t)to - (size_t)from - n};
    return 1;
}

const char *r1_shape_think_answer(r1_text t, r1_text *ret_answer) {
    static const char *const tags[] = {"<think>", "</think>", "<answer>", "</answer>"};
    static const char *const frame[] = {"<think>\n", "\n</think>\n<answer>\n", "\n</answer>"};
    size_t at[3];

    for (int k = 0; k < 4; k++)
        if (r1_text_count(t, tags[k]) != 1)
            return "a tag is missing or repeated";
    for (int k = 0; k < 3; k++) {
        long found = r1_text_find(t, k ? at[k - 1] + strlen(frame[k - 1]) : 0, frame[k]);
        if (found < 0)
            return "tags out of order, or not on lines of their own";
        at[k] = (size_t)found;
    }
    if (at[0] != 0 ||
        r1_text_trim((r1_text){t.s + at[2] + strlen(frame[2]), t.n - at[2] - strlen(frame[2])}).n)
        return "text outside of the tags";
    r1_text thought = {t.s + strlen(frame[0]), at[1] - strlen(frame[0])};
    *ret_answer = (r1_text){t.s + at[1] + strlen(frame[1]), at[2] - at[1] - strlen(frame[1])};
    return r1_text_trim(thought).n == 0 || r1_text_trim(*ret_answer).n == 0
               ? "nothing between two tags"
               : NULL;
}

const char *r1_shape_think_loose(r1_text t) {
    if (!starts(t, 0, "<think>"))
        return "does not begin with <think>";
    return r1_text_count(t, "<think>") == 1 && r1_text_count(t, "</think>") == 1
               ? NULL
               : "a tag is missing or repeated";
}

int r1_shape_has_code(r1_text t, const char *language) {
    char open[80];

    snprintf(open, sizeof open, "```%.64s", language);
    for (long at = r1_text_find(t, 0, open); at >= 0; at = r1_text_find(t, (size_t)at + 1, open)) {
        size_t behind = (size_t)at + strlen(open);
        if (behind < t.n && is_blank((unsigned char)t.s[behind]))
            return r1_text_find(t, behind, "```") >= 0;
    }
    return 0;
}

/* The next letter or digit at or behind *i, in lower case; -1 at the end. */
static int32_t next_alphanumeric(r1_text t, size_t *i) {
    while (*i < t.n) {
        size_t width;
        int32_t code = r1_utf8_at(t, *i, &width);
        utf8proc_category_t c = utf8proc_category(code);
        *i += width;
        if ((c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_LO) ||
            (c >= UTF8PROC_CATEGORY_ND && c <= UTF8PROC_CATEGORY_NO))
            return utf8proc_tolower(code);
    }
    return -1;
}

int r1_shape_same_alphanumeric(r1_text a, r1_text b) {
    size_t i = 0, k = 0;

    for (;;) {
        int32_t x = next_alphanumeric(a, &i), y = next_alphanumeric(b, &k);
        if (x != y)
            return 0;
        if (x < 0)
            return 1;
    }
}

/* ---- samples ---- */

double r1_shape_pass_at_k(int n, int c, int k) {
    double all_wrong = 1;

    for (int i = n - c + 1; i <= n; i++)
        all_wrong *= 1 - (double)k / i;
    return n - c < k ? 1 : 1 - all_wrong;
}
