/* reward/math: where answers stand, why answers are unknown, what never changes a verdict, limits,
 * threads, rows.  What is equal to what is in tests/golden/math.jsonl. */
#include "tests/unit/unit.h"

#include "common/base/mem.h"
#include "reward/grade.h"
#include "reward/math/math.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N(a) (sizeof(a) / sizeof *(a))

static r1_math_result grade_text(const char *gold, r1_text pred, const r1_math_opts *o) {
    r1_text g = r1_text_of(gold);
    r1_math_gold *handle = NULL;
    r1_math_result r;
    r1_err err;

    ASSERT_OK(r1_math_gold_open(&handle, &g, 1, o, &err), &err);
    ASSERT_OK(r1_math_grade(handle, r1_text_of(""), pred, &r, &err), &err);
    r1_math_gold_close(handle);
    return r;
}

static r1_math_result grade(const char *gold, const char *pred, const r1_math_opts *o) {
    return grade_text(gold, r1_text_of(pred), o);
}

static r1_math_opts whole(void) {
    r1_math_opts o = r1_math_defaults;
    o.whole = 1;
    return o;
}

/* ---- extraction ---- */

static void answers_are_found_where_they_stand(void **state) {
    static const struct {
        const char *text, *gold;
    } cases[] = {
        {"so \\boxed{1}, no, \\boxed{2}", "2"}, /* the last; words between: no list */
        {"\\boxed{1} and \\boxed{2}", "1,2"},
        {"\\boxed{1}$ \\quad \\text{or} \\quad $\\boxed{2}", "1,2"},
        {"\\fbox{3} \\framebox{4}", "3,4"},
        {"\\boxed 5.", "5"},
        {"\\boxed{\\left\\{1, 2\\right\\}}", "\\{1,2\\}"},
        {"\\boxed{5} <answer>6</answer> #### 7", "5"},
        {"<answer>6</answer> #### 7", "6"},
        {"<answer>\\boxed{6}</answer>", "6"},
        {"#### 7\nThe answer is 8.", "7"},
        {"The answer is 8. Or $9$?", "8"},
        {"**Answer:** 8", "8"},
        {"Answer = \\frac{1}{2}", "1/2"},
        {"First $4$, then $9$.", "9"},
        {"In total **73** people.", "73"},
        {"It costs $4.50 and not more.", "4.5"},
        {"a = 3 and then b = -4", "-4"},
        {"The slope is \u22123.", "-3"},
        {"The change is minus 3 degrees.", "-3"},
        {"The roots are $x = 2$ and $x = 3$.", "2,3"},
        {"We have $a = 2$ and $b = 3$.", "3"}, /* another name: no list */
        {"$x=\\boxed{2}$ or $x_1=\\boxed{3}$", "2,3"},
        {"\\boxed{7}\n\\boxed{7}", "7"},
        {"$\\boxed{72}$ million", "72000000"},
        {"It grew by 72 percent in a year.", "72\\%"},
        {"The answer must be 8, not 9.", "8"},
        {"The answer is 8 because 3 + 5 = 8 and 2 is even.", "8"},
        {"<answer>The answer is 6.</answer>", "6"},
        {"#### 20 apples", "20"},
        {"<think>\\boxed{1}</think> \\boxed{2}", "2"},
        {"\\boxed{5}<|im_end|>\\boxed{6}", "5"},
        {"That makes \\boxed{50}\\%.", "1/2"},
        {"$\\boxed{7}$ dollars", "\\$7"},
        {"\xe7\xad\x94\xe6\xa1\x88\xef\xbc\x9a"
         "12",
         "12"},
    };

    for (size_t i = 0; i < N(cases); i++)
        if (grade(cases[i].gold, cases[i].text, &r1_math_defaults).kind != R1_MATH_EQUAL)
            fail_msg("'%s' does not say %s", cases[i].text, cases[i].gold);
}

