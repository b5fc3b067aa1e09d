/* reward/: words and languages, the form of a completion, choices, penalties, and rewards that look
 * at a whole group or at one source of data. */
#include "tests/unit/unit.h"

#include "common/base/mem.h"
#include "common/config/schema.h"
#include "reward/extract.h"
#include "reward/language.h"
#include "reward/prose.h"
#include "reward/reflect.h"
#include "reward/shaping.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N(a) (sizeof(a) / sizeof *(a))

static r1_verdict grade(const r1_reward_options *o, const r1_grade_input *in) {
    r1_reward *r = NULL;
    r1_err err;

    ASSERT_OK(r1_reward_open(&r, o, &err), &err);
    r1_verdict v = r1_reward_grade(r, in);
    r1_reward_close(r);
    return v;
}

static r1_verdict grade_text(const r1_reward_options *o, const char *completion) {
    r1_grade_input in = {.completion = r1_text_of(completion)};

    return grade(o, &in);
}

static void assert_score(r1_verdict v, double want) {
    if (fabs((double)v.score - want) > 1e-6)
        fail_msg("%s, score %g instead of %g: %s", r1_verdict_name(v.kind), (double)v.score, want,
                 v.note);
}

static void assert_text(r1_text t, const char *want) {
    if (t.n != strlen(want) || memcmp(t.s, want, t.n) != 0)
        fail_msg("'%.*s' instead of '%s'", (int)t.n, t.s, want);
}

/* ---- words ---- */

static void only_language_is_a_word(void **state) {
    static const struct {
        const char *text, *words; /* with | between them */
    } cases[] = {
        {"Let's add two-digit numbers.", "Let's|add|two-digit|numbers"},
        {"f(x) = 2x + y_1 and sin a", "and|sin"},
        {"code `for i in x` and ```c\nint main\n``` end", "code|and|end"},
        {"```never closed", "never|closed"},
        {"\\frac{a}{b} is \\boxed{half of {it}} or $x$ and \\(yes\\) but \\[no\\]",
         "is|or|and|but"},
        {"$$sum over all$$ done", "done"},
        {"$5 and $6 cost", "and|cost"},
        {"<think>so</think> a < b > c <br/> x", "so"},
        {"at https://a.b/c?word=1 www.word.org here", "at|here"},
        {"a3f9c2 abc123 0xff 3rd", ""},
        {"\xe6\x88\x91\xe4\xbb\xac"
         "and"
         "\xd0\xb4\xd0\xb0",
         "\xe6\x88\x91\xe4\xbb\xac|and|\xd0\xb4\xd0\xb0"},
        {"bad \xff\xfe bytes \xe6\x88", "bad|bytes"},
        {"", ""},
    };

    for (size_t i = 0; i < N(cases); i++) {
        char got[256] = "";
        r1_prose p;
        r1_word w;

        r1_prose_start(&p, r1_text_of(cases[i].text));
        while (r1_prose_next(&p, &w)) {
            strncat(got, *got ? "|" : "", sizeof got - strlen(got) - 1);
            strncat(got, w.text.s, w.text.n);
        }
        if (strcmp(got, cases[i].words) != 0)
            fail_msg("'%s': words '%s' instead of '%s'", cases[i].text, got, cases[i].words);
    }
}

/* Marks that open and never close must not be searched for again and again. */
static void open_marks_take_linear_time(void **state) {
    static const char *const marks[] = {"` ",  "$x ",      "\\( ", "\\[ ",
                                        "$$x", "\\boxed{", "<a ",  "``` x "};
    size_t n = 1 << 20;
    char *text = malloc(n);

    for (size_t k = 0; k < N(marks); k++) {
        for (size_t i = 0; i < n; i++)
            text[i] = marks[k][i % strlen(marks[k])];
        clock_t t0 = clock();
        r1_language_count((r1_text){text, n}, r1_language_find("en"), R1_UNIT_CHARS);
        double s = (double)(clock() - t0) / CLOCKS_PER_SEC;
        if (s > 3) /* measured: at most 0.15 s */
            fail_msg("'%s': %.1f s", marks[k], s);
    }
    free(text);
}

