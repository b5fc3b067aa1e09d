/* common/data: procedural tasks against a second implementation, the held-out split, datasets by
 * index, and what JSON lines say when they are broken. */
#include "tests/unit/unit.h"

#include "common/data/dataset.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define N(a) (sizeof(a) / sizeof *(a))

static const r1_data_spec sums = {.task = R1_TASK_ARITHMETIC,
                                  .terms = 3,
                                  .min = 1,
                                  .max = 9,
                                  .ops = "+-",
                                  .held_out_mod = 5,
                                  .n = R1_AUTO};
static const r1_data_spec mixed = {.task = R1_TASK_ARITHMETIC,
                                   .terms = 4,
                                   .min = 0,
                                   .max = 12,
                                   .ops = "+-*",
                                   .held_out_mod = 3,
                                   .n = R1_AUTO};
static const r1_data_spec addition = {.task = R1_TASK_ARITHMETIC,
                                      .terms = 2,
                                      .min = 1,
                                      .max = 20,
                                      .ops = "+",
                                      .question = "What is {a} + {b}?",
                                      .held_out_mod = 5,
                                      .n = R1_AUTO};
static const r1_data_spec products = {
    .task = R1_TASK_MULTIPLICATION, .digits = 2, .max = 9, .held_out_mod = 5, .n = R1_AUTO};
static const r1_data_spec countdowns = {.task = R1_TASK_COUNTDOWN,
                                        .count = 4,
                                        .min = 1,
                                        .max = 25,
                                        .target_max = 100,
                                        .ops = "+-*/",
                                        .held_out_mod = 5,
                                        .n = R1_AUTO};
static const r1_data_spec lists = {
    .task = R1_TASK_SORT, .count = 5, .min = 0, .max = 30, .held_out_mod = 5, .n = R1_AUTO};
static const r1_data_spec brackets = {
    .task = R1_TASK_PARENTHESES, .count = 12, .max = 9, .held_out_mod = 5, .n = R1_AUTO};
static const r1_data_spec two_values = {
    .task = R1_TASK_SORT, .count = 2, .min = 0, .max = 30, .held_out_mod = 5, .n = R1_AUTO};
static const r1_data_spec *const all_tasks[] = {&sums,       &mixed, &addition, &products,
                                                &countdowns, &lists, &brackets};

static r1_problem draw(const r1_data_spec *s, uint64_t seed, uint64_t index, double error_rate) {
    r1_rng_key key = {.seed = seed, .index = index, .purpose = R1_RNG_TASK};
    uint32_t word = 0;
    r1_problem p;
    r1_err err;

    ASSERT_OK(r1_task_draw(s, &key, &word, error_rate, &p, &err), &err);
    return p;
}

/* ---- a second implementation: what a person would do with the prompt ---- */

/* * before + and -, by recursive descent; brackets and exact division for countdown. */
static double value(const char **s);
static double atom(const char **s) {
    if (**s == '(') {
        (*s)++;
        double v = value(s);
        assert_int_equal(**s, ')');
        (*s)++;
        return v;
    }
    assert_true(isdigit((unsigned char)**s));
    return (double)strtol(*s, (char **)(uintptr_t)s, 10);
}
static double product(const char **s) {
    double v = atom(s);
    while (**s == '*' || **s == '/') {
        char op = *(*s)++;
        double w = atom(s);
        v = op == '*' ? v * w : v / w;
    }
    return v;
}
static double value(const char **s) {
    double v = product(s);
    while (**s == '+' || **s == '-') {
        char op = *(*s)++;
        double w = product(s);
        v = op == '+' ? v + w : v - w;
    }
    return v;
}

