/* reward/: where answers stand, what numbers are, the rules' verdicts, the weighted sum. */
#include "tests/unit/unit.h"

#include "reward/extract.h"
#include "reward/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N(a) (sizeof(a) / sizeof *(a))

static r1_verdict grade(const char *name, const char *from, const char *completion,
                        const char *reference) {
    r1_reward_options o = {.name = name, .from = from};
    r1_grade_input in = {.completion = r1_text_of(completion), .reference = r1_text_of(reference)};
    r1_reward *r = NULL;
    r1_err err;

    ASSERT_OK(r1_reward_open(&r, &o, &err), &err);
    r1_verdict v = r1_reward_grade(r, &in);
    r1_reward_close(r);
    return v;
}

static void assert_text(r1_text t, const char *want) {
    if (t.n != strlen(want) || memcmp(t.s, want, t.n) != 0)
        fail_msg("'%.*s' instead of '%s'", (int)t.n, t.s, want);
}

/* ---- extraction ---- */

static void extraction_takes_the_last_and_never_another(void **state) {
    static const struct {
        const char *text;
        r1_place place;
        const char *span;
    } cases[] = {
        {"so \\boxed{1} or \\boxed{2}", R1_PLACE_BOXED, "2"},
        {"\\boxed{\\frac{3}{4}} done", R1_PLACE_BOXED, "\\frac{3}{4}"},
        {"\\boxed{1} and \\boxed{2", R1_PLACE_CUT, NULL},
        {"\\boxed{", R1_PLACE_CUT, NULL},
        {"<answer>4</answer> #### 5", R1_PLACE_ANSWER_TAG, "4"},
        {"<answer>4</answer> \\boxed{5}", R1_PLACE_BOXED, "5"},
        {"<answer>4</answer><answer>5</answer>", R1_PLACE_ANSWER_TAG, "5"},
        {"<answer>4</answer><answer>5", R1_PLACE_CUT, NULL},
        {"<answer></answer>", R1_PLACE_ANSWER_TAG, ""},
        {"</answer>7<answer>", R1_PLACE_CUT, NULL},
        {"#### 5\n#### 6\nmore", R1_PLACE_HASH, " 6"},
        {"plain 8", R1_PLACE_LAST, "plain 8"},
        {"", R1_PLACE_LAST, ""},
    };

    for (size_t i = 0; i < N(cases); i++) {
        r1_text span;
        r1_place place = r1_extract_marked(r1_text_of(cases[i].text), &span);
        if (place != cases[i].place)
            fail_msg("'%s': %s instead of %s", cases[i].text, r1_place_name(place),
                     r1_place_name(cases[i].place));
        if (cases[i].span)
            assert_text(span, cases[i].span);
    }
}

static void segment_is_behind_the_thinking_and_ends_with_the_turn(void **state) {
    static const char *const cases[][2] = {
        {"<think>5</think>6", "6"},
        {"<think>a</think>b</think>c", "c"},
        {"reasoning</think> 7", " 7"},
        {"<think>never ends 9", ""},
        {"<think>x</think>1<think>again", ""},
        {"4<|im_end|>\n<|im_start|>user\n5", "4"},
        {"4</s>5", "4"},
        {"4<|eot_id|>5", "4"},
        {"4<|endoftext|>5", "4"},
        {"<|im_end|></think>3", ""},
        {"no marks", "no marks"},
    };

    for (size_t i = 0; i < N(cases); i++)
        assert_text(r1_extract_segment(r1_text_of(""), r1_text_of(cases[i][0])), cases[i][1]);
    r1_text opened = r1_text_of("2+3? <think>\n");
    assert_text(r1_extract_segment(opened, r1_text_of("I wonder 5")), "");
    assert_text(r1_extract_segment(opened, r1_text_of("2+3</think>5")), "5");
    assert_text(r1_extract_segment(r1_text_of("a <think> b"), r1_text_of("5")), "5");
}

