/* Signs of reconsidering; see reflect.h. */
#include "reward/reflect.h"

#include "reward/extract.h"
#include "reward/prose.h"

#include <string.h>

static unsigned char lower(char c) {
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static unsigned char upper(char c) {
    return (unsigned char)(c >= 'a' && c <= 'z' ? c & ~0x20 : c);
}

r1_status r1_reflection_init(r1_reflection_words *w, const char *const *words, int n, r1_err *err) {
    *w = (r1_reflection_words){.n = n};
    if (n > R1_REFLECTION_WORDS_MAX)
        return R1_FAIL(err, R1_USAGE, "%d words of reflection, at most %d", n,
                       R1_REFLECTION_WORDS_MAX);
    for (int i = 0; i < n; i++) {
        if (!*words[i])
            return R1_FAIL(err, R1_USAGE, "a word of reflection is empty");
        w->word[i].s = words[i];
        w->word[i].n = strlen(words[i]);
        w->starts[lower(*words[i])] |= 1ull << i;
        w->starts[upper(*words[i])] |= 1ull << i;
    }
    return R1_OK;
}

static int is_latin(r1_text t, size_t i) {
    size_t width;

    return r1_script_of(r1_utf8_at(t, i, &width)) == R1_SCRIPT_LATIN;
}

/* Is there a letter of the Latin script right before i? */
static int is_latin_before(r1_text t, size_t i) {
    size_t k = i;

    while (k > 0 && i - k < 4) {
        k--;
        if (((unsigned char)t.s[k] & 0xc0) != 0x80)
            return is_latin(t, k);
    }
    return 0;
}

static int matches(r1_text t, size_t i, const char *word, size_t n) {
    if (t.n - i < n)
        return 0;
    for (size_t k = 0; k < n; k++)
        if (lower(t.s[i + k]) != lower(word[k]))
            return 0;
    r1_text own = {word, n};
    if (is_latin(own, 0) && is_latin_before(t, i))
        return 0;
    return !is_latin_before(own, n) || i + n == t.n || !is_latin(t, i + n);
}

int r1_reflections(const r1_reflection_words *w, r1_text t) {
    int found = 0;

    for (size_t i = 0; i < t.n;) {
        size_t longest = 0;
        for (uint64_t may = w->starts[(unsigned char)t.s[i]]; may; may &= may - 1) {
            int k = __builtin_ctzll(may);
            if (w->word[k].n > longest && matches(t, i, w->word[k].s, w->word[k].n))
                longest = w->word[k].n;
        }
        found += longest > 0;
        i += longest ? longest : 1;
    }
    return found;
}

#define ANNOUNCED_MAX 512 /* bytes of an answer that are looked at */

/* The answer that is announced at i: what is in a box, or behind a phrase up to the end of the line
 * or sentence.  *ret_end is behind it; 0: none is. */
static int announced_at(r1_text t, size_t i, r1_text *ret, size_t *ret_end) {
    static const char *const phrases[] = {"\\boxed{", "answer is",
                                          "answer:", "\xe7\xad\x94\xe6\xa1\x88\xe6\x98\xaf"};
    size_t k = 0, n = 0;

    for (; k < sizeof phrases / sizeof *phrases; k++) {
        n = strlen(phrases[k]);
        if (t.n - i >= n && memcmp(t.s + i, phrases[k], n) == 0)
            break;
    }
    if (k == sizeof phrases / sizeof *phrases)
        return 0;
    size_t from = i + n, end = from;
    for (int depth = k == 0; end < t.n && t.s[end] != '\n' && end - from < ANNOUNCED_MAX; end++) {
        depth += t.s[end] == '{';
        depth -= t.s[end] == '}';
        if (k == 0 ? depth == 0 : t.s[end] == '.' && (end + 1 == t.n || t.s[end + 1] <= ' '))
            break;
    }
    *ret = r1_text_trim((r1_text){t.s + from, end - from});
    if (k && r1_text_find(*ret, 0, "\\boxed{") >= 0)
        return 0; /* the box says it */
    while (k && ret->n && (ret->s[0] == ':' || ret->s[0] == ' ' || ret->s[0] == '*'))
        *ret = (r1_text){ret->s + 1, ret->n - 1};
    *ret_end = end;
    return ret->n > 0;
}

int r1_answer_changed(r1_text t) {
    r1_text last = {NULL, 0}, answer;
    size_t end;

    for (size_t i = 0; i < t.n; i++) {
        if (!memchr("\\a\xe7", t.s[i], 3) || !announced_at(t, i, &answer, &end))
            continue;
        if (last.s && (last.n != answer.n || memcmp(last.s, answer.s, answer.n) != 0))
            return 1;
        last = answer;
        i = end > i ? end - 1 : i;
    }
    return 0;
}

int r1_text_chars(r1_text t) {
    int n = 0;

    for (size_t i = 0; i < t.n; i++)
        n += ((unsigned char)t.s[i] & 0xc0) != 0x80;
    return n;
}