static int by_int(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

/* Numbers of a text, in order. */
static int numbers(const char *s, int *out, int max) {
    int n = 0;

    while (*s && n < max) {
        if (!isdigit((unsigned char)*s)) {
            s++;
            continue;
        }
        out[n++] = (int)strtol(s, (char **)(uintptr_t)&s, 10);
    }
    return n;
}

/* Is `answer` the right one of this problem?  Only the prompt is looked at. */
static int is_right(const r1_data_spec *s, const char *prompt, const char *answer) {
    char text[256];
    const char *at = text;
    int given[64], used[64], n = numbers(prompt, given, 64), depth = 0, ok = 1;

    switch (s->task) {
    case R1_TASK_ARITHMETIC:
    case R1_TASK_MULTIPLICATION:
        if (s->question)
            snprintf(text, sizeof text, "%d+%d", given[0], given[1]);
        else
            snprintf(text, sizeof text, "%s", prompt);
        return value(&at) == strtod(answer, NULL);
    case R1_TASK_COUNTDOWN:
        at = answer;
        int m = numbers(answer, used, 64);
        qsort(given, (size_t)n - 1, sizeof *given, by_int);
        qsort(used, (size_t)m, sizeof *used, by_int);
        return m == n - 1 && memcmp(given, used, sizeof *used * (size_t)m) == 0 &&
               value(&at) == given[n - 1];
    case R1_TASK_SORT:
        qsort(given, (size_t)n, sizeof *given, by_int);
        return numbers(answer, used, 64) == n && memcmp(given, used, sizeof *used * (size_t)n) == 0;
    default:
        for (const char *c = prompt; *c == '(' || *c == ')'; c++) {
            depth += *c == '(' ? 1 : -1;
            ok &= depth >= 0;
        }
        return strcmp(answer, ok && depth == 0 ? "yes" : "no") == 0;
    }
}

/* The text between <answer> and </answer>. */
static const char *answer_of(const r1_problem *p) {
    static char answer[1024];
    const char *a = strstr(p->completion, "</think><answer>");

    assert_non_null(a);
    assert_int_equal(strncmp(p->completion, "<think>", 7), 0);
    a += 16;
    const char *end = strstr(a, "</answer>");
    assert_non_null(end);
    assert_string_equal(end, "</answer>");
    snprintf(answer, sizeof answer, "%.*s", (int)(end - a), a);
    return answer;
}

/* ---- tasks ---- */

static void traces_without_errors_end_in_the_right_answer(void **state) {
    for (size_t t = 0; t < N(all_tasks); t++)
        for (uint64_t i = 0; i < 500; i++) {
            r1_problem p = draw(all_tasks[t], 11, i, 0);
            if (!is_right(all_tasks[t], p.prompt, p.reference))
                fail_msg("%s: reference %s", p.prompt, p.reference);
            if (!is_right(all_tasks[t], p.prompt, answer_of(&p)))
                fail_msg("%s: %s", p.prompt, p.completion);
            r1_problem_done(&p);
        }
}

/* Where a trace has one step, the answer is wrong as often as steps are; where it has k that must
 * all be right, as often as 1 - (1 - e)^k, less what cancels or does not matter. */
static void traces_are_wrong_as_often_as_asked(void **state) {
    static const struct {
        const r1_data_spec *spec;
        double e, low, high;
    } cases[] = {
        {&addition, 0.3, 0.27, 0.33},   /* 0.3; three standard deviations are 0.03 */
        {&addition, 1.0, 1.0, 1.0},     /* every step is wrong by something */
        {&sums, 0.3, 0.46, 0.53},       /* 1 - 0.49 - 0.09/6 = 0.495 */
        {&countdowns, 0.3, 0.27, 0.33}, /* the whole expression at once */
        {&products, 0.3, 0.43, 0.53},   /* two partial products, 0.49 at most */
        {&lists, 0.3, 0.73, 0.79},      /* 1 - 0.7^4 = 0.760, less what a last equal pair saves */
        {&two_values, 1.0, 0.95, 0.99}, /* two of 31 values differ in 30 of 31 cases */
    };

    for (size_t c = 0; c < N(cases); c++) {
        int wrong = 0, n = 2000;
        for (int i = 0; i < n; i++) {
            r1_problem p = draw(cases[c].spec, 5, (uint64_t)i, cases[c].e);
            assert_true(is_right(cases[c].spec, p.prompt, p.reference));
            wrong += !is_right(cases[c].spec, p.prompt, answer_of(&p));
            r1_problem_done(&p);
        }
        double share = (double)wrong / n;
        if (share < cases[c].low || share > cases[c].high)
            fail_msg("case %zu: %g wrong, not %g..%g", c, share, cases[c].low, cases[c].high);
    }
}

/* Depths of brackets: each is the one before it and a step, and wrong as often as asked, in both
 * directions; the answer is what the shown depths say. */
static void bracket_traces_count_wrong_both_ways(void **state) {
    int steps = 0, wrong = 0, below = 0, to_yes = 0, to_no = 0;

    for (uint64_t i = 0; i < 2000; i++) {
        r1_problem p = draw(&brackets, 5, i, 0.1);
        const char *s = p.completion + 7;
        int before = 0, ok = 1;
        for (const char *c = p.prompt; *c == '(' || *c == ')'; c++) {
            int depth = (int)strtol(s, (char **)(uintptr_t)&s, 10);
            int off = depth - before - (*c == '(' ? 1 : -1);
            s += *s == ',';
            steps++;
            wrong += off != 0;
            below += off < 0;
            ok &= depth >= 0;
            before = depth;
        }
        int yes = ok && before == 0;
        assert_string_equal(answer_of(&p), yes ? "yes" : "no");
        to_yes += yes && strcmp(p.reference, "no") == 0;
        to_no += !yes && strcmp(p.reference, "yes") == 0;
        r1_problem_done(&p);
    }
    assert_in_range(wrong, steps / 10 - 140, steps / 10 + 140); /* 24000 steps: sigma is 46 */
    assert_in_range(below, wrong / 2 - 75, wrong / 2 + 75);
    assert_true(to_yes > 20 && to_no > 200);
}

/* Countdown takes no operator that its specification lacks. */
static void countdowns_use_their_operators(void **state) {
    static const char *const sets[] = {"-/", "-", "*", "*-", "+/"};

    for (size_t k = 0; k < N(sets); k++)
        for (uint64_t i = 0; i < 300; i++) {
            r1_data_spec s = countdowns;
            s.ops = sets[k];
            s.count = 3;
            s.target_max = 100000;
            r1_problem p = draw(&s, 2, i, 0);
            assert_true(is_right(&s, p.prompt, p.reference));
            for (const char *c = p.reference; *c; c++)
                if (strchr("+-*/", *c) && !strchr(s.ops, *c))
                    fail_msg("ops %s: %s", s.ops, p.reference);
            r1_problem_done(&p);
        }
}

/* An error changes the trace only: prompt and reference belong to the index. */
static void problems_do_not_depend_on_traces(void **state) {
    for (size_t t = 0; t < N(all_tasks); t++)
        for (uint64_t i = 0; i < 50; i++) {
            r1_problem a = draw(all_tasks[t], 1, i, -1), b = draw(all_tasks[t], 1, i, 0.5);
            assert_string_equal(a.prompt, b.prompt);
            assert_string_equal(a.reference, b.reference);
            assert_true(a.hash == b.hash);
            assert_null(a.completion);
            assert_non_null(b.completion);
            r1_problem_done(&a);
            r1_problem_done(&b);
        }
}

static void wordings_take_operands(void **state) {
    r1_data_spec s = addition;
    r1_problem p = draw(&s, 1, 3, 0);
    r1_rng_key key = {.seed = 1, .purpose = R1_RNG_TASK};
    uint32_t word = 0;
    int x[2];
    char want[64];
    r1_err err;

    assert_int_equal(numbers(p.prompt, x, 2), 2);
    snprintf(want, sizeof want, "What is %d + %d?", x[0], x[1]);
    assert_string_equal(p.prompt, want);
    r1_problem_done(&p);
    s.question = "Compute {prompt}";
    p = draw(&s, 1, 3, 0);
    snprintf(want, sizeof want, "Compute %d+%d=?", x[0], x[1]);
    assert_string_equal(p.prompt, want);
    r1_problem_done(&p);
    s.question = "{a} and {c}";
    ASSERT_FAILS(r1_task_draw(&s, &key, &word, 0, &p, &err), R1_USAGE, &err, "{c}");
    char *text = malloc(12001); /* too long a wording is refused, never cut */
    memset(text, 'x', 12000);
    strcpy(text + 11990, "{prompt}");
    s.question = text;
    ASSERT_FAILS(r1_task_draw(&s, &key, &word, 0, &p, &err), R1_USAGE, &err, "bytes or more");
    free(text);
}

static void an_impossible_countdown_is_an_error(void **state) {
    r1_data_spec s = countdowns;
    r1_rng_key key = {.seed = 1, .purpose = R1_RNG_TASK};
    uint32_t word = 0;
    r1_problem p;
    r1_err err;

    s.ops = "+";
    s.min = 20;
    s.target_max = 50;
    ASSERT_FAILS(r1_task_draw(&s, &key, &word, 0, &p, &err), R1_USAGE, &err, "no target");
}

/* ---- the held-out split ---- */

/* The side by operands, whatever seed and position they were drawn with. */
static void commuted_problems_lie_on_one_side(void **state) {
    int side[21][21], held = 0, pairs = 0;

    memset(side, -1, sizeof side);
    for (uint64_t seed = 1; seed <= 3; seed++)
        for (uint64_t i = 0; i < 4000; i++) {
            r1_problem p = draw(&addition, seed, i, -1);
            int x[2];
            numbers(p.prompt, x, 2);
            int h = r1_held_out(&addition, p.hash);
            if (side[x[0]][x[1]] >= 0)
                assert_int_equal(side[x[0]][x[1]], h);
            side[x[0]][x[1]] = h;
            r1_problem_done(&p);
        }
    for (int a = 1; a <= 20; a++)
        for (int b = 1; b <= 20; b++) {
            assert_true(side[a][b] >= 0); /* 12000 draws meet all 400 pairs */
            assert_int_equal(side[a][b], side[b][a]);
            held += side[a][b];
            pairs++;
        }
    assert_in_range(held, pairs / 5 - 28, pairs / 5 + 28);
}

/* Equal by reordering operands <=> the same hash, for expressions with products. */
static void canonical_form_sorts_products_and_sums(void **state) {
    static const struct {
        const char *a, *b;
        int same;
    } cases[] = {
        {"2*3+4*5", "5*4+3*2", 1}, {"1+2*3-4", "3*2+1-4", 1}, {"1-2+3", "3-2+1", 1},
        {"1-2-3", "1-3-2", 1},     {"1-2", "2-1", 0},         {"2*3+4", "2+3*4", 0},
        {"2*3*4", "4*3*2", 1},     {"6-2*3", "6-3*2", 1},     {"1+2", "1+3", 0},
    };
    struct {
        char text[32];
        uint64_t hash;
    } seen[2 * N(cases)];
    size_t n = 0;

    for (int terms = 2; terms <= 4; terms++) {
        r1_data_spec s = {
            .task = R1_TASK_ARITHMETIC, .terms = terms, .min = 1, .max = 6, .ops = "+-*"};
        for (uint64_t i = 0; i < 300000 && n < N(seen); i++) {
            r1_problem p = draw(&s, 9, i, -1);
            size_t len = strcspn(p.prompt, "=");
            for (size_t c = 0; c < 2 * N(cases); c++) {
                const char *want = c % 2 ? cases[c / 2].b : cases[c / 2].a;
                int have = 0;
                for (size_t k = 0; k < n; k++)
                    have |= strcmp(seen[k].text, want) == 0;
                if (!have && strlen(want) == len && strncmp(want, p.prompt, len) == 0) {
                    snprintf(seen[n].text, sizeof seen[n].text, "%s", want);
                    seen[n++].hash = p.hash;
                }
            }
            r1_problem_done(&p);
        }
    }
    for (size_t c = 0; c < N(cases); c++) {
        uint64_t a = 0, b = 0;
        for (size_t k = 0; k < n; k++) {
            a = strcmp(seen[k].text, cases[c].a) ? a : seen[k].hash;
            b = strcmp(seen[k].text, cases[c].b) ? b : seen[k].hash;
        }
        assert_true(a && b);
        if ((a == b) != cases[c].same)
            fail_msg("%s and %s", cases[c].a, cases[c].b);
    }
}

static int by_hash(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* No problem that any seed or stage deals for training is evaluated on. */
static void what_is_dealt_is_never_evaluated(void **state) {
    for (size_t t = 0; t < N(all_tasks); t++) {
        r1_data_spec train = *all_tasks[t], held = train;
        uint64_t eval_hash[600];
        r1_dataset *d;
        r1_problem p;
        r1_err err;

        held.split = R1_SPLIT_HELD_OUT;
        r1_dataset_options o = {.spec = &held, .evaluation = 1, .error_rate = -1};
        ASSERT_OK(r1_dataset_open(&d, &o, &err), &err);
        size_t n = r1_dataset_size(d);
        assert_in_range(n, 60, 512);
        for (size_t i = 0; i < n; i++) {
            ASSERT_OK(r1_dataset_get(d, i, &p, &err), &err);
            eval_hash[i] = p.hash;
            assert_true(r1_held_out(&held, p.hash));
            r1_problem_done(&p);
        }
        r1_dataset_close(d);
        qsort(eval_hash, n, sizeof *eval_hash, by_hash);
        for (uint64_t seed = 1; seed <= 2; seed++)
            for (uint32_t stage = 0; stage < 2; stage++) {
                r1_dataset_options to = {
                    .spec = &train, .seed = seed, .stage = stage, .error_rate = -1};
                ASSERT_OK(r1_dataset_open(&d, &to, &err), &err);
                for (uint64_t i = 0; i < 2000; i++) {
                    ASSERT_OK(r1_dataset_get(d, i, &p, &err), &err);
                    assert_null(bsearch(&p.hash, eval_hash, n, sizeof *eval_hash, by_hash));
                    r1_problem_done(&p);
                }
                r1_dataset_close(d);
            }
    }
}

/* 3*4 of either task is one problem. */
static void tasks_agree_on_equal_problems(void **state) {
    static const r1_data_spec digits = {
        .task = R1_TASK_MULTIPLICATION, .digits = 1, .held_out_mod = 3, .n = R1_AUTO};
    static const r1_data_spec factors = {.task = R1_TASK_ARITHMETIC,
                                         .terms = 2,
                                         .min = 1,
                                         .max = 9,
                                         .ops = "*",
                                         .held_out_mod = 3,
                                         .n = R1_AUTO};
    uint64_t hash[10][10] = {{0}};

    for (int t = 0; t < 2; t++)
        for (uint64_t i = 0; i < 2000; i++) {
            r1_problem p = draw(t ? &digits : &factors, 3, i, -1);
            int x[2];
            numbers(p.prompt, x, 2);
            if (hash[x[0]][x[1]])
                assert_true(hash[x[0]][x[1]] == p.hash);
            hash[x[0]][x[1]] = p.hash;
            r1_problem_done(&p);
        }
}

/* The question itself, whatever it is called inside: no evaluated text, nor its mirror image, is
 * ever dealt. */
static void no_evaluated_text_is_dealt(void **state) {
    r1_data_spec held = addition;
    int evaluated[21][21] = {{0}}, x[2] = {0}, n_dealt = 0;
    r1_dataset *d;
    r1_problem p;
    r1_err err;

    held.split = R1_SPLIT_HELD_OUT;
    r1_dataset_options o = {.spec = &held, .evaluation = 1, .error_rate = -1};
    ASSERT_OK(r1_dataset_open(&d, &o, &err), &err);
    for (uint64_t i = 0; i < r1_dataset_size(d); i++) {
        ASSERT_OK(r1_dataset_get(d, i, &p, &err), &err);
        assert_int_equal(numbers(p.prompt, x, 2), 2);
        assert_int_equal(evaluated[x[0]][x[1]], 0); /* distinct */
        evaluated[x[0]][x[1]] = 1;
        r1_problem_done(&p);
    }
    r1_dataset_close(d);
    o = (r1_dataset_options){.spec = &addition, .seed = 4, .stage = 1, .error_rate = 0};
    ASSERT_OK(r1_dataset_open(&d, &o, &err), &err);
    for (uint64_t i = 0; i < 4000; i++) {
        ASSERT_OK(r1_dataset_get(d, i, &p, &err), &err);
        assert_int_equal(numbers(p.prompt, x, 2), 2);
        assert_false(evaluated[x[0]][x[1]] || evaluated[x[1]][x[0]]);
        n_dealt++;
        r1_problem_done(&p);
    }
    r1_dataset_close(d);
    assert_int_equal(n_dealt, 4000);
}

/* A list that asks for more problems than there are ends, and soon. */
static void an_evaluation_has_no_more_problems_than_there_are(void **state) {
    r1_data_spec s = addition;
    r1_dataset *d;
    r1_err err;

    s.split = R1_SPLIT_HELD_OUT;
    s.n = 1000000;
    r1_dataset_options o = {.spec = &s, .evaluation = 1, .error_rate = -1};
    clock_t t0 = clock();
    ASSERT_OK(r1_dataset_open(&d, &o, &err), &err);
    assert_in_range(r1_dataset_size(d), 50, 110);
    r1_dataset_close(d);
    s = sums; /* 100,000 of 4 x 12^3 x 27 / 3 problems: no quadratic list */
    s.terms = 6;
    s.split = R1_SPLIT_HELD_OUT;
    s.n = 100000;
    ASSERT_OK(r1_dataset_open(&d, &o, &err), &err);
    assert_int_equal(r1_dataset_size(d), 100000);
    r1_dataset_close(d);
    assert_true((double)(clock() - t0) / CLOCKS_PER_SEC < 10); /* measured: 1.5 s */
}

/* ---- datasets by index ---- */

static uint64_t fingerprint(const r1_data_spec *spec) {
    uint64_t hash = 0;
    r1_err err;

    ASSERT_OK(r1_data_fingerprint(spec, &hash, &err), &err);
    return hash;
}

/* Each parameter and every byte of a wording counts. */
static void fingerprints_tell_specifications_apart(void **state) {
    char text[2][1200];
    r1_data_spec s[14];
    size_t n = N(s);

    for (int k = 0; k < 2; k++) {
        memset(text[k], 'x', sizeof text[k] - 1);
        memcpy(text[k], "{prompt}", 8);
        text[k][1000] = (char)('a' + k);
        text[k][1199] = '\0';
    }
    for (size_t i = 0; i < n; i++)
        s[i] = sums;
    s[1].terms++, s[2].min++, s[3].max++, s[4].digits++, s[5].count++, s[6].target_max++;
    s[7].ops = "+", s[8].question = text[0], s[9].question = text[1], s[10].held_out_mod++;
    s[11].task = R1_TASK_SORT, s[12].split = R1_SPLIT_ALL, s[13].n = 7;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (fingerprint(&s[i]) == fingerprint(&s[k]))
                fail_msg("specifications %zu and %zu have one fingerprint", k, i);
}

static void an_index_names_a_problem(void **state) {
    for (size_t t = 0; t < N(all_tasks); t++) {
        r1_dataset_options o = {.spec = all_tasks[t], .seed = 7, .stage = 1, .error_rate = 0.3};
        r1_dataset *a, *b;
        r1_problem p, q;
        r1_err err;

        ASSERT_OK(r1_dataset_open(&a, &o, &err), &err);
        ASSERT_OK(r1_dataset_open(&b, &o, &err), &err);
        assert_true(r1_dataset_size(a) == 0);
        for (uint64_t i = 0; i < 64; i++) { /* there and back: order does not matter */
            ASSERT_OK(r1_dataset_get(a, i, &p, &err), &err);
            for (uint64_t k = 0; k < 3; k++) {
                ASSERT_OK(r1_dataset_get(b, 63 - i + 64 * k, &q, &err), &err);
                r1_problem_done(&q);
            }
            ASSERT_OK(r1_dataset_get(b, i, &q, &err), &err);
            assert_string_equal(p.prompt, q.prompt);
            assert_string_equal(p.reference, q.reference);
            assert_string_equal(p.completion, q.completion);
            r1_problem_done(&p);
            r1_problem_done(&q);
        }
        r1_dataset_close(a);
        r1_dataset_close(b);
    }
}

/* A temporary file with this text. */
static char *file_of(const char *text, size_t n) {
    static char path[64];
    int fd;

    strcpy(path, "/tmp/r1-test-data-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    for (size_t at = 0; at < n;) {
        ssize_t w = write(fd, text + at, n - at);
        assert_true(w > 0);
        at += (size_t)w;
    }
    close(fd);
    return path;
}

static void files_deal_every_row_once_an_epoch(void **state) {
    char text[4096] = "";
    int seen[3][50] = {{0}}, order[3][50], moved = 0;
    r1_dataset *d;
    r1_problem p;
    r1_err err;

    for (int i = 0; i < 50; i++)
        snprintf(text + strlen(text), 96,
                 "{\"q\": \"row %d\", \"a\": %d, \"x\": [1], \"t\": [\"u%d\", \"v\"]}\n", i, i, i);
    r1_data_spec s = {.file = file_of(text, strlen(text)),
                      .prompt_key = "q",
                      .answer_key = "a",
                      .split = R1_SPLIT_ALL,
                      .n = R1_AUTO};
    r1_dataset_options o = {.spec = &s, .seed = 3, .error_rate = 0};
    ASSERT_OK(r1_dataset_open(&d, &o, &err), &err);
    assert_int_equal(r1_dataset_size(d), 50);
    for (uint64_t i = 0; i < 150; i++) {
        ASSERT_OK(r1_dataset_get(d, i, &p, &err), &err);
        int row = atoi(p.prompt + 4);
        assert_int_equal(atoi(p.reference), row);
        assert_string_equal(p.completion, p.reference);
        assert_non_null(strstr(p.extra, "\"x\":[1]"));
        seen[i / 50][row]++;
        order[i / 50][i % 50] = row;
        r1_problem_done(&p);
    }
    for (int e = 0; e < 3; e++)
        for (int i = 0; i < 50; i++) {
            assert_int_equal(seen[e][i], 1);
            moved += e > 0 && order[e][i] != order[0][i];
        }
    assert_true(moved > 50); /* another permutation each epoch */
    r1_dataset_close(d);

    o.evaluation = 1; /* in the file's order, the first n */
    s.n = 10;
    s.question = "Q: {prompt}?\nAgain: {prompt}{t} {q} {x} \\frac{q{}";
    ASSERT_OK(r1_dataset_open(&d, &o, &err), &err);
    assert_int_equal(r1_dataset_size(d), 10);
    for (uint64_t i = 0; i < 10; i++) {
        ASSERT_OK(r1_dataset_get(d, i, &p, &err), &err);
        char want[96]; /* a list of texts is one a line; what is none, or no key, stays */
        snprintf(want, sizeof want, "Q: row %d?\nAgain: row %du%d\nv row %d {x} \\frac{q{}", (int)i,
                 (int)i, (int)i, (int)i);
        assert_string_equal(p.prompt, want);
        r1_problem_done(&p);
    }
    r1_dataset_close(d);
    o.evaluation = 0; /* training on the first n */
    ASSERT_OK(r1_dataset_open(&d, &o, &err), &err);
    assert_int_equal(r1_dataset_size(d), 10);
    for (uint64_t i = 0; i < 30; i++) {
        ASSERT_OK(r1_dataset_get(d, i, &p, &err), &err);
        assert_true(atoi(strstr(p.prompt, "row") + 4) < 10);
        r1_problem_done(&p);
    }
    r1_dataset_close(d);
    unlink(s.file);
    s = sums; /* of a task too */
    s.n = 3;
    ASSERT_OK(r1_dataset_open(&d, &o, &err), &err);
    for (uint64_t i = 0; i < 9; i++) {
        r1_problem again;
        ASSERT_OK(r1_dataset_get(d, i, &p, &err), &err);
        ASSERT_OK(r1_dataset_get(d, i % 3, &again, &err), &err);
        assert_string_equal(p.prompt, again.prompt);
        r1_problem_done(&p);
        r1_problem_done(&again);
    }
    r1_dataset_close(d);
}

/* Plain text lies on the side of its row's prompt, and a prompt on one side however spaced. */
static void text_and_spacing_do_not_change_sides(void **state) {
    char text[3][16384] = {"", "", ""};
    uint64_t n[3];
    r1_err err;

    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < 100; i++) {
            char prompt[64];
            snprintf(prompt, sizeof prompt,
                     k == 0   ? "row %d ok"
                     : k == 1 ? " row  %d\\tok\\n"
                              : "row\\n%d ok ",
                     i);
            snprintf(text[k] + strlen(text[k]), 128,
                     "{\"q\": \"%s\", \"a\": \"1\", \"t\": \"text %d\"}\n", prompt, i);
        }
        r1_data_spec s = {.file = file_of(text[k], strlen(text[k])),
                          .prompt_key = "q",
                          .answer_key = "a",
                          .text_key = k == 2 ? "t" : NULL,
                          .held_out_mod = 4,
                          .split = R1_SPLIT_HELD_OUT,
                          .n = R1_AUTO};
        r1_dataset_options o = {.spec = &s, .evaluation = k != 2, .error_rate = -1};
        r1_dataset *d;
        ASSERT_OK(r1_dataset_open(&d, &o, &err), &err);
        n[k] = 0;
        for (uint64_t i = 0; i < r1_dataset_size(d); i++) {
            r1_problem p;
            int row[1] = {0};
            ASSERT_OK(r1_dataset_get(d, i, &p, &err), &err);
            assert_int_equal(numbers(p.text ? p.text : p.prompt, row, 1), 1);
            n[k] += (uint64_t)(row[0] + 1) * (uint64_t)(row[0] + 7); /* a set of rows */
            r1_problem_done(&p);
        }
        r1_dataset_close(d);
        unlink(s.file);
    }
    assert_true(n[0] > 0 && n[0] == n[1] && n[0] == n[2]);
}

