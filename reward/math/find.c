/* Extraction; see find.h. */
#include "reward/math/find.h"

#include "reward/extract.h"
#include "reward/math/units.h"

#include <string.h>
#include <strings.h>

#define SEPARATOR_BYTES 70
#define MAX_BOXES       32

static int at(r1_text t, size_t i, const char *what) {
    size_t n = strlen(what);
    return i <= t.n && t.n - i >= n && memcmp(t.s + i, what, n) == 0;
}

static r1_text span(r1_text t, size_t from, size_t to) {
    return (r1_text){t.s + from, to - from};
}

static int is_alpha(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* ---- boxes ---- */

static const char *const boxes[] = {"\\boxed", "\\fbox", "\\framebox"};

/* Length of a box command at i, 0 if there is none. */
static size_t box_at(r1_text t, size_t i) {
    for (int k = 0; k < 3; k++) {
        size_t n = strlen(boxes[k]);
        if (at(t, i, boxes[k]) && !(i + n < t.n && is_alpha(t.s[i + n])))
            return n;
    }
    return 0;
}

/* The brace that closes the one at `open`; 0 if none does. */
static size_t closing(r1_text t, size_t open) {
    int depth = 0;

    for (size_t i = open; i < t.n; i++) {
        if (t.s[i] == '\\') {
            i++;
            continue;
        }
        depth += t.s[i] == '{' ? 1 : t.s[i] == '}' ? -1 : 0;
        if (depth == 0)
            return i;
    }
    return 0;
}

static int escaped(r1_text t, size_t i) {
    size_t n = 0;

    while (n < i && t.s[i - 1 - n] == '\\')
        n++;
    return n % 2;
}

/* The box that ends with the brace at `close`: where its command begins, or -1. */
static long box_before(r1_text t, size_t close, size_t *ret_first) {
    size_t least = close > R1_MATH_ANSWER_BYTES ? close - R1_MATH_ANSWER_BYTES : 0;
    int depth = 0;

    for (size_t i = close + 1; i-- > least;) {
        if ((t.s[i] != '{' && t.s[i] != '}') || escaped(t, i))
            continue;
        depth += t.s[i] == '}' ? 1 : -1;
        if (depth)
            continue;
        *ret_first = i + 1;
        for (int k = 0; k < 3; k++) {
            size_t n = strlen(boxes[k]);
            if (i >= n && at(t, i - n, boxes[k]))
                return (long)(i - n);
        }
        return -1;
    }
    return -1;
}

/* Only blanks, dollars, commas, "and", "or" and their LaTeX forms? */
static int only_separators(r1_text t) {
    static const char *const words[] = {
        "\\quad",       "\\qquad", "\\text{and}", "\\text{or}", "\\text{ and }",
        "\\text{ or }", "and",     "or",          "\\(",        "\\)",
        "\\[",          "\\]",     "\\,",         "\\;",        "\\ "};

    if (t.n > SEPARATOR_BYTES)
        return 0;
    for (size_t i = 0; i < t.n;) {
        size_t n = strchr(" \t\r\n$,;", t.s[i]) && t.s[i] ? 1 : 0;
        for (size_t k = 0; !n && k < sizeof words / sizeof *words; k++)
            n = at(t, i, words[k]) ? strlen(words[k]) : 0;
        if (n == 0)
            return 0;
        i += n;
    }
    return 1;
}

/* Where the "x_1 =" begins that stands before a box at i; else i. */
static size_t before_name(r1_text t, size_t i) {
    size_t k = i;

    while (k > 0 && t.s[k - 1] == ' ')
        k--;
    if (k == 0 || t.s[k - 1] != '=')
        return i;
    for (k--; k > 0 && t.s[k - 1] == ' ';)
        k--;
    if (k > 0 && t.s[k - 1] == '}')
        while (k > 0 && t.s[k - 1] != '{')
            k--;
    while (k > 0 && (is_digit(t.s[k - 1]) || t.s[k - 1] == '{' || t.s[k - 1] == '_'))
        k--;
    return k > 0 && is_alpha(t.s[k - 1]) && !(k > 1 && is_alpha(t.s[k - 2])) ? k - 1 : i;
}

/* The word behind a number, formula or box that belongs to it: percent, million and the like, and
 * if `any` a unit; empty if there is none. */
static r1_text word_behind(r1_text t, size_t i, int any) {
    static const char *const between[] = {" ",   "$",   "~",       "\\)",       "\\]",      "\\,",
                                          "\\ ", "\\;", "\\text{", "\\mathrm{", "\\textbf{"};

    for (size_t k = 0; k < sizeof between / sizeof *between; k++)
        if (at(t, i, between[k])) {
            i += strlen(between[k]);
            k = (size_t)-1;
        }
    size_t end = i;
    if (at(t, i, "\\%") || at(t, i, "%"))
        return r1_text_of("\\%");
    while (end < t.n && is_alpha(t.s[end]))
        end++;
    r1_text word = span(t, i, end);
    const r1_unit *u = word.n >= 2 ? r1_unit_find(word) : NULL;
    int counts = r1_unit_magnitude(word) != NULL || (u && u->measures == '%');
    return counts || (any && u && !r1_text_is(word, "in")) ? word : r1_text_of("");
}

static long last_box(r1_text t, size_t *ret_width) {
    for (size_t end = t.n; end > 0;) {
        const char *hit = memrchr(t.s, '\\', end);
        if (!hit)
            return -1;
        end = (size_t)(hit - t.s);
        if ((*ret_width = box_at(t, end)) > 0)
            return (long)end;
    }
    return -1;
}

/* 1 found, 0 no box, -1 one that is not closed. */
static int find_box(r1_mctx *c, r1_text t, r1_text *ret) {
    r1_text parts[MAX_BOXES];
    size_t width, first;
    int n = 0;
    long box = last_box(t, &width);

    if (box < 0)
        return 0;
    size_t i = (size_t)box + width;
    while (i < t.n && t.s[i] == ' ')
        i++;
    if (i < t.n && t.s[i] != '{') { /* \boxed 5 */
        size_t end = i;
        while (end < t.n && is_digit(t.s[end]))
            end++;
        *ret = span(t, i, end > i ? end : i + 1);
        return is_digit(t.s[i]) || is_alpha(t.s[i]) ? 1 : -1;
    }
    size_t close = i < t.n ? closing(t, i) : 0;
    if (!close)
        return -1;
    parts[n++] = span(t, i + 1, close);
    r1_text unit = word_behind(t, close + 1, 1);
    for (size_t begin = before_name(t, (size_t)box); n < MAX_BOXES && begin > 0;) {
        size_t k = begin;
        while (k > 0 && t.s[k - 1] != '}')
            k--;
        /* \text{and} ends in a brace too: go on before it */
        while (k > 0 && k + SEPARATOR_BYTES > begin && box_before(t, k - 1, &first) < 0 &&
               only_separators(span(t, k, begin))) {
            size_t j = k - 1;
            while (j > 0 && t.s[j - 1] != '}')
                j--;
            if (j == 0)
                break;
            k = j;
        }
        if (k == 0 || !only_separators(span(t, k, begin)))
            break;
        long b = box_before(t, k - 1, &first);
        if (b < 0)
            break;
        parts[n++] = span(t, first, k - 1);
        begin = before_name(t, (size_t)b);
    }
    int same = n > 1; /* an answer that is repeated is one */
    for (int k = 1; k < n; k++)
        same &= r1_text_same(r1_text_trim(parts[k]), r1_text_trim(parts[0]));
    n = same ? 1 : n;
    *ret = parts[--n];
    while (n > 0) {
        r1_text next = parts[--n];
        *ret = r1_mctx_format(c, "%.*s, %.*s", (int)ret->n, ret->s, (int)next.n, next.s);
    }
    if (unit.n)
        *ret = r1_mctx_format(c, "%.*s %.*s", (int)ret->n, ret->s, (int)unit.n, unit.s);
    return 1;
}

/* ---- phrases ---- */

static size_t skip(r1_text t, size_t i, const char *set) {
    while (i < t.n && t.s[i] && strchr(set, t.s[i]))
        i++;
    return i;
}

/* The first of the words that stands at i and ends there: its length, or 0. */
static size_t one_of(r1_text t, size_t i, const char *const *words) {
    for (; *words; words++) {
        size_t n = strlen(*words);
        if (at(t, i, *words) && !(is_alpha((*words)[n - 1]) && i + n < t.n && is_alpha(t.s[i + n])))
            return n;
    }
    return 0;
}

/* Behind "answer is", "answer must be", "answer:", "answer =" at i; 0 if it is none; -1 if it says
 * what the answer is not. */
static long phrase_at(r1_text t, size_t i) {
    static const char *const says[] = {"is:",       "is",      "was",     "are",      ":",
                                       "=",         "must be", "will be", "would be", "should be",
                                       "has to be", "must",    NULL};
    static const char *const denies[] = {"isn't",      "isn\u2019t", "can't",   "can\u2019t",
                                         "can not",    "cannot",     "may not", "could not",
                                         "should not", NULL};
    static const char *const nots[] = {"not", "never", NULL};

    i += strlen("nswer");
    i += i < t.n && t.s[i] == 's';
    i = skip(t, i, " *");
    if (one_of(t, i, denies))
        return -1;
    size_t n = one_of(t, i, says);
    if (n && one_of(t, skip(t, i + n, " *_"), nots))
        return -1;
    return n ? (long)skip(t, i + n, " *\n:") : 0;
}

/* Behind the last phrase; 0 if there is none; -1 if it says what the answer is not. */
static long last_phrase(r1_text t) {
    static const char *const chinese[] = {"答案是", "答案为", "答案：", "答案:"};
    long best = 0;

    for (long i = r1_text_find(t, 0, "nswer"); i >= 0;
         i = r1_text_find(t, (size_t)i + 1, "nswer")) {
        long behind =
            i > 0 && (t.s[i - 1] == 'a' || t.s[i - 1] == 'A') ? phrase_at(t, (size_t)i) : 0;
        best = behind ? behind : best;
    }
    for (size_t k = 0; k < 4; k++) {
        long i = r1_text_find_last(t, chinese[k]);
        if (i >= 0 && i + (long)strlen(chinese[k]) > best)
            best = i + (long)strlen(chinese[k]);
    }
    return best;
}

/* What opens a formula and what closes it. */
static const struct formula {
    const char *open, *close;
} formulas[] = {{"$$", "$$"}, {"$", "$"}, {"\\(", "\\)"}, {"\\[", "\\]"}, {"**", "**"}};
#define N_FORMULAS 5

/* The kind of formula that opens at i, or -1. */
static int opens_formula(r1_text t, size_t i) {
    if (t.s[i] != '$' && t.s[i] != '\\' && t.s[i] != '*')
        return -1;
    for (int k = 0; k < N_FORMULAS; k++)
        if (at(t, i, formulas[k].open))
            return k;
    return -1;
}

/* Does a clause begin at i that says more about the answer than what it is? */
static int says_why(r1_text t, size_t i) {
    static const char *const clauses[] = {", not ",   ", because ", ", since ", ", which ",
                                          ", as ",    ", where ",   ", but ",   ", so ",
                                          ", while ", " because ",  " since ",  NULL};
    return one_of(t, i, clauses) != 0;
}

/* Up to the end of the clause, sentence, line or formula that begins at i. */
static r1_text sentence(r1_text t, size_t i) {
    int kind = i < t.n ? opens_formula(t, i) : -1;
    const char *close = kind < 0 ? "" : formulas[kind].close;
    long end = kind < 0 ? -1 : r1_text_find(t, i + strlen(close), close);

    if (end >= 0 && close[0] != '*') {
        size_t k = (size_t)end + strlen(close), word;
        word = skip(t, k, " ");
        r1_text unit = word_behind(t, k, 1);
        if (unit.n && word + unit.n <= t.n && memcmp(t.s + word, unit.s, unit.n) == 0)
            return span(t, i, word + unit.n);
        return span(t, i, k);
    }
    for (size_t k = i; k < t.n; k++) {
        if (t.s[k] == '\n' || at(t, k, "。") || says_why(t, k))
            return span(t, i, k);
        if (t.s[k] == '.' && (k + 1 == t.n || t.s[k + 1] == ' ' || t.s[k + 1] == '\n'))
            return span(t, i, k);
    }
    return span(t, i, t.n);
}

/* ---- the last formula, bold text or number ---- */

static r1_text strip(r1_text t) {
    t = r1_text_trim(t);
    while (t.n && (t.s[0] == '*' || t.s[0] == ' '))
        t = span(t, 1, t.n);
    while (t.n && strchr("* .,;:!", t.s[t.n - 1]) && t.s[t.n - 1] &&
           !(t.n > 1 && t.s[t.n - 2] == '\\'))
        t.n--;
    return t;
}

/* Where a typographic minus or the word begins that stands before the number at i; else i. */
static size_t minus_before(r1_text t, size_t i) {
    static const char *const signs[] = {"\u2212",    "\u2013", "minus ",
                                        "negative ", "Minus ", "Negative "};

    if (i == 0 || (t.s[i - 1] != ' ' && (unsigned char)t.s[i - 1] < 0x80))
        return i;
    for (size_t k = 0; k < sizeof signs / sizeof *signs; k++) {
        size_t n = strlen(signs[k]);
        if (i >= n && at(t, i - n, signs[k]))
            return i - n;
    }
    return i;
}

static size_t number_end(r1_text t, size_t end) {
    while (end < t.n && (is_digit(t.s[end]) ||
                         (end + 1 < t.n && strchr(".,/:", t.s[end]) && is_digit(t.s[end + 1]))))
        end++;
    return end + (at(t, end, "%") ? 1 : at(t, end, "\\%") ? 2 : 0);
}

/* A number with what may belong to it: sign, money, thousands, point, fraction, percent. */
static r1_text number_at(r1_text t, size_t first) {
    size_t i = first;

    size_t minus = minus_before(t, first);
    if (minus < first && (minus == 0 || strchr(" \n(=:,$", t.s[minus - 1])))
        return span(t, minus, number_end(t, first));
    while (i > 0 && strchr("+-$", t.s[i - 1]))
        i--;
    if (i + 1 < first && t.s[i] == '$' && t.s[i + 1] == '$')
        i = first;
    if (i > 0 && !strchr(" \n(=:,", t.s[i - 1]) && i < first && t.s[i] != '$')
        i = first; /* 3-2: the sign belongs to the text before */
    return span(t, i, number_end(t, first));
}

/* The formula that opens at i; 0 if none does.  A kind that is not closed once is not closed
 * behind it either, so it is looked for no more. */
static int formula_at(r1_text t, size_t i, int *io_open, r1_text *ret, size_t *ret_end) {
    int k = i > 0 && t.s[i - 1] == '\\' ? -1 : opens_formula(t, i);

    if (k < 0 || io_open[k])
        return 0;
    size_t width = strlen(formulas[k].open);
    long end = r1_text_find(t, i + width, formulas[k].close);
    io_open[k] = end < 0;
    if (end < 0 || (k != 2 && k != 3 && end - (long)i >= R1_MATH_ANSWER_BYTES))
        return 0;
    *ret = span(t, i + width, (size_t)end);
    *ret_end = (size_t)end + width;
    int money = k == 1 && memchr(ret->s, '\n', ret->n); /* two prices on two lines */
    return r1_text_trim(*ret).n > 0 && !money;
}

/* Does "and" or "or" stand between two answers, and nothing else but a comma? */
static int says_more(r1_text t) {
    return t.n >= strlen("or") && t.n <= SEPARATOR_BYTES &&
           (r1_text_find(t, 0, "and") >= 0 || r1_text_find(t, 0, "or") >= 0) && only_separators(t);
}

/* Bare values, or values of one name: $x = 2$ and $x = 3$. */
static int same_name(r1_text a, r1_text b) {
    const char *equals_a = memchr(a.s, '=', a.n), *equals_b = memchr(b.s, '=', b.n);

    if (!equals_a || !equals_b)
        return !equals_a && !equals_b;
    return r1_text_same(r1_text_trim((r1_text){a.s, (size_t)(equals_a - a.s)}),
                        r1_text_trim((r1_text){b.s, (size_t)(equals_b - b.s)}));
}

/* Values that are one answer: the last formula or number and those before it that "and" or "or"
 * joins to it. */
typedef struct chain {
    r1_text value[MAX_BOXES];
    size_t end[MAX_BOXES]; /* in the text */
    int or [MAX_BOXES];    /* "or" joins it to the one before */
    int n;
} chain;

static void add_value(r1_text t, chain *x, r1_text value, size_t first, size_t end) {
    size_t behind = x->n ? x->end[x->n - 1] : 0;
    int joins = x->n && x->n < MAX_BOXES && first > behind && says_more(span(t, behind, first)) &&
                same_name(x->value[x->n - 1], value);

    x->n = joins ? x->n : 0;
    x->or [x->n] = joins && r1_text_find(span(t, behind, first), 0, "or") >= 0;
    x->value[x->n] = value;
    x->end[x->n++] = end;
}

/* One pass; formulas that are opened and not closed are text. */
static int last_formula(r1_mctx *c, r1_text t, r1_text *ret) {
    int open[N_FORMULAS] = {0};
    size_t end;
    chain x = {.n = 0};

    for (size_t i = 0; i < t.n;) {
        r1_text value;
        size_t first = i;
        if (!formula_at(t, i, open, &value, &end)) {
            if (!(is_digit(t.s[i]) || (t.s[i] == '.' && i + 1 < t.n && is_digit(t.s[i + 1])))) {
                i++;
                continue;
            }
            value = number_at(t, i);
            first = (size_t)(value.s - t.s);
            end = first + value.n;
        }
        add_value(t, &x, value, first, end);
        i = end;
    }
    for (int k = 0; k < x.n; k++) {
        r1_text value = x.value[k], word = word_behind(t, x.end[k], 0);
        if (word.n)
            value = r1_mctx_format(c, "%.*s %.*s", (int)value.n, value.s, (int)word.n, word.s);
        *ret = k ? r1_mctx_format(c, "%.*s%s %.*s", (int)ret->n, ret->s, x.or [k] ? " or" : ",",
                                  (int)value.n, value.s)
                 : value;
    }
    return x.n > 0;
}

/* A text that is an answer from end to end: short, one line, no words. */
static int is_answer(r1_mctx *c, r1_text t) {
    r1_reading reading = {0};

    if (t.n == 0 || t.n > R1_MATH_ANSWER_BYTES)
        return 0;
    return r1_math_read(c, t, &reading) != NULL && reading.words < 3;
}

static int last_of(r1_mctx *c, r1_text t, r1_text *ret) {
    r1_text whole = strip(t);

    if (is_answer(c, whole)) {
        *ret = whole;
        return 1;
    }
    if (!last_formula(c, t, ret))
        return 0;
    *ret = strip(*ret);
    return 1;
}

/* ---- the whole ---- */

/* 1 and what is behind the last thought (and anchor); 0 if that is asked for and absent. */
static int region(const r1_math_opts *o, r1_text question, r1_text response, r1_text *ret) {
    if (o->after_think && r1_text_find_last(response, "</think>") < 0)
        return 0;
    *ret = r1_extract_segment(question, response);
    if (o->anchor) {
        long i = r1_text_find_last(*ret, o->anchor);
        if (i < 0)
            return 0;
        *ret = span(*ret, (size_t)i + strlen(o->anchor), ret->n);
    }
    return 1;
}

static int find_tag(r1_mctx *c, r1_text t, r1_text *ret) {
    r1_place place = r1_extract_answer_tag(t, ret);
    r1_text box;

    if (place != R1_PLACE_ANSWER_TAG)
        return place == R1_PLACE_NONE ? 0 : -1;
    int boxed = find_box(c, *ret, &box);
    if (boxed)
        *ret = box;
    return boxed < 0 ? -1 : 1;
}

/* What stands behind the last phrase: 1 if there is one, -1 if it says nothing. */
static int said_in(r1_mctx *c, r1_text t, r1_text *ret) {
    long phrase = last_phrase(t);

    if (phrase <= 0)
        return (int)phrase;
    t = sentence(t, (size_t)phrase);
    if (last_of(c, t, ret))
        return 1;
    *ret = strip(t);
    return ret->n > 0 ? 1 : -1;
}

int r1_math_find(r1_mctx *c, const r1_math_opts *o, r1_text question, r1_text response,
                 r1_text *ret) {
    r1_text t;
    int found;

    if (!region(o, question, response, &t))
        return 0;
    if (o->answer_tag_only)
        return find_tag(c, t, ret) == 1;
    if ((found = find_box(c, t, ret)) != 0 || o->boxed_only)
        return found == 1;
    if ((found = find_tag(c, t, ret)) != 0 || o->strict)
        return found == 1 && (o->strict || said_in(c, *ret, ret) >= 0);
    if (r1_extract_hash(t, ret) == R1_PLACE_HASH)
        return said_in(c, *ret, ret) >= 0;
    return (found = said_in(c, t, ret)) ? found > 0 : last_of(c, t, ret);
}

/* **42**, `42`, "42": what is inside. */
static r1_text undecorated(r1_text t) {
    static const char *const marks[] = {"**", "`", "\"", "__"};

    t = r1_text_trim(t);
    for (size_t k = 0; k < sizeof marks / sizeof *marks; k++) {
        size_t n = strlen(marks[k]);
        if (t.n > 2 * n && at(t, 0, marks[k]) && at(t, t.n - n, marks[k]))
            return r1_text_trim(span(t, n, t.n - n));
    }
    return t;
}

r1_text r1_math_find_whole(r1_mctx *c, r1_text answer) {
    r1_text t;

    return undecorated(find_box(c, answer, &t) == 1 ? t : answer);
}

/* ---- choices ---- */

static int is_choice(const r1_math_opts *o, char letter) {
    if (o->n_choices == 0)
        return letter >= 'A' && letter <= 'J';
    for (int i = 0; i < o->n_choices; i++)
        if (o->choices[i][0] == letter && o->choices[i][1] == '\0')
            return 1;
    return 0;
}

/* The letters that stand alone: none 0, one that letter, several '*'. */
static char only_letter(const r1_math_opts *o, r1_text t) {
    char found = 0;

    for (size_t i = 0; i < t.n; i++) {
        int alone = (i == 0 || !is_alpha(t.s[i - 1])) && (i + 1 == t.n || !is_alpha(t.s[i + 1])) &&
                    !(i > 0 && t.s[i - 1] == '\\');
        if (!alone || !is_choice(o, t.s[i]))
            continue;
        if (found && found != t.s[i])
            return '*';
        found = t.s[i];
    }
    return found;
}

char r1_math_find_choice(r1_mctx *c, const r1_math_opts *o, r1_text question, r1_text response) {
    r1_text t, part;
    int found;

    if (!region(o, question, response, &t))
        return 0;
    found = o->answer_tag_only ? 0 : find_box(c, t, &part);
    if (found == 0 && !o->boxed_only)
        found = find_tag(c, t, &part);
    if (found == 0 && !o->boxed_only && !o->answer_tag_only && !o->strict) {
        long phrase = last_phrase(t);
        part = phrase > 0 ? sentence(t, (size_t)phrase) : t;
        found = phrase >= 0;
    }
    part = strip(found == 1 ? part : (r1_text){0});
    if (part.n && part.s[0] == '(')
        part = span(part, 1, part.n);
    if (part.n > 1 && is_choice(o, part.s[0]) &&
        (strchr(".:)", part.s[1]) || at(part, 1, "。"))) /* "C. 12" */
        return part.s[0];
    char letter = only_letter(o, part);
    return letter == '*' ? 0 : letter;
}