static void training_takes_boxes_and_tags_only(void **state) {
    static const struct {
        const char *text;
        r1_math_kind kind;
    } cases[] = {
        {"\\boxed{5}", R1_MATH_EQUAL},
        {"<answer>5</answer>", R1_MATH_EQUAL},
        {"The answer is 5.", R1_MATH_UNKNOWN},
        {"#### 5", R1_MATH_UNKNOWN},
        {"5", R1_MATH_UNKNOWN},
        {"\\boxed{5", R1_MATH_UNKNOWN},
        {"\\boxed{4} \\boxed{5", R1_MATH_UNKNOWN},
        {"<answer>5", R1_MATH_UNKNOWN},
        {"<think>\\boxed{5}", R1_MATH_UNKNOWN},
        {"\\boxed{5} \\boxed{6}", R1_MATH_NOT_EQUAL},
    };
    r1_math_opts o = r1_math_defaults;

    o.strict = 1;
    for (size_t i = 0; i < N(cases); i++) {
        r1_math_result r = grade("5", cases[i].text, &o);
        if (r.kind != cases[i].kind)
            fail_msg("'%s': %d instead of %d", cases[i].text, (int)r.kind, (int)cases[i].kind);
        if (r.kind == R1_MATH_UNKNOWN)
            assert_int_equal(r.why, R1_MATH_WHY_NO_ANSWER);
    }
}

static void options_ask_for_a_place(void **state) {
    r1_math_opts box = r1_math_defaults, think = box, tag = box, anchor = box, choice = box;

    box.boxed_only = think.after_think = tag.answer_tag_only = choice.choice = 1;
    anchor.anchor = "####";
    assert_int_equal(grade("5", "it is 5", &box).why, R1_MATH_WHY_NO_ANSWER);
    assert_int_equal(grade("5", "\\boxed{5}", &box).kind, R1_MATH_EQUAL);
    assert_int_equal(grade("5", "\\boxed{5}", &think).why, R1_MATH_WHY_NO_ANSWER);
    assert_int_equal(grade("5", "x</think>\\boxed{5}", &think).kind, R1_MATH_EQUAL);
    assert_int_equal(grade("5", "\\boxed{5}", &tag).why, R1_MATH_WHY_NO_ANSWER);
    assert_int_equal(grade("5", "<answer>5</answer>", &tag).kind, R1_MATH_EQUAL);
    assert_int_equal(grade("5", "The answer is 5", &anchor).why, R1_MATH_WHY_NO_ANSWER);
    assert_int_equal(grade("5", "4 #### 5", &anchor).kind, R1_MATH_EQUAL);
    assert_int_equal(grade("B", "\\boxed{\\text{(B)}}", &choice).kind, R1_MATH_EQUAL);
    assert_int_equal(grade("B", "The answer is C", &choice).kind, R1_MATH_NOT_EQUAL);
    assert_int_equal(grade("B", "A or B", &choice).why, R1_MATH_WHY_NO_ANSWER);
}

/* ---- reasons ---- */

static void unknown_says_why(void **state) {
    r1_math_opts o = whole();
    char *text = r1_calloc(4000, 1);

    assert_non_null(text);
    memset(text, '1', 3000);
    assert_int_equal(grade("5", "", &o).why, R1_MATH_WHY_NO_ANSWER);
    assert_int_equal(grade("5", text, &o).why, R1_MATH_WHY_TOO_LONG);
    assert_int_equal(grade("5", "\\frac{5}{", &o).why, R1_MATH_WHY_NO_PARSE);
    assert_int_equal(grade("5", "5 @", &o).why, R1_MATH_WHY_NO_PARSE);
    assert_int_equal(grade("\\frac{5}{", "5", &o).why, R1_MATH_WHY_GOLD);
    assert_int_equal(grade("", "5", &o).why, R1_MATH_WHY_GOLD);
    assert_int_equal(grade("\\frac{5}{", "\\frac{5}{", &o).kind, R1_MATH_EQUAL);
    r1_free(text);
}

static void references_are_linted(void **state) {
    static const struct {
        const char *gold;
        int usable;
    } cases[] = {{"5", 1}, {"x^2", 1}, {"Tuesday", 1}, {"", 0}, {"\\frac{1}{", 0}, {"\\zzz", 0}};
    r1_math_opts o = whole();
    r1_err err = {0};

    for (size_t i = 0; i < N(cases); i++) {
        r1_text t = r1_text_of(cases[i].gold);
        r1_math_gold *g = NULL;
        ASSERT_OK(r1_math_gold_open(&g, &t, 1, &o, &err), &err);
        if ((r1_math_gold_lint(g, &err) == R1_OK) != cases[i].usable)
            fail_msg("'%s' is %susable", cases[i].gold, cases[i].usable ? "not " : "");
        r1_math_gold_close(g);
    }
}

