/* What the learner makes of samples: unscorable ones leave every mean, numbers that are not finite
 * never come in, and the cut into leaves and micro-batches is counted. */
#include "tests/unit/unit.h"

#include "learner/cut.h"
#include "learner/grpo_batch.h"
#include "learner/run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A group of four: right, wrong, unscorable, unscorable but marked right by mistake. */
static void fill(r1_group *g, uint64_t deal, int usable) {
    r1_err err;

    ASSERT_OK(r1_group_alloc(g, 2, 4, &err), &err);
    g->deal = deal;
    for (int i = 0; i < 4; i++) {
        ASSERT_OK(r1_trajectory_alloc(&g->t[i], 3, &err), &err);
        g->t[i].usable = usable && i < 2;
        g->t[i].correct = i == 0 || i == 3;
        g->t[i].reward = g->t[i].usable ? g->t[i].correct : (double)NAN;
        g->t[i].logp[0] = g->t[i].logp[1] = g->t[i].logp[2] = -1;
    }
}

static r1_status roll(void *ctx, const r1_rollout_request *q, r1_group *groups, r1_err *err) {
    for (int i = 0; i < q->n_prompts; i++) /* the last problem has no sample that can be scored */
        fill(&groups[i], (uint64_t)i, i < q->n_prompts - 1);
    return R1_OK;
}

static const char text[] = "name: t\n"
                           "model: {init: random}\n"
                           "tokenizer: {kind: bytes}\n"
                           "data: {train: {task: arithmetic}, eval: {n: 5}}\n"
                           "rewards: [{name: number}]\n"
                           "eval: {greedy: false, n_per_prompt: 4}\n"
                           "stages:\n"
                           "  - {name: rl, kind: grpo, total_updates: 1, prompts_per_step: 2,\n"
                           "     group_size: 4}\n";

static void unscorable_is_not_wrong(void **state) {
    r1_trainer trainer = {0};
    r1_eval_result e;
    r1_config *cfg;
    r1_err err;

    ASSERT_OK(r1_config_parse(&cfg, text, strlen(text), "t.yaml", 0, NULL, &err), &err);
    r1_world world = {.all = {.rank = 1, .size = 2}}; /* not the rank that writes the answers */
    r1_run run = {.cfg = cfg, .world = &world, .trainer = &trainer, .source = {NULL, roll}};
    ASSERT_OK(r1_evaluate(&run, &e, &err), &err);
    assert_int_equal(e.n, 4);
    assert_true(e.accuracy == 0.5 && e.stderr_ == 0 && e.unscorable == 0.6);

    r1_group *groups = NULL;
    r1_grpo_batch b;
    static r1_record rec;
    ASSERT_OK(R1_NEW(groups, 2, &err), &err);
    fill(&groups[0], 0, 1);
    fill(&groups[1], 1, 1);
    ASSERT_OK(r1_grpo_batch_open(&b, &cfg->stages[0], groups, &err), &err);
    r1_grpo_batch_advantages(&b, &cfg->stages[0]);
    r1_grpo_batch_record(&b, &cfg->stages[0], &rec);
    assert_true(r1_record_value(&rec, "train/accuracy") == 0.5);
    assert_true(r1_record_value(&rec, "frac_unscorable") == 0.5);
    r1_grpo_batch_close(&b);
    r1_config_free(cfg);
}

/* Each reward is a metric, of its own source too; what was not asked is none of its verdicts. */
static void components_and_texts_are_metrics(void **state) {
    static const char rewards[] = "rewards=[{name: number, source: a}, {name: exact, source: b}]";
    char copy[sizeof rewards], *overrides[] = {copy};
    r1_group *groups = NULL;
    static r1_record rec;
    r1_config *cfg;
    r1_grpo_batch b;
    r1_err err;

    memcpy(copy, rewards, sizeof rewards);
    ASSERT_OK(r1_config_parse(&cfg, text, strlen(text), "t.yaml", 1, overrides, &err), &err);
    ASSERT_OK(R1_NEW(groups, 2, &err), &err);
    fill(&groups[0], 0, 1);
    fill(&groups[1], 1, 1);
    for (int i = 0; i < 8; i++) {
        r1_trajectory *t = &groups[i / 4].t[i % 4];
        t->n_rewards = 2;
        t->verdict[0] = i < 4 ? R1_VERDICT_WRONG : R1_VERDICT_NOT_ASKED;
        t->verdict[1] = i < 4 ? R1_VERDICT_NOT_ASKED : R1_VERDICT_CORRECT;
        t->score[0] = 0.25f;
        t->score[1] = 1;
        t->text[R1_TEXT_REFLECTIONS] = i < 2 ? 4 : 0;
        t->text[R1_TEXT_ANSWER_CHANGED] = i == 0;
        t->text[R1_TEXT_THINK_CHARS] = 100;
        t->text[R1_TEXT_LANGUAGE] = 0.5;
    }
    assert_int_equal(r1_groups_timed_out(groups, 2), 0);
    groups[1].t[3].verdict[1] = R1_VERDICT_TIMEOUT;
    assert_int_equal(r1_groups_timed_out(groups, 2), 1);
    ASSERT_OK(r1_grpo_batch_open(&b, &cfg->stages[0], groups, &err), &err);
    r1_grpo_batch_advantages(&b, &cfg->stages[0]);
    r1_grpo_batch_record(&b, &cfg->stages[0], &rec);
    assert_true(r1_record_value(&rec, "reward/number@a/mean") == 0.25);
    assert_true(r1_record_value(&rec, "reward/number@a/wrong") == 4);
    assert_true(r1_record_value(&rec, "reward/exact@b/mean") == 1);
    assert_true(r1_record_value(&rec, "reward/exact@b/correct") == 3);
    assert_true(r1_record_value(&rec, "reward/exact@b/timeout") == 1);
    assert_null(r1_record_get(&rec, "reward/exact@b/not_asked"));
    assert_true(r1_record_value(&rec, "reflection/words_mean") == 1);
    assert_true(r1_record_value(&rec, "reflection/frac_with") == 0.25);
    assert_true(r1_record_value(&rec, "reflection/answer_changed_frac") == 0.125);
    assert_true(r1_record_value(&rec, "think/chars_mean") == 100);
    assert_true(r1_record_value(&rec, "language/consistency") == 0.5);
    r1_grpo_batch_close(&b);
    r1_config_free(cfg);
}

