/* The configuration: files, overrides, inheritance, messages, dump and comparison. */
#include "common/base/mem.h"
#include "common/config/config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

static r1_config *parse(const char *text, int n, const char *const *overrides) {
    r1_config *cfg = NULL;
    r1_err err = {0};

    char *const *words = (char *const *)(uintptr_t)overrides;
    if (r1_config_parse(&cfg, text, strlen(text), "t.yaml", n, words, &err) != R1_OK)
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

/* ---- what is refused ---- */

#define HEAD "name: t\nmodel: {init: random}\ntokenizer: {kind: bytes}\n"
#define TAIL "rewards: [{name: number}]\nstages:\n  - {name: rl, kind: grpo, total_updates: 10}\n"

/* A text is refused with a message that holds every word of `wants` (split at |). */
static void refused(const char *text, const char *wants) {
    r1_config *cfg = NULL;
    r1_err err = {0};
    char copy[400];
    r1_status st = r1_config_parse(&cfg, text, strlen(text), "t.yaml", 0, NULL, &err);

    if (st == R1_OK)
        fail_msg("accepted, not refused with '%s':\n%s", wants, text);
    assert_int_equal(st, R1_USAGE);
    assert_null(strchr(err.msg, '\n'));
    snprintf(copy, sizeof copy, "%s", wants);
    for (char *save, *w = strtok_r(copy, "|", &save); w; w = strtok_r(NULL, "|", &save))
        if (!strstr(err.msg, w))
            fail_msg("message '%s' lacks '%s'", err.msg, w);
    r1_config_free(cfg);
}

static void broken_texts_are_named_by_file_line_and_key(void **state) {
    static const char *const cases[][2] = {
        {"nmae: t\n", "t.yaml:1: |nmae|did you mean name"},
        {HEAD "data: {train: {task: arithmetic}}\nseed: x\n" TAIL, "t.yaml:5: seed|x"},
        {HEAD "data: {train: {task: arithmetic}}\nseed: -1\n" TAIL, "t.yaml:5: seed"},
        {HEAD "data: {train: {task: arithmetik}}\n" TAIL, "t.yaml:4: |task|arithmetic"},
        {HEAD "data: {train: {task: arithmetic, terms: 1}}\n" TAIL, "t.yaml:4: |terms|2"},
        {HEAD "data: {train: {task: arithmetic, terms: 2.5}}\n" TAIL, "t.yaml:4: |terms"},
        {HEAD "data: {train: {task: arithmetic, digits: 2}}\n" TAIL, "t.yaml:4: |digits"},
        {HEAD "data: [1]\n" TAIL, "t.yaml:4: data"},
        {HEAD "data: {train: {task: arithmetic}}\ndata: {}\n" TAIL, "t.yaml:5: |data|twice"},
        {HEAD "data: {train: {task: arithmetic}}\n"
              "stages: [{name: a, kind: grpo, total_updates: 1}]\n",
         "reward"},
        {HEAD "data: {train: {task: arithmetic}}\nstages: []\n", "stages"},
        {HEAD "data: {train: {task: arithmetic}}\nrewards: [{name: number}]\nstages:\n"
              "  - {name: a, kind: grpo, total_updates: 1, clip_lwo: 1}\n",
         "t.yaml:7: |clip_lwo|clip_low"},
        {HEAD "data: {train: {task: arithmetic}}\nrewards: [{name: number}]\nstages:\n"
              "  - {name: a, kind: grpo}\n",
         "total_updates"},
        {"name: t\nmodel: {init: random, config: {hidden_size: 1024, heads: 2}}\n"
         "tokenizer: {kind: bytes}\ndata: {train: {task: arithmetic}}\n" TAIL,
         "t.yaml|head_dim|512|256"},
        {"name: a/b\nmodel: {init: random}\ntokenizer: {kind: bytes}\n"
         "data: {train: {task: arithmetic}}\n" TAIL,
         "t.yaml:1: name|a/b"},
        {HEAD "data: {train: {task: arithmetic}}\nseed: [\n", "t.yaml:"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused(cases[i][0], cases[i][1]);
}

static void contradictions_are_refused(void **state) {
    static const char *const stage[][2] = {
        {"minibatch: 24", "minibatch|group_size"},
        {"minibatch: 480", "minibatch|does not divide"},
        {"minibatch: 128", "total_updates|multiple of the 4"},
        {"warmup: 11", "warmup|total_updates"},
        {"group_size: 1", "group_size"},
        {"top_p: 0.5", "top_p|mismatch_cap"},
        {"top_k: 5", "top_k|mismatch_cap"},
        {"stop: [x]", "stop|mismatch_cap"},
        {"min_new_tokens: 600, mismatch_cap: 2", "min_new_tokens|max_response_len"},
        {"policy_loss: cispo, dual_clip: 3", "dual_clip|cispo"},
        {"overlong: {penalty: 1}", "overlong.penalty"},
        {"batch: 4", "batch"},
    };
    static const char *const data[][2] = {
        {"task: arithmetic, min: 5, max: 4", "min|max"},
        {"task: arithmetic, ops: \"+/\"", "ops|+ - *"},
        {"task: arithmetic, ops: \"*\", max: 1000, terms: 16", "max|64 bits"},
        {"task: countdown, count: 7", "count|at most 6"},
        {"task: parentheses, count: 7", "count|7|never balanced"},
        {"task: arithmetic, question: \"What is {a}+{d}?\"", "question|{d}|3 operands"},
        {"task: arithmetic, question: \"How much?\"", "question|{prompt}"},
        {"task: parentheses, question: \"{a}\"", "question|{a}"},
        {"file: x.jsonl, question: \"Solve: {a}\"", "question|{prompt}"},
        {"held_out_mod: 5", "neither task nor file"},
        {"task: arithmetic, held_out_mod: 0", "held_out_mod|split"},
        {"task: arithmetic, held_out_mod: 1", "held_out_mod"},
        {"task: arithmetic, n: 2000000000", "n|1000000"},
    };
    char text[1000];

    for (size_t i = 0; i < sizeof stage / sizeof *stage; i++) {
        snprintf(text, sizeof text,
                 HEAD "data: {train: {task: arithmetic}}\nrewards: [{name: number}]\nstages:\n"
                      "  - {name: rl, kind: grpo, total_updates: 10, %s}\n",
                 stage[i][0]);
        refused(text, stage[i][1]);
    }
    for (size_t i = 0; i < sizeof data / sizeof *data; i++) {
        snprintf(text, sizeof text, HEAD "data: {train: {%s}}\n" TAIL, data[i][0]);
        refused(text, data[i][1]);
    }
}

/* No configuration evaluates as held out what it trains on. */
static void nothing_held_out_is_trained_on(void **state) {
#define STAGES                                                                              \
    "rewards: [{name: number}]\nstages:\n  - {name: warm, kind: sft, total_updates: 8%s}\n" \
    "  - {name: rl, kind: grpo, total_updates: 10%s}\n"
    static const char *const cases[][4] = {
        {"{train: {task: arithmetic, held_out_mod: 5}, eval: {held_out_mod: 3}}", "", "",
         "held_out_mod|5|3"},
        {"{train: {task: arithmetic}}", ", data: {train: {held_out_mod: 4}, eval: {n: 3}}", "",
         "warm.data.train.held_out_mod|4|rl|5"},
        {"{train: {task: arithmetic, split: all}}", "", "", "train.split|all"},
        {"{train: {task: arithmetic, split: held_out}}", "", "", "train.split|held_out"},
        {"{train: {task: arithmetic}}", ", data: {train: {split: all}, eval: {split: all}}", "",
         "warm.data.train.split|rl"},
        {"{train: {task: arithmetic}}", ", data: {train: {task: multiplication, held_out_mod: 7}}",
         "", "warm.data.train.held_out_mod|7"},
        {"{train: {file: a.jsonl, split: all}, eval: {split: held_out}}", "", "",
         "train.split|all"},
        {"{train: {file: a.jsonl}}", ", data: {train: {text_key: t}}", "",
         "warm.data.train.split|all|rl"},
        {"{train: {file: a.jsonl}}", ", data: {train: {prompt_key: p}}", "",
         "warm.data.train.prompt_key|p|question"},
    };
    static const char *const fine[][3] = {
        {"{train: {task: arithmetic}}", "", ""},
        {"{train: {task: arithmetic}}", ", data: {train: {task: multiplication}}", ""},
        {"{train: {task: arithmetic}}", ", data: {train: {task: sort, held_out_mod: 3}}", ""},
        {"{train: {file: a.jsonl}, eval: {file: b.jsonl}}", "", ""},
        {"{train: {file: a.jsonl, split: all, held_out_mod: 0}, eval: {split: all}}", "", ""},
        {"{train: {file: a.jsonl}}", ", data: {train: {text_key: t, split: train}}", ""},
        {"{train: {file: a.jsonl}}", ", data: {train: {file: b.jsonl, text_key: t}}", ""},
    };
    char text[1000];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(text, sizeof text, HEAD "data: %s\n" STAGES, cases[i][0], cases[i][1],
                 cases[i][2]);
        refused(text, cases[i][3]);
    }
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        snprintf(text, sizeof text, HEAD "data: %s\n" STAGES, fine[i][0], fine[i][1], fine[i][2]);
        r1_config_free(parse(text, 0, NULL));
    }
    /* Plain text beside an evaluation of the same file keeps to its side by itself. */
    r1_config *c =
        parse(HEAD "data: {train: {file: a.jsonl, text_key: t}, eval: {text_key: null}}\n"
                   "rewards: [{name: number}]\n"
                   "stages: [{name: warm, kind: sft, total_updates: 8}]\n",
              0, NULL);
    assert_int_equal(c->stages[0].data.train.split, R1_SPLIT_TRAIN);
    assert_int_equal(c->stages[0].data.eval.split, R1_SPLIT_HELD_OUT);
    r1_config_free(c);
}

/* ---- overrides, inheritance, dump, comparison ---- */

static void overrides_address_keys_and_stages(void **state) {
    const char *const some[] = {"seed=9", "rl.total_updates=20", "data.train.terms=4",
                                "rl.kl.coef=0", "warm.batch=7"};
    static const char *const wrong[][2] = {
        {"sede=9", "seed"}, {"rl.total_updats=1", "total_updates"},
        {"rl", "rl"},       {"nope.lr=1", "nope"},
        {"seed=", "seed"},  {"rl.lr=fast", "lr"},
    };
    r1_config *c = parse(base_text, 5, some);

    assert_true(c->seed == 9 && c->stages[1].total_updates == 20);
    assert_int_equal(c->data.train.terms, 4);
    assert_int_equal(c->stages[1].data.train.terms, 4);
    assert_int_equal(c->stages[1].data.eval.terms, 4);
    assert_true(c->stages[1].kl.coef == 0);
    assert_int_equal(c->stages[0].batch, 7);
    r1_config_free(c);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *one[] = {(char *)(uintptr_t)wrong[i][0]};
        r1_err err = {0};
        assert_int_equal(r1_config_parse(&c, base_text, strlen(base_text), "t.yaml", 1, one, &err),
                         R1_USAGE);
        if (!strstr(err.msg, "command line") || !strstr(err.msg, wrong[i][1]))
            fail_msg("'%s': '%s'", wrong[i][0], err.msg);
    }
}

