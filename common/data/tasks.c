/* Procedural problems; see tasks.h. */
#include "common/data/tasks.h"

#include "common/base/hash.h"
#include "common/base/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NUMBERS 64
#define MAX_TERMS   16
#define MAX_TEXT    8192
#define MAX_TRIES   100000 /* to reach a countdown target before the task is declared impossible */

/* Draws for one problem, and for its trace. */
typedef struct dice {
    const r1_rng_key *key;
    uint32_t *word;
} dice;

static int roll(dice *d, int lo, int hi) {
    return lo + (int)r1_rng_below(d->key, (*d->word)++, (uint32_t)(hi - lo + 1));
}

/* A problem while it is put together. */
typedef struct draft {
    char prompt[MAX_TEXT], reference[MAX_TEXT], extra[MAX_TEXT], think[MAX_TEXT], said[MAX_TEXT];
    char canonical[MAX_TEXT];
    long operands[MAX_NUMBERS];
    int n_operands, ends_in_newline;
} draft;

void r1_problem_done(r1_problem *p) {
    r1_free(p->prompt);
    r1_free(p->reference);
    r1_free(p->extra);
    r1_free(p->completion);
    r1_free(p->text);
    *p = (r1_problem){0};
}

int r1_held_out(const r1_data_spec *spec, uint64_t hash) {
    return spec->held_out_mod > 0 && hash % (uint64_t)spec->held_out_mod == 0;
}

static void append(char *to, const char *fmt, ...) R1_PRINTF(2, 3);
static void append(char *to, const char *fmt, ...) {
    size_t n = strlen(to);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(to + n, MAX_TEXT - n, fmt, ap);
    va_end(ap);
}

static int by_value(const void *a, const void *b) {
    long x = *(const long *)a, y = *(const long *)b;
    return x < y ? -1 : x > y;
}

static void append_sorted(char *to, long *v, int n) {
    qsort(v, (size_t)n, sizeof *v, by_value);
    for (int i = 0; i < n; i++)
        append(to, "%s%ld", i ? " " : "", v[i]);
}

/* Does this step of the trace go wrong?  Then by how much (never 0). */
static long slip(dice *d, double error_rate) {
    static const int slips[] = {-10, -2, -1, 1, 2, 10};

    if (error_rate <= 0 || (double)r1_rng_unit(d->key, (*d->word)++) >= error_rate)
        return 0;
    return slips[roll(d, 0, 5)];
}

static long apply(char op, long a, long b) {
    return op == '+' ? a + b : op == '-' ? a - b : a * b;
}

/* Sums and products do not depend on the order of their operands, so these are sorted: the factors
 * of each product, then the added and the subtracted products apart.  (A first operand counts as
 * added.) */
typedef struct factor_list {
    long factors[MAX_NUMBERS];
    int n;
} factor_list;

static int by_factors(const void *a, const void *b) {
    const factor_list *x = a, *y = b;

    for (int i = 0; i < x->n && i < y->n; i++)
        if (x->factors[i] != y->factors[i])
            return x->factors[i] < y->factors[i] ? -1 : 1;
    return x->n - y->n;
}

static void append_products(char *to, factor_list *v, int n) {
    qsort(v, (size_t)n, sizeof *v, by_factors);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < v[i].n; k++)
            append(to, "%s%ld", k ? "*" : i ? " " : "", v[i].factors[k]);
}

static void canonical_arithmetic(draft *p, const char *ops, int n) {
    factor_list added[MAX_TERMS], subtracted[MAX_TERMS];
    int n_added = 0, n_subtracted = 0;

    for (int i = 0; i < n;) {
        factor_list *t = ops[i] == '-' ? &subtracted[n_subtracted++] : &added[n_added++];
        t->n = 0;
        do
            t->factors[t->n++] = p->operands[i++];
        while (i < n && ops[i] == '*');
        qsort(t->factors, (size_t)t->n, sizeof *t->factors, by_value);
    }
    append(p->canonical, "sum ");
    append_products(p->canonical, added, n_added);
    append(p->canonical, " - ");
    append_products(p->canonical, subtracted, n_subtracted);
}

