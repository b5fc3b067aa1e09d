/* Text -> words that belong to a language; see prose.h. */
#include "reward/prose.h"

#include "reward/extract.h"

#include <string.h>
#include <utf8proc.h>

int32_t r1_utf8_at(r1_text t, size_t i, size_t *ret_width) {
    utf8proc_int32_t code;
    size_t rest = t.n - i < 4 ? t.n - i : 4;
    utf8proc_ssize_t n =
        utf8proc_iterate((const utf8proc_uint8_t *)t.s + i, (utf8proc_ssize_t)rest, &code);

    *ret_width = n > 0 ? (size_t)n : 1;
    return n > 0 ? code : 0xfffd;
}

/* Blocks of the Unicode standard whose letters are of one script; in order. */
static const struct {
    int32_t first, last;
    r1_script script;
} blocks[] = {
    {0x0041, 0x024f, R1_SCRIPT_LATIN},  {0x0250, 0x02af, R1_SCRIPT_LATIN},
    {0x0370, 0x03ff, R1_SCRIPT_GREEK},  {0x0400, 0x052f, R1_SCRIPT_CYRILLIC},
    {0x0590, 0x05ff, R1_SCRIPT_HEBREW}, {0x0600, 0x06ff, R1_SCRIPT_ARABIC},
    {0x0750, 0x077f, R1_SCRIPT_ARABIC}, {0x0900, 0x097f, R1_SCRIPT_DEVANAGARI},
    {0x0e00, 0x0e7f, R1_SCRIPT_THAI},   {0x1100, 0x11ff, R1_SCRIPT_HANGUL},
    {0x1e00, 0x1eff, R1_SCRIPT_LATIN},  {0x1f00, 0x1fff, R1_SCRIPT_GREEK},
    {0x3005, 0x3007, R1_SCRIPT_HAN},    {0x3040, 0x30ff, R1_SCRIPT_KANA},
    {0x3130, 0x318f, R1_SCRIPT_HANGUL}, {0x31f0, 0x31ff, R1_SCRIPT_KANA},
    {0x3400, 0x4dbf, R1_SCRIPT_HAN},    {0x4e00, 0x9fff, R1_SCRIPT_HAN},
    {0xac00, 0xd7af, R1_SCRIPT_HANGUL}, {0xf900, 0xfaff, R1_SCRIPT_HAN},
    {0xfb50, 0xfdff, R1_SCRIPT_ARABIC}, {0xfe70, 0xfeff, R1_SCRIPT_ARABIC},
    {0xff21, 0xff5a, R1_SCRIPT_LATIN},  {0xff66, 0xff9d, R1_SCRIPT_KANA},
    {0x20000, 0x323af, R1_SCRIPT_HAN},
};

/* Letters, and the marks that belong to them. */
static int is_letter(int32_t code) {
    if (code < 0x80)
        return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');
    utf8proc_category_t c = utf8proc_category(code);
    return (c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_ME) || code == 0x3007;
}

r1_script r1_script_of(int32_t code) {
    if (!is_letter(code))
        return R1_N_SCRIPTS;
    for (size_t k = 0; k < sizeof blocks / sizeof *blocks; k++)
        if (code >= blocks[k].first && code <= blocks[k].last)
            return blocks[k].script;
    return R1_SCRIPT_OTHER;
}

/* ---- what is no language ---- */

#define BOXED_MAX 512

static int starts(r1_text t, size_t i, const char *s) {
    size_t n = strlen(s);

    return t.n - i >= n && memcmp(t.s + i, s, n) == 0;
}

static int is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Behind the next `close`; where there is none, the mark at i is text like any other, and
 * `unclosed` remembers that for all that follow.  A mark of one line needs its partner in the
 * paragraph. */
typedef enum closing {
    FENCE,
    SPAN,
    DOLLARS,
    ROUND,
    SQUARE,
} closing;

static size_t behind(r1_prose *p, closing which) {
    static const char *const opens[] = {"```", "`", "$$", "\\(", "\\["}, *const closes[] = {
                                                                             "```", "`", "$$",
                                                                             "\\)", "\\]"};
    size_t from = p->i + strlen(opens[which]);
    long end = p->unclosed >> which & 1 ? -1 : r1_text_find(p->t, from, closes[which]);

    if (end < 0)
        p->unclosed |= 1u << which;
    if (end < 0 ||
        (which == SPAN && r1_text_find((r1_text){p->t.s, (size_t)end}, from, "\n\n") >= 0))
        return from;
    return (size_t)end + strlen(closes[which]);
}

/* $..$: as in pandoc, the opening sign has no blank behind it, the closing one none before it and
 * no digit behind it, so that prices are no mathematics. */
static size_t skip_dollar(r1_prose *p) {
    r1_text t = p->t;
    size_t i = p->i;

    if (starts(t, i, "$$"))
        return behind(p, DOLLARS);
    if (i + 1 >= t.n || is_blank(t.s[i + 1]))
        return i + 1;
    for (size_t k = i + 1; k < t.n && !starts(t, k, "\n\n"); k++) {
        if (t.s[k] == '\\')
            k++;
        else if (t.s[k] == '$')
            return is_blank(t.s[k - 1]) || (k + 1 < t.n && t.s[k + 1] >= '0' && t.s[k + 1] <= '9')
                       ? i + 1
                       : k + 1;
    }
    return i + 1;
}

