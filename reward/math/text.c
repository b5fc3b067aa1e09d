/* Answers that are words: names, days, yes and no, letters of choices. */
#include "reward/math/compare.h"

#include <string.h>

static int is_alpha(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int r1_text_is_wordy(r1_text raw, int words) {
    int letters = 0;

    for (size_t i = 0; i < raw.n; i++) {
        char c = raw.s[i];
        letters += is_alpha(c) || (unsigned char)c >= 0x80;
        if (!is_alpha(c) && !(c >= '0' && c <= '9') && (unsigned char)c < 0x80 &&
            !strchr(" .,'-:$", c))
            return 0;
    }
    return words >= 3 && letters >= 3;
}

/* Commands that only set letters or blanks. */
static size_t skip_command(r1_text t, size_t i) {
    static const char *const names[] = {"\\textbf", "\\textnormal", "\\text",   "\\mathrm",
                                        "\\mbox",   "\\mathbf",     "\\textit", "\\operatorname",
                                        "\\boxed",  "\\quad",       "\\left",   "\\right",
                                        "\\ ",      "\\,",          "\\;",      "\\!",
                                        "\\(",      "\\)",          "\\[",      "\\]"};

    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        size_t n = strlen(names[k]);
        if (t.n - i >= n && memcmp(t.s + i, names[k], n) == 0)
            return n;
    }
    return 0;
}

int r1_text_is_words(r1_text raw) {
    int depth = 0;

    for (size_t i = 0; i < raw.n; i++) {
        size_t skip = raw.s[i] == '\\' ? skip_command(raw, i) : 0;
        if (raw.s[i] == '\\' && !skip)
            return 0;
        i += skip ? skip - 1 : 0;
        depth += raw.s[i] == '{' ? 1 : raw.s[i] == '}' ? -1 : 0;
        if (depth < 0)
            return 0;
    }
    return depth == 0;
}

/* Letters and signs that count, words apart by one blank. */
static r1_text plain(r1_mctx *c, r1_text t) {
    char *s = r1_mctx_take(c, t.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < t.n;) {
        size_t skip = t.s[i] == '\\' ? skip_command(t, i) : 0;
        char ch = t.s[i];
        if (skip) {
            i += skip;
            ch = skip <= 2 || skip == 5 ? ' ' : '{';
        } else {
            i++;
        }
        if (ch == '{' || ch == '}' || ch == '$')
            continue;
        if (ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r' || ch == '~') {
            if (n && s[n - 1] != ' ')
                s[n++] = ' ';
            continue;
        }
        s[n++] = ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch;
    }
    while (n && strchr(" .,;:!", s[n - 1]))
        n--;
    return (r1_text){s, n};
}

static r1_text without_article(r1_text t) {
    static const char *const articles[] = {"the ", "a ", "an "};

    for (int k = 0; k < 3; k++) {
        size_t n = strlen(articles[k]);
        if (t.n > n && memcmp(t.s, articles[k], n) == 0)
            return (r1_text){t.s + n, t.n - n};
    }
    return t;
}

/* "(c)" -> "c" */
static r1_text without_brackets(r1_text t) {
    if (t.n == 3 && t.s[0] == '(' && t.s[2] == ')')
        return (r1_text){t.s + 1, 1};
    return t;
}

int r1_text_agrees(r1_mctx *c, r1_text gold, r1_text pred) {
    r1_text g = without_brackets(without_article(plain(c, gold))),
            p = without_brackets(without_article(plain(c, pred)));

    return g.n > 0 && r1_text_same(g, p);
}