/* The value of the expression, * before + and -. */
static long evaluate(const long *x, const char *ops, int n) {
    long sum = 0, product = x[0];
    char pending = '+';

    for (int i = 1; i < n; i++) {
        if (ops[i] == '*') {
            product *= x[i];
            continue;
        }
        sum = apply(pending, sum, product);
        pending = ops[i];
        product = x[i];
    }
    return apply(pending, sum, product);
}

static void arithmetic_trace(draft *p, const char *ops, int n, dice *d, double error_rate) {
    int mixed = 0, products = 0;
    long acc = p->operands[0];

    for (int i = 1; i < n; i++)
        products += ops[i] == '*';
    mixed = products > 0 && products < n - 1;
    for (int i = 1; i < n && !mixed; i++) { /* running results, left to right */
        long next = apply(ops[i], acc, p->operands[i]) + slip(d, error_rate);
        append(p->think, "%s%ld%c%ld=%ld", i > 1 ? "," : "", acc, ops[i], p->operands[i], next);
        acc = next;
    }
    if (mixed) {
        acc = evaluate(p->operands, ops, n) + slip(d, error_rate);
        append(p->think, "%s=%ld", p->prompt, acc);
    }
    append(p->said, "%ld", acc);
}

static r1_status arithmetic(const r1_data_spec *s, dice *d, dice *trace, double error_rate,
                            draft *p, r1_err *err) {
    size_t n_ops = strlen(s->ops);
    char ops[MAX_NUMBERS] = {0};

    p->n_operands = s->terms;
    for (int i = 0; i < s->terms; i++) {
        p->operands[i] = roll(d, s->min, s->max);
        ops[i] = i ? s->ops[roll(d, 0, (int)n_ops - 1)] : '+';
        if (i)
            append(p->prompt, "%c", ops[i]);
        append(p->prompt, "%ld", p->operands[i]);
    }
    canonical_arithmetic(p, ops, s->terms);
    append(p->reference, "%ld", evaluate(p->operands, ops, s->terms));
    arithmetic_trace(p, ops, s->terms, trace, error_rate);
    append(p->prompt, "=?");
    return R1_OK;
}

static r1_status multiplication(const r1_data_spec *s, dice *d, dice *trace, double error_rate,
                                draft *p, r1_err *err) {
    long lo = 1, hi;

    for (int i = 1; i < s->digits; i++)
        lo *= 10;
    hi = lo * 10 - 1;
    long a = roll(d, (int)lo, (int)hi), b = roll(d, (int)lo, (int)hi), sum = 0, power = 1;
    p->operands[0] = a;
    p->operands[1] = b;
    p->n_operands = 2;
    append(p->prompt, "%ld*%ld=?", a, b);
    canonical_arithmetic(p, "+*", 2); /* 3*4 is the same problem in either task */
    append(p->reference, "%ld", a * b);
    for (long rest = b; rest; rest /= 10, power *= 10) { /* one partial product a digit */
        long part = a * (rest % 10) * power + slip(trace, error_rate);
        append(p->think, "%s%ld*%ld=%ld", power > 1 ? "," : "", a, rest % 10 * power, part);
        sum += part;
    }
    append(p->think, ",sum=%ld", sum);
    append(p->said, "%ld", sum);
    return R1_OK;
}

static int may_join(const r1_data_spec *s, char op, long a, long b) {
    return op == '-'   ? a > b
           : op == '*' ? a * b <= s->target_max
           : op == '/' ? b != 0 && a % b == 0
                       : 1;
}

/* Join random numbers left to right with positive intermediate results: the result, and how it came
 * about in p->think and, as an expression, in `text`; 0 when no operator of the specification
 * goes. */
static long join_numbers(const r1_data_spec *s, dice *d, draft *p, char *text) {
    long acc = p->operands[0] = roll(d, s->min, s->max);
    size_t n_ops = strlen(s->ops);

    text[0] = p->think[0] = '\0';
    append(text, "%ld", acc);
    for (int i = 1; i < s->count; i++) {
        long x = p->operands[i] = roll(d, s->min, s->max);
        int first = roll(d, 0, (int)n_ops - 1);
        char op = '\0', inner[MAX_TEXT];
        for (size_t k = 0; k < n_ops && !op; k++) { /* the drawn one, else the next that goes */
            char o = s->ops[((size_t)first + k) % n_ops];
            op = may_join(s, o, acc, x) ? o : '\0';
        }
        if (!op)
            return 0;
        long next = op == '/' ? acc / x : apply(op, acc, x);
        append(p->think, "%s%ld%c%ld=%ld", i > 1 ? "," : "", acc, op, x, next);
        snprintf(inner, sizeof inner, "%s", text);
        text[0] = '\0';
        append(text, i > 1 ? "(%.4000s)%c%ld" : "%.4000s%c%ld", inner, op, x);
        acc = next;
    }
    return acc;
}

