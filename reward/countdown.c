/* Countdown: an expression of + - * / and brackets that uses each given number exactly once and
 * equals the target, which may be claimed behind it ("6*4 = 24").  Exact rationals; one linear
 * pass with a bounded depth.  U+00D7, U+00F7 and U+2212 are accepted for * / -; a sign in front of
 * an operand is not.  (TinyZero's checker evaluates the text as Python and hangs on 99**98**97:
 * there is no such operator here.) */
#include "common/base/json.h"
#include "reward/extract.h"
#include "reward/rules.h"

#include <gmp.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NUMS  16
#define MAX_DEPTH 64
#define MAX_TEXT  512

typedef struct parser {
    r1_text t;
    size_t i;
    int depth, n_used, bad;
    long used[MAX_NUMS];
    const char *why;
} parser;

static void fail(parser *p, const char *why) {
    if (!p->bad)
        p->why = why;
    p->bad = 1;
}

/* The next operator, bracket or digit and its width in bytes; '\0' at the end. */
static char look(parser *p, size_t *ret_width) {
    static const struct {
        const char *utf8;
        char c;
    } signs[] = {{"\xc3\x97", '*'}, {"\xc3\xb7", '/'}, {"\xe2\x88\x92", '-'}};

    while (p->i < p->t.n && strchr(" \t\r\n", p->t.s[p->i]) && p->t.s[p->i])
        p->i++;
    *ret_width = 1;
    for (size_t k = 0; k < 3; k++) {
        size_t n = strlen(signs[k].utf8);
        if (p->t.n - p->i >= n && memcmp(p->t.s + p->i, signs[k].utf8, n) == 0) {
            *ret_width = n;
            return signs[k].c;
        }
    }
    if (p->i == p->t.n)
        return '\0';
    return p->t.s[p->i] ? p->t.s[p->i] : '?'; /* a NUL byte is no end */
}

static char peek(parser *p) {
    size_t width;
    return look(p, &width);
}

static void skip(parser *p) {
    size_t width;
    if (look(p, &width) != '\0')
        p->i += width;
}

/* Decimal digits without a leading zero, at most 18 of them; -1 and a reason if not. */
static long integer(parser *p) {
    size_t first;
    long v = 0;

    peek(p);
    first = p->i;
    while (p->i < p->t.n && p->t.s[p->i] >= '0' && p->t.s[p->i] <= '9') {
        int digit = p->t.s[p->i++] - '0';
        v = p->i - first <= 18 ? v * 10 + digit : -1;
    }
    if (p->i == first)
        fail(p, "not an expression of numbers, + - * / and brackets");
    else if (v < 0 || (p->t.s[first] == '0' && p->i - first > 1))
        fail(p, "other numbers than the given ones");
    return p->bad ? -1 : v;
}

static void expression(parser *p, mpq_t ret);

static void operand(parser *p, mpq_t ret) {
    if (peek(p) == '(') {
        if (++p->depth > MAX_DEPTH) {
            fail(p, "brackets nested too deep");
            return;
        }
        skip(p);
        expression(p, ret);
        if (peek(p) != ')')
            fail(p, "a bracket is not closed");
        skip(p);
        p->depth--;
        return;
    }
    long v = integer(p);
    if (!p->bad && p->n_used == MAX_NUMS)
        fail(p, "other numbers than the given ones");
    if (p->bad)
        return;
    p->used[p->n_used++] = v;
    mpq_set_si(ret, v, 1);
}

static void term(parser *p, mpq_t ret) {
    mpq_t right;

    mpq_init(right);
    operand(p, ret);
    for (char c = peek(p); !p->bad && (c == '*' || c == '/'); c = peek(p)) {
        skip(p);
        operand(p, right);
        if (p->bad)
            break;
        if (c == '*')
            mpq_mul(ret, ret, right);
        else if (mpq_sgn(right) == 0)
            fail(p, "division by zero");
        else
            mpq_div(ret, ret, right);
    }
    mpq_clear(right);
}

