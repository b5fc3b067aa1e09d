/* One policy-gradient step in 16 variants against other people's numbers.
 *
 * Without arguments: advantages, loss and its statistics from the log-probabilities in grpo.json.
 * With `shared`: the same cases through the model of $R1_SHARED/golden/models, packed with shared
 * prompts, down to the gradients of the parameters. */
#include "learner/grpo_batch.h"
#include "learner/loss.h"
#include "learner/runner.h"
#include "tests/golden/golden.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *shared; /* .../golden, or NULL */
static json_t *golden;

static double number(const json_t *o, const char *key) {
    const json_t *v = json_object_get(o, key);

    return json_is_number(v) ? json_number_value(v) : 0;
}

static double at(const char *key, size_t i) {
    return json_number_value(json_array_get(json_object_get(golden, key), i));
}

static int pick(const json_t *o, const char *key, const char *const *names) {
    const char *have = json_string_value(json_object_get(o, key));

    for (int i = 0; have && names[i]; i++)
        if (strcmp(names[i], have) == 0)
            return i;
    if (have)
        fail_msg("%s: '%s' is unknown", key, have);
    return 0; /* not given: the first */
}

static int contains(const json_t *list, int x) {
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_integer_value(json_array_get(list, i)) == x)
            return 1;
    return 0;
}

static r1_stage_config stage_of(const json_t *c) {
    static const char *const adv[] = {"std", "mean", "loo", "batch", NULL};
    static const char *const level[] = {"token", "sequence", NULL};
    static const char *const agg[] = {"seq-mean-token-mean", "token-mean", "seq-mean-token-sum",
                                      "seq-mean-token-sum-norm", NULL};
    static const char *const kl[] = {"k1", "k2", "k3", NULL};
    static const char *const in[] = {"loss", "reward", NULL};
    r1_stage_config s = {.kind = R1_STAGE_GRPO, .temperature = 1.0};

    s.prompts_per_step = (int)number(golden, "groups");
    s.group_size = (int)number(golden, "group_size");
    s.max_response_len = (int)number(golden, "max_len");
    s.advantage = pick(c, "adv", adv);
    s.ratio_level = pick(c, "level", level);
    s.loss_aggregation = pick(c, "agg", agg);
    s.kl.estimator = pick(c, "kl", kl);
    s.kl.in = pick(c, "kl_in", in);
    s.kl.coef = number(c, "coef");
    s.clip_low = number(c, "low");
    s.clip_high = number(c, "high");
    s.dual_clip = number(c, "dual");
    s.entropy_coef = number(c, "ent");
    s.mismatch_cap = number(c, "tis");
    s.policy_loss = json_is_true(json_object_get(c, "cispo")) ? R1_LOSS_CISPO : R1_LOSS_CLIP;
    s.overlong.mask = json_array_size(json_object_get(c, "drop")) > 0;
    return s;
}

