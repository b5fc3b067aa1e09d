/* Answers that are words: names, days, yes and no, letters of choices (whose case counts). */
#include "reward/extract.h"
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
        if (t.n - i >= n && memcmp(t.s + i, names[k], n) == 0 &&
            !(is_alpha(names[k][n - 1]) && i + n < t.n && is_alpha(t.s[i + n])))
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

/* The end of 1st, 2nd, 3rd, 14th at i? */
static int is_ordinal(r1_text t, size_t i) {
    static const char *const ends[] = {"st", "nd", "rd", "th"};

    for (int k = 0; k < 4; k++)
        if (t.n - i >= 2 && memcmp(t.s + i, ends[k], 2) == 0 &&
            !(i + 2 < t.n && is_alpha(t.s[i + 2])))
            return 1;
    return 0;
}

/* Typographic quotation marks, of which the first byte was just read. */
static int is_quote(r1_text t, size_t *io_behind) {
    static const char *const quotes[] = {"\u201c", "\u201d", "\u201e"};

    for (int k = 0; k < 3; k++)
        if (t.n - (*io_behind - 1) >= 3 && memcmp(t.s + *io_behind - 1, quotes[k], 3) == 0) {
            *io_behind += 2;
            return 1;
        }
    return 0;
}

/* Letters and signs that count, words apart by one blank; in lower case if `fold`. */
static r1_text plain(r1_mctx *c, r1_text t, int fold) {
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
        if ((ch && strchr("{}$*`\"", ch)) || is_quote(t, &i))
            continue;
        if (ch == '.' && n && (s[n - 1] == 'a' || s[n - 1] == 'p') && i + 1 < t.n &&
            (t.s[i] == 'm' || t.s[i] == 'M')) /* a.m. */
            continue;
        if (n && s[n - 1] >= '0' && s[n - 1] <= '9' && is_ordinal(t, i - 1)) {
            i++; /* 14th */
            continue;
        }
        if (ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r' || ch == '~') {
            if (n && s[n - 1] != ' ')
                s[n++] = ' ';
            continue;
        }
        s[n++] = fold && ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch;
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

/* "(c)" -> "c", and "(c) 42" or "c) 42", an option with its text, if it names no other letter. */
static r1_text without_brackets(r1_text t, int option) {
    if (option && t.n > 3 && is_alpha(t.s[0]) && t.s[1] == ')' && t.s[2] == ' ' &&
        !memchr(t.s + 2, ')', t.n - 2))
        return (r1_text){t.s, 1};
    if (t.n < 3 || t.s[0] != '(' || t.s[2] != ')' || !is_alpha(t.s[1]))
        return t;
    for (size_t i = 3; option && i + 2 < t.n; i++)
        if (t.s[i] == '(' && is_alpha(t.s[i + 1]) && t.s[i + 2] == ')')
            return t;
    return t.n == 3 || (option && t.s[3] == ' ') ? (r1_text){t.s + 1, 1} : t;
}

/* ---- lists of words ---- */

#define MAX_PARTS 32

/* "alice, bob and carol" -> its parts; 0 if there are too many. */
static int split(r1_text t, r1_text *ret) {
    int n = 0;

    for (size_t first = 0, i = 0; i <= t.n; i++) {
        size_t width = i == t.n                                            ? 1
                       : t.n - i >= 6 && memcmp(t.s + i, ", and ", 6) == 0 ? 6
                       : t.n - i >= 5 && memcmp(t.s + i, " and ", 5) == 0  ? 5
                       : t.s[i] == ','                                     ? 1
                                                                           : 0;
        if (!width)
            continue;
        if (n == MAX_PARTS)
            return 0;
        ret[n++] = r1_text_trim((r1_text){t.s + first, i - first});
        i += width - 1;
        first = i + 1;
    }
    return n;
}

/* The same parts in any order. */
static int same_parts(r1_text a, r1_text b) {
    r1_text x[MAX_PARTS], y[MAX_PARTS];
    int n = split(a, x);

    if (n < 2 || split(b, y) != n)
        return 0;
    for (int i = 0; i < n; i++) {
        int j = i;
        while (j < n && !r1_text_same(x[i], y[j]))
            j++;
        if (j == n)
            return 0;
        y[j] = y[i];
    }
    return 1;
}

int r1_text_agrees(r1_mctx *c, r1_text gold, r1_text pred) {
    r1_text g = without_brackets(plain(c, gold, 0), 0);

    if (g.n == 1) /* a letter is another one in the other case */
        return r1_text_same(g, without_brackets(plain(c, pred, 0), 1));
    g = without_article(plain(c, gold, 1));
    r1_text p = without_article(plain(c, pred, 1));

    return g.n > 0 && (r1_text_same(g, p) || same_parts(g, p));
}

int r1_text_says_none(r1_mctx *c, r1_text t) {
    static const char *const words[] = {"no solution",       "no solutions", "no real solution",
                                        "no real solutions", "empty set",    "no such number"};
    r1_text p = without_article(plain(c, t, 1));

    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (r1_text_is(p, words[k]))
            return 1;
    return 0;
}
