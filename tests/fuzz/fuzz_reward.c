/* Rewards on any completion, as a model might write it, and r1-grade on any row. */
#include "tests/fuzz/fuzz.h"

#include "reward/extract.h"
#include "reward/grade.h"
#include "reward/reflect.h"

#include <string.h>

static void check_verdict(const r1_verdict *v) {
    R1_ASSERT(v->kind >= R1_VERDICT_CORRECT && v->kind <= R1_VERDICT_NO_ANSWER);
    R1_ASSERT(v->score >= -1 && v->score <= 1);
    R1_ASSERT(v->score == 0 || v->score == 1 || v->kind == R1_VERDICT_WRONG);
    R1_ASSERT(memchr(v->note, '\0', sizeof v->note));
}

/* An answer lies inside of the text it is taken from. */
static void check_places(r1_text t) {
    r1_text segment = r1_extract_segment(r1_text_of(""), t), span;
    r1_place place = r1_extract_marked(segment, &span);

    R1_ASSERT(segment.s >= t.s && segment.s + segment.n <= t.s + t.n);
    if (place != R1_PLACE_CUT)
        R1_ASSERT(span.s >= segment.s && span.s + span.n <= segment.s + segment.n);
}

static void check_reflection(r1_text t) {
    static const char *const list[] = {"wait", "so", "\xe6\x88\x91"};
    r1_reflection_words w;
    r1_err err;

    R1_ASSERT(r1_reflection_init(&w, list, 3, &err) == R1_OK);
    int n = r1_reflections(&w, t);
    R1_ASSERT(n >= 0 && (size_t)n <= t.n / 2);
    R1_ASSERT((r1_answer_changed(t) | 1) == 1 && (size_t)r1_text_chars(t) <= t.n);
}

/* A row is graded or refused by every kind, and a line is one JSON object. */
static void check_kinds(r1_text row) {
    static void *ctx[32];

    for (int k = 0; r1_grade_kinds[k]; k++) {
        const r1_grade_options o = {.kind = r1_grade_kinds[k]->name, .jobs = 1};
        const char *verdict;
        r1_err err = {0};
        r1_buf out;

        if (r1_grade_kinds[k] == &r1_grade_code) /* runs programs; fuzz_judge reads its rows */
            continue;
        if (!ctx[k]) /* kept: what a context says when it is closed is no output of this */
            R1_ASSERT(r1_grade_kinds[k]->open(&o, &ctx[k], &err) == R1_OK);
        r1_buf_init(&out, 1 << 24);
        r1_status st = r1_grade_line(r1_grade_kinds[k], ctx[k], row, 1, 0, &out, &verdict, &err);
        R1_ASSERT(st == R1_OK || (st == R1_DATA && err.msg[0]));
        if (st == R1_OK) {
            json_t *line = json_loadb(out.data, out.len, JSON_ALLOW_NUL, NULL);
            R1_ASSERT(json_is_object(line));
            json_decref(line);
        }
        r1_buf_done(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static const r1_reward_options options[] = {
        {.name = "number"},
        {.name = "number", .from = "last"},
        {.name = "number", .from = "boxed"},
        {.name = "number", .from = "answer_tag"},
        {.name = "number", .from = "hash"},
        {.name = "exact"},
        {.name = "format"},
        {.name = "countdown"},
        {.name = "choice"},
        {.name = "format", .answer = "boxed"},
        {.name = "format_code"},
        {.name = "tag_count"},
        {.name = "reasoning_steps"},
        {.name = "language", .target = "en"},
        {.name = "language", .unit = "whitespace"},
        {.name = "repetition"},
        {.name = "loop", .max_period = 8},
        {.name = "length"},
    };
    r1_grade_input in = {.completion = {(const char *)data, n},
                         .question = {(const char *)data, n},
                         .reference = r1_text_of("24"),
                         .extra = r1_text_of("{\"nums\": [2, 3, 4], \"target\": 24}")};

    check_places(in.completion);
    check_reflection(in.completion);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        r1_reward *r = NULL;
        r1_err err;

        in.reference = r1_text_of(strcmp(options[i].name, "choice") == 0 ? "B" : "24");
        R1_ASSERT(r1_reward_open(&r, &options[i], &err) == R1_OK);
        r1_verdict v = r1_reward_grade(r, &in), again = r1_reward_grade(r, &in);
        check_verdict(&v);
        R1_ASSERT(v.kind == again.kind && strcmp(v.note, again.note) == 0);
        r1_reward_close(r);
    }
    check_kinds(in.completion);
    return 0;
}
