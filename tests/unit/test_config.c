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

/* ---- messages ---- */

static void refuses(const char *text, const char *override, const char *fragment) {
    char *overrides[] = {(char *)(uintptr_t) override};
    r1_config *cfg = NULL;
    r1_err err = {0};

    if (r1_config_parse(&cfg, text, strlen(text), "t.yaml", override ? 1 : 0, overrides, &err) ==
        R1_OK)
        fail_msg("%s was accepted", override ? override : text);
    assert_int_equal(err.status, R1_USAGE);
    if (!strstr(err.msg, fragment))
        fail_msg("'%s' is not in: %s", fragment, err.msg);
}

/* A wrong word on the command line is answered with the right one. */
static void test_override_messages(void **state) {
    static const struct {
        const char *override, *fragment;
    } rows[] = {
        {"rl=5", "'rl' is a stage; one of its keys is set by rl.KEY=value"},
        {"rll.lr=1e-3", "there is no stage 'rll'; did you mean rl?"},
        {"wram.lr=1e-3", "did you mean warm?"},
        {"sede=5", "did you mean seed?"},
        {"rewards.nmber.weight=2", "no member named 'nmber'; did you mean number?"},
        {"optimizer.lr=1", "unknown key; it is a key of a stage: STAGE.lr"},
        {"async.max_staleness=1", "1: only 0 (synchronous) in this version"},
        {"template=Q: {prompt", "command line: template=Q: {prompt: not valid YAML"},
        {"template=Q: {prompt", "stands in quotes: template='\"...\"')"},
        {"rl.group_size=1", "rl.group_size: 1: a group-relative advantage needs at least 2"},
        {"template=Q: {prompt}", "template: a mapping is not a text; one with : # { } stands in"},
        {"rl.max_response_len=20000", "t.yaml: rl.limits.max_tokens_per_microbatch: 16384 is"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        refuses(base_text, rows[i].override, rows[i].fragment);
}

/* `base` names the evaluation before the first stage in summaries. */
static void test_reserved_name(void **state) {
    refuses("name: t\nmodel: {init: random}\ntokenizer: {kind: bytes}\n"
            "data: {train: {task: sort}}\nrewards: [{name: exact}]\n"
            "stages: [{name: base, kind: grpo, total_updates: 1}]\n",
            NULL, "'base' is what results call the model before its first stage");
}

static void test_help(void **state) {
    char *text = NULL;
    r1_err err = {0};

    assert_int_equal(r1_config_help(NULL, &text, &err), R1_OK);
    assert_non_null(strstr(text, "template: auto | plain | r1_zero | chatml | llama3 | deepseek | "
                                 "a text with {system} {prompt}; default auto"));
    assert_non_null(strstr(text, "1.0e-6..1;"));
    assert_null(strstr(text, "e-0"));
    assert_null(strstr(text, "      sft | grpo | eval"));
    r1_free(text);
    assert_int_equal(r1_config_help("kl.coef", &text, &err), R1_OK);
    assert_non_null(strstr(text, "in stages.kl:\n    coef: number 0..1000000; default 0.001;"));
    assert_null(strstr(text, "estimator"));
    r1_free(text);
    assert_int_equal(r1_config_help("kl", &text, &err), R1_OK);
    assert_non_null(strstr(text, "estimator"));
    r1_free(text);
    assert_int_equal(r1_config_help("klcoef", &text, &err), R1_USAGE);
    assert_non_null(strstr(err.msg, "no key 'klcoef'"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_override_messages),
        cmocka_unit_test(test_reserved_name),
        cmocka_unit_test(test_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
