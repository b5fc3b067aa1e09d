/* The on-policy ratio is exactly 1: the engine's log-probs against a separate learner forward.
 *
 * Rollouts are made under many regimes (batch sizes, tiny block pools that force eviction and
 * re-prefill, chunk sizes, threads) and must give the same tokens and bits; then the learner's
 * runner scores them in its own packing, with and without gradients and recomputation. */
#include "tests/unit/unit.h"

#include "actor/engine.h"
#include "learner/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS  8
#define SAMPLES 6
#define MAX_NEW 90

typedef struct rollout {
    r1_finished *groups[GROUPS];
} rollout;

typedef struct fixture {
    r1_arch arch;
    r1_ops *ops;
    r1_model model;
    float *master;
    void *payload;
    int32_t prompts[GROUPS][100];
    double temperature; /* as a configuration has it */
    int max_new;
} fixture;

static const int prompt_lens[GROUPS] = {1, 5, 31, 32, 33, 64, 70, 97};

static r1_arch arch_of(r1_arch_kind kind, int untied) {
    r1_arch a = {.kind = kind,
                 .vocab_size = 203,
                 .hidden_size = 64,
                 .layers = 2,
                 .heads = 6,
                 .kv_heads = 2,
                 .head_dim = 16,
                 .intermediate_size = 96,
                 .max_positions = 256,
                 .norm_eps = 1e-5f,
                 .tied = !untied,
                 .rope_theta = 10000.0,
                 .init_std = 0.08,
                 .bos_id = -1};
    a.qkv_bias = kind == R1_ARCH_QWEN2;
    a.qk_norm = kind == R1_ARCH_QWEN3;
    if (untied) {
        a.rope = R1_ROPE_LLAMA3;
        a.rope_factor = 8, a.rope_low_freq = 1, a.rope_high_freq = 4;
        a.rope_original_positions = 64;
    }
    return a;
}

static void setup(fixture *f, r1_arch_kind kind, int untied, r1_dtype t, const char *path,
                  int threads) {
    r1_err err;
    f->arch = arch_of(kind, untied);
    f->temperature = 0.8;
    f->max_new = MAX_NEW;
    ASSERT_OK(r1_ops_open(&f->ops, t, path, threads, &err), &err);
    ASSERT_OK(r1_model_open(&f->model, &f->arch, f->ops, 256, &err), &err);
    const r1_layout *l = &f->model.layout;
    f->master = r1_calloc(l->n_params, sizeof(float));
    f->payload = aligned_alloc(64, l->payload_bytes);
    r1_layout_init(l, f->arch.init_std, 11, 0, l->n_units, f->master);
    r1_layout_pack(l, f->ops, f->master, 0, l->n_units, f->payload);
    r1_rng_key key = {.seed = 5, .purpose = R1_RNG_TASK};
    for (int g = 0; g < GROUPS; g++)
        for (int i = 0; i < 100; i++)
            f->prompts[g][i] = (int32_t)r1_rng_below(&key, (uint32_t)(g * 100 + i), 203);
}

static void teardown(fixture *f) {
    r1_free(f->master);
    free(f->payload);
    r1_model_close(&f->model);
    r1_ops_close(f->ops);
}

static rollout roll(fixture *f, int max_sequences, int n_blocks, int prefill_rows,
                    uint64_t *ret_evictions) {
    r1_engine_options o = {.model = &f->model,
                           .max_sequences = max_sequences,
                           .n_blocks = n_blocks,
                           .prefill_rows = prefill_rows};
    r1_engine *e;
    r1_err err;
    rollout r = {{0}};

    ASSERT_OK(r1_engine_open(&e, &o, &err), &err);
    for (int g = 0; g < GROUPS; g++) {
        r1_request q = {.tag = (uint64_t)g,
                        .prompt = f->prompts[g],
                        .prompt_len = prompt_lens[g],
                        .n = SAMPLES,
                        .key = {.seed = 3, .index = (uint64_t)g, .purpose = R1_RNG_SAMPLE},
                        .sampling = {.temperature = (float)f->temperature,
                                     .top_p = 1,
                                     .max_new_tokens = f->max_new,
                                     .n_stop_ids = 1,
                                     .stop_ids = {7}}};
        ASSERT_OK(r1_engine_submit(e, &q, &err), &err);
    }
    while (r1_engine_pending(e) > 0)
        ASSERT_OK(r1_engine_step(e, f->payload, &err), &err);
    for (r1_finished *d; (d = r1_engine_poll(e));)
        r.groups[d->tag] = d;
    if (ret_evictions)
        *ret_evictions = r1_engine_get_stats(e).evictions;
    r1_engine_close(e);
    return r;
}

