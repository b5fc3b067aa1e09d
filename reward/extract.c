/* Answer extraction; see extract.h. */
#include "reward/extract.h"

#include <string.h>

r1_text r1_text_of(const char *s) {
    return (r1_text){.s = s ? s : "", .n = s ? strlen(s) : 0};
}

static int is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

r1_text r1_text_trim(r1_text t) {
    while (t.n && is_space(t.s[0])) {
        t.s++;
        t.n--;
    }
    while (t.n && is_space(t.s[t.n - 1]))
        t.n--;
    return t;
}

long r1_text_find(r1_text t, size_t from, const char *needle) {
    size_t m = strlen(needle);

    if (from > t.n || t.n - from < m)
        return -1;
    const char *hit = memmem(t.s + from, t.n - from, needle, m);
    return hit ? hit - t.s : -1;
}

long r1_text_find_last(r1_text t, const char *needle) {
    long last = -1;

    for (long at = r1_text_find(t, 0, needle); at >= 0;
         at = r1_text_find(t, (size_t)at + 1, needle))
        last = at;
    return last;
}

int r1_text_count(r1_text t, const char *needle) {
    int n = 0;

    for (long at = r1_text_find(t, 0, needle); at >= 0;
         at = r1_text_find(t, (size_t)at + strlen(needle), needle))
        n++;
    return n;
}

int r1_extract_boxed(r1_text t, r1_text *ret) {
    static const char open[] = "\\boxed{";
    long at = r1_text_find_last(t, open);
    int depth = 1;

    if (at < 0)
        return 0;
    size_t first = (size_t)at + sizeof open - 1;
    for (size_t i = first; i < t.n; i++) {
        depth += t.s[i] == '{';
        depth -= t.s[i] == '}';
        if (depth == 0) {
            *ret = (r1_text){t.s + first, i - first};
            return 1;
        }
    }
    return 0; /* never closed: no answer */
}

int r1_extract_tag(r1_text t, const char *tag, r1_text *ret) {
    char open[40], close[40];
    size_t n = strlen(tag);

    if (n > 32)
        return 0;
    memcpy(open + 1, tag, n);
    memcpy(close + 2, tag, n);
    open[0] = close[0] = '<';
    close[1] = '/';
    open[n + 1] = close[n + 2] = '>';
    open[n + 2] = close[n + 3] = '\0';
    long end = r1_text_find_last(t, close);
    if (end < 0)
        return 0;
    long at = r1_text_find_last((r1_text){t.s, (size_t)end}, open);
    if (at < 0)
        return 0;
    *ret = (r1_text){t.s + at + n + 2, (size_t)end - (size_t)at - n - 2};
    return 1;
}

int r1_extract_hash(r1_text t, r1_text *ret) {
    long at = r1_text_find_last(t, "####");

    if (at < 0)
        return 0;
    size_t first = (size_t)at + 4, end = first;
    while (end < t.n && t.s[end] != '\n')
        end++;
    *ret = (r1_text){t.s + first, end - first};
    return 1;
}
