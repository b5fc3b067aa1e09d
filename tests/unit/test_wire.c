/* common/wire: what comes over the wire is whole, finite and what was asked for, or it is refused. */
#include "tests/unit/unit.h"

#include "common/wire/frames.h"
#include "common/wire/rollout.h"

#include <math.h>
#include <string.h>

enum {
    SAMPLES = 2,
    TOKENS = 3
};

static const r1_wire_limits limits = {
    .max_prompt_len = 4, .max_tokens = 3, .max_samples = 2, .vocab_size = 10};
static const r1_rollout_request request = {
    .stage = 1, .first = 40, .n_prompts = 8, .group_size = SAMPLES, .n_rewards = 1, .version = 7};

static r1_group a_group(void) {
    r1_group g;
    r1_err err;

    ASSERT_OK(r1_group_alloc(&g, 2, SAMPLES, &err), &err);
    g.deal = 42;
    g.version = 7;
    g.stage = 1;
    g.prompt[1] = 9;
    for (int i = 0; i < SAMPLES; i++) {
        r1_trajectory *t = &g.t[i];
        ASSERT_OK(r1_trajectory_alloc(t, TOKENS, &err), &err);
        for (int k = 0; k < TOKENS; k++)
            t->logp[k] = -0.5f * (float)k;
        t->n_rewards = 1;
        t->score[0] = 1;
        t->reward = 1;
        t->usable = 1;
    }
    return g;
}

/* Over the wire and through all checks. */
static r1_status send(r1_group *g, r1_err *err) {
    r1_group got;
    r1_buf buf;
    r1_status st;

    r1_buf_init(&buf, 1 << 20);
    ASSERT_OK(r1_group_encode(g, &buf, err), err);
    st = r1_group_decode(buf.data, buf.len, &limits, &got, err);
    if (st == R1_OK) {
        st = r1_rollout_check(&request, &got, err);
        if (st == R1_OK)
            assert_memory_equal(got.t[1].logp, g->t[1].logp, TOKENS * sizeof(float));
        r1_group_done(&got);
    }
    r1_buf_done(&buf);
    r1_group_done(g);
    return st;
}

static void good_groups_pass(void **state) {
    r1_group g = a_group();
    r1_err err;

    ASSERT_OK(send(&g, &err), &err);
}

/* Each of these is one change of a good group. */
static void bad_groups_are_refused(void **state) {
    static const char *const texts[] = {
        "'logp' holds a number that is not finite",
        "'score' holds a number that is not finite",
        "'reward' is not a finite number",
        "'gen_s' is not a finite number",
        "has stage 0, asked for was 1",
        "has version 6, asked for was 7",
        "has samples 1, asked for was 2",
        "has rewards 0, asked for was 1",
        "group 39 was not asked for",
        "group 48 was not asked for",
        "'ids' holds an id outside",
        "'prompt' holds an id outside",
        "'verdict' is unknown",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        r1_group g = a_group();
        r1_err err = {0};
        int samples = g.n;

        switch (i) {
        case 0:
            g.t[1].logp[2] = NAN;
            break;
        case 1:
            g.t[0].score[0] = INFINITY;
            break;
        case 2:
            g.t[1].reward = (double)NAN;
            break;
        case 3:
            g.gen_s = (double)INFINITY;
            break;
        case 4:
            g.stage = 0;
            break;
        case 5:
            g.version = 6;
            break;
        case 6:
            g.n = 1;
            break;
        case 7:
            g.t[1].n_rewards = 0;
            break;
        case 8:
            g.deal = 39;
            break;
        case 9:
            g.deal = 48;
            break;
        case 10:
            g.t[0].ids[0] = 10;
            break;
        case 11:
            g.prompt[0] = -1;
            break;
        case 12:
            g.t[0].verdict[0] = R1_VERDICT_COUNT;
            break;
        }
        r1_trajectory last = g.t[samples - 1];
        assert_int_equal(send(&g, &err), R1_DATA);
        if (i == 6) {
            r1_free(last.ids);
            r1_free(last.logp);
        }
        if (!strstr(err.msg, texts[i]))
            fail_msg("case %zu: '%s'", i, err.msg);
    }
}

static void frames_are_checked(void **state) {
    const char *data;
    size_t at = 0, n;
    r1_err err;
    r1_buf buf;

    r1_buf_init(&buf, 1 << 10);
    ASSERT_OK(r1_frame_add(&buf, "abc", 3, &err), &err);
    ASSERT_OK(r1_frame_add(&buf, "", 0, &err), &err);
    ASSERT_OK(r1_frame_next(&buf, &at, &data, &n, &err), &err);
    assert_true(n == 3 && memcmp(data, "abc", 3) == 0);
    ASSERT_OK(r1_frame_next(&buf, &at, &data, &n, &err), &err);
    assert_true(n == 0 && at == buf.len);
    for (size_t cut = 1; cut < buf.len; cut++) { /* cut anywhere: never read beyond */
        r1_buf part = buf;
        r1_status st = R1_OK;
        part.len = cut;
        for (at = 0; st == R1_OK && at < part.len;)
            st = r1_frame_next(&part, &at, &data, &n, &err);
        assert_int_equal(st, cut == 11 ? R1_OK : R1_DATA);
    }
    memset(buf.data, 0xff, 8); /* a length that would wrap around */
    at = 0;
    assert_int_equal(r1_frame_next(&buf, &at, &data, &n, &err), R1_DATA);
    r1_buf_done(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_groups_pass),
        cmocka_unit_test(bad_groups_are_refused),
        cmocka_unit_test(frames_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