static void stages_have_their_own_copies(void **state) {
    r1_config *c = parse(HEAD "data: {train: {task: arithmetic, terms: 5}, eval: {n: 9}}\n"
                              "rewards: [{name: number}]\noptimizer: {weight_decay: 0.5}\n"
                              "stages:\n"
                              "  - {name: a, kind: sft, total_updates: 8, "
                              "data: {train: {terms: 2}}, optimizer: {grad_clip: 3.0}}\n"
                              "  - {name: b, kind: grpo, total_updates: 1, "
                              "rewards: [{name: exact}, {name: format, weight: 0.5}]}\n",
                         0, NULL);

    assert_int_equal(c->stages[0].data.train.terms, 2);
    assert_int_equal(c->stages[0].data.eval.terms, 2);
    assert_int_equal(c->stages[0].data.eval.n, 9);
    assert_int_equal(c->stages[1].data.train.terms, 5);
    assert_true(c->stages[0].optimizer.weight_decay == 0.5);
    assert_true(c->stages[0].optimizer.grad_clip == 3);
    assert_true(c->stages[1].optimizer.grad_clip == 1);
    assert_int_equal(c->stages[0].n_rewards, 1);
    assert_int_equal(c->stages[1].n_rewards, 2);
    assert_string_equal(c->stages[1].rewards[0].name, "exact");
    assert_true(c->stages[1].rewards[1].weight == 0.5);
    r1_config_free(c);
}

