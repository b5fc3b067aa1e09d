/* Held-out accuracy, sampled and greedy. */
#include "learner/dump.h"
#include "learner/grpo_batch.h"

#include "common/metrics/rollouts.h"

#include <math.h>

/* Mean of the per-problem accuracy and its standard error over problems.  A sample that could not
 * be scored says nothing about the model: it is left out, and so is a problem without any other. */
static void summarise(const r1_group *groups, int n, r1_eval_result *ret) {
    double sum = 0, sq = 0, tokens = 0, samples = 0, cut = 0, scored = 0;
    int problems = 0;

    for (int i = 0; i < n; i++) {
        double right = 0, usable = 0;
        for (int s = 0; s < groups[i].n; s++) {
            usable += groups[i].t[s].usable;
            right += groups[i].t[s].usable && groups[i].t[s].correct;
            tokens += groups[i].t[s].n;
            cut += groups[i].t[s].finish != 0;
        }
        samples += groups[i].n;
        scored += usable;
        if (usable == 0)
            continue;
        right /= usable;
        sum += right;
        sq += right * right;
        problems++;
    }
    double mean = sum / problems; /* NaN when nothing could be scored */
    double var = problems > 1 ? (sq - problems * mean * mean) / (problems - 1) : 0;
    ret->n = problems;
    ret->accuracy = mean;
    ret->stderr_ = sqrt((var > 0 ? var : 0) / problems);
    ret->unscorable = 1 - scored / samples;
    ret->length_mean = tokens / samples;
    ret->truncated = cut / samples;
}

r1_status r1_evaluate(r1_run *run, r1_eval_result *ret, r1_err *err) {
    const r1_stage_config *s = r1_run_stage(run);
    const r1_eval_config *e = &run->cfg->eval;
    r1_dataset_options options = {.spec = &s->data.eval, .evaluation = 1, .error_rate = -1};
    r1_group *groups = NULL;
    r1_dataset *d = NULL;
    r1_eval_result greedy;
    r1_buf dump;
    int n = 0, got = 0;
    r1_status st;

    *ret = (r1_eval_result){.greedy_accuracy = (double)NAN};
    r1_buf_init(&dump, R1_ROLLOUTS_BYTES_MAX);
    R1_TRY(r1_dataset_open(&d, &options, err));
    n = (int)r1_dataset_size(d);
    R1_TRY(R1_NEW(groups, (size_t)n, err));
    for (int pass = 0; pass < (e->greedy ? 2 : 1); pass++) {
        r1_rollout_request q = {.evaluation = 1,
                                .stage = run->at.stage,
                                .step = run->at.step,
                                .n_prompts = n,
                                .group_size = pass ? 1 : e->n_per_prompt,
                                .n_rewards = s->n_rewards,
                                .top_p = 1.0f,
                                .temperature = pass ? 0.0f : (float)e->temperature,
                                .max_new_tokens = s->max_response_len,
                                .version = run->trainer->version,
                                .payload_hash = run->trainer->payload_hash};
        R1_TRY(run->source.roll(run->source.ctx, &q, groups, err));
        got = n;
        if (r1_run_writes(run))
            R1_TRY(r1_eval_dump_add(run, d, groups, n, pass ? "greedy" : "sampled", &dump, err));
        summarise(groups, n, pass ? &greedy : ret);
        run->summary.reproducible &= !r1_groups_timed_out(groups, n);
        if (pass)
            ret->greedy_accuracy = greedy.accuracy;
        for (; got > 0; got--)
            r1_group_done(&groups[got - 1]);
    }
    if (r1_run_writes(run))
        st = r1_eval_dump_write(run, &dump, err);
done:
    for (; got > 0; got--)
        r1_group_done(&groups[got - 1]);
    r1_buf_done(&dump);
    r1_free(groups);
    r1_dataset_close(d);
    return st;
}
