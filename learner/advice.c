/* Advice about a step; see advice.h. */
#include "learner/advice.h"

#include "common/base/log.h"

#define CUT_OFF 0.1 /* share of answers */

static void advise_flat(const r1_run *run, const r1_record *rec, r1_advice *a) {
    const r1_stage_config *s = r1_run_stage(run);

    if (r1_record_value(rec, "frac_reward_zero_std") < 1) {
        a->flat_steps = 0;
        return;
    }
    if (a->flat_steps++ % 10 == 0)
        r1_warn(
            "step %lld: all %d groups have equal rewards (%d step%s in a row): nothing to learn "
            "from; other problems, a higher temperature or larger groups would help",
            (long long)run->at.step, s->prompts_per_step, a->flat_steps,
            a->flat_steps == 1 ? "" : "s");
}

void r1_advise(const r1_run *run, const r1_record *rec, r1_advice *a) {
    const r1_stage_config *s = r1_run_stage(run);
    double cut = r1_record_value(rec, "response_length/clip_ratio");
    r1_stage_plan plan;

    if (s->kind != R1_STAGE_GRPO || !r1_run_writes(run))
        return;
    r1_config_plan(s, &plan);
    if (run->at.stage_step == 1 && plan.updates_per_step == 1)
        r1_info("(with one update a step the loss stays near 0 by construction: watch the reward)");
    advise_flat(run, rec, a);
    if (cut > CUT_OFF && !a->said_cut) {
        a->said_cut = 1;
        r1_warn("step %lld: %.0f %% of the answers were cut off at %s.max_response_len (%d)",
                (long long)run->at.step, 100 * cut, s->name, s->max_response_len);
    }
}