static char *dump(const r1_config *c, int numeric_only) {
    char *text = NULL;
    r1_err err;

    assert_int_equal(r1_config_dump(c, numeric_only, &text, &err), R1_OK);
    return text;
}

static void a_dump_reads_back_to_itself(void **state) {
    r1_config *c = parse(base_text, 0, NULL);
    char *a = dump(c, 0);
    r1_config *again = parse(a, 0, NULL);
    char *b = dump(again, 0);
    r1_err err;

    assert_string_equal(a, b);
    assert_int_equal(r1_config_same_numeric(c, again, &err), R1_OK);
    r1_free(a);
    r1_free(b);
    r1_config_free(c);
    r1_config_free(again);
}

#define REWARDS(list)                                         \
    HEAD "data: {train: {task: arithmetic}}\nrewards: [" list \
         "]\nstages:\n  - {name: rl, kind: grpo, total_updates: 10}\n"

/* A reward has its own parameters; of several sources there may be one each. */
static void rewards_have_parameters_and_sources(void **state) {
    static const char text[] = REWARDS(
        "{name: number, source: gsm8k}, {name: number, source: a/b, weight: 2.0, from: boxed}, "
        "{name: language, target: zh}, {name: exec, command: [sh, -c, \"echo 'x: 1'\"]}, "
        "{name: cosine, max_len: 50}");
    static const char *const overrides[] = {"rewards.number@a/b.weight=3",
                                            "rewards.language.min_words=5"};
    r1_config *c = parse(text, 2, overrides), *again;
    const r1_reward_spec *r = c->stages[0].rewards;
    char *a, *b;

    assert_true(r[0].weight == 1 && r[1].weight == 3);
    assert_string_equal(r[0].source, "gsm8k");
    assert_string_equal(r[1].from, "boxed");
    assert_string_equal(r[2].target, "zh");
    assert_int_equal(r[2].min_words, 5);
    assert_string_equal(r[2].unit, "chars");
    assert_int_equal(r[3].command.n, 3);
    assert_true(r[3].deadline_s == 30);
    assert_true(r[4].max_len == 50 && r[4].max_wrong == -0.5);
    a = dump(c, 0);
    again = parse(a, 0, NULL);
    b = dump(again, 0);
    assert_string_equal(a, b);
    assert_null(strstr(a, "ngram"));
    r1_free(a);
    r1_free(b);
    r1_config_free(c);
    r1_config_free(again);
    refuses(REWARDS("{name: number, min_words: 3}"), NULL,
            "rewards.number.min_words: 3: min_words is no key of reward number");
    refuses(REWARDS("{name: language, min_word: 3}"), NULL, "did you mean min_words?");
    refuses(REWARDS("{weight: 3}"), NULL, "rewards[0].name: the key is missing");
    refuses(REWARDS("{name: langage}"), NULL, "did you mean language?");
    refuses(REWARDS("{name: exec}"), NULL, "rewards.exec.command: the key is missing");
    refuses(REWARDS("{name: number}, {name: number}"), NULL, "listed twice");
    refuses(REWARDS("{name: number, source: \"a.b\"}"), NULL, "source 'a.b' may only have");
    refuses(REWARDS("{name: number, source: a}"), "rewards.number@b.weight=1",
            "no member named 'number@b'");
}