static void files_are_split_by_their_prompts(void **state) {
    char text[8192] = "";
    uint64_t n[2];
    r1_err err;

    for (int i = 0; i < 100; i++)
        snprintf(text + strlen(text), 64, "{\"q\": \"row %d\", \"a\": \"1\"}\n", i);
    r1_data_spec s = {.file = file_of(text, strlen(text)),
                      .prompt_key = "q",
                      .answer_key = "a",
                      .held_out_mod = 4,
                      .n = R1_AUTO};
    for (int side = 0; side < 2; side++) {
        r1_dataset_options o = {.spec = &s, .error_rate = -1};
        r1_dataset *d;
        s.split = side ? R1_SPLIT_HELD_OUT : R1_SPLIT_TRAIN;
        ASSERT_OK(r1_dataset_open(&d, &o, &err), &err);
        n[side] = r1_dataset_size(d);
        for (uint64_t i = 0; i < n[side]; i++) {
            r1_problem p;
            ASSERT_OK(r1_dataset_get(d, i, &p, &err), &err);
            assert_int_equal(r1_held_out(&s, p.hash), side);
            r1_problem_done(&p);
        }
        r1_dataset_close(d);
    }
    assert_int_equal(n[0] + n[1], 100);
    assert_in_range(n[1], 10, 40);
    unlink(s.file);
}

