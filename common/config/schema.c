/* The schema of the configuration; see schema.h.  Names are normative. */
#include "common/config/schema.h"

#include <float.h>
#include <limits.h>
#include <stddef.h>

#define BIG 2e9

static const char *const dtypes[] = {"fp32", "bf16", NULL};
static const char *const inits[] = {"none", "random", NULL};
static const char *const archs[] = {"llama", "qwen2", "qwen3", NULL};
static const char *const tokenizers[] = {"model", "bytes", NULL};
static const char *const recomputes[] = {"none", "layer", NULL};
static const char *const modes[] = {"auto", "colocated", "split", NULL};
static const char *const tasks[] = {
    "none", "arithmetic", "multiplication", "countdown", "sort", "parentheses", NULL};
static const char *const splits[] = {"train", "held_out", "all", NULL};
static const char *const kinds[] = {"sft", "grpo", "eval", NULL};
static const char *const schedules[] = {"constant", "linear", "cosine", NULL};
static const char *const advantages[] = {"group", "mean", "loo", "batch", NULL};
static const char *const levels[] = {"token", "sequence", NULL};
static const char *const losses[] = {"clip", "cispo", NULL};
static const char *const aggregations[] = {"seq-mean-token-mean", "token-mean",
                                           "seq-mean-token-sum", "seq-mean-token-sum-norm", NULL};
static const char *const estimators[] = {"k1", "k2", "k3", NULL};
static const char *const kl_places[] = {"loss", "reward", NULL};
static const char *const nonfinites[] = {"stop", "skip", NULL};

#define C(field) offsetof(r1_config, field)
#define S(field) offsetof(r1_stage_config, field)
#define D(field) offsetof(r1_data_spec, field)
#define R(field) offsetof(r1_reward_spec, field)
#define O(field) offsetof(r1_optimizer_config, field)
#define L(field) offsetof(r1_limits_config, field)
#define INT(name, at, lo, hi, preset, flags, help) \
    { name, R1_KEY_INT, at, flags, lo, hi, NULL, preset, NULL, help }
#define FLT(name, at, lo, hi, preset, flags, help) \
    { name, R1_KEY_FLOAT, at, flags, lo, hi, NULL, preset, NULL, help }
#define BOOL(name, at, preset, flags, help) \
    { name, R1_KEY_BOOL, at, flags, 0, 1, NULL, preset, NULL, help }
#define STR(name, at, preset, flags, help) \
    { name, R1_KEY_STRING, at, flags, 0, 0, NULL, preset, NULL, help }
#define ENUM(name, at, choices, preset, flags, help) \
    { name, R1_KEY_ENUM, at, flags, 0, 0, choices, preset, NULL, help }
#define SECTION(name, at, sub, help) \
    { name, R1_KEY_SECTION, at, 0, 0, 0, NULL, NULL, sub, help }
#define NUL R1_KEY_NULLABLE
#define RUN R1_KEY_RUNTIME
#define REQ R1_KEY_REQUIRED

static const r1_key data_spec[] = {
    ENUM("task", D(task), tasks, "none", 0, "procedural task; none: problems come from `file`"),
    INT("terms", D(terms), 2, 16, "3", 0, "arithmetic: number of operands"),
    INT("min", D(min), 0, 1e6, "1", 0, "smallest operand or value"),
    INT("max", D(max), 1, 1e6, "9", 0, "largest operand or value"),
    INT("digits", D(digits), 1, 6, "2", 0, "multiplication: digits of each factor"),
    INT("count", D(count), 2, 64, "4", 0, "countdown, sort: how many numbers; parentheses: length"),
    INT("target_max", D(target_max), 1, 1e6, "100", 0, "countdown: largest target"),
    STR("ops", D(ops), "\"+-\"", 0, "arithmetic, countdown: operators to draw from, of + - * /"),
    STR("question", D(question), NULL, NUL, "wording with {prompt}, or {a}, {b}, ... for operands"),
    STR("file", D(file), NULL, NUL, "JSON lines; ${NAME} is taken from the environment"),
    STR("prompt_key", D(prompt_key), "question", 0, "key of the prompt in a row"),
    STR("answer_key", D(answer_key), "answer", 0, "key of the reference answer"),
    STR("text_key", D(text_key), NULL, NUL, "sft: key of plain text to train on as a whole"),
    INT("held_out_mod", D(held_out_mod), 0, 1e6, "5", 0,
        "problems whose hash mod this is 0 are held out; 0: no split"),
    ENUM("split", D(split), splits, "train", 0, "which side of the split"),
    INT("n", D(n), 1, BIG, NULL, NUL, "problems of an evaluation (null: all of a file)"),
    {0}};

