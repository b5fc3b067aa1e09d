/* Status codes and messages; see err.h. */
#include "common/base/err.h"

#include <execinfo.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void (*abort_hook)(int exit_code);

/* Names and values come from files: what would break the line or steer a terminal becomes '?'. */
static void keep_printable(char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

void r1_err_set(r1_err *err, r1_status st, const char *fmt, ...) {
    va_list ap;

    if (!err)
        return;
    err->status = st;
    va_start(ap, fmt);
    vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    keep_printable(err->msg);
}

r1_status r1_err_copy(r1_err *err, const r1_err *kept) {
    if (err && kept->status != R1_OK)
        *err = *kept;
    return kept->status;
}

void r1_err_prefix(r1_err *err, const char *fmt, ...) {
    char prefix[R1_ERR_MSG_MAX / 2];
    char rest[R1_ERR_MSG_MAX];
    va_list ap;

    if (!err)
        return;
    va_start(ap, fmt);
    vsnprintf(prefix, sizeof prefix, fmt, ap);
    va_end(ap);
    keep_printable(prefix);
    memcpy(rest, err->msg, sizeof rest);
    rest[sizeof rest - 1] = '\0';
    int room = (int)sizeof err->msg - (int)strlen(prefix) - 3;
    snprintf(err->msg, sizeof err->msg, "%s: %.*s", prefix, room, rest);
}

void r1_err_suffix(r1_err *err, const char *fmt, ...) {
    va_list ap;

    if (!err)
        return;
    size_t n = strlen(err->msg);
    va_start(ap, fmt);
    vsnprintf(err->msg + n, sizeof err->msg - n, fmt, ap);
    va_end(ap);
}

int r1_exit_code(r1_status st) {
    static const int codes[] = {
#define X(name, code, text) code,
        R1_STATUS_LIST(X)
#undef X
    };
    return st >= 0 && st < R1_STATUS_COUNT ? codes[st] : 70;
}

const char *r1_status_text(r1_status st) {
    static const char *const texts[] = {
#define X(name, code, text) text,
        R1_STATUS_LIST(X)
#undef X
    };
    return st >= 0 && st < R1_STATUS_COUNT ? texts[st] : "unknown status";
}

void r1_assert_set_hook(void (*hook)(int exit_code)) {
    abort_hook = hook;
}

_Noreturn void r1_assert_fail(const char *cond, const char *file, int line) {
    void *frames[32];

    fprintf(stderr, "r1: internal error: %s:%d: assertion '%s' failed\n", file, line, cond);
    fflush(stderr);
    backtrace_symbols_fd(frames, backtrace(frames, 32), STDERR_FILENO);
    if (abort_hook)
        abort_hook(70);
    _exit(70);
}
