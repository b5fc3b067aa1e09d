#include "common/base/verdict.h"

const char *r1_verdict_name(r1_verdict_kind kind) {
    static const char *const names[] = {
#define X(name, text, scorable) text,
        R1_VERDICT_LIST(X)
#undef X
    };
    return kind >= 0 && kind < R1_VERDICT_COUNT ? names[kind] : "invalid";
}

int r1_verdict_scorable(r1_verdict_kind kind) {
    static const int scorable[] = {
#define X(name, text, scorable) scorable,
        R1_VERDICT_LIST(X)
#undef X
    };
    return kind >= 0 && kind < R1_VERDICT_COUNT && scorable[kind];
}