/* ---- numbers ---- */

/* Canonical fractions by GMP's own reader, so that only r1_number_* is under test. */
static void assert_last(const char *text, const char *want) {
    mpq_t x, y;

    mpq_inits(x, y, NULL);
    if (r1_number_last(r1_text_of(text), x) != 1)
        fail_msg("'%s' holds no number", text);
    assert_int_equal(mpq_set_str(y, want, 10), 0);
    mpq_canonicalize(y);
    if (!mpq_equal(x, y))
        fail_msg("'%s' is %s, not %s", text, mpq_get_str(NULL, 10, x), want);
    mpq_clears(x, y, NULL);
}

static void numbers_have_their_exact_value(void **state) {
    static const char *const cases[][2] = {
        {"42", "42"},
        {"It is 42.", "42"},
        {"007", "7"},
        {"-5", "-5"},
        {"x=-5", "-5"},
        {"\xe2\x88\x92"
         "8",
         "-8"},
        {"-$5", "-5"},
        {"-\\$5", "-5"},
        {"$-5$", "-5"},
        {"$1,234.50", "2469/2"},
        {"1,234,567", "1234567"},
        {"12,345,67", "67"},
        {"1,23", "23"},
        {"0,123", "123"},
        {"1234,567", "567"},
        {"1,2345", "2345"},
        {"10{,}000", "10000"},
        {"10,\\!000", "10000"},
        {"12\\,345", "12345"},
        {".5", "1/2"},
        {"0.1", "1/10"},
        {"18.00", "18"},
        {"1.2.3", "3"},
        {"3/4", "3/4"},
        {"6/8", "3/4"},
        {"-3/4", "-3/4"},
        {"1,000/2", "500"},
        {"\\frac{3}{4}", "3/4"},
        {"\\dfrac{-3}{ 4 }", "-3/4"},
        {"-\\tfrac{3}{-4}", "3/4"},
        {"\\frac34", "3/4"},
        {"\\frac{-1}{x} 7", "7"},
        {"3 1/2", "7/2"},
        {"-3 1/2", "-7/2"},
        {"3\\frac{1}{2}", "7/2"},
        {"3 7/2", "7/2"},
        {"1.5e3", "1500"},
        {"2E-3", "1/500"},
        {"50%", "50"},
        {"1e1000 then 2", "2"},
        {"x = - 5", "-5"},
        {"\xe2\x80\x93"
         "8",
         "-8"},
        {"is -5", "-5"},
        {"answer - 5", "5"},
        {"sums:\n- 5", "5"},
        {"3 / 4", "3/4"},
        {"12 345", "12345"},
        {"2019 150", "150"},
        {"the answer is \\boxed{-5}", "-5"},
        {"**5**", "5"},
        {"\\(5\\)", "5"},
        {"2+2=4", "4"},
        {"he ran 5km.", "5"},
        {"5\\text{ km}", "5"},
    };
    static const char *const parts[] = {
        "10-5",    "(3)-5",     "10 - 5", "5/0",       "5/10/2023",  "\\frac{1}{0}",
        "3e4x",    "3e",        "x^2",    "a_2",       "2^x",        "\\sqrt{5}",
        "\\sqrt5", "2\\pi",     "\\pi/2", "x+7",       "y = x + 7",  "5x",
        "A3",      "-(5)",      "- ( 5",  "5 million", "5\\times x", "\\log{5} done",
        "{5}",     "-\\left(5", "5 - 10", "3 * 4",     "5 dozen",
    };

    mpq_t x;

    for (size_t i = 0; i < N(cases); i++)
        assert_last(cases[i][0], cases[i][1]);
    mpq_init(x);
    for (size_t i = 0; i < N(parts); i++)
        if (r1_number_last(r1_text_of(parts[i]), x) != -1)
            fail_msg("'%s' is taken for a number", parts[i]);
    mpq_clear(x);
}