/* ---- JSON lines ---- */

/* Every row of a text read with key "q", then the failure (R1_OK: none). */
static r1_status read_all(const char *text, size_t n, r1_err *err) {
    r1_data_spec s = {.file = file_of(text, n),
                      .prompt_key = "q",
                      .answer_key = "a",
                      .split = R1_SPLIT_ALL,
                      .n = R1_AUTO};
    r1_dataset_options o = {.spec = &s, .error_rate = -1};
    r1_dataset *d = NULL;
    r1_status st = r1_dataset_open(&d, &o, err);

    for (uint64_t i = 0; st == R1_OK && i < r1_dataset_size(d); i++) {
        r1_problem p;
        st = r1_dataset_get(d, i, &p, err);
        if (st == R1_OK)
            r1_problem_done(&p);
    }
    r1_dataset_close(d);
    unlink(s.file);
    if (st != R1_OK && !strstr(err->msg, s.file))
        fail_msg("'%s' does not name the file", err->msg);
    return st;
}

static void broken_lines_name_file_line_and_key(void **state) {
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{\"q\": \"x\"}\n\n{\"q\": \"y\"\n", ":3: "},
        {"{\"q\": \"x\"}\n{\"p\": \"y\"}\n", ":2: key 'q' is missing"},
        {"{\"q\": null}\n", ":1: key 'q' is missing"},
        {"{\"q\": [1]}\n", ":1: key 'q' is neither"},
        {"{\"q\": \"x\", \"a\": {}}\n", ":1: key 'a' is neither"},
        {"{\"q\": \"a\\u0000b\"}\n", ":1: key 'q' holds a NUL"},
        {"{\"q\": \"\xc3\x28\"}\n", ":1: column "},
        {"{\"q\": \"x\", \"q\": \"y\"}\n", ":1: column "},
        {"[1, 2]\n", ":1: not a JSON object"},
        {"{\"q\": \"x\"} {\"q\": \"y\"}\n", ":1: column "},
        {"", "the file has no rows"},
        {"\n \n\t\n", "the file has no rows"},
    };

    for (size_t i = 0; i < N(cases); i++) {
        r1_err err = {0};
        ASSERT_FAILS(read_all(cases[i].text, strlen(cases[i].text), &err), R1_DATA, &err,
                     cases[i].message);
    }
    r1_err err = {0};
    ASSERT_OK(read_all("\r\n{\"q\": \"x\"}\r\n  {\"q\": 4}", 24, &err), &err);
    ASSERT_FAILS(read_all("{\"q\": \"x\"}\n\0\0\0\n", 15, &err), R1_DATA, &err, ":2: ");
    ASSERT_OK(read_all("\xef\xbb\xbf{\"q\": \"x\"}\n", 14, &err), &err); /* as some editors save */
}