/* The batch as it would have come over the wire. */
static void open_batch(r1_grpo_batch *b, const r1_stage_config *s, const json_t *config) {
    r1_group *groups = calloc((size_t)s->prompts_per_step, sizeof *groups);
    size_t width = json_array_size(json_object_get(golden, "ids")) /
                   json_array_size(json_object_get(golden, "rewards"));
    size_t cols = json_array_size(json_object_get(golden, "logprobs")) /
                  json_array_size(json_object_get(golden, "rewards"));
    r1_err err;

    for (int i = 0; i < s->prompts_per_step * s->group_size; i++) {
        r1_group *g = &groups[i / s->group_size];
        int m = i % s->group_size, p = (int)at("prompt_len", (size_t)i),
            len = (int)at("completion_len", (size_t)i);
        if (m == 0)
            ASSERT_OK(r1_group_alloc(g, p, s->group_size, &err), &err);
        for (int k = 0; k < p; k++)
            g->prompt[k] = (int32_t)at("ids", (size_t)i * width + (size_t)k);
        ASSERT_OK(r1_trajectory_alloc(&g->t[m], len, &err), &err);
        for (int k = 0; k < len; k++) {
            g->t[m].ids[k] = (int32_t)at("ids", (size_t)i * width + (size_t)(p + k));
            g->t[m].logp[k] = (float)at("rollout_logprobs", (size_t)i * cols + (size_t)k);
        }
        g->t[m].reward = at("rewards", (size_t)i);
        g->t[m].usable = !contains(json_object_get(config, "unscorable"), i);
        g->t[m].finish = contains(json_object_get(config, "drop"), i);
    }
    ASSERT_OK(r1_grpo_batch_open(b, s, groups, &err), &err);
    b->old_store = calloc(b->off[b->n] + 1, sizeof(float));
    b->ref_logp = calloc(b->off[b->n] + 1, sizeof(float));
    for (int i = 0; i < b->n; i++)
        for (int k = 0; k < b->lens[i]; k++) {
            b->old_store[b->off[i] + (size_t)k] =
                (float)at("old_logprobs", (size_t)i * cols + (size_t)k);
            b->ref_logp[b->off[i] + (size_t)k] =
                (float)at("ref_logprobs", (size_t)i * cols + (size_t)k);
        }
    b->old_logp = b->old_store;
}

typedef struct policy {
    const r1_grpo_batch *b;
    r1_loss_params params;
    r1_loss_counts counts;
    r1_loss_stats stats;
    double *ratios;
    const float *entropy_given;
} policy;

static void loss_fn(void *ctx, int item, int member, int token, int n, const float *logp,
                    const float *entropy, float *ret_dlogp, float *ret_dent) {
    policy *p = ctx;
    const r1_grpo_batch *b = p->b;
    int i = item * b->group_size + member;
    r1_loss_sample s = {.advantage = b->advantage[i],
                        .len = b->lens[i],
                        .old_logp = b->old_logp + b->off[i],
                        .rollout = b->rollout + b->off[i],
                        .ref_logp = b->ref_logp + b->off[i],
                        .sequence_ratio = p->ratios[i]};

    r1_loss_tokens(&p->params, &p->counts, &s, token, n, logp, entropy, ret_dlogp, ret_dent,
                   &p->stats);
}

static void prepare(policy *p, const r1_grpo_batch *b, const r1_stage_config *s) {
    *p = (policy){.b = b,
                  .params = {.ratio_level = (r1_ratio_level)s->ratio_level,
                             .policy_loss = (r1_policy_loss_kind)s->policy_loss,
                             .aggregation = (r1_aggregation_kind)s->loss_aggregation,
                             .kl_estimator = (r1_kl_estimator)s->kl.estimator,
                             .clip_low = s->clip_low,
                             .clip_high = s->clip_high,
                             .dual_clip = s->dual_clip,
                             .kl_coef = s->kl.in == R1_KL_IN_LOSS ? s->kl.coef : 0,
                             .entropy_coef = s->entropy_coef,
                             .mismatch_cap = s->mismatch_cap,
                             .max_len = s->max_response_len}};
    p->ratios = calloc((size_t)b->n, sizeof *p->ratios);
    for (int i = 0; i < b->n; i++) {
        p->counts.samples += b->lens[i] > 0;
        p->counts.tokens += b->lens[i];
    }
}

static double total_loss(const policy *p) {
    return p->stats.pg_loss_w + p->params.kl_coef * p->stats.kl_loss_w -
           p->params.entropy_coef * p->stats.entropy_w;
}

static void near(const char *name, const char *what, double have, double want, double bound) {
    if (!(fabs(have - want) <= bound))
        fail_msg("%s: %s is %.9g, not %.9g", name, what, have, want);
}

static void check_advantages(const char *name, const r1_grpo_batch *b, const json_t *c) {
    for (int i = 0; i < b->n; i++)
        near(name, "an advantage", b->advantage[i],
             json_number_value(json_array_get(json_object_get(c, "advantages"), (size_t)i)), 2e-6);
}