static void expression(parser *p, mpq_t ret) {
    mpq_t right;

    mpq_init(right);
    term(p, ret);
    for (char c = peek(p); !p->bad && (c == '+' || c == '-'); c = peek(p)) {
        skip(p);
        term(p, right);
        if (!p->bad && c == '+')
            mpq_add(ret, ret, right);
        else if (!p->bad)
            mpq_sub(ret, ret, right);
    }
    mpq_clear(right);
}

static int by_value(const void *a, const void *b) {
    long x = *(const long *)a, y = *(const long *)b;
    return x < y ? -1 : x > y;
}

/* nums and target of the row; NULL, or why they cannot be had. */
static const char *read_row(r1_text extra, long *nums, int *ret_n, long *ret_target) {
    json_error_t je;
    json_t *root = NULL;
    r1_status st = extra.n ? r1_json_parse(&root, extra.s, extra.n, JSON_ALLOW_NUL, &je) : R1_DATA;
    json_t *list = json_object_get(root, "nums"), *target = json_object_get(root, "target");
    size_t n = json_array_size(list);
    int ok = n >= 1 && n <= MAX_NUMS && json_is_integer(target);

    for (size_t i = 0; ok && i < n; i++) {
        json_t *v = json_array_get(list, i);
        ok = json_is_integer(v);
        nums[i] = (long)json_integer_value(v);
    }
    *ret_n = (int)n;
    *ret_target = ok ? (long)json_integer_value(target) : 0;
    json_decref(root);
    return ok ? NULL : st == R1_NOMEM ? "out of memory" : "the row lacks nums or target";
}

static r1_verdict judge(parser *p, long *nums, int n, long target) {
    r1_verdict v;
    mpq_t value;

    mpq_init(value);
    expression(p, value);
    if (!p->bad && peek(p) == '=') {
        skip(p);
        int negative = peek(p) == '-';
        if (negative)
            skip(p);
        long said = integer(p);
        if (!p->bad && (negative ? -said : said) != target)
            fail(p, "claims another target");
    }
    if (!p->bad && peek(p) != '\0')
        fail(p, "text behind the expression");
    qsort(nums, (size_t)n, sizeof *nums, by_value);
    qsort(p->used, (size_t)p->n_used, sizeof *p->used, by_value);
    int same = n == p->n_used;
    for (int i = 0; same && i < n; i++)
        same = nums[i] == p->used[i];
    if (p->bad)
        v = r1_verdict_of(R1_VERDICT_WRONG, p->why);
    else if (!same)
        v = r1_verdict_of(R1_VERDICT_WRONG, "does not use each number exactly once");
    else if (mpq_cmp_si(value, target, 1) != 0)
        v = r1_verdict_of(R1_VERDICT_WRONG, "another value than the target");
    else
        v = r1_verdict_of(R1_VERDICT_CORRECT, "");
    mpq_clear(value);
    return v;
}

r1_verdict r1_rule_countdown(const r1_reward *r, const r1_grade_input *in) {
    r1_text span = in->completion;
    long nums[MAX_NUMS], target;
    int n;

    const char *lacks = read_row(in->extra, nums, &n, &target);
    if (lacks)
        return r1_verdict_of(R1_VERDICT_UNPARSEABLE_GOLD, lacks);
    r1_text segment = r1_extract_segment(in->question, in->completion);
    r1_place place = r1_extract_marked(segment, &span);
    span = r1_text_trim(span);
    if (place == R1_PLACE_CUT)
        return r1_verdict_of(R1_VERDICT_NO_ANSWER, "the box or the answer tag is not closed");
    if (span.n == 0)
        return r1_verdict_of(R1_VERDICT_NO_ANSWER, "no expression");
    if (span.n > MAX_TEXT)
        return r1_verdict_of(place == R1_PLACE_LAST ? R1_VERDICT_NO_ANSWER : R1_VERDICT_WRONG,
                             "too long");
    parser p = {.t = span};
    return judge(&p, nums, n, target);
}
