/* The schema of the configuration; see schema.h.  Names are normative. */
#include "common/config/schema.h"

#include <float.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define BIG 2e9

static const char *const templates[] = {
    "auto", "plain", "r1_zero", "chatml", "llama3", "deepseek", "a text with {system} {prompt}",
    NULL};
static const char *const dtypes[] = {"fp32", "bf16", NULL};
static const char *const inits[] = {"none", "random", NULL};
static const char *const archs[] = {"llama", "qwen2", "qwen3", NULL};
static const char *const tokenizers[] = {"model", "bytes", NULL};
static const char *const recomputes[] = {"none", "layer", NULL};
static const char *const modes[] = {"auto", "colocated", "split", NULL};
static const char *const tasks[] = {
    "none", "arithmetic", "multiplication", "countdown", "sort", "parentheses", NULL};
static const char *const reward_names[] = {"exact",
                                           "number",
                                           "choice",
                                           "countdown",
                                           "format",
                                           "format_code",
                                           "tag_count",
                                           "reasoning_steps",
                                           "language",
                                           "length",
                                           "kimi_length_group",
                                           "cosine",
                                           "repetition",
                                           "loop",
                                           "exec",
                                           "code",
                                           "math",
                                           NULL}; /* as r1_reward_kind */
static const char *const answers[] = {"answer_tag", "boxed", NULL};
static const char *const targets[] = {"auto", "en", "zh", "de", "fr", "es", "it", "pt", "ja",
                                      "ko",   "ru", "el", "ar", "he", "hi", "th", NULL};
static const char *const word_units[] = {"chars", "whitespace", NULL};
static const char *const item_units[] = {"tokens", "words", NULL};
static const char *const places[] = {"auto", "last", "boxed", "answer_tag", "hash", NULL};
static const char *const paths[] = {"auto",        "ref",      "avx2", "avx512",
                                    "avx512_bf16", "amx_bf16", NULL};
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
#define SECTION_OF(kinds, name, at, sub, help) \
    { name, R1_KEY_SECTION, at, kinds, 0, 0, NULL, NULL, sub, help }
#define SECTION(name, at, sub, help) SECTION_OF(0, name, at, sub, help)
#define NUL                          R1_KEY_NULLABLE
#define AUTO                         (R1_KEY_NULLABLE | R1_KEY_AUTO)
#define RUN                          R1_KEY_RUNTIME
#define REQ                          R1_KEY_REQUIRED
#define PATH                         (R1_KEY_NULLABLE | R1_KEY_PATH | R1_KEY_RUNTIME)
#define SFT                          R1_KEY_KIND(R1_STAGE_SFT)
#define GRPO                         R1_KEY_KIND(R1_STAGE_GRPO)
#define EVAL                         R1_KEY_KIND(R1_STAGE_EVAL)
#define FIL                          R1_KEY_KIND(R1_TASK_NONE)
#define ARI                          R1_KEY_KIND(R1_TASK_ARITHMETIC)
#define MUL                          R1_KEY_KIND(R1_TASK_MULTIPLICATION)
#define CNT                          R1_KEY_KIND(R1_TASK_COUNTDOWN)
#define SRT                          R1_KEY_KIND(R1_TASK_SORT)
#define PAR                          R1_KEY_KIND(R1_TASK_PARENTHESES)
#define REWARD(kind)                 R1_KEY_KIND(R1_REWARD_##kind)
#define WORD(name, at, choices, preset, flags, help) \
    { name, R1_KEY_WORD, at, flags, 0, 0, choices, preset, NULL, help }