/* A command's name; with \boxed its braces too, if what is in them is as short as answers are. */
static size_t skip_command(r1_prose *p) {
    r1_text t = p->t;
    size_t i = p->i, k = i + 1;
    int depth = 0;

    if (starts(t, i, "\\("))
        return behind(p, ROUND);
    if (starts(t, i, "\\["))
        return behind(p, SQUARE);
    while (k < t.n && ((t.s[k] >= 'a' && t.s[k] <= 'z') || (t.s[k] >= 'A' && t.s[k] <= 'Z')))
        k++;
    if (!starts(t, i, "\\boxed{"))
        return k;
    for (size_t end = k; end < t.n && end - k < BOXED_MAX; end++) {
        depth += t.s[end] == '{';
        depth -= t.s[end] == '}';
        if (depth == 0)
            return end + 1;
    }
    return k;
}

/* <think>, </answer>, <br/>: a name in angle brackets. */
static size_t skip_tag(r1_text t, size_t i) {
    size_t k = i + 1;

    k += k < t.n && t.s[k] == '/';
    size_t name = k;
    while (k < t.n && k - i < 64 && r1_script_of((unsigned char)t.s[k]) == R1_SCRIPT_LATIN)
        k++;
    if (k == name)
        return i + 1;
    while (k < t.n && k - i < 64 && t.s[k] != '>' && t.s[k] != '<' && t.s[k] != '\n')
        k++;
    return k < t.n && t.s[k] == '>' ? k + 1 : i + 1;
}

/* Behind what starts at i and is no language; i: it is. */
static size_t skip_foreign(r1_prose *p) {
    r1_text t = p->t;
    size_t i = p->i;

    switch (t.s[i]) {
    case '`':
        return behind(p, starts(t, i, "```") ? FENCE : SPAN);
    case '$':
        return skip_dollar(p);
    case '\\':
        return skip_command(p);
    case '<':
        return skip_tag(t, i);
    case 'h':
    case 'w':
        if (!starts(t, i, "http://") && !starts(t, i, "https://") && !starts(t, i, "www."))
            return i;
        while (i < t.n && !is_blank(t.s[i]))
            i++;
        return i;
    default:
        return i;
    }
}

/* ---- words ---- */

void r1_prose_start(r1_prose *p, r1_text t) {
    *p = (r1_prose){.t = t, .blank = 1, .last_script = R1_N_SCRIPTS};
}

/* Scripts that are written in single letters as variables are: one letter is no word. */
static int has_variables(r1_script s) {
    return s == R1_SCRIPT_LATIN || s == R1_SCRIPT_GREEK || s == R1_SCRIPT_CYRILLIC;
}

static int ends_sentence(int32_t code) {
    return code == '.' || code == '!' || code == '?' || code == ';' || code == '\n' ||
           code == 0x3002 || code == 0xff01 || code == 0xff1f || code == 0xff1b;
}

static int is_digit(int32_t code) {
    return (code >= '0' && code <= '9') || code == '_';
}

/* The letters at p->i, with apostrophes and hyphens between them; digits that touch them make them
 * a name, which is no word.  Leaves p->i behind. */
static int take_word(r1_prose *p, r1_script script, r1_word *w) {
    size_t from = p->i, end = from, width;
    int chars = 0, digits = has_variables(script) && from > 0 && is_digit(p->t.s[from - 1]);

    while (p->i < p->t.n) {
        int32_t code = r1_utf8_at(p->t, p->i, &width);
        if (is_digit(code) && has_variables(script)) {
            digits = 1;
        } else if (r1_script_of(code) == script) {
            chars++;
        } else if (p->i == end && (code == '\'' || code == '-' || code == 0x2019)) {
            p->i += width; /* part of the word if a letter follows */
            continue;
        } else {
            break;
        }
        p->i += width;
        end = p->i;
    }
    p->i = end;
    if (digits || (chars == 1 && has_variables(script)))
        return 0;
    *w = (r1_word){.text = {p->t.s + from, end - from},
                   .script = script,
                   .chars = chars,
                   .new_token = p->blank || p->last_script != (int)script,
                   .sentence = p->sentence};
    p->blank = 0;
    p->last_script = (int)script;
    return 1;
}

int r1_prose_next(r1_prose *p, r1_word *ret) {
    while (p->i < p->t.n) {
        size_t width, next = skip_foreign(p);
        if (next > p->i) {
            p->i = next;
            continue;
        }
        int32_t code = r1_utf8_at(p->t, p->i, &width);
        r1_script script = r1_script_of(code);
        if (script != R1_N_SCRIPTS) {
            if (take_word(p, script, ret))
                return 1;
            continue;
        }
        if (is_blank(p->t.s[p->i]) || code == 0x3000 || code == 0xa0) {
            p->blank = 1;
            p->last_script = R1_N_SCRIPTS;
        }
        p->sentence += ends_sentence(code);
        p->i += width;
    }
    return 0;
}