/* A text that must be one number: what may stand beside it, and what may not. */
static void only_a_whole_number_counts(void **state) {
    static const char *const cases[][2] = {
        {"5", "5"},
        {" - 5 ", "-5"},
        {"-$5", "-5"},
        {"$-5$", "-5"},
        {"\\$5", "5"},
        {"+5", "5"},
        {"$72 dollars.", "72"},
        {"5%", "5"},
        {"5 \\%", "5"},
        {"3 / 4", "3/4"},
        {"3 1/2", "7/2"},
        {"12 345", "12345"},
        {"-\\frac{3}{4}", "-3/4"},
        {"5\\text{ cm}", "5"},
        {"5 square feet", "5"},
        {"10 dollars per hour", "10"},
        {"\\(5\\)", "5"},
        {"**73**", "73"},
        {"5.", "5"},
        {"5 m", "5"},
        {"\xe2\x88\x92 7", "-7"},
    };
    static const char *const none[] = {
        "\\sqrt{5}",
        "2\\pi",
        "\\frac{\\pi}{2}",
        "x+1",
        "2^x",
        "A3",
        "y = x+7",
        "-(5)",
        "5!",
        "5\\pi",
        "x^2",
        "\\pi/2",
        "\\ne 5",
        "less than 5",
        "5 or",
        "5 million",
        "5 and a half",
        "5 x",
        "5i",
        "(5",
        "[5, \\infty)",
        "5cm",
        "1001_{2}",
        "-\\left(\\frac{3}{4}\\right)",
        "5\\text{ or more}",
        "--5",
        "5..",
        "not 5",
        "5 apples 6",
        "5^\\circ",
        "|5|",
        "5 - 3",
        "x = 5",
    };
    mpq_t x, want;

    mpq_inits(x, want, NULL);
    for (size_t i = 0; i < N(cases); i++) {
        mpq_set_str(want, cases[i][1], 10);
        if (r1_number_only(r1_text_of(cases[i][0]), x) != 1 || !mpq_equal(x, want))
            fail_msg("'%s' is not read as %s", cases[i][0], cases[i][1]);
    }
    for (size_t i = 0; i < N(none); i++)
        if (r1_number_only(r1_text_of(none[i]), x) != -1)
            fail_msg("'%s' is taken for a number", none[i]);
    mpq_clears(x, want, NULL);
}

static void number_limits(void **state) {
    static char text[3000];
    mpq_t x;

    mpq_init(x);
    memset(text, '9', 1000);
    assert_int_equal(r1_number_last(r1_text_of(text), x), 1);
    text[1000] = '9';
    assert_int_equal(r1_number_last(r1_text_of(text), x), 0);
    strcpy(text + 1001, " but 7");
    assert_int_equal(r1_number_only(r1_text_of(text), x), -1);
    assert_int_equal(r1_number_last(r1_text_of(text), x), 1);
    assert_int_equal(mpq_cmp_ui(x, 7, 1), 0);
    assert_int_equal(r1_number_last(r1_text_of("1e1001"), x), 0);
    assert_int_equal(r1_number_last(r1_text_of("none, nor \xc2\xbd . - / e \\frac{}{}"), x), 0);
    assert_int_equal(r1_number_only(r1_text_of("5 m and 3 cm"), x), -1);
    assert_int_equal(r1_number_only(r1_text_of("$72 dollars."), x), 1);
    assert_int_equal(mpq_cmp_ui(x, 72, 1), 0);
    mpq_clear(x);
}

/* A megabyte of the dearest literals costs what other text costs: values are not computed. */
static void a_text_of_huge_exponents_is_only_scanned(void **state) {
    size_t n = 1 << 20;
    char *text = malloc(n + 1);
    mpq_t x;

    mpq_init(x);
    for (size_t i = 0; i < n; i++)
        text[i] = "1e-999 "[i % 7];
    text[n] = '\0';
    clock_t t0 = clock();
    assert_int_equal(r1_number_last((r1_text){text, n / 7 * 7}, x), 1);
    assert_true((double)(clock() - t0) / CLOCKS_PER_SEC < 0.5); /* measured: 0.02 s */
    mpq_clear(x);
    free(text);
}