/* ---- languages ---- */

static void questions_have_a_language(void **state) {
    static const char *const cases[][2] = {
        {"What is 3 + 4?", "en"},
        {"Was ist die Summe von 3 und 4?", "de"},
        {"Quelle est la somme de 3 et 4 ?", "fr"},
        {"\xc2\xbf"
         "Cu\xc3\xa1l es la suma de los n\xc3\xbameros 3 y 4?",
         "es"},
        {"3\xe5\x8a\xa0"
         "4\xe7\xad\x89\xe4\xba\x8e\xe5\xa4\x9a\xe5\xb0\x91",
         "zh"},
        {"\xd0\xa1\xd0\xba\xd0\xbe\xd0\xbb\xd1\x8c\xd0\xba\xd0\xbe 3+4", "ru"},
        {"3 + 4 = ", "en"},
    };

    for (size_t i = 0; i < N(cases); i++) {
        int l = r1_language_of(r1_text_of(cases[i][0]), r1_language_find("en"));
        assert_string_equal(r1_language_name(l), cases[i][1]);
    }
    assert_int_equal(r1_language_find("xx"), -1);
}

static void language_looks_at_the_thinking(void **state) {
    r1_reward_options o = {.name = "language", .target = "en"};
    r1_grade_input in = {.question = r1_text_of("Was ist die Summe von zwei und drei?"),
                         .completion = r1_text_of("<think>We add two and three.</think>"
                                                  "Das ist die Summe von zwei und drei.")};

    assert_score(grade(&o, &in), 1);
    o.target = NULL; /* the question's */
    r1_verdict v = grade(&o, &in);
    assert_score(v, 0);
    assert_string_equal(v.note, "de: 0 of 5 words");
    o.min_words = 6;
    assert_score(grade(&o, &in), 1);
    o = (r1_reward_options){.name = "language", .target = "zh"};
    assert_score(
        grade_text(&o, "\xe6\x88\x91\xe4\xbb\xac\xe5\x85\x88\xe8\xae\xa1\xe7\xae\x97\xe5\x92\x8c"
                       "\xe7\xad\x94 then the end"),
        4.375 / 7.375);
    o.unit = "whitespace";
    assert_score(grade_text(&o, "\xe6\x88\x91\xe4\xbb\xac then"), 0.5);
}

/* ---- reconsidering ---- */

static void reflections_are_words(void **state) {
    static const char *const list[] = {
        "wait", "double-check", "check", "\xe7\xad\x89\xe7\xad\x89", "try again", "\xe9"};
    static const struct {
        const char *text;
        int n;
    } cases[] = {
        {"Wait, WAIT! wait", 3},
        {"await waits wait\xc3\xa9 \xc3\xa9wait wait_", 1},
        {"double-check and check; recheck", 2},
        {"\xe6\x88\x91\xe7\xad\x89\xe7\xad\x89wait", 2},
        {"try again, try  again", 1},
        {"", 0},
    };
    const char *const empty[] = {""};
    r1_reflection_words w;
    r1_err err;

    ASSERT_OK(r1_reflection_init(&w, list, 5, &err), &err);
    for (size_t i = 0; i < N(cases); i++)
        if (r1_reflections(&w, r1_text_of(cases[i].text)) != cases[i].n)
            fail_msg("'%s': %d", cases[i].text, r1_reflections(&w, r1_text_of(cases[i].text)));
    ASSERT_FAILS(r1_reflection_init(&w, empty, 1, &err), R1_USAGE, &err, "empty");
}