const r1_key r1_schema_data_spec[] = {
    ENUM("task", D(task), tasks, "none", 0, "procedural task; none: problems come from `file`"),
    INT("terms", D(terms), 2, 16, "3", ARI, "how many operands"),
    INT("min", D(min), 0, 1e6, "1", ARI | CNT | SRT, "smallest operand, number or value"),
    INT("max", D(max), 1, 1e6, "9", ARI | CNT | SRT, "largest operand, number or value"),
    INT("digits", D(digits), 1, 6, "2", MUL, "digits of each factor"),
    INT("count", D(count), 2, 64, "4", CNT | SRT | PAR, "how many numbers; length of the brackets"),
    INT("target_max", D(target_max), 1, 1e6, "100", CNT, "largest target"),
    STR("ops", D(ops), "\"+-\"", ARI, "operators to draw from, of + - *"),
    STR("ops", D(ops), "\"+-*/\"", CNT, "operators to draw from, of + - * /"),
    STR("question", D(question), NULL, NUL,
        "wording with {prompt}; of a task also {a}, {b}, ... for its operands, of a file also "
        "{KEY} "
        "for a text or a list of texts of the row"),
    STR("file", D(file), NULL, PATH | FIL, "JSON lines; ${NAME} is taken from the environment"),
    STR("prompt_key", D(prompt_key), "question", FIL, "key of the prompt in a row"),
    STR("answer_key", D(answer_key), "answer", FIL, "key of the reference answer"),
    STR("text_key", D(text_key), NULL, NUL | FIL, "sft: key of plain text to train on as a whole"),
    INT("held_out_mod", D(held_out_mod), 0, 1e6, "5", 0,
        "problems whose hash mod this is 0 are held out; 0: no split"),
    ENUM("split", D(split), splits, "train", 0,
         "side of the split (eval: held_out; all, where train and eval are different files)"),
    INT("n", D(n), 1, 1e6, NULL, NUL, "only the first n problems (null: all; eval of a task: 512)"),
    {0}};

const r1_key r1_schema_data[] = {
    SECTION("train", offsetof(r1_stage_config, data.train) - S(data), r1_schema_data_spec,
            "training problems"),
    SECTION("eval", offsetof(r1_stage_config, data.eval) - S(data), r1_schema_data_spec,
            "evaluation problems; absent keys are train's, but for split and n"),
    {0}};

