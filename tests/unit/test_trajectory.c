/* Reasons of verdicts on the wire: they arrive as they were sent, and never longer than their place. */
#include "tests/unit/unit.h"

#include "common/base/mem.h"
#include "common/wire/trajectory.h"

#include <stdio.h>
#include <string.h>

#define LONG 90 /* bytes: a text whose length has a byte of its own in msgpack (0xd9, n) */

static const r1_wire_limits limits = {
    .max_prompt_len = 4, .max_tokens = 4, .max_samples = 2, .vocab_size = 10};

/* One sample with two rewards: a long reason and none. */
static void make(r1_buf *out) {
    r1_group g;
    r1_err err = {0};

    ASSERT_OK(r1_group_alloc(&g, 1, 1, &err), &err);
    ASSERT_OK(r1_trajectory_alloc(&g.t[0], 2, &err), &err);
    g.injected = 3;
    g.t[0].n_rewards = 2;
    g.t[0].text[R1_TEXT_LANGUAGE] = 0.25f;
    memset(g.t[0].note[0], 'w', LONG);
    r1_buf_init(out, 1 << 20);
    ASSERT_OK(r1_group_encode(&g, out, &err), &err);
    r1_group_done(&g);
}

/* Where the long reason's header stands. */
static size_t find(const r1_buf *b) {
    for (size_t i = 0; i + 2 < b->len; i++)
        if ((uint8_t)b->data[i] == 0xd9 && b->data[i + 1] == LONG && b->data[i + 2] == 'w')
            return i;
    fail_msg("the reason is not in the message");
    return 0;
}

static void reasons_arrive(void **state) {
    r1_buf b;
    r1_group g;
    r1_err err = {0};

    make(&b);
    ASSERT_OK(r1_group_decode(b.data, b.len, &limits, &g, &err), &err);
    assert_int_equal(g.injected, 3);
    assert_int_equal(strlen(g.t[0].note[0]), LONG);
    assert_string_equal(g.t[0].note[1], "");
    assert_true(g.t[0].text[R1_TEXT_LANGUAGE] == 0.25f);
    r1_group_done(&g);
    r1_buf_done(&b);
}

static void reasons_that_do_not_fit_are_refused(void **state) {
    static const char more[] = "xxxxxx"; /* LONG + 6 = the size of the place, without a NUL */
    r1_buf b, longer;
    r1_group g;
    r1_err err = {0};

    make(&b);
    size_t at = find(&b);
    r1_buf_init(&longer, 1 << 20);
    ASSERT_OK(r1_buf_add(&longer, b.data, at + 2, &err), &err);
    ASSERT_OK(r1_buf_add(&longer, more, sizeof more - 1, &err), &err);
    ASSERT_OK(r1_buf_add(&longer, b.data + at + 2, b.len - at - 2, &err), &err);
    longer.data[at + 1] = LONG + 6;
    ASSERT_FAILS(r1_group_decode(longer.data, longer.len, &limits, &g, &err), R1_DATA, &err,
                 "'note' holds something that is no short text");
    b.data[at] = (char)0xc4; /* bytes, not a text */
    ASSERT_FAILS(r1_group_decode(b.data, b.len, &limits, &g, &err), R1_DATA, &err,
                 "'note' holds something that is no short text");
    b.data[at] = (char)0xd9;
    b.data[at - 1] = (char)0x91; /* one reason for two rewards: the rest is no map any more */
    assert_int_equal(r1_group_decode(b.data, b.len, &limits, &g, &err), R1_DATA);
    r1_buf_done(&longer);
    r1_buf_done(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reasons_arrive),
        cmocka_unit_test(reasons_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