/* Keys that a resume may change, and keys that it may not. */
static void numeric_keys_must_not_change(void **state) {
    static const struct {
        const char *override;
        int numeric;
    } cases[] = {
        {"seed=2", 1},
        {"rl.lr=1.0e-5", 1},
        {"data.train.max=8", 1},
        {"rl.group_size=8", 1},
        {"topology.virtual_learners=4", 1},
        {"name=other", 0},
        {"checkpoint.every=7", 0},
        {"topology.learners=2", 0},
        {"compute.threads=3", 0},
        {"log.tensorboard=true", 0},
        {"limits.deadline_s=9", 0},
    };
    r1_config *c = parse(base_text, 0, NULL);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *one[] = {cases[i].override, "rl.minibatch=null"};
        r1_config *other = parse(base_text, 2, one);
        char key[64];
        r1_err err = {0};
        r1_status st = r1_config_same_numeric(c, other, &err);
        if (st != (cases[i].numeric ? R1_USAGE : R1_OK))
            fail_msg("%s: %d %s", cases[i].override, (int)st, err.msg);
        snprintf(key, sizeof key, "%.*s", (int)strcspn(cases[i].override, "="), cases[i].override);
        const char *last = strrchr(key, '.') ? strrchr(key, '.') + 1 : key;
        if (cases[i].numeric && !strstr(err.msg, last))
            fail_msg("'%s' does not name %s", err.msg, last);
        r1_config_free(other);
    }
    r1_config_free(c);
}