const r1_key r1_schema_reward[] = {
    WORD("name", R(name), reward_names, NULL, REQ, "the rule"),
    FLT("weight", R(weight), -1e6, 1e6, "1.0", 0, "factor in the sum; 0: only a metric"),
    STR("source", R(source), NULL, NUL, "only for rows whose data_source this is (null: for all)"),
    BOOL("require_format", R(require_format), "false", 0,
         "wrong unless the completion has the think/answer form"),
    WORD("from", R(from), places, "auto", REWARD(NUMBER), "where the answer stands"),
    WORD("answer", R(answer), answers, "answer_tag", REWARD(FORMAT),
         "what follows the thinking: the tag, or text with one box"),
    INT("min_think", R(min_think), 1, 1e6, "1", REWARD(FORMAT) | REWARD(FORMAT_CODE),
        "bytes of thinking"),
    STR("language", R(language), "python", REWARD(FORMAT_CODE), "of the fence in the answer"),
    INT("min_steps", R(min_steps), 1, 1e6, "3", REWARD(REASONING_STEPS), "announced steps for 1.0"),
    WORD("target", R(target), targets, "auto", REWARD(LANGUAGE), "auto: the question's"),
    WORD("unit", R(unit), word_units, "chars", REWARD(LANGUAGE),
         "chars: 1.6 Han characters weigh as a word; whitespace: what stands between blanks"),
    INT("min_words", R(min_words), 0, 1e6, "20", REWARD(LANGUAGE), "fewer words are neutral: 1.0"),
    INT("target_len", R(target_len), 1, 1e7, "1000", REWARD(LENGTH), "tokens that are wished for"),
    INT("max_len", R(max_len), 1, 1e7, NULL, AUTO | REWARD(COSINE),
        "tokens of the longest answer (auto: max_response_len)"),
    FLT("min_wrong", R(min_wrong), -1e6, 1e6, "-1.0", REWARD(COSINE), "wrong and short"),
    FLT("max_wrong", R(max_wrong), -1e6, 1e6, "-0.5", REWARD(COSINE), "wrong and long"),
    FLT("min_correct", R(min_correct), -1e6, 1e6, "0.5", REWARD(COSINE), "right and long"),
    FLT("max_correct", R(max_correct), -1e6, 1e6, "1.0", REWARD(COSINE), "right and short"),
    INT("ngram", R(ngram), 1, 1e4, "3", REWARD(REPETITION), "length of what is repeated"),
    WORD("unit", R(unit), item_units, "tokens", REWARD(REPETITION) | REWARD(LOOP),
         "what is counted"),
    INT("max_period", R(max_period), 1, 1e5, "512", REWARD(LOOP), "longest piece of a loop"),
    {"command", R1_KEY_STRINGS, R(command), REQ | REWARD(EXEC), 0, 0, NULL, NULL, NULL,
     "a program and its arguments: reads samples as JSON lines, writes {\"score\": x} for each"},
    FLT("deadline_s", R(deadline_s), 0.01, 1e5, "30", RUN | REWARD(EXEC),
        "for the samples of a question; then it is killed and they are left out"),
    INT("times", R(times), 2, 1e5, "5", REWARD(LOOP), "copies that make a loop"),
    BOOL("fraction", R(fraction), "false", REWARD(CODE),
         "the share of the tests that pass; else 1 if all do"),
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
    {"kv_memory", R1_KEY_BYTES, L(kv_memory), AUTO | RUN, 1e4, 1e15, NULL, NULL, NULL,
     "memory for keys and values, of a rank: 512MiB, 4GiB"},
    FLT("deadline_s", L(deadline_s), 1, 1e6, "600", RUN,
        "a rank that waits gives up when nothing moves for so long"),
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
    ENUM("kind", S(kind), kinds, NULL, REQ, "what the stage does"),
    INT("total_updates", S(total_updates), 1, BIG, NULL, REQ | SFT | GRPO, "optimizer steps of it"),
    INT("batch", S(batch), 1, 1e6, "128", SFT, "examples an update"),
    SECTION_OF(SFT, "traces", S(traces_error_rate), traces, "worked traces of procedural tasks"),
    INT("prompts_per_step", S(prompts_per_step), 1, 1e6, "32", GRPO, "questions a step"),
    INT("group_size", S(group_size), 1, 4096, "16", GRPO, "samples a question"),
    INT("minibatch", S(minibatch), 1, BIG, NULL, NUL | GRPO, "samples an update (null: the step)"),
    INT("inner_epochs", S(inner_epochs), 1, 64, "1", GRPO, "passes over a step's samples"),
    INT("max_response_len", S(max_response_len), 1, 1e7, "512", GRPO, "tokens of an answer"),
    INT("max_response_len", S(max_response_len), 1, 1e7, NULL, AUTO | SFT | EVAL,
        "tokens of an answer in evaluations (auto: as in the recipe's first grpo stage, else 512)"),
    FLT("temperature", S(temperature), 1e-4, 100, "1.0", GRPO, "of sampling and of the log-probs"),
    FLT("top_p", S(top_p), 1e-6, 1, "1.0", GRPO, "refused in grpo unless mismatch_cap is set"),
    INT("top_k", S(top_k), 0, BIG, "0", GRPO, "likewise; 0: off"),
    INT("min_new_tokens", S(min_new_tokens), 0, 1e7, "0", GRPO, "likewise"),
    {"stop", R1_KEY_STRINGS, S(stop), GRPO, 0, 0, NULL, "[]", NULL, "texts that end an answer"},
    ENUM("advantage", S(advantage), advantages, "group", GRPO,
         "(r - mean)/std, r - mean, RLOO, ..."),
    ENUM("ratio_level", S(ratio_level), levels, "token", GRPO, "sequence: GSPO"),
    ENUM("policy_loss", S(policy_loss), losses, "clip", GRPO, "clip (PPO, DAPO) or cispo"),
    FLT("clip_low", S(clip_low), 0, 1e6, "0.2", GRPO, "ratio is clipped at 1 - clip_low"),
    FLT("clip_high", S(clip_high), 0, 1e6, "0.2", GRPO, "ratio is clipped at 1 + clip_high"),
    FLT("dual_clip", S(dual_clip), 1, 1e6, NULL, NUL | GRPO,
        "bound for negative advantages (null: off)"),
    ENUM("loss_aggregation", S(loss_aggregation), aggregations, "seq-mean-token-mean", GRPO,
         "how token losses are joined"),
    SECTION_OF(GRPO, "dynamic_sampling", S(dynamic_sampling), dynamic_sampling,
               "DAPO's resampling"),
    ENUM("on_nonfinite", S(on_nonfinite), nonfinites, "stop", SFT | GRPO,
         "what a NaN or infinity does"),
    SECTION_OF(GRPO, "kl", S(kl), kl, "KL to a reference policy"),
    FLT("entropy_coef", S(entropy_coef), -1e3, 1e3, "0.0", GRPO, "entropy bonus"),
    FLT("mismatch_cap", S(mismatch_cap), 1e-6, 1e6, NULL, NUL | GRPO,
        "truncated importance sampling"),
    SECTION_OF(GRPO, "overlong", S(overlong), overlong, "answers that reach the limit"),
    FLT("lr", S(lr), 0, 100, "3.0e-6", GRPO, "learning rate"),
    FLT("lr", S(lr), 0, 100, "5.0e-5", SFT, "learning rate"),
    ENUM("schedule", S(schedule), schedules, "constant", SFT | GRPO, "after warm-up"),
    INT("warmup", S(warmup), 0, BIG, "0", SFT | GRPO, "updates of linear warm-up"),
    SECTION("data", S(data), r1_schema_data, "instead of the run's"),
    {"rewards", R1_KEY_REWARDS, S(n_rewards), 0, 0, 0, NULL, NULL, r1_schema_reward,
     "instead of the run's"},
    SECTION_OF(SFT | GRPO, "optimizer", S(optimizer), optimizer, "instead of the run's"),
    SECTION("limits", S(limits), limits, "instead of the run's"),
    {0}};