static void any_reference_will_do(void **state) {
    r1_text golds[3] = {r1_text_of("\\frac{1}{"), r1_text_of("4"), r1_text_of("5")};
    r1_math_opts o = whole();
    r1_math_gold *g = NULL;
    r1_math_result r;
    r1_err err;

    ASSERT_OK(r1_math_gold_open(&g, golds, 3, &o, &err), &err);
    ASSERT_OK(r1_math_grade(g, r1_text_of(""), r1_text_of("5"), &r, &err), &err);
    assert_int_equal(r.kind, R1_MATH_EQUAL);
    ASSERT_OK(r1_math_grade(g, r1_text_of(""), r1_text_of("6"), &r, &err), &err);
    assert_int_equal(r.kind, R1_MATH_NOT_EQUAL);
    r1_math_gold_close(g);
}

/* ---- what never changes a verdict ---- */

static const struct pair {
    const char *gold, *pred;
} pairs[] = {
    {"\\frac{3}{4}", "\\frac{6}{8}"},
    {"\\frac{3}{4}", "\\frac{4}{3}"},
    {"x^2+2x+1", "(x+1)^2"},
    {"x^2+2x+1", "(x+1)^3"},
    {"(0,1)", "(0,1)"},
    {"(0,1)", "(1,0)"},
    {"\\{1,2\\}", "\\{2,1\\}"},
    {"2\\sqrt{3}", "\\sqrt{12}"},
    {"\\sin 2x", "2\\sin x\\cos x"},
    {"\\sin 2x", "2\\sin x"},
    {"x=5", "y=5"},
    {"y=2x+1", "2x-y+1=0"},
    {"\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{pmatrix}1\\\\3\\end{pmatrix}"},
    {"1+2i", "(2-i)i"},
    {"12\\text{ cm}", "0.12\\text{ m}"},
    {"12\\text{ cm}", "12\\text{ m}"},
    {"2500000", "2.5\\text{ million}"},
    {"20\\text{ apples}", "20"},
    {"25\\%", "\\frac{1}{4}"},
    {"x=2,y=3", "(x,y)=(2,3)"},
    {"x=2,y=3", "(3,2)"},
    {"|x-1|<2", "(-1,3)"},
    {"\\mathbb{R}-\\{2\\}", "(-\\infty,2)\\cup(2,\\infty)"},
    {"0.1\\overline{6}", "\\frac{1}{6}"},
    {"x\\equiv 2\\pmod{5}", "x\\equiv 7\\pmod{5}"},
    {"3:4", "6:8"},
};

/* Copies s with every `from` as `to`. */
static void replaced(const char *s, const char *from, const char *to, char *ret, size_t size) {
    size_t n = 0, width = strlen(from);

    while (*s && n + strlen(to) + 1 < size) {
        int hit = strncmp(s, from, width) == 0;
        n += (size_t)snprintf(ret + n, size - n, "%.*s", hit ? (int)strlen(to) : 1, hit ? to : s);
        s += hit ? width : 1;
    }
    ret[n] = '\0';
}

static void form_does_not_matter(void **state) {
    static const struct {
        const char *from, *to;
    } forms[] = {{"+", " + "},          {"=", "\\; = \\;"}, {",", " , "},
                 {"\\frac", "\\dfrac"}, {"(", "\\left("},   {"\\{", "\\left\\{"}};
    static const char *const around[] = {
        "$%s$", "\\(%s\\)", " %s ", "$$\n%s\n$$", "\\boxed{%s}", "{%s}", "\\displaystyle %s"};
    r1_math_opts o = whole();
    char once[512], twice[512], text[512];

    for (size_t i = 0; i < N(pairs); i++) {
        r1_math_kind want = grade(pairs[i].gold, pairs[i].pred, &o).kind;
        for (size_t k = 0; k < N(forms); k++) {
            replaced(pairs[i].pred, forms[k].from, forms[k].to, once, sizeof once);
            replaced(once, k == 4 ? ")" : "\\}",
                     k == 4   ? "\\right)"
                     : k == 5 ? "\\right\\}"
                              : "\\}",
                     twice, sizeof twice);
            if (grade(pairs[i].gold, twice, &o).kind != want)
                fail_msg("'%s' against '%s' differs from '%s'", twice, pairs[i].gold,
                         pairs[i].pred);
        }
        for (size_t k = 0; k < N(around); k++) {
            if (around[k][0] == '{' && (strchr(pairs[i].pred, ',') || strchr(pairs[i].pred, '=')))
                continue; /* braces make a set of these */
            replaced(around[k], "%s", pairs[i].pred, text, sizeof text);
            if (grade(pairs[i].gold, text, &o).kind != want)
                fail_msg("'%s' against '%s'", text, pairs[i].gold);
        }
        snprintf(text, sizeof text, "We know $1+1=2$. So it is \\boxed{%s}, and not 7.",
                 pairs[i].pred);
        assert_int_equal(grade(pairs[i].gold, text, &r1_math_defaults).kind, want);
    }
}

