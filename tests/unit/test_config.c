/* The configuration: files, overrides, inheritance, messages, dump and comparison. */
#include "common/base/mem.h"
#include "common/config/config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A small valid configuration; %s of the middle part goes into its grpo stage. */
static const char base_text[] = "name: t\n"
                                "model: {init: random}\n"
                                "tokenizer: {kind: bytes}\n"
                                "data: {train: {task: arithmetic}}\n"
                                "rewards: [{name: number}]\n"
                                "stages:\n"
                                "  - {name: warm, kind: sft, total_updates: 8, lr: 1.0e-3}\n"
                                "  - name: rl\n"
                                "    kind: grpo\n"
                                "    total_updates: 10\n";

static r1_config *parse(const char *text, int n, char *const *overrides) {
    r1_config *cfg = NULL;
    r1_err err = {0};

    if (r1_config_parse(&cfg, text, strlen(text), "t.yaml", n, overrides, &err) != R1_OK)
        fail_msg("%s", err.msg);
    return cfg;
}

static void test_defaults(void **state) {
    r1_config *c = parse(base_text, 0, NULL);
    const r1_stage_config *rl = &c->stages[1];
    r1_stage_plan plan;
    char text[256];

    assert_int_equal(c->n_stages, 2);
    assert_int_equal(rl->prompts_per_step, 32);
    assert_int_equal(rl->group_size, 16);
    assert_int_equal(rl->minibatch, 512);
    assert_true(rl->lr == 3e-6 && rl->kl.coef == 0.001 && rl->temperature == 1.0);
    assert_int_equal(rl->kl.ref_sync_every, 400);
    assert_true(isnan(rl->dual_clip) && isnan(rl->mismatch_cap) && isnan(rl->limits.kv_memory));
    assert_int_equal(c->stages[0].max_response_len, 512);
    assert_int_equal(c->model.config.kv_heads, 4);
    assert_int_equal(c->model.config.head_dim, 32);
    assert_int_equal(c->data.eval.split, R1_SPLIT_HELD_OUT);
    assert_int_equal(c->data.eval.n, 512);
    assert_int_equal(c->data.train.n, R1_AUTO);
    r1_config_plan(rl, &plan);
    assert_int_equal(plan.steps, 10);
    assert_int_equal(plan.groups_per_update, 32);
    assert_string_equal(r1_config_plan_text(rl, text, sizeof text),
                        "32 prompts x 16 samples = 512 samples -> 1 minibatch of 512 -> 1 update a "
                        "step, 10 steps");
    r1_config_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