#define MC(field) (C(model.config.field) - C(model.config))
static const r1_key model_config[] = {
    ENUM("arch", MC(arch), archs, "llama", 0, "architecture"),
    INT("vocab_size", MC(vocab_size), 2, 1 << 21, NULL, AUTO, "auto: the tokenizer's"),
    INT("hidden_size", MC(hidden_size), 2, 65536, "128", 0, "width"),
    INT("layers", MC(layers), 1, 512, "4", 0, "depth"),
    INT("heads", MC(heads), 1, 1024, "4", 0, "query heads"),
    INT("kv_heads", MC(kv_heads), 1, 1024, NULL, AUTO, "key/value heads (auto: heads)"),
    INT("head_dim", MC(head_dim), 2, R1_HEAD_DIM_MAX, NULL, AUTO, "auto: hidden_size / heads"),
    INT("intermediate_size", MC(intermediate_size), 2, 262144, "384", 0, "of the MLP"),
    INT("max_positions", MC(max_positions), 1, 1 << 28, "2048", 0, "longest sequence"),
    BOOL("tied", MC(tied), "true", 0, "head = embedding"),
    FLT("rope_theta", MC(rope_theta), 1, 1e12, "10000.0", 0, "base of the rotary frequencies"),
    FLT("norm_eps", MC(norm_eps), 0, 1, "1.0e-5", 0, "of RMS norm"),
    FLT("init_std", MC(init_std), 0, 10, "0.02", 0, "of the random matrices"),
    {0}};

#define M(field) (C(model.field) - C(model))
static const r1_key model[] = {
    STR("path", M(path), NULL, PATH, "Hugging Face directory, .gguf file or checkpoint"),
    ENUM("init", M(init), inits, "none", 0, "random: new weights for `config`"),
    SECTION("config", M(config), model_config, "shape of a new model"),
    {0}};

#define T(field) (C(tokenizer.field) - C(tokenizer))
static const r1_key tokenizer[] = {
    ENUM("kind", T(kind), tokenizers, "model", 0, "the model's own, or bytes (needs no file)"),
    STR("path", T(path), NULL, PATH, "another tokenizer than the model's"),
    {"added_tokens", R1_KEY_STRINGS, T(added_tokens), 0, 0, 0, NULL, "[]", NULL,
     "bytes: texts that are one token each, from id 257 on"},
    {0}};