static void rollout_free(rollout *r) {
    for (int g = 0; g < GROUPS; g++)
        r1_finished_free(r->groups[g]);
}

static int same_rollout(const rollout *a, const rollout *b) {
    for (int g = 0; g < GROUPS; g++) {
        for (int s = 0; s < SAMPLES; s++) {
            const r1_sample *x = &a->groups[g]->samples[s], *y = &b->groups[g]->samples[s];
            if (x->n != y->n || x->finish != y->finish ||
                memcmp(x->ids, y->ids, (size_t)x->n * 4) ||
                memcmp(x->logp, y->logp, (size_t)x->n * 4))
                return 0;
        }
    }
    return 1;
}

typedef struct compare {
    const rollout *r;
    long tokens, different;
} compare;

static void compare_tokens(void *ctx, int item, int member, int token, int n, const float *logp,
                           const float *entropy, float *ret_dlogp, float *ret_dent) {
    compare *c = ctx;
    const r1_sample *s = &c->r->groups[item]->samples[member];

    for (int i = 0; i < n; i++) {
        c->tokens++;
        c->different += memcmp(&logp[i], &s->logp[token + i], 4) != 0;
        if (ret_dlogp)
            ret_dlogp[i] = 0.01f * (float)(member - 2);
        if (ret_dent)
            ret_dent[i] = 0.001f;
    }
}

/* Score a rollout in micro-batches of at most max_tokens rows; the gradient too if grad != NULL. */
static compare score(fixture *f, const rollout *r, int max_tokens, int recompute, float *grad) {
    r1_item items[GROUPS];
    const int32_t *ids[GROUPS][SAMPLES];
    int lens[GROUPS][SAMPLES], order[GROUPS], pos = 0, member = 0, n;
    compare c = {.r = r};
    r1_piece pieces[64];
    r1_runner runner;
    r1_err err;

    for (int g = 0; g < GROUPS; g++) {
        for (int s = 0; s < SAMPLES; s++) {
            ids[g][s] = r->groups[g]->samples[s].ids;
            lens[g][s] = r->groups[g]->samples[s].n;
        }
        items[g] = (r1_item){.prompt = r->groups[g]->prompt,
                             .prompt_len = prompt_lens[g],
                             .n = SAMPLES,
                             .ids = ids[g],
                             .lens = lens[g]};
        order[g] = GROUPS - 1 - g;
    }
    ASSERT_OK(r1_runner_open(&runner, &f->model, max_tokens, 64, grad != NULL, recompute, &err),
              &err);
    while ((n = r1_pack_next(items, order, GROUPS, max_tokens, &pos, &member, pieces, 64)) > 0) {
        if (grad)
            r1_runner_grad(&runner, f->payload, items, pieces, n,
                           r1_inv_temperature(f->temperature), compare_tokens, &c, grad);
        else
            r1_runner_score(&runner, f->payload, items, pieces, n,
                            r1_inv_temperature(f->temperature), compare_tokens, &c);
    }
    r1_runner_close(&runner);
    return c;
}

/* All regimes of one architecture and dtype; returns tokens compared with the learner. */
static long regimes(r1_arch_kind kind, int untied, r1_dtype t, const char *path) {
    static const int limits[][3] = {{64, 400, 256}, {1, 400, 1},  {7, 60, 13},
                                    {20, 24, 32},   {48, 90, 33}, {64, 40, 100}};
    fixture f;
    uint64_t evictions = 0, total_evictions = 0;
    long tokens = 0;

    setup(&f, kind, untied, t, path, 1);
    rollout base = roll(&f, 64, 400, 256, NULL);
    for (size_t i = 1; i < sizeof limits / sizeof *limits; i++) {
        rollout r = roll(&f, limits[i][0], limits[i][1], limits[i][2], &evictions);
        total_evictions += evictions;
        assert_true(same_rollout(&base, &r));
        rollout_free(&r);
    }
    assert_true(total_evictions > 0);
    teardown(&f);

    setup(&f, kind, untied, t, path, 2);
    rollout two = roll(&f, 64, 60, 100, NULL);
    assert_true(same_rollout(&base, &two));
    rollout_free(&two);
    size_t bytes = f.model.layout.n_params * sizeof(float);
    float *g1 = r1_calloc(1, bytes), *g2 = r1_calloc(1, bytes);
    static const int cuts[] = {4000, 700, 190};
    for (int i = 0; i < 3; i++) {
        compare c = score(&f, &base, cuts[i], 0, NULL);
        assert_int_equal(c.different, 0);
        tokens += c.tokens;
    }
    compare kept = score(&f, &base, 700, 0, g1), again = score(&f, &base, 700, 1, g2);
    assert_int_equal(kept.different + again.different, 0);
    assert_memory_equal(g1, g2, bytes); /* recomputation changes no bit of the gradient */
    tokens += kept.tokens + again.tokens;

    /* One bit flipped in a weight that every token uses, between rollout and scoring. */
    size_t at = f.model.layout.tensors[f.model.layout.layers[0].up].payload;
    ((uint8_t *)f.payload)[at + (t == R1_F32 ? 3 : 1)] ^= 0x01;
    assert_true(score(&f, &base, 4000, 0, NULL).different > 0);
    r1_free(g1);
    r1_free(g2);
    teardown(&f);
    rollout_free(&base);
    return tokens;
}