static void check_stats(const char *name, const policy *p, const json_t *c, int with_entropy) {
    const r1_loss_stats *s = &p->stats;
    int sequence = p->params.ratio_level == R1_RATIO_SEQUENCE;

    assert_true(s->tokens == p->counts.tokens);
    near(name, "pg_loss", s->pg_loss_w, number(c, "pg_loss"), 1e-5);
    if (p->params.kl_coef > 0)
        near(name, "kl_loss", s->kl_loss_w, number(c, "kl_loss"), 1e-5);
    near(name, "clipfrac", s->clipped / s->tokens, number(c, "clipfrac"), 1e-9);
    if (!sequence)
        near(name, "ratio_mean", s->ratio / s->tokens, number(c, "ratio_mean"), 1e-5);
    near(name, "ppo_kl", s->ppo_kl / s->tokens, number(c, "ppo_kl"), 1e-5);
    near(name, "k3", s->k3 / s->tokens, number(c, "kl_k3_token_mean"), 1e-5);
    if (with_entropy) {
        near(name, "entropy", s->entropy_w, number(c, "entropy"), 1e-5);
        near(name, "loss", total_loss(p), number(c, "loss"), 1e-5);
    }
}

/* From the golden log-probabilities alone. */
static void numbers_case(const char *name, const json_t *c) {
    const json_t *config = json_object_get(c, "config");
    r1_stage_config s = stage_of(config);
    float logp[64], entropy[64] = {0}, dlogp[64], dent[64];
    size_t cols = json_array_size(json_object_get(golden, "logprobs")) /
                  json_array_size(json_object_get(golden, "rewards"));
    r1_grpo_batch b;
    policy p;

    open_batch(&b, &s, config);
    r1_grpo_batch_advantages(&b, &s);
    check_advantages(name, &b, c);
    prepare(&p, &b, &s);
    for (int i = 0; i < b.n; i++) {
        for (int k = 0; k < b.lens[i]; k++)
            logp[k] = (float)at("logprobs", (size_t)i * cols + (size_t)k);
        p.ratios[i] =
            b.lens[i] ? r1_loss_sequence_ratio(logp, b.old_logp + b.off[i], b.lens[i]) : 1;
        loss_fn(&p, i / b.group_size, i % b.group_size, 0, b.lens[i], logp, entropy, dlogp, dent);
    }
    check_stats(name, &p, c, 0);
    free(p.ratios);
    r1_grpo_batch_close(&b);
}

static void numbers_of_all_cases(void **state) {
    const char *name;
    json_t *c;
    int n = 0;

    json_object_foreach(json_object_get(golden, "cases"), name, c) {
        numbers_case(name, c);
        n++;
    }
    assert_int_equal(n, 16);
}

/* ---- through the model ---- */

static void keep(void *ctx, int item, int member, int token, int n, const float *logp,
                 const float *entropy, float *ret_dlogp, float *ret_dent) {
    policy *p = ctx;
    int i = item * p->b->group_size + member;

    for (int k = 0; k < n; k++)
        p->ratios[i] +=
            (double)logp[k] - (double)p->b->old_logp[p->b->off[i] + (size_t)(token + k)];
}