static void answers_that_change_are_seen(void **state) {
    static const struct {
        const char *text;
        int changed;
    } cases[] = {
        {"The answer is 5. No, the answer is 6.", 1},
        {"The answer is 5. Yes: the answer is 5.", 0},
        {"answer: 5\nso \\boxed{5}", 0},
        {"\\boxed{5} wait \\boxed{\\frac{1}{2}}", 1},
        {"\\boxed{\\frac{1}{2}} is \\boxed{\\frac{1}{2}}", 0},
        {"the answer is \\boxed{5}, \\boxed{5}", 0},
        {"\xe7\xad\x94\xe6\xa1\x88\xe6\x98\xaf"
         "5\n\xe7\xad\x94\xe6\xa1\x88\xe6\x98\xaf"
         "6",
         1},
        {"the answer is", 0},
        {"", 0},
    };

    for (size_t i = 0; i < N(cases); i++)
        if (r1_answer_changed(r1_text_of(cases[i].text)) != cases[i].changed)
            fail_msg("'%s'", cases[i].text);
    assert_int_equal(r1_text_chars(r1_text_of("a\xc3\xa9\xe7\xad\x89")), 3);
    assert_text(r1_extract_thinking(r1_text_of("x<think>a</think>b</think>c")), "a</think>b");
    assert_text(r1_extract_thinking(r1_text_of("a</think>b")), "a");
    assert_text(r1_extract_thinking(r1_text_of("<think>a")), "a");
    assert_text(r1_extract_thinking(r1_text_of("a")), "a");
}

/* ---- form ---- */

static void look_alikes_are_no_tags(void **state) {
    static const char *const bad[] = {
        "<think>a</think><answer>b < answer></answer>",
        "<think>a <THINK></think><answer>b</answer>",
        "<think>a</ think></think><answer>b</answer>",
        "<think>a\xef\xbc\x9cthink\xef\xbc\x9e</think><answer>b</answer>",
    };
    r1_reward_options o = {.name = "format"};

    for (size_t i = 0; i < N(bad); i++)
        assert_string_equal(grade_text(&o, bad[i]).note, "something that only looks like a tag");
    assert_score(grade_text(&o, "<think>a < b > c, <thinker></think><answer>b</answer>"), 1);
}

static void format_may_want_a_box_and_more_thinking(void **state) {
    r1_reward_options o = {.name = "format", .answer = "boxed", .min_think = 3};

    assert_score(grade_text(&o, "<think>abc</think> It is \\boxed{5}."), 1);
    assert_string_equal(grade_text(&o, "<think>ab</think>\\boxed{5}").note,
                        "the thinking is too short");
    assert_string_equal(grade_text(&o, "<think>abc</think>5").note,
                        "no box behind the thinking, or more than one");
    assert_score(grade_text(&o, "<think>abc</think>\\boxed{5}\\boxed{6}"), 0);
    assert_string_equal(grade_text(&o, "<think>abc</think>\\boxed{5").note,
                        "the box is not closed");
    assert_string_equal(grade_text(&o, "<think>abc</think>\\boxed{ }").note, "the box is empty");
    assert_score(grade_text(&o, "<think>abc</think><answer>\\boxed{5}</answer>"), 0);
    o = (r1_reward_options){.name = "format_code", .code_language = "c"};
    assert_score(grade_text(&o, "<think>a</think><answer>```c\nx\n```</answer>"), 1);
    assert_score(grade_text(&o, "<think>a</think><answer>```cpp\nx\n```</answer>"), 0);
    o = (r1_reward_options){.name = "tag_count"};
    assert_score(grade_text(&o, "<think>a</think><answer>b"), 0.75);
    assert_score(grade_text(&o, "<think><think>a</think><answer>b</answer>"), 0.75);
    o = (r1_reward_options){.name = "reasoning_steps"};
    r1_verdict v = grade_text(&o, "Step 1: a");
    assert_score(v, 1.0 / 3);
    assert_int_equal(v.kind, R1_VERDICT_WRONG);
}

/* ---- choice ---- */