static void ratio_is_one(void **state) {
    long tokens = 0;

    for (int t = R1_F32; t <= R1_BF16; t++) {
        tokens += regimes(R1_ARCH_LLAMA, 0, (r1_dtype)t, "auto");
        tokens += regimes(R1_ARCH_LLAMA, 1, (r1_dtype)t, "auto");
        tokens += regimes(R1_ARCH_QWEN2, 0, (r1_dtype)t, "auto");
        tokens += regimes(R1_ARCH_QWEN3, 0, (r1_dtype)t, "auto");
    }
    print_message("%ld tokens compared, bit for bit\n", tokens);
    assert_true(tokens >= 10000);
}

/* 1 / T rounded twice in different ways would show at about one temperature in four. */
static void ratio_is_one_at_any_temperature(void **state) {
    fixture f;

    setup(&f, R1_ARCH_LLAMA, 0, R1_F32, "auto", 1);
    f.max_new = 4;
    for (int t = 5; t <= 300; t += 5) {
        f.temperature = t / 100.0;
        rollout r = roll(&f, 64, 400, 256, NULL);
        compare c = score(&f, &r, 4000, 0, NULL);
        assert_true(c.tokens > 0);
        assert_int_equal(c.different, 0);
        rollout_free(&r);
    }
    teardown(&f);
}

/* A NaN in a weight ends the rollout with a message, whatever the sampling. */
static void nonfinite_logits_are_refused(void **state) {
    for (int filtered = 0; filtered < 2; filtered++) {
        fixture f;
        r1_engine *e;
        r1_err err;
        setup(&f, R1_ARCH_LLAMA, 0, R1_BF16, "auto", 1);
        size_t at = f.model.layout.tensors[f.model.layout.layers[1].down].payload;
        memset((uint8_t *)f.payload + at, 0xff, 2); /* one bf16 NaN */
        r1_engine_options o = {
            .model = &f.model, .max_sequences = 4, .n_blocks = 40, .prefill_rows = 16};
        r1_request q = {.tag = 17,
                        .prompt = f.prompts[0],
                        .prompt_len = 5,
                        .n = 2,
                        .sampling = {.temperature = 1,
                                     .top_p = filtered ? 0.9f : 1,
                                     .top_k = filtered ? 5 : 0,
                                     .max_new_tokens = 3}};
        ASSERT_OK(r1_engine_open(&e, &o, &err), &err);
        ASSERT_OK(r1_engine_submit(e, &q, &err), &err);
        ASSERT_FAILS(r1_engine_step(e, f.payload, &err), R1_DATA, &err, "prompt 17, position 4");
        r1_engine_close(e);
        teardown(&f);
    }
}

/* Gradients with a shared prompt agree with those of every sequence on its own. */
static void shared_prompts_are_exact(void **state) {
    fixture f;
    setup(&f, R1_ARCH_QWEN3, 1, R1_F32, "auto", 2);
    rollout base = roll(&f, 64, 400, 256, NULL);
    size_t n = f.model.layout.n_params;
    float *g1 = r1_calloc(n, 4), *g2 = r1_calloc(n, 4);
    score(&f, &base, 4000, 0, g1);
    score(&f, &base, 190, 0, g2); /* cut so small that most completions stand alone */
    double diff = 0, norm = 0;
    for (size_t i = 0; i < n; i++) {
        diff += ((double)g1[i] - (double)g2[i]) * ((double)g1[i] - (double)g2[i]);
        norm += (double)g1[i] * (double)g1[i];
    }
    assert_true(norm > 0 && diff < 1e-10 * norm);
    r1_free(g1);
    r1_free(g2);
    rollout_free(&base);
    teardown(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ratio_is_one), cmocka_unit_test(ratio_is_one_at_any_temperature),
        cmocka_unit_test(nonfinite_logits_are_refused), cmocka_unit_test(shared_prompts_are_exact)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