/* A file without rows for this side of the split says which side that is. */
static void absent_rows_are_explained(void **state) {
    r1_data_spec s = {.file = file_of("{\"q\": \"x\"}\n", 11),
                      .prompt_key = "q",
                      .answer_key = "a",
                      .held_out_mod = 1000000,
                      .split = R1_SPLIT_HELD_OUT,
                      .n = R1_AUTO};
    r1_dataset_options o = {.spec = &s, .error_rate = -1};
    r1_dataset *d = NULL;
    r1_err err = {0};

    ASSERT_FAILS(
        r1_dataset_open(&d, &o, &err), R1_DATA, &err,
        "none of its 1 rows is held out (held_out_mod 1000000; split: all takes all rows)");
    unlink(s.file);
}

static void long_lines_are_read_up_to_a_limit(void **state) {
    size_t n = (size_t)17 << 20;
    char *text = malloc(n + 64);
    r1_err err = {0};

    size_t head = (size_t)sprintf(text, "{\"q\": \"x\"}\n{\"q\": \"");
    memset(text + head, 'a', n);
    memcpy(text + head + 10000000, "\"}\n", 3);
    ASSERT_OK(read_all(text, head + 10000003, &err), &err);
    memset(text + head, 'a', n);
    memcpy(text + head + n, "\"}\n", 3);
    ASSERT_FAILS(read_all(text, head + n + 3, &err), R1_DATA, &err, ":2: line of ");
    memset(text, '[', 100000); /* nesting is limited by the reader, not by the stack */
    ASSERT_FAILS(read_all(text, 100000, &err), R1_DATA, &err, ":1: column ");
    free(text);
}

