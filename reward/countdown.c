/* Countdown: an expression of + - * / and brackets that uses each given number exactly once and
 * equals the target.  Exact rationals; one linear pass with a bounded depth.  (TinyZero's checker
 * evaluates the text as Python and hangs on 99**98**97: there is no such operator here.) */
#include "reward/extract.h"
#include "reward/rules.h"

#include <gmp.h>
#include <jansson.h>
#include <stdlib.h>

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

static char peek(parser *p) {
    while (p->i < p->t.n && (p->t.s[p->i] == ' ' || p->t.s[p->i] == '\n' || p->t.s[p->i] == '\t'))
        p->i++;
    return p->i < p->t.n ? p->t.s[p->i] : '\0';
}

static void expression(parser *p, mpq_t ret);

static void operand(parser *p, mpq_t ret) {
    char c = peek(p);

    if (c == '(') {
        if (++p->depth > MAX_DEPTH) {
            fail(p, "brackets nested too deep");
            return;
        }
        p->i++;
        expression(p, ret);
        if (peek(p) != ')')
            fail(p, "a bracket is not closed");
        p->i++;
        p->depth--;
        return;
    }
    if (c < '0' || c > '9') {
        fail(p, "not an expression of numbers, + - * / and brackets");
        return;
    }
    long v = 0;
    while (p->i < p->t.n && p->t.s[p->i] >= '0' && p->t.s[p->i] <= '9' && v < 1000000000)
        v = v * 10 + (p->t.s[p->i++] - '0');
    if (p->n_used == MAX_NUMS || v >= 1000000000) {
        fail(p, "other numbers than the given ones");
        return;
    }
    p->used[p->n_used++] = v;
    mpq_set_si(ret, v, 1);
}

static void term(parser *p, mpq_t ret) {
    mpq_t right;

    mpq_init(right);
    operand(p, ret);
    for (char c = peek(p); !p->bad && (c == '*' || c == '/'); c = peek(p)) {
        p->i++;
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
        p->i++;
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

/* nums and target of the row; 0 when they are not there. */
static int read_row(r1_text extra, long *nums, int *ret_n, long *ret_target) {
    json_error_t je;
    json_t *root = extra.n ? json_loadb(extra.s, extra.n, 0, &je) : NULL;
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
    return ok;
}

static r1_verdict judge(parser *p, long *nums, int n, long target) {
    r1_verdict v;
    mpq_t value;

    mpq_init(value);
    expression(p, value);
    if (!p->bad && peek(p) == '=') { /* "6*4 = 24": the right side must be the target itself */
        mpq_t said;
        p->i++;
        mpq_init(said);
        int used = p->n_used;
        operand(p, said);
        if (!p->bad && mpq_cmp_si(said, target, 1) != 0)
            fail(p, "claims another target");
        p->n_used = used;
        mpq_clear(said);
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

r1_verdict r1_rule_countdown(const r1_grade_input *in) {
    r1_text span = in->completion;
    long nums[MAX_NUMS], target;
    int n;

    if (!read_row(in->extra, nums, &n, &target))
        return r1_verdict_of(R1_VERDICT_UNPARSEABLE_GOLD, "the row lacks nums or target");
    int tagged = r1_text_count(in->completion, "<answer>") > 0;
    if (tagged && !r1_extract_tag(in->completion, "answer", &span))
        return r1_verdict_of(R1_VERDICT_NO_ANSWER, "the answer tag is not closed");
    span = r1_text_trim(span);
    if (span.n == 0)
        return r1_verdict_of(R1_VERDICT_NO_ANSWER, "no expression");
    if (span.n > MAX_TEXT)
        return r1_verdict_of(tagged ? R1_VERDICT_WRONG : R1_VERDICT_NO_ANSWER, "too long");
    parser p = {.t = span};
    return judge(&p, nums, n, target);
}
