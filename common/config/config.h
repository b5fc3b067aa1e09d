#ifndef R1_CONFIG_CONFIG_H
#define R1_CONFIG_CONFIG_H
/* A run's configuration: YAML document + command-line overrides -> one struct, everything resolved.
 *
 * Precedence: defaults < file < `key.path=value`.  One schema table (schema.c) drives parsing,
 * defaults, ranges, suggestions for misspelt keys, --help-config, the resolved dump and the
 * comparison on resume.  A stage has its own copies of data, rewards, optimizer and limits: what the
 * stage does not override is inherited; data.eval inherits what it lacks from data.train.
 *
 * Limits of the YAML: 1 MiB, 16 levels, 1000 keys in a mapping; no tags, anchors or aliases.
 *
 * Integers that may be `auto` or `null` hold R1_AUTO then; such floats hold NaN.  Strings belong to
 * the config and live until r1_config_free.
 *
 * Layout: tree.c (YAML -> nodes with lines), override.c, schema.c (the table), value.c (one value by
 * its row of the table), parse.c (defaults, file, inheritance), resolve.c (contradictions), dump.c,
 * help.c, roles.c. */
#include "common/base/dtype.h"
#include "common/base/err.h"

#include <stddef.h>
#include <stdint.h>

#define R1_AUTO        (-1)
#define R1_MAX_STAGES  16
#define R1_MAX_REWARDS 8
#define R1_MAX_STRINGS 32

typedef enum r1_stage_kind {
    R1_STAGE_SFT,
    R1_STAGE_GRPO,
    R1_STAGE_EVAL
} r1_stage_kind;
typedef enum r1_schedule_kind {
    R1_SCHED_CONSTANT,
    R1_SCHED_LINEAR,
    R1_SCHED_COSINE
} r1_schedule_kind;
typedef enum r1_advantage_kind {
    R1_ADV_GROUP,
    R1_ADV_MEAN,
    R1_ADV_LOO,
    R1_ADV_BATCH
} r1_advantage_kind;
typedef enum r1_ratio_level {
    R1_RATIO_TOKEN,
    R1_RATIO_SEQUENCE
} r1_ratio_level;
typedef enum r1_policy_loss_kind {
    R1_LOSS_CLIP,
    R1_LOSS_CISPO
} r1_policy_loss_kind;
typedef enum r1_aggregation_kind {
    R1_AGG_SEQ_MEAN_TOKEN_MEAN,
    R1_AGG_TOKEN_MEAN,
    R1_AGG_SEQ_MEAN_TOKEN_SUM,
    R1_AGG_SEQ_MEAN_TOKEN_SUM_NORM
} r1_aggregation_kind;
typedef enum r1_kl_estimator {
    R1_KL_K1,
    R1_KL_K2,
    R1_KL_K3
} r1_kl_estimator;
typedef enum r1_kl_in {
    R1_KL_IN_LOSS,
    R1_KL_IN_REWARD
} r1_kl_in;
typedef enum r1_nonfinite {
    R1_NONFINITE_STOP,
    R1_NONFINITE_SKIP
} r1_nonfinite;
typedef enum r1_topology_mode {
    R1_TOPO_AUTO,
    R1_TOPO_COLOCATED,
    R1_TOPO_SPLIT
} r1_topology_mode;
typedef enum r1_recompute {
    R1_RECOMPUTE_NONE,
    R1_RECOMPUTE_LAYER
} r1_recompute;
typedef enum r1_model_init {
    R1_INIT_NONE,
    R1_INIT_RANDOM
} r1_model_init;
typedef enum r1_tokenizer_kind {
    R1_TOK_MODEL,
    R1_TOK_BYTES
} r1_tokenizer_kind;
typedef enum r1_split {
    R1_SPLIT_TRAIN,
    R1_SPLIT_HELD_OUT,
    R1_SPLIT_ALL
} r1_split;
typedef enum r1_task_kind {
    R1_TASK_NONE,
    R1_TASK_ARITHMETIC,
    R1_TASK_MULTIPLICATION,
    R1_TASK_COUNTDOWN,
    R1_TASK_SORT,
    R1_TASK_PARENTHESES
} r1_task_kind;
typedef enum r1_arch_name {
    R1_NAME_LLAMA,
    R1_NAME_QWEN2,
    R1_NAME_QWEN3
} r1_arch_name;