static void the_wire_carries_finite_numbers(void **state) {
    r1_wire_limits limits = {
        .max_prompt_len = 8, .max_tokens = 8, .max_samples = 8, .vocab_size = 9};
    static const float bad[] = {NAN, INFINITY, -INFINITY};

    for (int i = 0; i < 5; i++) {
        r1_group g, back;
        r1_buf buf;
        r1_err err;
        fill(&g, 1, 1);
        g.t[2].reward = g.t[3].reward = 0; /* as the rewards leave what they cannot score */
        if (i < 3)
            g.t[1].logp[2] = bad[i];
        else if (i == 3)
            g.t[1].reward = (double)NAN;
        r1_buf_init(&buf, 1 << 20);
        ASSERT_OK(r1_group_encode(&g, &buf, &err), &err);
        if (i < 4) {
            ASSERT_FAILS(r1_group_decode(buf.data, buf.len, &limits, &back, &err), R1_DATA, &err,
                         "finite");
        } else {
            ASSERT_OK(r1_group_decode(buf.data, buf.len, &limits, &back, &err), &err);
            r1_group_done(&back);
        }
        r1_buf_done(&buf);
        r1_group_done(&g);
    }
}

static void one_sample_is_no_group(void **state) {
    char size[] = "rl.group_size=1", kind[] = "rl.advantage=batch", *overrides[] = {size, kind};
    r1_config *cfg;
    r1_err err;

    ASSERT_FAILS(r1_config_parse(&cfg, text, strlen(text), "t.yaml", 2, overrides, &err), R1_USAGE,
                 &err, "group_size");
}

/* Four leaves: positions 0 and 4, 2, 1 and 5, and the skipped 3.  A long item has 2 + 3 * 3 rows, a
 * short one 2 + 3, and 10 fit: long ones are cut behind their second completion. */
static void the_cut_is_counted(void **state) {
    static const int32_t prompt[2];
    static const int32_t *const ids[3];
    static const int lens[] = {4, 4, 4};
    const r1_item item_long = {prompt, 2, 3, ids, lens}, item_short = {prompt, 2, 1, ids, lens};
    const r1_item items[] = {item_long, item_short, item_long, item_long, item_long, item_short};
    const uint8_t skip[] = {0, 0, 0, 1, 0, 0};
    r1_cut cut, sum = {0};
    int order[6];

    assert_int_equal(r1_cut_leaf(skip, 6, 4, 2, order), 2);
    assert_true(order[0] == 1 && order[1] == 5);
    assert_int_equal(r1_cut_leaf(skip, 6, 4, 3, order), 0);
    r1_cut_measure(items, skip, 6, 4, 10, order, &cut);
    assert_int_equal(cut.micro_batches, 4 + 2 + 1);
    assert_int_equal(cut.micro_batches_max, 4);
    assert_int_equal(cut.leaf_items_max, 2);
    assert_int_equal(cut.leaf_items_min, 1);
    assert_int_equal(cut.empty_leaves, 1);
    assert_int_equal(cut.items_cut, 3);

    r1_cut_add(&sum, &cut);
    r1_cut_measure(items, NULL, 6, 2, 1000, order, &cut); /* 3 items and 1 micro-batch a leaf */
    r1_cut_add(&sum, &cut);
    assert_int_equal(sum.micro_batches, 7 + 2);
    assert_int_equal(sum.micro_batches_max, 4);
    assert_int_equal(sum.leaf_items_max, 3);
    assert_int_equal(sum.leaf_items_min, 1);
    assert_int_equal(sum.empty_leaves, 1);
    assert_int_equal(sum.items_cut, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unscorable_is_not_wrong),
        cmocka_unit_test(components_and_texts_are_metrics),
        cmocka_unit_test(the_wire_carries_finite_numbers),
        cmocka_unit_test(one_sample_is_no_group),
        cmocka_unit_test(the_cut_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