static void sides_may_be_exchanged(void **state) {
    r1_math_opts o = whole();

    for (size_t i = 0; i < N(pairs); i++)
        if (grade(pairs[i].gold, pairs[i].pred, &o).kind !=
            grade(pairs[i].pred, pairs[i].gold, &o).kind)
            fail_msg("'%s' and '%s' depend on the side", pairs[i].gold, pairs[i].pred);
}

static void everything_is_equal_to_itself(void **state) {
    r1_math_opts o = whole();

    for (size_t i = 0; i < N(pairs); i++) {
        assert_int_equal(grade(pairs[i].gold, pairs[i].gold, &o).kind, R1_MATH_EQUAL);
        assert_int_equal(grade(pairs[i].pred, pairs[i].pred, &o).kind, R1_MATH_EQUAL);
    }
}

/* ---- limits ---- */

/* `unit` again and again. */
static r1_text repeated(const char *unit, size_t times) {
    size_t n = strlen(unit);
    char *s = r1_calloc(n * times + 1, 1);

    assert_non_null(s);
    for (size_t i = 0; i < times; i++)
        memcpy(s + i * n, unit, n);
    return (r1_text){s, n * times};
}

static void no_answer_costs_much(void **state) {
    static const char *const costly[] = {
        "9^{9^{9^{9}}}",
        "(20!)!",
        "\\binom{10^9}{5\\cdot10^8}",
        "\\sum_{k=1}^{10^9} k",
        "\\prod_{k=1}^{1000} k^{k}",
        "7^{10^{18}} \\bmod 14",
        "(x+1)^{100000}",
        "\\sin(\\sin(\\sin(\\sin(\\sin(x^{100}+1)))))",
        "x^{x^{x^{x^{x^{x}}}}}",
        "\\int_0^1 x^{x^{x}}\\,dx",
        "e^{e^{e^{e^{10}}}}",
        "\\sin(10^{10^{5}})",
    };
    static const char *const units[] = {"(",
                                        "{",
                                        "\\left(",
                                        "\\frac{1}{",
                                        "|",
                                        "$ ",
                                        "\\boxed{",
                                        "\\( ",
                                        "1/",
                                        "-",
                                        "^2",
                                        "answer is ",
                                        "**",
                                        "}",
                                        "x_",
                                        "\\sqrt{2+",
                                        "9",
                                        "\\text{and} ",
                                        "\\boxed{1} ",
                                        "1&",
                                        "1 and ",
                                        "$1$ or ",
                                        "x=\\boxed{1} or ",
                                        "1 million ",
                                        "5 cm ",
                                        "3 to ",
                                        "-1",
                                        "\\begin{cases}1&x>0\\\\",
                                        "0.\\dot{1}",
                                        "the answer is not "};
    r1_math_opts o = whole();

    for (size_t i = 0; i < N(costly); i++) {
        r1_math_result r = grade("13", costly[i], &o);
        assert_int_not_equal(r.kind, R1_MATH_EQUAL);
        assert_true(r.fuel <= 60000);
    }
    for (size_t i = 0; i < N(units); i++)
        for (size_t times = 100; times <= 100000; times *= 1000) {
            r1_text t = repeated(units[i], times);
            assert_int_not_equal(grade_text("13", t, &r1_math_defaults).kind, R1_MATH_EQUAL);
            assert_int_not_equal(grade_text("13", t, &o).kind, R1_MATH_EQUAL);
            r1_free((char *)(uintptr_t)t.s);
        }
}