static const r1_key data[] = {
    SECTION("train", offsetof(r1_stage_config, data.train) - S(data), data_spec,
            "training problems"),
    SECTION("eval", offsetof(r1_stage_config, data.eval) - S(data), data_spec,
            "evaluation problems; absent keys are those of train, but split: held_out"),
    {0}};

const r1_key r1_schema_reward[] = {
    STR("name", R(name), NULL, REQ, "exact | number | countdown | format"),
    FLT("weight", R(weight), -1e6, 1e6, "1.0", 0, "factor in the sum"),
    BOOL("require_format", R(require_format), "false", 0,
         "0 unless the format reward says correct"),
    STR("from", R(from), "auto", 0, "number: auto | last | boxed | answer_tag | hash"),
    {0}};

static const r1_key optimizer[] = {
    {"betas", R1_KEY_FLOAT2, O(betas), 0, 0, 0.9999999, NULL, "[0.9, 0.95]", NULL, "AdamW"},
    FLT("eps", O(eps), 0, 1, "1.0e-8", 0, "AdamW"),
    FLT("weight_decay", O(weight_decay), 0, 10, "0.1", 0, "decoupled; matrices only"),
    FLT("grad_clip", O(grad_clip), 0, 1e9, "1.0", 0, "global norm; 0: off"),
    {0}};

static const r1_key limits[] = {
    INT("max_prompt_len", L(max_prompt_len), 1, 1e7, "256", 0, "longer prompts are an error"),
    INT("max_tokens_per_microbatch", L(max_tokens_per_microbatch), 2, 1e8, "16384", 0,
        "rows of one forward and backward"),
    FLT("kv_memory", L(kv_memory), 1e4, 1e15, NULL, NUL | RUN, "bytes of keys and values (auto)"),
    FLT("deadline_s", L(deadline_s), 1, 1e6, "600", RUN, "longest wait for another rank"),
    {0}};

static const r1_key traces[] = {
    FLT("error_rate", 0, 0, 1, "0.0", 0, "share of steps of a worked trace that are wrong"), {0}};

#define DS(field) (S(dynamic_sampling.field) - S(dynamic_sampling))
static const r1_key dynamic_sampling[] = {
    BOOL("enabled", DS(enabled), "false", 0, "draw again for groups whose rewards agree"),
    INT("max_rounds", DS(max_rounds), 1, 100, "3", 0, "rounds before going on with what there is"),
    {0}};

#define KL(field) (S(kl.field) - S(kl))
static const r1_key kl[] = {
    FLT("coef", KL(coef), 0, 1e6, "0.001", 0, "weight of the KL term; 0: no reference policy"),
    ENUM("estimator", KL(estimator), estimators, "k3", 0, "Schulman's k1, k2, k3"),
    ENUM("in", KL(in), kl_places, "loss", 0, "in the loss, or taken from the reward"),
    INT("ref_sync_every", KL(ref_sync_every), 1, BIG, "400", NUL, "updates between replacements"),
    {0}};

#define OV(field) (S(overlong.field) - S(overlong))
static const r1_key overlong[] = {
    BOOL("mask", OV(mask), "false", 0, "truncated samples leave the loss, not the statistics"),
    INT("buffer", OV(buffer), 0, 1e7, "0", 0, "tokens before the limit over which a penalty grows"),
    FLT("penalty", OV(penalty), 0, 1e6, "0.0", 0, "penalty at the limit"),
    {0}};

