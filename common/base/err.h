#ifndef R1_BASE_ERR_H
#define R1_BASE_ERR_H
/* Status codes and error messages.
 *
 * Every function that touches files, input, the network or an allocation returns an r1_status and
 * takes an `r1_err *` as its last parameter (NULL: the caller does not want the text).  The code
 * decides the program's exit code; the text names file, key, line or tensor and the value, so that
 * a user can act on it.  Out-parameters named ret_* are written only on success.
 *
 * A bug (an impossible state) is no status: R1_ASSERT prints where and ends all ranks. */
#include <stdarg.h>
#include <stddef.h>

/* X(name, exit code, what it means to the user) */
#define R1_STATUS_LIST(X)                        \
    X(OK, 0, "success")                          \
    X(USAGE, 64, "wrong usage or configuration") \
    X(DATA, 65, "bad data")                      \
    X(BUG, 70, "internal error")                 \
    X(IO, 74, "input/output error")              \
    X(NOMEM, 74, "out of memory")                \
    X(UNAVAILABLE, 69, "not possible here")      \
    X(PEER, 75, "another rank was lost")         \
    X(STOPPED, 85, "stopped on request, run me again")

typedef enum r1_status {
#define X(name, code, text) R1_##name,
    R1_STATUS_LIST(X)
#undef X
    R1_STATUS_COUNT
} r1_status;

#define R1_ERR_MSG_MAX 1024

typedef struct r1_err {
    r1_status status;
    char msg[R1_ERR_MSG_MAX]; /* one line without control characters */
} r1_err;

#define R1_MUST_USE     __attribute__((warn_unused_result))
#define R1_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Set err (may be NULL) and return st, so that callers write `return R1_FAIL(err, R1_IO, ...)`.  The
 * value is st itself, so that an analyzer sees that it is not R1_OK. */
void r1_err_set(r1_err *err, r1_status st, const char *fmt, ...) R1_PRINTF(3, 4);
#define R1_FAIL(err, st, ...) (r1_err_set((err), (st), __VA_ARGS__), (st))

/* A failure that was kept, R1_OK too: err becomes `kept`, whose status is returned. */
r1_status r1_err_copy(r1_err *err, const r1_err *kept);

/* Put "prefix: " in front of err's text ("while reading X"). */
void r1_err_prefix(r1_err *err, const char *fmt, ...) R1_PRINTF(2, 3);

/* Put a text behind err's text (" (relative to /tmp)"). */
void r1_err_suffix(r1_err *err, const char *fmt, ...) R1_PRINTF(2, 3);

/* Inside a function with `r1_status st` and a label `done:`. */
#define R1_TRY(call)                \
    do {                            \
        if ((st = (call)) != R1_OK) \
            goto done;              \
    } while (0)

int r1_exit_code(r1_status st);
const char *r1_status_text(r1_status st);

/* Always compiled in.  Prints the condition, the place and a backtrace, then calls the abort hook
 * (common/comm sets one that ends all ranks with exit code 70); without one, _exit(70). */
#define R1_ASSERT(cond)                                \
    do {                                               \
        if (__builtin_expect(!(cond), 0))              \
            r1_assert_fail(#cond, __FILE__, __LINE__); \
    } while (0)

/* For inner loops: only in builds without NDEBUG. */
#ifdef NDEBUG
#define R1_DASSERT(cond) ((void)sizeof(cond))
#else
#define R1_DASSERT(cond) R1_ASSERT(cond)
#endif

_Noreturn void r1_assert_fail(const char *cond, const char *file, int line);
void r1_assert_set_hook(void (*hook)(int exit_code));

#endif