/* ---- the rules ---- */

static void number_verdicts(void **state) {
    static const struct {
        const char *from, *completion, *reference;
        r1_verdict_kind want;
    } cases[] = {
        {NULL, "she has 72", "x #### 72", R1_VERDICT_CORRECT},
        {NULL, "72.0", "72", R1_VERDICT_CORRECT},
        {NULL, "72,5", "72", R1_VERDICT_WRONG},
        {NULL, "#### 1,000", "1000", R1_VERDICT_CORRECT},
        {NULL, "72 \\boxed{71}", "72", R1_VERDICT_WRONG},
        {NULL, "\\boxed{72 or 71}", "72", R1_VERDICT_WRONG},
        {NULL, "\\boxed{72} \\boxed{71", "72", R1_VERDICT_NO_ANSWER},
        {NULL, "<think>72</think>", "72", R1_VERDICT_NO_ANSWER},
        {NULL, "<think>72", "72", R1_VERDICT_NO_ANSWER},
        {NULL, "<think>\\boxed{71}</think><answer>72</answer>", "72", R1_VERDICT_CORRECT},
        {NULL, "none", "72", R1_VERDICT_NO_ANSWER},
        {NULL, "0.3333333333333333", "1/3", R1_VERDICT_WRONG},
        {NULL, "10%", "10", R1_VERDICT_CORRECT},
        {NULL, "0.1", "10%", R1_VERDICT_WRONG},
        {NULL, "10000000000000000000000001", "10000000000000000000000000", R1_VERDICT_WRONG},
        {"last", "\\boxed{71} 72", "72", R1_VERDICT_CORRECT},
        {"boxed", "72", "72", R1_VERDICT_NO_ANSWER},
        {"answer_tag", "<answer> 72 </answer>", "72", R1_VERDICT_CORRECT},
        {"answer_tag", "\\boxed{72}", "72", R1_VERDICT_NO_ANSWER},
        {"hash", "#### 72", "72", R1_VERDICT_CORRECT},
        {"hash", "72", "72", R1_VERDICT_NO_ANSWER},
        {NULL, "72", "", R1_VERDICT_UNPARSEABLE_GOLD},
        {NULL, "72", "72 or 73", R1_VERDICT_UNPARSEABLE_GOLD},
        {NULL, "", "abc", R1_VERDICT_UNPARSEABLE_GOLD},
        {NULL, "5", "\\sqrt{5}", R1_VERDICT_UNPARSEABLE_GOLD},
        {NULL, "7", "y = x+7", R1_VERDICT_UNPARSEABLE_GOLD},
        {NULL, "2", "\\frac{\\pi}{2}", R1_VERDICT_UNPARSEABLE_GOLD},
        {NULL, "\\boxed{- 5}", "5", R1_VERDICT_WRONG},
        {NULL, "\\boxed{- 5}", "-5", R1_VERDICT_CORRECT},
        {NULL, "\\boxed{-(5)}", "5", R1_VERDICT_WRONG},
        {NULL, "\\boxed{5!}", "5", R1_VERDICT_WRONG},
        {NULL, "\\boxed{x = - 5}", "-5", R1_VERDICT_CORRECT},
        {NULL, "<answer>less than 5</answer>", "5", R1_VERDICT_WRONG},
        {NULL, "so it is \\sqrt{5}", "5", R1_VERDICT_WRONG},
        {"last", "\\boxed{72}", "72", R1_VERDICT_CORRECT},
    };

    for (size_t i = 0; i < N(cases); i++) {
        r1_verdict v = grade("number", cases[i].from, cases[i].completion, cases[i].reference);
        if (v.kind != cases[i].want)
            fail_msg("'%s' against '%s': %s (%s)", cases[i].completion, cases[i].reference,
                     r1_verdict_name(v.kind), v.note);
        assert_true(v.score == (v.kind == R1_VERDICT_CORRECT ? 1.0f : 0.0f));
    }
}