typedef struct r1_string_list {
    int n;
    const char *s[R1_MAX_STRINGS];
} r1_string_list;

/* Where problems come from: a procedural task (task != none) or a JSONL file. */
typedef struct r1_data_spec {
    int task;            /* r1_task_kind */
    int terms, min, max; /* arithmetic: operands min..max; sort: values; countdown: numbers */
    int digits;          /* multiplication */
    int count;           /* countdown, sort: how many numbers; parentheses: length */
    int target_max;      /* countdown */
    const char *ops;
    const char *question; /* wording with {prompt} or {a}, {b}, ...; NULL: the task's own */
    const char *file, *prompt_key, *answer_key, *text_key;
    int held_out_mod; /* hash of the canonical problem mod this == 0: held out; 0: no split */
    int split;        /* r1_split */
    int n;            /* problems of an evaluation; R1_AUTO: all */
} r1_data_spec;

typedef struct r1_reward_spec {
    const char *name;
    double weight;
    int require_format;
    const char *source; /* only for rows with this data_source; NULL: for all */
    /* of some rewards, see reward/reward.h */
    const char *from, *answer, *language, *target, *unit;
    int min_think, min_words, min_steps, target_len, max_len, ngram, max_period, times, fraction;
    double min_wrong, max_wrong, min_correct, max_correct, deadline_s;
    r1_string_list command;
} r1_reward_spec;

/* Names of rewards as the schema's kinds count them. */
typedef enum r1_reward_kind {
    R1_REWARD_EXACT,
    R1_REWARD_NUMBER,
    R1_REWARD_CHOICE,
    R1_REWARD_COUNTDOWN,
    R1_REWARD_FORMAT,
    R1_REWARD_FORMAT_CODE,
    R1_REWARD_TAG_COUNT,
    R1_REWARD_REASONING_STEPS,
    R1_REWARD_LANGUAGE,
    R1_REWARD_LENGTH,
    R1_REWARD_KIMI_LENGTH_GROUP,
    R1_REWARD_COSINE,
    R1_REWARD_REPETITION,
    R1_REWARD_LOOP,
    R1_REWARD_EXEC,
    R1_REWARD_CODE,
    R1_REWARD_MATH,
} r1_reward_kind;

/* "number", or of one source "number@gsm8k": in key paths, metrics and dumps.  Returns buf. */
#define R1_REWARD_LABEL 80
const char *r1_reward_label(const r1_reward_spec *r, char buf[static R1_REWARD_LABEL]);

typedef struct r1_optimizer_config {
    double betas[2], eps, weight_decay, grad_clip;
} r1_optimizer_config;

typedef struct r1_limits_config {
    int max_prompt_len, max_tokens_per_microbatch;
    double kv_memory; /* bytes; NaN: auto */
    double deadline_s;
} r1_limits_config;

typedef struct r1_eval_config {
    int every; /* steps; R1_AUTO: never */
    int at_stage_end, n_per_prompt, greedy;
    double temperature;
} r1_eval_config;

typedef struct r1_stage_config {
    const char *name;
    int kind; /* r1_stage_kind */
    int line; /* in the file, for messages */
    int total_updates;
    /* sft */
    int batch;
    double traces_error_rate;
    /* grpo */
    int prompts_per_step, group_size, minibatch, inner_epochs, max_response_len;
    double temperature, top_p;
    int top_k, min_new_tokens;
    r1_string_list stop;
    int advantage, ratio_level, policy_loss, loss_aggregation; /* enums above */
    double clip_low, clip_high, dual_clip, entropy_coef, mismatch_cap;
    struct {
        int enabled, max_rounds;
    } dynamic_sampling;
    int on_nonfinite;
    struct {
        double coef;
        int estimator, in, ref_sync_every;
    } kl;
    struct {
        int mask, buffer;
        double penalty;
    } overlong;
    /* both */
    double lr;
    int schedule, warmup;
    /* own copies */
    struct {
        r1_data_spec train, eval;
    } data;
    int n_rewards;
    r1_reward_spec rewards[R1_MAX_REWARDS];
    r1_optimizer_config optimizer;
    r1_limits_config limits;
} r1_stage_config;