/* Numbers and a target that one order of them reaches: solvable by construction. */
static r1_status countdown(const r1_data_spec *s, dice *d, dice *trace, double error_rate, draft *p,
                           r1_err *err) {
    long acc = 0, sorted[MAX_NUMBERS];
    char text[MAX_TEXT];

    for (int tries = 0; acc < 1 || acc > s->target_max; tries++) {
        if (tries == MAX_TRIES)
            return R1_FAIL(err, R1_USAGE,
                           "task countdown: %d numbers of %d..%d joined by %s reach no target of "
                           "1..%d",
                           s->count, s->min, s->max, s->ops, s->target_max);
        acc = join_numbers(s, d, p, text);
    }
    p->n_operands = s->count;
    memcpy(sorted, p->operands, sizeof(long) * (size_t)s->count);
    for (int i = s->count - 1; i > 0; i--) { /* shown in another order than they are joined in */
        int j = roll(d, 0, i);
        long t = p->operands[i];
        p->operands[i] = p->operands[j];
        p->operands[j] = t;
    }
    append(p->extra, "{\"nums\": [");
    for (int i = 0; i < s->count; i++) {
        append(p->prompt, "%s%ld", i ? "," : "", p->operands[i]);
        append(p->extra, "%s%ld", i ? ", " : "", p->operands[i]);
    }
    append(p->prompt, ">%ld=?", acc);
    append(p->extra, "], \"target\": %ld}", acc);
    append(p->canonical, "countdown ");
    append_sorted(p->canonical, sorted, s->count);
    append(p->canonical, " > %ld", acc);
    append(p->reference, "%s", text);
    if (slip(trace, error_rate)) /* a wrong try: the last operator's result is missed */
        append(p->said, "%ld+%s", p->operands[0], text);
    else
        append(p->said, "%s", text);
    return R1_OK;
}

static int smallest(const long *x, int from, int n) {
    int best = from;

    for (int j = from + 1; j < n; j++)
        best = x[j] < x[best] ? j : best;
    return best;
}

static r1_status sorting(const r1_data_spec *s, dice *d, dice *trace, double error_rate, draft *p,
                         r1_err *err) {
    long left[MAX_NUMBERS];
    int n = s->count;

    p->n_operands = n;
    for (int i = 0; i < n; i++) {
        left[i] = p->operands[i] = roll(d, s->min, s->max);
        append(p->prompt, "%s%ld", i ? "," : "", left[i]);
    }
    append(p->prompt, "=?");
    for (int i = 0; i < n; i++) { /* take the smallest of what is left; a slip takes another */
        int best = smallest(left, i, n), others[MAX_NUMBERS], n_others = 0;
        for (int j = i; j < n; j++)
            if (left[j] != left[best])
                others[n_others++] = j;
        if (n_others > 0 && slip(trace, error_rate))
            best = others[roll(trace, 0, n_others - 1)];
        long t = left[best];
        memmove(left + i + 1, left + i, sizeof(long) * (size_t)(best - i));
        left[i] = t;
        append(p->think, "%s%ld", i ? "," : "", t);
        append(p->said, "%s%ld", i ? "," : "", t);
    }
    qsort(left, (size_t)n, sizeof *left, by_value);
    for (int i = 0; i < n; i++)
        append(p->reference, "%s%ld", i ? "," : "", left[i]);
    append(p->canonical, "sort %s", p->reference); /* one answer, one side */
    return R1_OK;
}