static void exact_verdicts(void **state) {
    assert_int_equal(grade("exact", NULL, " yes\n", "yes").kind, R1_VERDICT_CORRECT);
    assert_int_equal(grade("exact", NULL, "<answer>1,2</answer> x", "1,2").kind,
                     R1_VERDICT_CORRECT);
    assert_int_equal(grade("exact", NULL, "yes, no", "yes").kind, R1_VERDICT_WRONG);
    assert_int_equal(grade("exact", NULL, "<answer>yes", "yes").kind, R1_VERDICT_NO_ANSWER);
    assert_int_equal(grade("exact", NULL, "  ", "yes").kind, R1_VERDICT_NO_ANSWER);
    assert_int_equal(grade("exact", NULL, "yes", " ").kind, R1_VERDICT_UNPARSEABLE_GOLD);
}

static void format_verdicts(void **state) {
    static const struct {
        const char *completion;
        int ok;
    } cases[] = {
        {"<think>a</think><answer>b</answer>", 1},
        {" <think> a </think>\n<answer>\nb</answer>\n", 1},
        {"<think>a</think><answer>b</answer>x", 0},
        {"x<think>a</think><answer>b</answer>", 0},
        {"<think>a</think>x<answer>b</answer>", 0},
        {"<think> </think><answer>b</answer>", 0},
        {"<think>a</think><answer></answer>", 0},
        {"<think>a<answer>b</answer></think>", 0},
        {"<think>a<think>b</think><answer>c</answer>", 0},
        {"<answer>b</answer><think>a</think>", 0},
        {"<think>a</think><answer>b</answer><answer>b</answer>", 0},
        {"< think>a</think><answer>b</answer>", 0},
        {"<THINK>a</THINK><answer>b</answer>", 0},
        {"a</think><answer>b</answer>", 0},
        {"", 0},
    };
    r1_reward_options o = {.name = "format"};
    r1_grade_input in = {.question = r1_text_of("2+2? <think>\n"),
                         .completion = r1_text_of("a</think><answer>b</answer>")};
    r1_reward *r;
    r1_err err;

    for (size_t i = 0; i < N(cases); i++)
        if ((grade("format", NULL, cases[i].completion, "").kind == R1_VERDICT_CORRECT) !=
            cases[i].ok)
            fail_msg("'%s'", cases[i].completion);
    ASSERT_OK(r1_reward_open(&r, &o, &err), &err); /* the prompt has opened the thinking */
    assert_int_equal(r1_reward_grade(r, &in).kind, R1_VERDICT_CORRECT);
    in.completion = r1_text_of("<think>a</think><answer>b</answer>");
    assert_int_equal(r1_reward_grade(r, &in).kind, R1_VERDICT_WRONG);
    r1_reward_close(r);
}