#define P(field) (C(compute.field) - C(compute))
static const r1_key compute[] = {
    ENUM("dtype", P(dtype), dtypes, "bf16", 0, "operands of the products; sums are fp32"),
    WORD("numeric_path", P(numeric_path), paths, "auto", 0, "instruction set of the kernels"),
    INT("threads", P(threads), 1, 4096, NULL, AUTO | RUN, "of a rank (auto: cores / ranks)"),
    ENUM("recompute", P(recompute), recomputes, "none", 0, "layer: less memory, more work"),
    {0}};

#define Y(field) (C(topology.field) - C(topology))
static const r1_key topology[] = {
    ENUM("mode", Y(mode), modes, "auto", RUN, "roles of the ranks"),
    INT("learners", Y(learners), 1, 1024, NULL, AUTO | RUN, "learner ranks"),
    INT("virtual_learners", Y(virtual_learners), 1, 1024, "8", 0,
        "leaves of the gradient's sum; a power of two"),
    {0}};

#define A(field) (C(async.field) - C(async))
static const r1_key async[] = {
    INT("max_staleness", A(max_staleness), 0, 0, "0", 0, "only 0 (synchronous) in this version"),
    BOOL("in_flight", A(in_flight), "false", 0, "only false in this version"),
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
    {"reflection_words", R1_KEY_STRINGS, G(reflection_words), 0, 0, 0, NULL,
     "[wait, hmm, however, actually, alternatively, mistake, wrong, check, recheck, double-check, "
     "verify, retry, reconsider, rethink, reevaluate, \"try again\", \"on second thought\", "
     "等等, 等一下, 不对, 错了, 检查, 验证, 重新, 再想, 然而]",
     NULL, "words and phrases that the metrics reflection/... count"},
    {0}};

const r1_key r1_schema_root[] = {
    STR("name", C(name), NULL, REQ | RUN, "the run directory is runs/NAME"),
    {"seed", R1_KEY_UINT64, C(seed), 0, 0, 0, NULL, "1", NULL, "of every random draw"},
    SECTION("model", C(model), model, "what to train"),
    SECTION("tokenizer", C(tokenizer), tokenizer, "text to ids"),
    {"template", R1_KEY_STRING, C(chat_template), 0, 0, 0, templates, "auto", NULL,
     "how a question becomes what the model continues (auto: as the model's own chat template)"},
    SECTION("compute", C(compute), compute, "arithmetic"),
    SECTION("topology", C(topology), topology, "ranks"),
    SECTION("data", C(data), r1_schema_data, "problems"),
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

int r1_key_fits(const r1_key *key, int kind) {
    return key->flags < R1_KEY_KIND0 || (key->flags & R1_KEY_KIND(kind)) != 0;
}

const r1_key *r1_key_find(const r1_key *keys, const char *name, int kind) {
    const r1_key *other = NULL;

    for (const r1_key *k = keys; k->name; k++) {
        if (strcmp(k->name, name) != 0)
            continue;
        if (r1_key_fits(k, kind))
            return k;
        other = k;
    }
    return other;
}

const char *r1_section_kind_key(const r1_key *keys) {
    return keys == r1_schema_stage ? "kind" : keys == r1_schema_reward ? "name" : "task";
}

const char *r1_reward_label(const r1_reward_spec *r, char buf[static R1_REWARD_LABEL]) {
    snprintf(buf, R1_REWARD_LABEL, "%s%s%s", r->name, r->source ? "@" : "",
             r->source ? r->source : "");
    return buf;
}

int r1_section_kind(const r1_key *keys, const void *base) {
    const char *name = keys == r1_schema_reward ? ((const r1_reward_spec *)base)->name : NULL;

    for (int k = 0; name && reward_names[k]; k++)
        if (strcmp(reward_names[k], name) == 0)
            return k;
    if (keys == r1_schema_stage)
        return ((const r1_stage_config *)base)->kind;
    if (keys == r1_schema_data_spec)
        return ((const r1_data_spec *)base)->task;
    return 0;
}
