/* Does a group answer a request?  See rollout.h. */
#include "common/wire/rollout.h"

r1_status r1_rollout_check(const r1_rollout_request *q, const r1_group *g, r1_err *err) {
    const char *what = NULL;
    long long got = 0, want = 0;

#define SAME(name, x, y)                           \
    if (!what && (long long)(x) != (long long)(y)) \
    what = (name), got = (long long)(x), want = (long long)(y)
    SAME("stage", g->stage, q->stage);
    SAME("version", g->version, q->version);
    SAME("samples", g->n, q->group_size);
    for (int i = 0; i < g->n; i++)
        SAME("rewards", g->t[i].n_rewards, q->n_rewards);
#undef SAME
    if (what)
        return R1_FAIL(err, R1_DATA,
                       "trajectory message: group %llu has %s %lld, asked for was %lld",
                       (unsigned long long)g->deal, what, got, want);
    if (g->deal < q->first || g->deal - q->first >= (uint64_t)q->n_prompts)
        return R1_FAIL(err, R1_DATA, "trajectory message: group %llu was not asked for",
                       (unsigned long long)g->deal);
    return R1_OK;
}