static void countdown_verdicts(void **state) {
    static const struct {
        const char *extra, *completion;
        r1_verdict_kind want;
    } cases[] = {
        {"{\"nums\":[44,19,35],\"target\":98}", "44+19+35", R1_VERDICT_CORRECT},
        {"{\"nums\":[44,19,35],\"target\":98}", "<answer>35 + (19+44) = 98</answer>",
         R1_VERDICT_CORRECT},
        {"{\"nums\":[2,3,4],\"target\":24}", "2 \xc3\x97 3 \xc3\x97 4", R1_VERDICT_CORRECT},
        {"{\"nums\":[2,3,4],\"target\":-1}",
         "3\xe2\x88\x92"
         "4/(4/4)",
         R1_VERDICT_WRONG},
        {"{\"nums\":[8,2,1],\"target\":3}",
         "8\xc3\xb7"
         "2\xe2\x88\x92"
         "1",
         R1_VERDICT_CORRECT},
        {"{\"nums\":[4,6],\"target\":-2}", "4-6=-2", R1_VERDICT_CORRECT},
        {"{\"nums\":[4,6],\"target\":-2}", "4-6=2", R1_VERDICT_WRONG},
        {"{\"nums\":[4,6],\"target\":2}", "-4+6", R1_VERDICT_WRONG},
        {"{\"nums\":[4,6],\"target\":2}", "6-(-4)", R1_VERDICT_WRONG},
        {"{\"nums\":[4,6],\"target\":2}", "6-04", R1_VERDICT_WRONG},
        {"{\"nums\":[4,6],\"target\":2}", "6 - 4 = 2 = 2", R1_VERDICT_WRONG},
        {"{\"nums\":[4,6],\"target\":2}", "2 = 6-4", R1_VERDICT_WRONG},
        {"{\"nums\":[4,6],\"target\":2}", "6-4 is it", R1_VERDICT_WRONG},
        {"{\"nums\":[4,6],\"target\":2}", "6--4", R1_VERDICT_WRONG},
        {"{\"nums\":[4,6],\"target\":2}", "6//4", R1_VERDICT_WRONG},
        {"{\"nums\":[4,0],\"target\":2}", "4/0", R1_VERDICT_WRONG},
        {"{\"nums\":[4,6],\"target\":2}", "()", R1_VERDICT_WRONG},
        {"{\"nums\":[4,6],\"target\":2}", "<answer>6-4", R1_VERDICT_NO_ANSWER},
        {"{\"nums\":[4,6],\"target\":2}", "<answer> </answer>", R1_VERDICT_NO_ANSWER},
        {"{\"nums\":[4,6],\"target\":2}", "<think>6-4</think>", R1_VERDICT_NO_ANSWER},
        {"{\"nums\":[1000000000000,1],\"target\":1000000000001}", "1000000000000+1",
         R1_VERDICT_CORRECT},
        {"{\"nums\":[1],\"target\":1}", "10000000000000000000000000000000000001", R1_VERDICT_WRONG},
        {"{\"nums\":[4,6]}", "6-4", R1_VERDICT_UNPARSEABLE_GOLD},
        {"{\"nums\":[4,\"6\"],\"target\":2}", "6-4", R1_VERDICT_UNPARSEABLE_GOLD},
        {"{\"nums\":[],\"target\":2}", "2", R1_VERDICT_UNPARSEABLE_GOLD},
        {"nonsense", "6-4", R1_VERDICT_UNPARSEABLE_GOLD},
    };
    r1_reward_options o = {.name = "countdown"};
    r1_reward *r;
    r1_err err;

    ASSERT_OK(r1_reward_open(&r, &o, &err), &err);
    for (size_t i = 0; i < N(cases); i++) {
        r1_grade_input in = {.completion = r1_text_of(cases[i].completion),
                             .extra = r1_text_of(cases[i].extra)};
        r1_verdict v = r1_reward_grade(r, &in);
        if (v.kind != cases[i].want)
            fail_msg("'%s': %s (%s)", cases[i].completion, r1_verdict_name(v.kind), v.note);
    }
    char deep[512]; /* 200 brackets: refused, not recursed into */
    memset(deep, '(', 200);
    deep[200] = '\0';
    r1_grade_input in = {.completion = r1_text_of(deep),
                         .extra = r1_text_of("{\"nums\":[1],\"target\":1}")};
    assert_string_equal(r1_reward_grade(r, &in).note, "brackets nested too deep");
    in.completion = (r1_text){"1\0", 2};
    assert_int_equal(r1_reward_grade(r, &in).kind, R1_VERDICT_WRONG);
    r1_reward_close(r);
}

/* ---- the weighted sum ---- */