static void choices_are_one_letter(void **state) {
    static const struct {
        const char *completion, *gold, *extra;
        r1_verdict_kind want;
    } cases[] = {
        {"\\boxed{C}", "C", "", R1_VERDICT_CORRECT},
        {"<answer>(c)</answer>", "C", "", R1_VERDICT_CORRECT},
        {"\\boxed{\\text{(C)}}", "(C)", "", R1_VERDICT_CORRECT},
        {"<answer>C.</answer>", "C", "", R1_VERDICT_CORRECT},
        {"<answer>**C**</answer>", "$C$", "", R1_VERDICT_CORRECT},
        {"Final answer is B", "B", "{\"opts\":{\"choices\":[\"A\",\"B\"]}}", R1_VERDICT_CORRECT},
        {"The answer is U.", "U", "{\"choices\":[\"U\"]}", R1_VERDICT_CORRECT},
        {"\xe7\xad\x94\xe6\xa1\x88\xe6\x98\xaf"
         "B",
         "B", "", R1_VERDICT_CORRECT},
        {"\\boxed{B}", "C", "", R1_VERDICT_WRONG},
        {"\\boxed{C and D}", "C", "", R1_VERDICT_WRONG},
        {"\\boxed{(C) or (D)}", "C", "", R1_VERDICT_WRONG},
        {"\\boxed{C, D}", "C", "", R1_VERDICT_WRONG},
        {"\\boxed{Cats}", "C", "", R1_VERDICT_WRONG},
        {"\\boxed{E}", "E", "{\"choices\":[\"A\",\"B\"]}", R1_VERDICT_WRONG},
        {"\\boxed{(B) 42}", "B", "{\"choices\":[\"41\",\"42\"]}", R1_VERDICT_CORRECT},
        {"\\boxed{(B) 41}", "B", "{\"choices\":[\"41\",\"42\"]}", R1_VERDICT_WRONG},
        {"\\boxed{C}", "C", "{\"choices\":[\"41\",\"42\"]}", R1_VERDICT_WRONG},
        {"No valid answer here", "A", "", R1_VERDICT_NO_ANSWER},
        {"\\boxed{A", "A", "", R1_VERDICT_NO_ANSWER},
        {"<think>A</think>", "A", "", R1_VERDICT_NO_ANSWER},
        {"\\boxed{A}", "A cat", "", R1_VERDICT_UNPARSEABLE_GOLD},
        {"\\boxed{A}", "(A) Cecile", "", R1_VERDICT_CORRECT},
        {"The correct option is A", "A", "", R1_VERDICT_CORRECT},
        {"The best choice is B or A", "A", "", R1_VERDICT_NO_ANSWER},
        {"\\boxed{A}", "", "", R1_VERDICT_UNPARSEABLE_GOLD},
    };
    r1_reward_options o = {.name = "choice"};

    for (size_t i = 0; i < N(cases); i++) {
        r1_grade_input in = {.completion = r1_text_of(cases[i].completion),
                             .reference = r1_text_of(cases[i].gold),
                             .extra = r1_text_of(cases[i].extra)};
        r1_verdict v = grade(&o, &in);
        if (v.kind != cases[i].want)
            fail_msg("'%s' against '%s': %s (%s)", cases[i].completion, cases[i].gold,
                     r1_verdict_name(v.kind), v.note);
    }
}

/* ---- tokens ---- */