/* Bytes and pieces of mathematics at random: never equal to a number that no one says. */
static void noise_is_no_answer(void **state) {
    static const char *const pieces[] = {"\\frac",
                                         "{",
                                         "}",
                                         "(",
                                         ")",
                                         "[",
                                         "]",
                                         "\\{",
                                         "\\}",
                                         "|",
                                         "\\\\",
                                         "&",
                                         "1",
                                         "2",
                                         "0.\\dot{1}",
                                         "x",
                                         "x_1=",
                                         "^",
                                         "_",
                                         "\\sqrt",
                                         "\\sin",
                                         "10^{10}",
                                         "!",
                                         "=",
                                         "<",
                                         "\\pm",
                                         "\\cup",
                                         "\\infty",
                                         ",",
                                         ";",
                                         " and ",
                                         " or ",
                                         "\\text{cm}",
                                         " million ",
                                         " apples ",
                                         " per ",
                                         "%",
                                         "$",
                                         "\\boxed{",
                                         "answer is ",
                                         "not ",
                                         "\\begin{cases}",
                                         "if ",
                                         "\\end{cases}",
                                         "\\sum_{k=1}^{9}",
                                         "\\int_0^1",
                                         "dx",
                                         "\xff",
                                         "\xe2\x88"};
    r1_math_opts o = whole();
    uint64_t seed = 1;
    char text[4096];

    for (int i = 0; i < 4000; i++) {
        size_t n = 0;
        for (int k = 1 + i % 120; k > 0; k--) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            const char *piece = pieces[(seed >> 33) % N(pieces)];
            size_t width = strlen(piece);
            memcpy(text + n, piece, width);
            n += width;
            text[n] = '\0'; /* some NUL bytes, too */
            n += (seed >> 60) == 0;
        }
        r1_math_result in_whole = grade_text("\\frac{918273}{7654321}", (r1_text){text, n}, &o),
                       found = grade_text("\\frac{918273}{7654321}", (r1_text){text, n},
                                          &r1_math_defaults);
        if (in_whole.kind == R1_MATH_EQUAL || found.kind == R1_MATH_EQUAL)
            fail_msg("equal: %s", text);
        assert_true(in_whole.fuel <= 60000 && found.fuel <= 60000);
    }
}

/* Large twins are not all unknown, and close values are not equal. */
static void large_and_close_values(void **state) {
    r1_math_opts o = whole();

    assert_int_equal(grade("(x+1)^{1000}", "(x^2+2x+1)^{500}", &o).kind, R1_MATH_EQUAL);
    assert_int_equal(grade("(x+1)^{1000}", "(x^2+2x+1)^{500}+1", &o).kind, R1_MATH_NOT_EQUAL);
    assert_int_equal(grade("2^{20000}+1", "2^{20000}", &o).kind, R1_MATH_NOT_EQUAL);
    assert_int_not_equal(grade("\\pi", "\\pi+10^{-400}", &o).kind, R1_MATH_EQUAL);
    assert_int_not_equal(grade("\\sin x", "\\sin x+10^{-50}", &o).kind, R1_MATH_EQUAL);
    assert_int_not_equal(grade("|x-10|", "10-x", &o).kind, R1_MATH_EQUAL);
    assert_int_not_equal(grade("x", "x^{2305843009213693921}", &o).kind, R1_MATH_EQUAL);
}

/* Which layer decides: exact ones before intervals. */
static void the_first_layer_that_knows_decides(void **state) {
    static const struct {
        const char *gold, *pred;
        r1_math_kind kind;
        r1_math_how how;
    } cases[] = {
        {"\\frac12", "\\frac24", R1_MATH_EQUAL, R1_MATH_HOW_RATIONAL},
        {"\\pi", "3.141593", R1_MATH_EQUAL, R1_MATH_HOW_DECIMAL},
        {"\\frac{x^2-1}{x-1}", "x+1", R1_MATH_EQUAL, R1_MATH_HOW_RATFUN},
        {"(1+i)^4", "-4", R1_MATH_EQUAL, R1_MATH_HOW_RATFUN},
        {"\\sqrt2\\sqrt3", "\\sqrt6", R1_MATH_EQUAL, R1_MATH_HOW_SURD},
        {"\\frac{1}{1+\\sqrt2+\\sqrt3}", "\\frac{2+\\sqrt2-\\sqrt6}{4}", R1_MATH_EQUAL,
         R1_MATH_HOW_SURD},
        {"\\sqrt{-2}\\sqrt{-3}", "-\\sqrt6", R1_MATH_EQUAL, R1_MATH_HOW_SURD},
        {"\\sqrt{-2}\\sqrt{-3}", "\\sqrt6", R1_MATH_NOT_EQUAL, R1_MATH_HOW_SURD},
        {"\\frac{1}{\\sqrt2+i}", "\\frac{\\sqrt2-i}{3}", R1_MATH_EQUAL, R1_MATH_HOW_SURD},
        {"\\sqrt{1000000007}", "\\sqrt{1000000009}", R1_MATH_NOT_EQUAL, R1_MATH_HOW_SURD},
        {"\\max(\\pi, 3)", "\\pi", R1_MATH_EQUAL, R1_MATH_HOW_BALL},
        {"e^\\pi", "\\pi^e", R1_MATH_NOT_EQUAL, R1_MATH_HOW_BALL},
        {"\\sqrt{x^2-1}", "\\sqrt{(x-1)(x+1)}", R1_MATH_EQUAL, R1_MATH_HOW_PROBE},
        {"x+y=2", "2x+2y-4=0", R1_MATH_EQUAL, R1_MATH_HOW_EQUATION},
        {"1<x<2", "(1,2)", R1_MATH_EQUAL, R1_MATH_HOW_SET},
    };
    r1_math_opts o = whole();

    for (size_t i = 0; i < N(cases); i++) {
        r1_math_result r = grade(cases[i].gold, cases[i].pred, &o);
        if (r.kind != cases[i].kind || r.how != cases[i].how)
            fail_msg("%s and %s: %d by %s", cases[i].gold, cases[i].pred, (int)r.kind,
                     r1_math_how_name(r.how));
    }
}