typedef struct r1_config {
    const char *path; /* of the file, for messages */
    const char *name;
    uint64_t seed;
    struct {
        const char *path;
        int init; /* r1_model_init */
        struct {
            int arch; /* r1_arch_name */
            int vocab_size, hidden_size, layers, heads, kv_heads, head_dim, intermediate_size;
            int max_positions, tied;
            double rope_theta, norm_eps, init_std;
        } config;
    } model;
    struct {
        int kind; /* r1_tokenizer_kind */
        const char *path;
        r1_string_list added_tokens;
    } tokenizer;
    const char
        *chat_template; /* key `template`: a kind's name or a text; "auto": the model's own */
    struct {
        int dtype; /* r1_dtype */
        const char *numeric_path;
        int threads, recompute;
    } compute;
    struct {
        int mode, learners, virtual_learners;
    } topology;
    struct {
        r1_data_spec train, eval;
    } data;
    int n_rewards;
    r1_reward_spec rewards[R1_MAX_REWARDS];
    int n_stages;
    r1_stage_config stages[R1_MAX_STAGES];
    r1_optimizer_config optimizer;
    r1_limits_config limits;
    struct {
        int max_staleness, in_flight;
    } async;
    struct {
        int every, keep_last, keep_every;
        const char *best;
    } checkpoint;
    r1_eval_config eval;
    struct {
        int rollouts_every, tensorboard;
        r1_string_list reflection_words;
    } log;
    struct r1_config_pool *pool; /* owns every string above */
} r1_config;

/* Read, override, resolve and check.  Messages name file, line, key and value. */
R1_MUST_USE r1_status r1_config_load(r1_config **ret_cfg, const char *path, int n_overrides,
                                     char *const *overrides, r1_err *err);
/* The same from a text (a checkpoint's own copy); path only for messages. */
R1_MUST_USE r1_status r1_config_parse(r1_config **ret_cfg, const char *text, size_t len,
                                      const char *path, int n_overrides, char *const *overrides,
                                      r1_err *err);
void r1_config_free(r1_config *cfg);

/* The resolved configuration as YAML that reads back to itself.  numeric_only: just the keys that a
 * resume must not change.  The caller frees (r1_free). */
R1_MUST_USE r1_status r1_config_dump(const r1_config *cfg, int numeric_only, char **ret_text,
                                     r1_err *err);

/* Every key with type, range, default and meaning; key: only those of that path or end of a path
 * (kl, kl.coef), R1_USAGE if there is none.  The caller frees (r1_free). */
R1_MUST_USE r1_status r1_config_help(const char *key, char **ret_text, r1_err *err);

/* R1_USAGE naming the first numeric key in which two configurations differ. */
R1_MUST_USE r1_status r1_config_same_numeric(const r1_config *old_cfg, const r1_config *new_cfg,
                                             r1_err *err);

/* ---- what follows from it ---- */

typedef struct r1_stage_plan {
    int samples_per_step, groups_per_update, updates_per_step; /* sft: samples = batch, 1, 1 */
    int steps;
} r1_stage_plan;

/* Of a stage that r1_config_load returned; eval: 0, 0, 0 and one step. */
void r1_config_plan(const r1_stage_config *stage, r1_stage_plan *ret);

/* The same for the reader: "32 prompts x 16 samples = 512 samples -> 1 minibatch of 512 -> 1 update
 * a step, 150 steps".  Returns buf. */
const char *r1_config_plan_text(const r1_stage_config *stage, char *buf, size_t size);

typedef struct r1_roles {
    int colocated; /* every rank is actor and learner in turn */
    int learners;  /* ranks 0 .. learners - 1 */
    int actors;    /* split: the others; colocated: all */
} r1_roles;

/* A pure function of the configuration, the number of ranks and of nodes.  mode auto: one node with
 * at most 4 ranks is colocated (DESIGN 3); else split with the largest power
 * of two <= min(V, max(1, np / 4)) learners.  More ranks than there is work for is R1_USAGE, naming
 * the largest useful np. */
R1_MUST_USE r1_status r1_config_roles(const r1_config *cfg, int np, int nodes, r1_roles *ret,
                                      r1_err *err);

const char *r1_stage_kind_name(int kind);

/* Are there rewards, and problems to judge by them?  Plain text (text_key) has no answers. */
int r1_stage_can_evaluate(const r1_stage_config *stage);

#endif