static void repetition_and_loops_go_by_tokens(void **state) {
    static const int32_t ids[] = {1, 2, 3, 1, 2, 3}, loop[] = {9, 4, 4, 4, 4, 4},
                         pair[] = {7, 1, 2, 1, 2, 1, 2};
    r1_reward_options o = {.name = "repetition"};
    r1_grade_input in = {.completion = r1_text_of("a b c d"), .ids = ids, .n_ids = 6};

    assert_score(grade(&o, &in), -0.25);
    o.unit = "words";
    assert_score(grade(&o, &in), 0);
    in.n_ids = 0; /* without tokens: words */
    o.unit = NULL;
    assert_score(grade(&o, &in), 0);
    o = (r1_reward_options){.name = "loop"};
    in = (r1_grade_input){.ids = loop, .n_ids = 6};
    assert_score(grade(&o, &in), -1);
    in.n_ids = 5;
    assert_score(grade(&o, &in), 0);
    o.times = 3;
    in = (r1_grade_input){.ids = pair, .n_ids = 7};
    assert_score(grade(&o, &in), -1);
    o.max_period = 1;
    assert_score(grade(&o, &in), 0);
    o = (r1_reward_options){.name = "length", .target_len = 10};
    assert_score(grade(&o, &in), -0.3);
}

/* ---- groups and sources ---- */

static void group_rewards_go_by_the_first_verdicts(void **state) {
    const r1_reward_options o[] = {{.name = "number", .weight = 1.0},
                                   {.name = "kimi_length_group", .weight = 1.0},
                                   {.name = "cosine", .weight = 0.5, .max_len = 40}};
    static const char *const texts[] = {"5", "5", "6", "6"};
    static const int32_t ids[40] = {0};
    static const int lengths[] = {10, 30, 10, 30};
    static const double kimi[] = {0.5, -0.5, 0, -0.5};
    r1_grade_input in[4];
    r1_rewards rewards;
    r1_graded g[4];
    r1_err err;

    for (int i = 0; i < 4; i++)
        in[i] = (r1_grade_input){.completion = r1_text_of(texts[i]),
                                 .reference = r1_text_of("5"),
                                 .ids = ids,
                                 .n_ids = lengths[i]};
    ASSERT_OK(r1_rewards_open(&rewards, o, 3, &err), &err);
    r1_rewards_grade(&rewards, in, 4, g);
    for (int i = 0; i < 4; i++) {
        double low = i < 2 ? 0.5 : -0.5, high = i < 2 ? 1.0 : -1.0;
        double cosine = low + 0.5 * (high - low) * (1 + cos(M_PI * lengths[i] / 40));
        assert_score(g[i].verdict[1], kimi[i]);
        assert_score(g[i].verdict[2], cosine);
        assert_true(fabs(g[i].total - ((i < 2) + kimi[i] + 0.5 * cosine)) < 1e-6);
        assert_true(g[i].usable && g[i].correct == (i < 2));
    }
    in[1].reference = r1_text_of("none"); /* cannot be judged: no part of the group's lengths */
    in[1].n_ids = 40;
    r1_rewards_grade(&rewards, in, 4, g);
    assert_int_equal(g[1].usable, 0);
    assert_int_equal(g[1].verdict[1].kind, R1_VERDICT_UNPARSEABLE_GOLD);
    assert_score(g[3].verdict[1], -0.5);
    r1_rewards_close(&rewards);
    ASSERT_FAILS(r1_rewards_open(&rewards, o + 1, 1, &err), R1_USAGE, &err, "cannot be it");
}