static r1_status parentheses(const r1_data_spec *s, dice *d, dice *trace, double error_rate,
                             draft *p, r1_err *err) {
    static const int slips[] = {-2, -1, 1, 2};
    int depth = 0, ok = 1, shown = 0, shown_ok = 1;

    for (int i = 0; i < s->count; i++) { /* mostly balanced: a coin, pulled towards the end */
        int room = s->count - i, open = roll(d, 0, 1);
        if (roll(d, 0, 3) > 0)
            open = depth == 0 ? 1 : depth >= room ? 0 : open;
        append(p->prompt, "%c", open ? '(' : ')');
        depth += open ? 1 : -1;
        ok &= depth >= 0;
        shown += open ? 1 : -1;
        if (slip(trace, error_rate))
            shown += slips[roll(trace, 0, 3)];
        shown_ok &= shown >= 0;
        append(p->think, "%s%d", i ? "," : "", shown);
    }
    append(p->canonical, "parentheses %s", p->prompt);
    append(p->prompt, "=?");
    append(p->reference, ok && depth == 0 ? "yes" : "no");
    append(p->said, shown_ok && shown == 0 ? "yes" : "no");
    return R1_OK;
}

/* The wording: {prompt} is the task's own text, {a} .. {z} its operands. */
static r1_status word_question(const r1_data_spec *s, draft *p, r1_err *err) {
    char out[MAX_TEXT] = "";

    if (!s->question)
        return R1_OK;
    for (const char *c = s->question; *c;) {
        if (strncmp(c, "{prompt}", 8) == 0) {
            append(out, "%s", p->prompt);
            c += 8;
        } else if (c[0] == '{' && c[1] >= 'a' && c[1] <= 'z' && c[2] == '}') {
            if (c[1] - 'a' >= p->n_operands)
                return R1_FAIL(err, R1_USAGE, "question '%s': {%c} but the task has %d operands",
                               s->question, c[1], p->n_operands);
            append(out, "%ld", p->operands[c[1] - 'a']);
            c += 3;
        } else {
            append(out, "%c", *c++);
        }
    }
    if (strlen(out) == MAX_TEXT - 1)
        return R1_FAIL(err, R1_USAGE,
                       "question '%.60s...': it and its numbers are %d bytes or more", s->question,
                       MAX_TEXT - 1);
    snprintf(p->prompt, sizeof p->prompt, "%s", out);
    p->ends_in_newline = 1; /* a wording stands as it is */
    return R1_OK;
}

static r1_status keep(char **ret, r1_err *err, const char *fmt, ...) R1_PRINTF(3, 4);
static r1_status keep(char **ret, r1_err *err, const char *fmt, ...) {
    char text[3 * MAX_TEXT];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    *ret = r1_strdup(text);
    return *ret ? R1_OK : R1_FAIL(err, R1_NOMEM, "out of memory: a problem");
}

r1_status r1_task_draw(const r1_data_spec *spec, const r1_rng_key *key, uint32_t *word,
                       double error_rate, r1_problem *ret, r1_err *err) {
    typedef r1_status task_fn(const r1_data_spec *, dice *, dice *, double, draft *, r1_err *);
    static task_fn *const fns[] = {NULL,      arithmetic, multiplication,
                                   countdown, sorting,    parentheses};
    r1_rng_key trace_key = *key;
    uint32_t trace_word = 0;
    dice d = {key, word}, trace = {&trace_key, &trace_word};
    draft parts, *p = &parts; /* 50 KB: only what counts is cleared */
    r1_status st;

    R1_TRACE();
    *ret = (r1_problem){0};
    R1_ASSERT(spec->task > R1_TASK_NONE && spec->task <= R1_TASK_PARENTHESES);
    trace_key.purpose = R1_RNG_TRACE;
    p->prompt[0] = p->reference[0] = p->extra[0] = p->think[0] = p->said[0] = p->canonical[0] =
        '\0';
    p->n_operands = p->ends_in_newline = 0;
    R1_TRY(fns[spec->task](spec, &d, &trace, error_rate, p, err));
    R1_TRY(word_question(spec, p, err));
    ret->hash = r1_hash64(p->canonical, strlen(p->canonical));
    R1_TRY(keep(&ret->prompt, err, "%s%s", p->prompt, p->ends_in_newline ? "" : "\n"));
    R1_TRY(keep(&ret->reference, err, "%s", p->reference));
    if (p->extra[0])
        R1_TRY(keep(&ret->extra, err, "%s", p->extra));
    if (error_rate >= 0)
        R1_TRY(
            keep(&ret->completion, err, "<think>%s</think><answer>%s</answer>", p->think, p->said));
done:
    if (st != R1_OK)
        r1_problem_done(ret);
    return st;
}
