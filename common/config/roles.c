/* What follows from a configuration: batch algebra and roles.  See config.h. */
#include "common/config/config.h"

#include <stdio.h>

const char *r1_stage_kind_name(int kind) {
    static const char *const names[] = {"sft", "grpo", "eval"};

    return names[kind];
}

int r1_stage_can_evaluate(const r1_stage_config *s) {
    return s->n_rewards > 0 && !s->data.eval.text_key;
}

void r1_config_plan(const r1_stage_config *s, r1_stage_plan *ret) {
    switch (s->kind) {
    case R1_STAGE_SFT:
        *ret = (r1_stage_plan){s->batch, 1, 1, s->total_updates};
        break;
    case R1_STAGE_GRPO: {
        int samples = s->prompts_per_step * s->group_size;
        int updates = samples / s->minibatch * s->inner_epochs;
        *ret = (r1_stage_plan){samples, s->minibatch / s->group_size, updates,
                               s->total_updates / updates};
        break;
    }
    default:
        *ret = (r1_stage_plan){0, 0, 0, 1};
    }
}

static const char *plural(int n) {
    return n == 1 ? "" : "s";
}

const char *r1_config_plan_text(const r1_stage_config *s, char *buf, size_t size) {
    r1_stage_plan p;

    r1_config_plan(s, &p);
    if (s->kind == R1_STAGE_SFT)
        snprintf(buf, size, "%d example%s an update, %d update%s", s->batch, plural(s->batch),
                 s->total_updates, plural(s->total_updates));
    else if (s->kind == R1_STAGE_GRPO) {
        int batches = p.samples_per_step / s->minibatch;
        char epochs[32] = "";
        if (s->inner_epochs > 1)
            snprintf(epochs, sizeof epochs, " x %d epochs", s->inner_epochs);
        snprintf(
            buf, size,
            "%d prompt%s x %d sample%s = %d samples -> %d minibatch%s of %d%s -> %d update%s a "
            "step, %d step%s",
            s->prompts_per_step, plural(s->prompts_per_step), s->group_size, plural(s->group_size),
            p.samples_per_step, batches, batches == 1 ? "" : "es", s->minibatch, epochs,
            p.updates_per_step, plural(p.updates_per_step), p.steps, plural(p.steps));
    } else {
        snprintf(buf, size, "evaluation only");
    }
    return buf;
}

/* The most work that any grpo stage deals in a step; 0: the recipe has none. */
static int64_t most_samples(const r1_config *cfg) {
    int64_t most = 0;

    for (int i = 0; i < cfg->n_stages; i++) {
        const r1_stage_config *s = &cfg->stages[i];
        int64_t n = (int64_t)s->prompts_per_step * s->group_size;
        if (s->kind == R1_STAGE_GRPO && n > most)
            most = n;
    }
    return most;
}

static int auto_learners(int np, int v) {
    int want = np / 4 > 1 ? np / 4 : 1, n = 1;

    while (2 * n <= want && 2 * n <= v)
        n *= 2;
    return n;
}

r1_status r1_config_roles(const r1_config *cfg, int np, int nodes, r1_roles *ret, r1_err *err) {
    int v = cfg->topology.virtual_learners, asked = cfg->topology.learners;
    int mode = cfg->topology.mode;
    int64_t work = most_samples(cfg);

    R1_ASSERT(np >= 1 && nodes >= 1);
    if (mode == R1_TOPO_AUTO)
        mode = np == 1 || (nodes == 1 && np <= 4) ? R1_TOPO_COLOCATED : R1_TOPO_SPLIT;
    if (mode == R1_TOPO_COLOCATED) {
        if (np > v)
            return R1_FAIL(
                err, R1_USAGE,
                "%s: topology.mode: colocated with %d ranks needs virtual_learners >= %d "
                "(it is %d); use mode: split, or at most %d ranks",
                cfg->path, np, np, v, v);
        if (asked > 0 && asked != np)
            return R1_FAIL(
                err, R1_USAGE,
                "%s: topology.learners: %d, but in colocated mode all %d ranks learn; use "
                "mode: split or learners: auto",
                cfg->path, asked, np);
        *ret = (r1_roles){1, np, np};
        return R1_OK;
    }
    int learners = asked > 0 ? asked : auto_learners(np, v);
    if (np < learners + 1)
        return R1_FAIL(err, R1_USAGE,
                       "%s: topology.mode: split with %d learner%s needs at least %d ranks (there "
                       "%s %d)",
                       cfg->path, learners, plural(learners), learners + 1, np == 1 ? "is" : "are",
                       np);
    if (work > 0 && np > learners + work)
        return R1_FAIL(err, R1_USAGE,
                       "%s: %d ranks are more than %d learner%s and %lld samples a step can use; "
                       "the largest useful np is %lld",
                       cfg->path, np, learners, plural(learners), (long long)work,
                       (long long)(learners + work));
    *ret = (r1_roles){0, learners, np - learners};
    return R1_OK;
}