static void a_source_has_rewards_of_its_own(void **state) {
    const r1_reward_options o[] = {{.name = "number", .weight = 1.0, .source = "gsm8k"},
                                   {.name = "exact", .weight = 2.0, .source = "words"},
                                   {.name = "format", .weight = 0.25}};
    r1_grade_input in = {.completion = r1_text_of("<think>a</think><answer>yes</answer>"),
                         .reference = r1_text_of("yes"),
                         .extra = r1_text_of("{\"data_source\": \"words\"}")};
    r1_rewards rewards;
    r1_graded g;
    r1_err err;

    ASSERT_OK(r1_rewards_open(&rewards, o, 3, &err), &err);
    ASSERT_OK(r1_rewards_lint(&rewards, &in, &err), &err);
    r1_rewards_grade(&rewards, &in, 1, &g);
    assert_true(g.total == 2.25 && g.usable && g.correct);
    assert_int_equal(g.verdict[0].kind, R1_VERDICT_NOT_ASKED);
    in.extra = r1_text_of("{\"data_source\": \"gsm8k\"}"); /* 'yes' is no number */
    ASSERT_FAILS(r1_rewards_lint(&rewards, &in, &err), R1_DATA, &err, "cannot judge");
    r1_rewards_grade(&rewards, &in, 1, &g);
    assert_int_equal(g.usable, 0);
    assert_int_equal(g.verdict[1].kind, R1_VERDICT_NOT_ASKED);
    r1_rewards_close(&rewards);
    ASSERT_OK(r1_rewards_open(&rewards, o, 2, &err), &err);
    in.extra = r1_text_of("{}");
    ASSERT_FAILS(r1_rewards_lint(&rewards, &in, &err), R1_DATA, &err, "data_source");
    r1_rewards_grade(&rewards, &in, 1, &g);
    assert_true(!g.usable && g.total == 0 && !g.correct);
    r1_rewards_close(&rewards);
}

static void parameters_are_checked(void **state) {
    r1_reward *r = NULL;
    r1_err err;

    ASSERT_FAILS(r1_reward_open(&r, &(r1_reward_options){.name = "language", .target = "xx"}, &err),
                 R1_USAGE, &err, "'xx'");
    ASSERT_FAILS(r1_reward_open(&r, &(r1_reward_options){.name = "format", .answer = "box"}, &err),
                 R1_USAGE, &err, "'box'");
}

/* Names of the configuration and of the registry are the same. */
static void the_schema_knows_every_reward(void **state) {
    const char *const *names = r1_key_find(r1_schema_reward, "name", 0)->choices;
    int n = 0;

    for (; names[n]; n++) {
        int i = 0;
        while (r1_reward_name(i) && strcmp(r1_reward_name(i), names[n]) != 0)
            i++;
        if (!r1_reward_name(i))
            fail_msg("no reward '%s'", names[n]);
        r1_reward_spec spec = {.name = names[n]};
        assert_int_equal(r1_section_kind(r1_schema_reward, &spec), n);
    }
    assert_null(r1_reward_name(n));
    assert_string_equal(names[R1_REWARD_MATH], "math");
    assert_int_equal(n, R1_REWARD_MATH + 1);
}

/* No memory is a verdict of its own, never a score. */
static void no_memory_is_an_error(void **state) {
    static const int32_t ids[] = {1, 1, 1, 1};
    static const char *const names[] = {"repetition", "loop"};
    r1_grade_input in = {.ids = ids, .n_ids = 4};

    for (size_t i = 0; i < N(names); i++) {
        r1_reward_options o = {.name = names[i]};
        r1_reward *r = NULL;
        r1_err err;
        ASSERT_OK(r1_reward_open(&r, &o, &err), &err);
        r1_mem_fail_after(0);
        r1_verdict v = r1_reward_grade(r, &in);
        r1_mem_fail_after(-1);
        assert_int_equal(v.kind, R1_VERDICT_ERROR);
        r1_reward_close(r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_language_is_a_word),
        cmocka_unit_test(open_marks_take_linear_time),
        cmocka_unit_test(questions_have_a_language),
        cmocka_unit_test(language_looks_at_the_thinking),
        cmocka_unit_test(reflections_are_words),
        cmocka_unit_test(answers_that_change_are_seen),
        cmocka_unit_test(look_alikes_are_no_tags),
        cmocka_unit_test(format_may_want_a_box_and_more_thinking),
        cmocka_unit_test(choices_are_one_letter),
        cmocka_unit_test(repetition_and_loops_go_by_tokens),
        cmocka_unit_test(group_rewards_go_by_the_first_verdicts),
        cmocka_unit_test(a_source_has_rewards_of_its_own),
        cmocka_unit_test(parameters_are_checked),
        cmocka_unit_test(the_schema_knows_every_reward),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
