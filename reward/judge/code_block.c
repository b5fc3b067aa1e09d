/* Fenced code; see code_block.h. */
#include "reward/judge/code_block.h"

#include <string.h>

typedef struct fence {
    char mark;
    size_t n;
    r1_text tag; /* its first word */
} fence;

static int is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/* Is this line a fence? */
static int read_fence(r1_text line, fence *ret) {
    size_t i = 0;

    while (i < line.n && i < 3 && line.s[i] == ' ')
        i++;
    if (i == line.n || (line.s[i] != '`' && line.s[i] != '~'))
        return 0;
    *ret = (fence){.mark = line.s[i]};
    while (i < line.n && line.s[i] == ret->mark) {
        i++;
        ret->n++;
    }
    while (i < line.n && is_blank(line.s[i]))
        i++;
    size_t first = i;
    while (i < line.n && !is_blank(line.s[i]) && line.s[i] != '{')
        i++;
    ret->tag = (r1_text){line.s + first, i - first};
    /* ```x``` in running text is no fence */
    return ret->n >= 3 && !(ret->mark == '`' && memchr(ret->tag.s, '`', ret->tag.n));
}

int r1_code_block(r1_text t, r1_language language, r1_text *ret) {
    r1_text tagged = {NULL, 0}, bare = {NULL, 0};
    fence open = {0}, f;
    size_t first = 0;

    for (size_t at = 0; at < t.n;) {
        const char *nl = memchr(t.s + at, '\n', t.n - at);
        size_t end = nl ? (size_t)(nl - t.s) : t.n;
        r1_text line = {t.s + at, end - at};
        int is = read_fence(line, &f);
        if (is && !open.n) {
            open = f;
            first = nl ? end + 1 : t.n;
        } else if (is && f.mark == open.mark && f.n >= open.n && f.tag.n == 0) {
            r1_text block = {t.s + first, at - first};
            r1_language l;
            if (open.tag.n == 0)
                bare = block;
            else if (r1_language_parse(open.tag.s, open.tag.n, &l) && l == language)
                tagged = block;
            open.n = 0;
        }
        at = end + 1;
    }
    if (open.n || !(tagged.s || bare.s))
        return 0;
    *ret = tagged.s ? tagged : bare;
    return 1;
}