static void composite_weighs_and_requires_format(void **state) {
    const r1_reward_options o[] = {{.name = "number", .weight = 1.0, .require_format = 1},
                                   {.name = "format", .weight = 0.25},
                                   {.name = "exact", .weight = 0}};
    r1_grade_input in = {.reference = r1_text_of("4")};
    r1_rewards rewards;
    r1_graded g;
    r1_err err;

    ASSERT_OK(r1_rewards_open(&rewards, o, 3, &err), &err);
    in.completion = r1_text_of("<think>2+2</think><answer>4</answer>");
    r1_rewards_grade(&rewards, &in, 1, &g);
    assert_true(g.total == 1.25 && g.usable && g.correct && g.n == 3);
    assert_int_equal(g.verdict[2].kind, R1_VERDICT_CORRECT);
    in.completion = r1_text_of("<think>2+2</think><answer>5</answer>");
    r1_rewards_grade(&rewards, &in, 1, &g);
    assert_true(g.total == 0.25 && g.usable && !g.correct);
    in.completion = r1_text_of("2+2 is <answer>4</answer>"); /* right, but not in the form */
    r1_rewards_grade(&rewards, &in, 1, &g);
    assert_true(g.total == 0 && g.usable && !g.correct);
    assert_int_equal(g.verdict[0].kind, R1_VERDICT_WRONG);
    assert_true(g.verdict[0].score == 0.0f);
    r1_rewards_close(&rewards);
}

/* A reference that cannot be judged is no zero: the sample is unusable, unless its weight is 0. */
static void unscorable_is_not_zero(void **state) {
    r1_reward_options o[] = {{.name = "format", .weight = 1.0}, {.name = "number", .weight = 1.0}};
    r1_grade_input in = {.completion = r1_text_of("<think>a</think><answer>4</answer>"),
                         .reference = r1_text_of("unknown")};
    r1_rewards rewards;
    r1_graded g;
    r1_err err;

    ASSERT_OK(r1_rewards_open(&rewards, o, 2, &err), &err);
    r1_rewards_grade(&rewards, &in, 1, &g);
    assert_int_equal(g.usable, 0);
    assert_int_equal(g.verdict[1].kind, R1_VERDICT_UNPARSEABLE_GOLD);
    ASSERT_FAILS(r1_rewards_lint(&rewards, &in, &err), R1_DATA, &err, "'unknown'");
    r1_rewards_close(&rewards);
    o[1].weight = 0;
    ASSERT_OK(r1_rewards_open(&rewards, o, 2, &err), &err);
    r1_rewards_grade(&rewards, &in, 1, &g);
    assert_true(g.usable && g.total == 1.0);
    r1_rewards_close(&rewards);
}

static void unknown_names_are_usage(void **state) {
    r1_reward_options o = {.name = "nubmer"};
    r1_reward *r = NULL;
    r1_err err;

    ASSERT_FAILS(r1_reward_open(&r, &o, &err), R1_USAGE, &err, "'nubmer'");
    o = (r1_reward_options){.name = "number", .from = "first"};
    ASSERT_FAILS(r1_reward_open(&r, &o, &err), R1_USAGE, &err, "'first'");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extraction_takes_the_last_and_never_another),
        cmocka_unit_test(segment_is_behind_the_thinking_and_ends_with_the_turn),
        cmocka_unit_test(numbers_have_their_exact_value),
        cmocka_unit_test(only_a_whole_number_counts),
        cmocka_unit_test(number_limits),
        cmocka_unit_test(a_text_of_huge_exponents_is_only_scanned),
        cmocka_unit_test(number_verdicts),
        cmocka_unit_test(exact_verdicts),
        cmocka_unit_test(format_verdicts),
        cmocka_unit_test(countdown_verdicts),
        cmocka_unit_test(composite_weighs_and_requires_format),
        cmocka_unit_test(unscorable_is_not_zero),
        cmocka_unit_test(unknown_names_are_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