/* ---- threads ---- */

typedef struct shared {
    const r1_math_gold *gold;
    int wrong;
} shared;

static void *grade_often(void *arg) {
    shared *s = arg;
    r1_math_result r;
    r1_err err;

    for (int i = 0; i < 50; i++) {
        s->wrong += r1_math_grade(s->gold, r1_text_of(""), r1_text_of("\\boxed{2\\sin x\\cos x}"),
                                  &r, &err) != R1_OK ||
                    r.kind != R1_MATH_EQUAL;
        s->wrong += r1_math_grade(s->gold, r1_text_of(""), r1_text_of("\\boxed{\\sin x}"), &r,
                                  &err) != R1_OK ||
                    r.kind != R1_MATH_NOT_EQUAL;
    }
    return NULL;
}

static void threads_share_a_reference(void **state) {
    r1_text t = r1_text_of("\\sin 2x");
    r1_math_gold *g = NULL;
    pthread_t threads[4];
    shared work[4];
    r1_err err;

    ASSERT_OK(r1_math_gold_open(&g, &t, 1, &r1_math_defaults, &err), &err);
    for (int i = 0; i < 4; i++) {
        work[i] = (shared){g, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, grade_often, &work[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(work[i].wrong, 0);
    }
    r1_math_gold_close(g);
}

static void memory_may_be_short(void **state) {
    r1_text t = r1_text_of("\\sin 2x");
    r1_status st = R1_NOMEM;
    r1_err err;

    for (long n = 0; st != R1_OK; n++) {
        r1_math_gold *g = NULL;
        r1_math_result r;
        r1_mem_fail_after(n);
        st = r1_math_gold_open(&g, &t, 1, &r1_math_defaults, &err);
        if (st == R1_OK)
            st = r1_math_grade(g, r1_text_of(""), t, &r, &err);
        r1_mem_fail_after(-1);
        r1_math_gold_close(g);
        assert_true(st == R1_OK || st == R1_NOMEM);
        assert_true(n < 20);
    }
}

/* ---- rows, the reward ---- */

static r1_status row(const char *text, char *ret, size_t size, r1_err *err) {
    const char *kind;
    r1_buf out;

    r1_buf_init(&out, 1 << 16);
    r1_status st = r1_grade_line(&r1_grade_math, NULL, r1_text_of(text), 7, 0, &out, &kind, err);
    snprintf(ret, size, "%s", st == R1_OK ? out.data : "");
    r1_buf_done(&out);
    return st;
}

static void rows_are_read_as_they_are(void **state) {
    static const struct {
        const char *row, *want;
    } cases[] = {
        {"{\"id\":\"a\",\"gold\":\"1/2\",\"pred\":\"0.5\",\"mode\":\"answer\"}",
         "{\"id\": \"a\", \"verdict\": \"equal\", \"score\": 1, \"how\": \"rational\", "
         "\"why\": \"\", "},
        {"{\"gold\":[\"1\",\"2\"],\"pred\":\"so 2\",\"mode\":\"text\"}",
         "{\"id\": 7, \"verdict\": \"equal\", \"score\": 1"},
        {"{\"gold\":\"1\",\"pred\":\"2\",\"opts\":{\"max_ms\":50}}",
         "{\"id\": 7, \"verdict\": \"not_equal\", \"score\": 0"},
        {"{\"gold\":null,\"pred\":\"\\\\frac{1}\"}",
         "{\"id\": 7, \"verdict\": \"unknown\", \"score\": 0, \"how\": \"none\", "
         "\"why\": \"NO_PARSE\""},
        {"{\"gold\":null,\"pred\":\"x+1\"}", "{\"id\": 7, \"verdict\": \"equal\""},
        {"{\"gold\":\"\",\"pred\":\"x\"}",
         "{\"id\": 7, \"verdict\": \"unknown\", \"score\": null, \"how\": \"none\", "
         "\"why\": \"GOLD\""},
        {"{\"gold\":\"4/3\",\"pred\":\"1.333\",\"opts\":{\"precision\":3}}",
         "{\"id\": 7, \"verdict\": \"equal\", \"score\": 1, \"how\": \"decimal\""},
        {"{\"gold\":\"3, 0.2\",\"pred\":\"0.21, 3\",\"mode\":\"answer\","
         "\"opts\":{\"abs_tol\":[0.001,\"0.05\"]}}",
         "{\"id\": 7, \"verdict\": \"equal\""},
    };
    char line[512];
    r1_err err;

    for (size_t i = 0; i < N(cases); i++) {
        ASSERT_OK(row(cases[i].row, line, sizeof line, &err), &err);
        if (strncmp(line, cases[i].want, strlen(cases[i].want)) != 0)
            fail_msg("%s gives %s", cases[i].row, line);
    }
    ASSERT_FAILS(row("{\"id\":\"b\",\"gold\":\"1\",\"pred\":\"1\",\"opts\":{\"x\":1}}", line,
                     sizeof line, &err),
                 R1_DATA, &err, "id b: opts.x");
    ASSERT_FAILS(row("{\"gold\":\"1\"}", line, sizeof line, &err), R1_DATA, &err, "pred");
    ASSERT_FAILS(row("{\"pred\":\"1\"}", line, sizeof line, &err), R1_DATA, &err, "gold");
    ASSERT_FAILS(row("{\"gold\":\"1\",\"pred\":\"1\",\"mode\":\"x\"}", line, sizeof line, &err),
                 R1_DATA, &err, "mode");
}

static void the_reward_is_strict(void **state) {
    static const struct {
        const char *completion, *reference;
        r1_verdict_kind kind;
    } cases[] = {
        {"\\boxed{\\frac{2}{4}}", "\\frac12", R1_VERDICT_CORRECT},
        {"\\boxed{72}", "48+24 = 72\n#### 72", R1_VERDICT_CORRECT},
        {"\\boxed{71}", "72", R1_VERDICT_WRONG},
        {"\\boxed{5}", "4\\text{ feet by }5\\text{ feet}", R1_VERDICT_WRONG},
        {"\\boxed{4\\text{ feet by }5\\text{ feet}}", "4\\text{ feet by }5\\text{ feet}",
         R1_VERDICT_CORRECT},
        {"\\boxed{7}", "so it is \\boxed{7}", R1_VERDICT_CORRECT},
        {"72", "72", R1_VERDICT_NO_ANSWER},
        {"\\boxed{9^{9^{9^9}}\\pi}", "72", R1_VERDICT_NO_ANSWER},
        {"\\boxed{1}", "", R1_VERDICT_UNPARSEABLE_GOLD},
    };
    r1_reward *r = NULL;
    r1_err err;

    ASSERT_OK(r1_reward_open(&r, &(r1_reward_options){.name = "math"}, &err), &err);
    for (size_t i = 0; i < N(cases); i++) {
        r1_grade_input in = {.completion = r1_text_of(cases[i].completion),
                             .reference = r1_text_of(cases[i].reference)};
        r1_verdict v = r1_reward_grade(r, &in);
        if (v.kind != cases[i].kind)
            fail_msg("'%s': %s", cases[i].completion, r1_verdict_name(v.kind));
    }
    r1_reward_close(r);
}

static void identities_are_decided_without_probes(void **state) {
    static const struct {
        const char *gold, *pred;
        int equal;
    } cases[] = {
        {"\\tan x", "\\frac{\\sin x}{\\cos x}", 1},
        {"\\sin 2x", "2\\sin x\\cos x", 1},
        {"\\sin 2x", "2\\sin x", 0},
        {"\\sin 3x", "3\\sin x-4\\sin^3 x", 1},
        {"\\sin 3x", "3\\sin x-4\\sin^3 y", 0},
        {"\\sin(a+b)", "\\sin a\\cos b+\\cos a\\sin b", 1},
        {"\\sin(a-b)", "\\sin a\\cos b+\\cos a\\sin b", 0},
        {"\\tan\\frac{x}{2}", "\\frac{1-\\cos x}{\\sin x}", 1},
        {"\\cot x-\\csc 2x", "\\cot 2x", 1},
        {"\\sec^2 x", "1-\\tan^2 x", 0},
        {"\\sin(\\frac{\\pi}{2}-x)", "\\cos x", 1},
        {"\\cos(x+3\\pi)", "-\\cos x", 1},
        {"\\cos\\theta+i\\sin\\theta", "e^{i\\theta}", 1},
        {"e^{i\\theta}", "e^{\\theta}", 0},
        {"\\sinh x", "-i\\sin(ix)", 1},
        {"\\cosh^2 x-\\sinh^2 x", "1", 1},
        {"\\tanh x", "\\frac{e^{2x}-1}{e^{2x}+1}", 1},
        {"e^{x+1}", "e\\cdot e^x", 1},
        {"e^{-x}", "\\frac{1}{e^x}", 1},
        {"x e^{2x}", "x (e^x)^2", 1},
        {"x e^{2x}", "(x e^x)^2", 0},
        {"\\frac{e^{3x/2}}{e^{x/2}}", "e^x", 1},
        {"\\exp(x)", "x^e", 0},
        {"2^{x+1}", "2\\cdot 2^x", 1},
        {"3\\cdot 2^{n-1}", "\\frac32\\cdot 2^n", 1},
        {"2^{n+1}-1", "2^n-1", 0},
        {"(\\frac23)^n", "2^n 3^{-n}", 1},
        {"(\\frac23)^n", "2^n 3^n", 0},
        {"12^n", "3^n 4^n", 1},
        {"9^{n/2}", "3^n", 1},
        {"2^x", "e^x", 0},
        {"9973^n", "9973\\cdot 9973^{n-1}", 1},
        {"2^{x+y}", "2^x+2^y", 0},
    };
    r1_math_opts o = whole();

    for (size_t i = 0; i < N(cases); i++) {
        r1_math_result r = grade(cases[i].gold, cases[i].pred, &o);
        if (r.kind != (cases[i].equal ? R1_MATH_EQUAL : R1_MATH_NOT_EQUAL) ||
            (cases[i].equal && r.how != R1_MATH_HOW_RATFUN))
            fail_msg("%s and %s: %d by %s", cases[i].gold, cases[i].pred, (int)r.kind,
                     r1_math_how_name(r.how));
    }
}

static void a_group_is_judged_as_its_samples_are(void **state) {
    static const char *const completions[] = {"\\boxed{0.5}", "\\boxed{2}", "0.5",
                                              "\\boxed{\\frac{2}{4}}"};
    r1_reward_options o = {.name = "math", .weight = 1};
    r1_grade_input in[N(completions)] = {{{0}}};
    r1_graded graded[N(completions)];
    r1_rewards rewards;
    r1_err err;

    ASSERT_OK(r1_rewards_open(&rewards, &o, 1, &err), &err);
    for (size_t i = 0; i < N(completions); i++) {
        in[i].completion = r1_text_of(completions[i]);
        in[i].reference = r1_text_of("\\frac12");
    }
    r1_rewards_grade(&rewards, in, N(completions), graded);
    for (size_t i = 0; i < N(completions); i++) {
        assert_int_equal(graded[i].verdict[0].kind, r1_reward_grade(rewards.r[0], &in[i]).kind);
        assert_int_equal(graded[i].correct, i == 0 || i == 3);
    }
    r1_rewards_close(&rewards);
}

/* With an argument: only the tests that start threads, for ThreadSanitizer, which is slow. */
int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_found_where_they_stand),
        cmocka_unit_test(training_takes_boxes_and_tags_only),
        cmocka_unit_test(options_ask_for_a_place),
        cmocka_unit_test(unknown_says_why),
        cmocka_unit_test(references_are_linted),
        cmocka_unit_test(any_reference_will_do),
        cmocka_unit_test(form_does_not_matter),
        cmocka_unit_test(sides_may_be_exchanged),
        cmocka_unit_test(everything_is_equal_to_itself),
        cmocka_unit_test(no_answer_costs_much),
        cmocka_unit_test(noise_is_no_answer),
        cmocka_unit_test(large_and_close_values),
        cmocka_unit_test(the_first_layer_that_knows_decides),
        cmocka_unit_test(threads_share_a_reference),
        cmocka_unit_test(memory_may_be_short),
        cmocka_unit_test(rows_are_read_as_they_are),
        cmocka_unit_test(the_reward_is_strict),
        cmocka_unit_test(identities_are_decided_without_probes),
        cmocka_unit_test(a_group_is_judged_as_its_samples_are),
    };

    const struct CMUnitTest threaded[] = {cmocka_unit_test(threads_share_a_reference)};

    return argc > 1 ? cmocka_run_group_tests(threaded, NULL, NULL)
                    : cmocka_run_group_tests(tests, NULL, NULL);
}