static void check_gradients(const char *name, const kit *k, const float *grad, const json_t *c,
                            const r1_tensors *want) {
    const r1_layout *l = &k->model.layout;
    double all = 0;
    char key[192];

    assert_true(json_is_number(json_object_get(c, "grad_norm")));
    assert_int_equal(json_object_size(json_object_get(c, "grad_norms")), l->n_tensors);
    for (uint32_t t = 0; t < l->n_tensors; t++) {
        size_t first = l->tensors[t].offset,
               end = t + 1 < l->n_tensors ? l->tensors[t + 1].offset : l->n_params;
        double sum = 0, norm = number(json_object_get(c, "grad_norms"), l->tensors[t].name);
        for (size_t i = first; i < end; i++)
            sum += (double)grad[i] * (double)grad[i];
        all += sum;
        near(name, l->tensors[t].name, sqrt(sum), norm, 1e-4 * norm);
        snprintf(key, sizeof key, "%s.grad.%s", name, l->tensors[t].name);
        if (!r1_tensors_find(want, key))
            continue;
        float *w = golden_read(want, key, NULL);
        near(name, key, kit_rel(grad + first, w, end - first), 0, 1e-4);
        free(w);
    }
    near(name, "grad_norm", sqrt(all), number(c, "grad_norm"), 1e-4 * number(c, "grad_norm"));
}

static void model_case(kit *k, r1_runner *r, const r1_tensors *want, const char *name,
                       const json_t *c) {
    const json_t *config = json_object_get(c, "config");
    r1_stage_config s = stage_of(config);
    float *grad = calloc(k->model.layout.n_params, sizeof *grad);
    int order[8], pos = 0, member = 0, n;
    r1_piece pieces[64];
    r1_grpo_batch b;
    policy p;

    open_batch(&b, &s, config);
    r1_grpo_batch_advantages(&b, &s);
    prepare(&p, &b, &s);
    for (int g = 0; g < b.n_groups; g++)
        order[g] = g;
    while ((n = r1_pack_next(b.items, order, b.n_groups, 48, &pos, &member, pieces, 64)) > 0)
        r1_runner_score(r, k->payload, b.items, pieces, n, 1.0f, keep, &p);
    for (int i = 0; i < b.n; i++)
        p.ratios[i] = b.lens[i] ? exp(p.ratios[i] / b.lens[i]) : 1;
    pos = member = 0;
    while ((n = r1_pack_next(b.items, order, b.n_groups, 48, &pos, &member, pieces, 64)) > 0)
        r1_runner_grad(r, k->payload, b.items, pieces, n, 1.0f, loss_fn, &p, grad);
    check_stats(name, &p, c, 1);
    check_gradients(name, k, grad, c, want);
    free(p.ratios);
    free(grad);
    r1_grpo_batch_close(&b);
}

static void gradients_of_all_cases(void **state) {
    char dir[1024], path[1100];
    r1_tensors *want = NULL;
    const char *name;
    r1_runner runner;
    r1_err err;
    json_t *c;
    kit k;

    snprintf(dir, sizeof dir, "%s/models/llama_gqa_tied", shared);
    golden_open(&k, dir, NULL, R1_F32, "auto", 2, 64);
    snprintf(path, sizeof path, "%s/grpo/tensors.safetensors", shared);
    ASSERT_OK(r1_tensors_open(&want, path, &err), &err);
    ASSERT_OK(r1_runner_open(&runner, &k.model, 48, 64, 1, 0, &err), &err);
    json_object_foreach(json_object_get(golden, "cases"), name, c)
        model_case(&k, &runner, want, name, c);
    r1_runner_close(&runner);
    r1_tensors_close(want);
    kit_close(&k);
}

int main(int argc, char **argv) {
    const struct CMUnitTest numbers[] = {cmocka_unit_test(numbers_of_all_cases)};
    const struct CMUnitTest gradients[] = {cmocka_unit_test(gradients_of_all_cases)};
    const char *file = golden_path("R1_SOURCE", "tests/golden/grpo.json");
    json_error_t why;

    golden = file ? json_load_file(file, 0, &why) : NULL;
    if (!golden)
        return 99;
    int failed;
    if (argc > 1) {
        shared = golden_path("R1_SHARED", "golden");
        if (!shared)
            return GOLDEN_SKIPPED;
        failed = cmocka_run_group_tests(gradients, NULL, NULL);
    } else {
        failed = cmocka_run_group_tests(numbers, NULL, NULL);
    }
    json_decref(golden);
    return failed;
}
