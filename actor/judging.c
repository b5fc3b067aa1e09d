/* A rank's launcher and judge; see judging.h. */
#include "actor/judging.h"

#include "common/base/log.h"

#include <string.h>

int r1_judging_asked(const r1_config *cfg) {
    for (int i = 0; cfg && i < cfg->n_stages; i++)
        for (int r = 0; r < cfg->stages[i].n_rewards; r++)
            if (strcmp(cfg->stages[i].rewards[r].name, "code") == 0)
                return 1;
    return 0;
}

void r1_judging_start(r1_judging *g, int asked) {
    *g = (r1_judging){.asked = asked};
    if (asked && r1_launcher_open(&g->launcher, NULL, &g->refused) != R1_OK)
        g->launcher = NULL;
}

r1_status r1_judging_open(r1_judging *g, int boxes, r1_err *err) {
    r1_judge_options o = {.launcher = g->launcher, .boxes = boxes};

    if (!g->asked)
        return R1_OK;
    if (!g->launcher)
        return r1_err_copy(err, &g->refused);
    r1_info("sandbox   %s", r1_launcher_layers(g->launcher));
    return r1_judge_open(&g->judge, &o, err);
}

void r1_judging_close(r1_judging *g) {
    r1_judge_close(g->judge);
    r1_launcher_close(g->launcher);
    *g = (r1_judging){.launcher = NULL};
}