static void roles_follow_from_ranks_and_nodes(void **state) {
    static const struct {
        const char *override;
        int np, nodes, colocated, learners, actors; /* learners 0: refused */
    } cases[] = {
        {"topology.mode=auto", 1, 1, 1, 1, 1},      {"topology.mode=auto", 4, 1, 1, 4, 4},
        {"topology.mode=auto", 5, 1, 0, 1, 4},      {"topology.mode=auto", 8, 1, 0, 2, 6},
        {"topology.mode=auto", 4, 2, 0, 1, 3},      {"topology.mode=auto", 64, 4, 0, 8, 56},
        {"topology.mode=split", 1, 1, 0, 0, 0},     {"topology.mode=colocated", 8, 1, 1, 8, 8},
        {"topology.mode=colocated", 9, 1, 0, 0, 0}, {"topology.mode=auto", 600, 10, 0, 0, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *one[] = {cases[i].override};
        r1_config *c = parse(base_text, 1, one);
        r1_roles roles = {0};
        r1_err err;
        r1_status st = r1_config_roles(c, cases[i].np, cases[i].nodes, &roles, &err);
        if (st != (cases[i].learners ? R1_OK : R1_USAGE))
            fail_msg("%s at %d ranks: %d", cases[i].override, cases[i].np, (int)st);
        if (st == R1_OK && (roles.colocated != cases[i].colocated ||
                            roles.learners != cases[i].learners || roles.actors != cases[i].actors))
            fail_msg("%s at %d ranks: %d %d %d", cases[i].override, cases[i].np, roles.colocated,
                     roles.learners, roles.actors);
        r1_config_free(c);
    }
}

static void the_help_lists_every_part(void **state) {
    static const char *const words[] = {"prompts_per_step", "held_out_mod", "virtual_learners",
                                        "numeric",          "runtime",      "ref_sync_every",
                                        "question"};
    char *text = NULL;
    r1_err err;

    assert_int_equal(r1_config_help(NULL, &text, &err), R1_OK);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strstr(text, words[i]))
            fail_msg("the help lacks %s", words[i]);
    r1_free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_override_messages),
        cmocka_unit_test(test_reserved_name),
        cmocka_unit_test(test_help),
        cmocka_unit_test(broken_texts_are_named_by_file_line_and_key),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(nothing_held_out_is_trained_on),
        cmocka_unit_test(overrides_address_keys_and_stages),
        cmocka_unit_test(stages_have_their_own_copies),
        cmocka_unit_test(a_dump_reads_back_to_itself),
        cmocka_unit_test(rewards_have_parameters_and_sources),
        cmocka_unit_test(numeric_keys_must_not_change),
        cmocka_unit_test(roles_follow_from_ranks_and_nodes),
        cmocka_unit_test(the_help_lists_every_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
