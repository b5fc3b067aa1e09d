#ifndef R1_TESTS_UNIT_H
#define R1_TESTS_UNIT_H
/* cmocka with the includes that it wants, and comparisons that print both sides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/err.h"

/* A call that must succeed: prints the message if it does not. */
#define ASSERT_OK(call, err)                       \
    do {                                           \
        if ((call) != R1_OK)                       \
            fail_msg("%s: %s", #call, (err)->msg); \
    } while (0)

/* A call that must fail with this status and a message that contains `text`. */
#define ASSERT_FAILS(call, want, err, text)                          \
    do {                                                             \
        assert_int_equal((call), (want));                            \
        if (!strstr((err)->msg, (text)))                             \
            fail_msg("message '%s' lacks '%s'", (err)->msg, (text)); \
    } while (0)

#endif