/* Defaults of a grpo stage are DeepSeek-R1-Zero's. */
const r1_key r1_schema_stage[] = {
    STR("name", S(name), NULL, REQ, "addresses the stage in overrides: NAME.key=value"),
    ENUM("kind", S(kind), kinds, NULL, REQ, "sft | grpo | eval"),
    INT("total_updates", S(total_updates), 0, BIG, "0", 0, "optimizer steps of the stage"),
    INT("batch", S(batch), 1, 1e6, "128", 0, "sft: examples an update"),
    SECTION("traces", S(traces_error_rate), traces, "sft: worked traces of procedural tasks"),
    INT("prompts_per_step", S(prompts_per_step), 1, 1e6, "32", 0, "grpo: questions a step"),
    INT("group_size", S(group_size), 1, 4096, "16", 0, "grpo: samples a question"),
    INT("minibatch", S(minibatch), 1, BIG, NULL, NUL, "grpo: samples an update (null: the step)"),
    INT("inner_epochs", S(inner_epochs), 1, 64, "1", 0, "grpo: passes over a step's samples"),
    INT("max_response_len", S(max_response_len), 1, 1e7, "512", 0, "tokens of an answer"),
    FLT("temperature", S(temperature), 1e-4, 100, "1.0", 0, "of sampling and of the log-probs"),
    FLT("top_p", S(top_p), 1e-6, 1, "1.0", 0, "refused in grpo unless mismatch_cap is set"),
    INT("top_k", S(top_k), 0, BIG, "0", 0, "likewise; 0: off"),
    INT("min_new_tokens", S(min_new_tokens), 0, 1e7, "0", 0, "likewise"),
    {"stop", R1_KEY_STRINGS, S(stop), 0, 0, 0, NULL, "[]", NULL, "texts that end an answer"},
    ENUM("advantage", S(advantage), advantages, "group", 0, "(r - mean)/std, r - mean, RLOO, ..."),
    ENUM("ratio_level", S(ratio_level), levels, "token", 0, "sequence: GSPO"),
    ENUM("policy_loss", S(policy_loss), losses, "clip", 0, "clip (PPO, DAPO) or cispo"),
    FLT("clip_low", S(clip_low), 0, 1e6, "0.2", 0, "ratio is clipped at 1 - clip_low"),
    FLT("clip_high", S(clip_high), 0, 1e6, "0.2", 0, "ratio is clipped at 1 + clip_high"),
    FLT("dual_clip", S(dual_clip), 1, 1e6, NULL, NUL, "bound for negative advantages (null: off)"),
    ENUM("loss_aggregation", S(loss_aggregation), aggregations, "seq-mean-token-mean", 0,
         "how token losses are joined"),
    SECTION("dynamic_sampling", S(dynamic_sampling), dynamic_sampling, "DAPO's resampling"),
    ENUM("on_nonfinite", S(on_nonfinite), nonfinites, "stop", 0, "what a NaN or infinity does"),
    SECTION("kl", S(kl), kl, "KL to a reference policy"),
    FLT("entropy_coef", S(entropy_coef), -1e3, 1e3, "0.0", 0, "entropy bonus"),
    FLT("mismatch_cap", S(mismatch_cap), 1e-6, 1e6, NULL, NUL, "truncated importance sampling"),
    SECTION("overlong", S(overlong), overlong, "answers that reach the limit"),
    FLT("lr", S(lr), 0, 100, "3.0e-6", 0, "learning rate"),
    ENUM("schedule", S(schedule), schedules, "constant", 0, "after warm-up"),
    INT("warmup", S(warmup), 0, BIG, "0", 0, "updates of linear warm-up"),
    SECTION("data", S(data), data, "instead of the run's"),
    {"rewards", R1_KEY_REWARDS, S(n_rewards), 0, 0, 0, NULL, NULL, r1_schema_reward,
     "instead of the run's"},
    SECTION("optimizer", S(optimizer), optimizer, "instead of the run's"),
    SECTION("limits", S(limits), limits, "instead of the run's"),
    {0}};

#define MC(field) (C(model.config.field) - C(model.config))
static const r1_key model_config[] = {
    ENUM("arch", MC(arch), archs, "llama", 0, "architecture"),
    INT("vocab_size", MC(vocab_size), 2, 1 << 21, NULL, NUL, "null: the tokenizer's"),
    INT("hidden_size", MC(hidden_size), 2, 65536, "128", 0, "width"),
    INT("layers", MC(layers), 1, 512, "4", 0, "depth"),
    INT("heads", MC(heads), 1, 1024, "4", 0, "query heads"),
    INT("kv_heads", MC(kv_heads), 1, 1024, NULL, NUL, "key/value heads (null: heads)"),
    INT("head_dim", MC(head_dim), 2, 256, NULL, NUL, "null: hidden_size / heads"),
    INT("intermediate_size", MC(intermediate_size), 2, 262144, "384", 0, "of the MLP"),
    INT("max_positions", MC(max_positions), 1, 1 << 28, "2048", 0, "longest sequence"),
    BOOL("tied", MC(tied), "true", 0, "head = embedding"),
    FLT("rope_theta", MC(rope_theta), 1, 1e12, "10000.0", 0, "base of the rotary frequencies"),
    FLT("norm_eps", MC(norm_eps), 0, 1, "1.0e-5", 0, "of RMS norm"),
    FLT("init_std", MC(init_std), 0, 10, "0.02", 0, "of the random matrices"),
    {0}};

#define M(field) (C(model.field) - C(model))
static const r1_key model[] = {
    STR("path", M(path), NULL, NUL, "Hugging Face directory, .gguf file or checkpoint"),
    ENUM("init", M(init), inits, "none", 0, "random: new weights for `config`"),
    SECTION("config", M(config), model_config, "shape of a new model"),
    {0}};

