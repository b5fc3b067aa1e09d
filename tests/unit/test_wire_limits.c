/* common/wire: messages that claim more than they hold, field by field. */
#include "tests/unit/unit.h"

#include "common/base/mem.h"
#include "common/wire/trajectory.h"
#include "common/wire/walk.h"

#include <stdlib.h>
#include <string.h>

#define N(a) (sizeof(a) / sizeof *(a))

static int whole(const char *s, size_t n, size_t max_objects) {
    char *exact = malloc(n ? n : 1); /* a sanitizer sees any byte read behind it */

    memcpy(exact, s, n);
    int yes = r1_msgpack_is_whole(exact, n, max_objects);
    free(exact);
    return yes;
}

/* One object of each kind of header, as the specification spells them. */
static void every_kind_is_measured(void **state) {
    static const struct {
        const char *s;
        size_t n;
    } cases[] = {
        {"\x05", 1},
        {"\xff", 1},
        {"\xc0", 1},
        {"\xc3", 1},
        {"\xc4\x02xy", 4},
        {"\xc5\x00\x02xy", 5},
        {"\xc6\x00\x00\x00\x02xy", 7},
        {"\xc7\x02txy", 5},
        {"\xc8\x00\x02txy", 6},
        {"\xc9\x00\x00\x00\x02txy", 8},
        {"\xca....", 5},
        {"\xcb........", 9},
        {"\xcc.", 2},
        {"\xcd..", 3},
        {"\xce....", 5},
        {"\xcf........", 9},
        {"\xd0.", 2},
        {"\xd1..", 3},
        {"\xd2....", 5},
        {"\xd3........", 9},
        {"\xd4t.", 3},
        {"\xd5t..", 4},
        {"\xd6t....", 6},
        {"\xd7t........", 10},
        {"\xd8t................", 18},
        {"\xa2xy", 3},
        {"\xd9\x02xy", 4},
        {"\xda\x00\x02xy", 5},
        {"\xdb\x00\x00\x00\x02xy", 7},
        {"\x92\x01\xa1x", 4},
        {"\xdc\x00\x02\x01\x02", 5},
        {"\xdd\x00\x00\x00\x02\x01\x02", 7},
        {"\x81\xa1x\x90", 4},
        {"\xde\x00\x01\x01\x02", 5},
        {"\xdf\x00\x00\x00\x01\x01\x02", 7},
    };

    for (size_t i = 0; i < N(cases); i++) {
        if (!whole(cases[i].s, cases[i].n, 100))
            fail_msg("object %zu is not seen as whole", i);
        for (size_t cut = 0; cut < cases[i].n; cut++)
            if (whole(cases[i].s, cut, 100))
                fail_msg("object %zu cut at %zu is taken for whole", i, cut);
    }
    assert_false(whole("\xc1", 1, 100));       /* never used */
    assert_false(whole("\x01\x02", 2, 100));   /* something behind it */
    assert_true(whole("\x92\x01\x02", 3, 3));  /* the list and two numbers */
    assert_false(whole("\x92\x01\x02", 3, 2)); /* too many */
    assert_true(whole("\x91\x91\x91\x91\x91\x91\x91\x01", 8, 100));
    assert_false(whole("\x91\x91\x91\x91\x91\x91\x91\x91\x01", 9, 100)); /* too deep */
}

static const r1_wire_limits limits = {
    .max_prompt_len = 16, .max_tokens = 32, .max_samples = 4, .vocab_size = 300};

static r1_buf good_message(void) {
    r1_buf buf;
    r1_group g;
    r1_err err;

    ASSERT_OK(r1_group_alloc(&g, 2, 1, &err), &err);
    ASSERT_OK(r1_trajectory_alloc(&g.t[0], 3, &err), &err);
    for (int i = 0; i < 3; i++)
        g.t[0].logp[i] = -1;
    r1_buf_init(&buf, 1 << 20);
    ASSERT_OK(r1_group_encode(&g, &buf, &err), &err);
    r1_group_done(&g);
    return buf;
}

/* Twelve bytes that speak of 2^32 - 1 elements cost nothing: under a limit on the address space of
 * what a library would ask for, they are refused in words. */
static void claims_are_refused_before_memory_is_asked_for(void **state) {
    static const char *const heads[] = {"\xdf\xff\xff\xff\xff", "\xdd\xff\xff\xff\xff",
                                        "\xdf\x7f\xff\xff\xff", "\xc6\xff\xff\xff\xff",
                                        "\xdb\xff\xff\xff\xff", "\xc9\xff\xff\xff\xff"};
    r1_buf good = good_message();
    r1_group g;
    r1_err err;

    ASSERT_OK(r1_group_decode(good.data, good.len, &limits, &g, &err), &err);
    r1_group_done(&g);
    for (size_t i = 0; i < N(heads); i++)
        for (size_t at = 0; at + 5 <= good.len; at++) {
            char *bad = malloc(good.len);
            memcpy(bad, good.data, good.len);
            memcpy(bad + at, heads[i], 5);
            if (r1_group_decode(bad, good.len, &limits, &g, &err) == R1_OK)
                r1_group_done(&g); /* it was inside of a bin */
            else
                assert_int_equal(err.status, R1_DATA);
            free(bad);
        }
    for (size_t i = 0; i < N(heads); i++)
        ASSERT_FAILS(r1_group_decode(heads[i], 5, &limits, &g, &err), R1_DATA, &err,
                     "not one whole msgpack object");
    r1_buf_done(&good);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_measured),
        cmocka_unit_test(claims_are_refused_before_memory_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