static void numbers_become_their_shortest_text(void **state) {
    static const char rows[] = "{\"q\": \"x\", \"a\": 0.1}\n{\"q\": \"x\", \"a\": 72}\n"
                               "{\"q\": \"x\", \"a\": -1.5}\n{\"q\": \"x\", \"a\": 3.0}\n";
    static const char *const want[] = {"0.1", "72", "-1.5", "3"};
    char *path = file_of(rows, sizeof rows - 1);
    r1_err err;
    r1_jsonl j;

    ASSERT_OK(r1_jsonl_open(&j, path, &err), &err);
    assert_int_equal(j.n, 4);
    for (uint32_t i = 0; i < j.n; i++) {
        json_t *row;
        char *text;
        ASSERT_OK(r1_jsonl_row(&j, i, &row, &err), &err);
        ASSERT_OK(r1_jsonl_text(&j, i, row, "a", 0, &text, &err), &err);
        assert_string_equal(text, want[i]);
        r1_free(text);
        json_decref(row);
    }
    r1_jsonl_close(&j);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traces_without_errors_end_in_the_right_answer),
        cmocka_unit_test(traces_are_wrong_as_often_as_asked),
        cmocka_unit_test(bracket_traces_count_wrong_both_ways),
        cmocka_unit_test(countdowns_use_their_operators),
        cmocka_unit_test(problems_do_not_depend_on_traces),
        cmocka_unit_test(wordings_take_operands),
        cmocka_unit_test(an_impossible_countdown_is_an_error),
        cmocka_unit_test(commuted_problems_lie_on_one_side),
        cmocka_unit_test(canonical_form_sorts_products_and_sums),
        cmocka_unit_test(what_is_dealt_is_never_evaluated),
        cmocka_unit_test(tasks_agree_on_equal_problems),
        cmocka_unit_test(no_evaluated_text_is_dealt),
        cmocka_unit_test(an_evaluation_has_no_more_problems_than_there_are),
        cmocka_unit_test(fingerprints_tell_specifications_apart),
        cmocka_unit_test(text_and_spacing_do_not_change_sides),
        cmocka_unit_test(an_index_names_a_problem),
        cmocka_unit_test(files_deal_every_row_once_an_epoch),
        cmocka_unit_test(files_are_split_by_their_prompts),
        cmocka_unit_test(broken_lines_name_file_line_and_key),
        cmocka_unit_test(absent_rows_are_explained),
        cmocka_unit_test(long_lines_are_read_up_to_a_limit),
        cmocka_unit_test(numbers_become_their_shortest_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