#define T(field) (C(tokenizer.field) - C(tokenizer))
static const r1_key tokenizer[] = {
    ENUM("kind", T(kind), tokenizers, "model", 0, "the model's own, or bytes (needs no file)"),
    STR("path", T(path), NULL, NUL, "another tokenizer than the model's"),
    {"added_tokens", R1_KEY_STRINGS, T(added_tokens), 0, 0, 0, NULL, "[]", NULL,
     "bytes: texts that are one token each, from id 257 on"},
    {0}};

#define P(field) (C(compute.field) - C(compute))
static const r1_key compute[] = {
    ENUM("dtype", P(dtype), dtypes, "bf16", 0, "operands of the products; sums are fp32"),
    STR("numeric_path", P(numeric_path), "auto", 0, "auto | ref | avx2 | avx512 | avx512_bf16"),
    INT("threads", P(threads), 1, 4096, NULL, NUL | RUN, "of a rank (auto: cores / ranks)"),
    ENUM("recompute", P(recompute), recomputes, "none", 0, "layer: less memory, more work"),
    {0}};

#define Y(field) (C(topology.field) - C(topology))
static const r1_key topology[] = {
    ENUM("mode", Y(mode), modes, "auto", RUN, "roles of the ranks"),
    INT("learners", Y(learners), 1, 1024, NULL, NUL | RUN, "learner ranks (auto)"),
    INT("virtual_learners", Y(virtual_learners), 1, 1024, "8", 0,
        "leaves of the gradient's sum; a power of two"),
    {0}};

#define A(field) (C(async.field) - C(async))
static const r1_key async[] = {
    INT("max_staleness", A(max_staleness), 0, 0, "0", 0, "only 0 (synchronous) so far"),
    BOOL("in_flight", A(in_flight), "false", 0, "only false so far"),
    {0}};

#define K(field) (C(checkpoint.field) - C(checkpoint))
static const r1_key checkpoint[] = {
    INT("every", K(every), 1, BIG, "50", NUL | RUN, "steps (null: only at a stage's end)"),
    INT("keep_last", K(keep_last), 1, 1e6, "2", RUN, "newest to keep"),
    INT("keep_every", K(keep_every), 1, BIG, NULL, NUL | RUN, "keep each n-th step for ever"),
    STR("best", K(best), "eval/accuracy", NUL, "metric whose best checkpoint is kept"),
    {0}};

#define E(field) (C(eval.field) - C(eval))
static const r1_key eval[] = {
    INT("every", E(every), 1, BIG, NULL, NUL, "steps between evaluations (null: never)"),
    BOOL("at_stage_end", E(at_stage_end), "true", 0, "evaluate when a stage ends"),
    INT("n_per_prompt", E(n_per_prompt), 1, 4096, "1", 0, "samples a problem"),
    FLT("temperature", E(temperature), 1e-4, 100, "1.0", 0, "of the sampled accuracy"),
    BOOL("greedy", E(greedy), "true", 0, "greedy accuracy beside it"),
    {0}};

#define G(field) (C(log.field) - C(log))
static const r1_key log_keys[] = {
    INT("rollouts_every", G(rollouts_every), 1, BIG, "10", NUL | RUN, "steps between dumps"),
    BOOL("tensorboard", G(tensorboard), "false", RUN, "write event files"),
    {0}};

const r1_key r1_schema_root[] = {
    STR("name", C(name), NULL, REQ, "the run directory is runs/NAME"),
    {"seed", R1_KEY_UINT64, C(seed), 0, 0, 0, NULL, "1", NULL, "of every random draw"},
    SECTION("model", C(model), model, "what to train"),
    SECTION("tokenizer", C(tokenizer), tokenizer, "text to ids"),
    STR("template", C(chat_template), "auto", 0,
        "plain | r1_zero | chatml | llama3 | deepseek | a text with {system} {prompt}"),
    SECTION("compute", C(compute), compute, "arithmetic"),
    SECTION("topology", C(topology), topology, "ranks"),
    SECTION("data", C(data), data, "problems"),
    {"rewards", R1_KEY_REWARDS, C(n_rewards), 0, 0, 0, NULL, NULL, r1_schema_reward,
     "their weighted sum is the reward"},
    {"stages", R1_KEY_STAGES, 0, REQ, 0, 0, NULL, NULL, r1_schema_stage, "in order"},
    SECTION("optimizer", C(optimizer), optimizer, "AdamW"),
    SECTION("limits", C(limits), limits, "bounds"),
    SECTION("async", C(async), async, "asynchronous training"),
    SECTION("checkpoint", C(checkpoint), checkpoint, "what is saved and kept"),
    SECTION("eval", C(eval), eval, "held-out accuracy"),
    SECTION("log", C(log), log_keys, "what is written beside the metrics"),
    {0}};
