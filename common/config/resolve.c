/* What follows from other keys, and contradictions between them; see reader.h.  Single values are
 * in their ranges already. */
#include "common/config/number.h"
#include "common/config/reader.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* "stage.key" */
static const char *of(const r1_stage_config *s, const char *key, char buf[static R1_KEY_TEXT]) {
    snprintf(buf, R1_KEY_TEXT, "%.64s.%.120s", s->name, key);
    return buf;
}

static r1_status resolve_model(const r1_reader *r) {
    r1_config *c = r->cfg;

    if (c->model.init == R1_INIT_RANDOM && c->model.path)
        return r1_reader_fail_key(r, "model.path",
                                  "%.200s: given beside init: random; one of the "
                                  "two is the source of the weights",
                                  c->model.path);
    if (c->model.init == R1_INIT_NONE && !c->model.path)
        return r1_reader_fail_key(r, "model",
                                  "neither path (DIR, FILE.gguf, CHECKPOINT) nor "
                                  "init: random is given");
    if (c->model.config.kv_heads < 0)
        c->model.config.kv_heads = c->model.config.heads;
    if (c->model.config.head_dim < 0) {
        if (c->model.config.hidden_size % c->model.config.heads)
            return r1_reader_fail_key(r, "model.config.hidden_size",
                                      "%d is not a multiple of heads (%d), and head_dim is not set",
                                      c->model.config.hidden_size, c->model.config.heads);
        c->model.config.head_dim = c->model.config.hidden_size / c->model.config.heads;
    }
    if (c->model.config.head_dim % 2 || c->model.config.head_dim > R1_HEAD_DIM_MAX)
        return r1_reader_fail_key(r, "model.config.head_dim", "%d is odd or above %d",
                                  c->model.config.head_dim, R1_HEAD_DIM_MAX);
    if (c->model.config.heads % c->model.config.kv_heads)
        return r1_reader_fail_key(r, "model.config.kv_heads", "%d does not divide heads (%d)",
                                  c->model.config.kv_heads, c->model.config.heads);
    return R1_OK;
}

static r1_status resolve_tokenizer(const r1_reader *r) {
    r1_config *c = r->cfg;
    static const char *const names[] = {"auto",   "plain",    "r1_zero", "chatml",
                                        "llama3", "deepseek", NULL};
    char hint[R1_KEY_TEXT];

    if (c->tokenizer.kind == R1_TOK_BYTES && c->tokenizer.path)
        return r1_reader_fail_key(r, "tokenizer.path",
                                  "%.200s: given beside kind: bytes, which "
                                  "needs no file",
                                  c->tokenizer.path);
    if (c->tokenizer.kind == R1_TOK_MODEL && !c->tokenizer.path && !c->model.path)
        return r1_reader_fail_key(r, "tokenizer",
                                  "a model with init: random brings no tokenizer; "
                                  "set kind: bytes or path");
    if (c->tokenizer.kind == R1_TOK_MODEL && c->tokenizer.added_tokens.n)
        return r1_reader_fail_key(r, "tokenizer.added_tokens",
                                  "[%.60s, ...]: only kind: bytes "
                                  "takes them",
                                  c->tokenizer.added_tokens.s[0]);
    for (int i = 0; i < c->tokenizer.added_tokens.n; i++)
        for (int j = 0; j < i; j++)
            if (strcmp(c->tokenizer.added_tokens.s[i], c->tokenizer.added_tokens.s[j]) == 0)
                return r1_reader_fail_key(r, "tokenizer.added_tokens", "'%.60s' is listed twice",
                                          c->tokenizer.added_tokens.s[i]);
    for (int i = 0; names[i]; i++)
        if (strcmp(c->chat_template, names[i]) == 0)
            return R1_OK;
    if (!strstr(c->chat_template, "{prompt}"))
        return r1_reader_fail_key(r, "template",
                                  "\"%.60s\" is none of auto, plain, r1_zero, chatml, "
                                  "llama3, deepseek, nor a text with {prompt}%s",
                                  c->chat_template, r1_suggest_word(names, c->chat_template, hint));
    return R1_OK;
}

/* Operands that {a}, {b}, ... of a wording can name. */
static int operands(const r1_data_spec *d) {
    switch (d->task) {
    case R1_TASK_ARITHMETIC:
        return d->terms;
    case R1_TASK_MULTIPLICATION:
        return 2;
    case R1_TASK_COUNTDOWN:
    case R1_TASK_SORT:
        return d->count;
    default:
        return 0;
    }
}

/* A wording has to show the problem: {prompt} or, of a task, operands that it has. */
static r1_status resolve_question(const r1_reader *r, const r1_data_spec *d, const char *key) {
    const char *q = d->question;
    int shows, n = operands(d);

    if (!q)
        return R1_OK;
    shows = strstr(q, "{prompt}") != NULL;
    for (const char *c = q; d->task != R1_TASK_NONE && (c = strchr(c, '{')); c++) {
        if (c[1] < 'a' || c[1] > 'z' || c[2] != '}')
            continue;
        if (c[1] - 'a' >= n)
            return r1_reader_fail_key(r, key, "\"%.60s\": {%c}, but the task has %d operands", q,
                                      c[1], n);
        shows = 1;
    }
    if (!shows)
        return r1_reader_fail_key(r, key,
                                  "\"%.60s\" lacks {prompt}%s: every problem would read "
                                  "the same",
                                  q, n ? " and {a}, {b}, ..." : "");
    return R1_OK;
}

static r1_status resolve_spec(const r1_reader *r, const r1_data_spec *d, const char *path) {
    char key[R1_KEY_TEXT];

#define AT(name) (snprintf(key, sizeof key, "%.200s.%s", path, name), key)
    if (d->task == R1_TASK_NONE && !d->file)
        return r1_reader_fail_key(r, path, "neither task nor file is given");
    if (d->task != R1_TASK_NONE && d->min > d->max)
        return r1_reader_fail_key(r, AT("min"), "%d is above max (%d)", d->min, d->max);
    int countdown = d->task == R1_TASK_COUNTDOWN;
    if ((countdown || d->task == R1_TASK_ARITHMETIC) &&
        (!*d->ops || d->ops[strspn(d->ops, countdown ? "+-*/" : "+-*")]))
        return r1_reader_fail_key(r, AT("ops"), "\"%.20s\" must be one or more of %s", d->ops,
                                  countdown ? "+ - * /" : "+ - *");
    if (d->task == R1_TASK_ARITHMETIC && strchr(d->ops, '*') && pow(d->max, d->terms) > 1e18)
        return r1_reader_fail_key(r, AT("max"), "%d multiplied %d times does not fit in 64 bits",
                                  d->max, d->terms);
    if (countdown && d->count > 6)
        return r1_reader_fail_key(r, AT("count"), "%d numbers; countdown takes at most 6",
                                  d->count);
    if (d->task == R1_TASK_PARENTHESES && d->count % 2)
        return r1_reader_fail_key(r, AT("count"), "%d brackets are never balanced", d->count);
    r1_status st = resolve_question(r, d, AT("question"));
    if (st != R1_OK)
        return st;
    if (d->split != R1_SPLIT_ALL && d->held_out_mod == 0)
        return r1_reader_fail_key(r, AT("held_out_mod"),
                                  "0 (no split) contradicts split: %s; set split: all",
                                  d->split == R1_SPLIT_TRAIN ? "train" : "held_out");
    if (d->split != R1_SPLIT_ALL && d->held_out_mod == 1)
        return r1_reader_fail_key(r, AT("held_out_mod"), "1 holds out every problem");
#undef AT
    return R1_OK;
}

static r1_status resolve_data(const r1_reader *r, r1_stage_config *s) {
    char key[R1_KEY_TEXT];
    r1_status st = R1_OK;

    if (s->kind != R1_STAGE_EVAL)
        R1_TRY(resolve_spec(r, &s->data.train, of(s, "data.train", key)));
    if (r1_stage_evaluates(r->cfg, s))
        R1_TRY(resolve_spec(r, &s->data.eval, of(s, "data.eval", key)));
    if (s->kind == R1_STAGE_GRPO && s->data.train.text_key)
        return r1_reader_fail_key(r, of(s, "data.train.text_key", key),
                                  "%.60s: plain text has no answers; only an sft stage takes it",
                                  s->data.train.text_key);
    if (s->kind == R1_STAGE_SFT && s->traces_error_rate > 0 && s->data.train.task == R1_TASK_NONE)
        return r1_reader_fail_key(r, of(s, "traces.error_rate", key),
                                  "%g: only tasks have worked traces, and data.train is a file",
                                  s->traces_error_rate);
done:
    return st;
}

static r1_status resolve_rewards(const r1_reader *r, const r1_stage_config *s) {
    char key[R1_KEY_TEXT];
    double weights = 0;

    if (s->kind == R1_STAGE_GRPO && s->n_rewards == 0)
        return r1_reader_fail_key(r, of(s, "rewards", key), "a grpo stage needs at least one");
    if (s->kind == R1_STAGE_EVAL && s->n_rewards == 0)
        return r1_reader_fail_key(r, of(s, "rewards", key), "an eval stage needs at least one");
    for (int i = 0; i < s->n_rewards; i++)
        weights += fabs(s->rewards[i].weight);
    if (s->kind == R1_STAGE_GRPO && weights == 0)
        return r1_reader_fail_key(r, of(s, "rewards", key), "all weights are 0");
    return R1_OK;
}

/* DESIGN 12.4: what changes the sampling distribution needs a mismatch correction. */
static r1_status resolve_sampling(const r1_reader *r, const r1_stage_config *s) {
    char key[R1_KEY_TEXT];
    static const char why[] =
        "a grpo stage samples from the whole distribution unless mismatch_cap "
        "is set";

    if (s->min_new_tokens > s->max_response_len)
        return r1_reader_fail_key(r, of(s, "min_new_tokens", key),
                                  "%d is above max_response_len "
                                  "(%d)",
                                  s->min_new_tokens, s->max_response_len);
    if (s->overlong.buffer > s->max_response_len)
        return r1_reader_fail_key(r, of(s, "overlong.buffer", key),
                                  "%d is above max_response_len (%d)", s->overlong.buffer,
                                  s->max_response_len);
    if (s->overlong.penalty > 0 && s->overlong.buffer == 0)
        return r1_reader_fail_key(r, of(s, "overlong.penalty", key),
                                  "%g has no effect while overlong.buffer is 0",
                                  s->overlong.penalty);
    if (!isnan(s->mismatch_cap))
        return R1_OK;
    if (s->top_p < 1)
        return r1_reader_fail_key(r, of(s, "top_p", key), "%g: %s", s->top_p, why);
    if (s->top_k > 0)
        return r1_reader_fail_key(r, of(s, "top_k", key), "%d: %s", s->top_k, why);
    if (s->min_new_tokens > 0)
        return r1_reader_fail_key(r, of(s, "min_new_tokens", key), "%d: %s", s->min_new_tokens,
                                  why);
    if (s->stop.n > 0)
        return r1_reader_fail_key(r, of(s, "stop", key), "[%.40s, ...]: %s", s->stop.s[0], why);
    return R1_OK;
}

/* DESIGN 12.1 and 12.10. */
static r1_status resolve_batch(const r1_reader *r, r1_stage_config *s) {
    char key[R1_KEY_TEXT];
    int64_t step = (int64_t)s->prompts_per_step * s->group_size;

    if (s->group_size == 1)
        return r1_reader_fail_key(r, of(s, "group_size", key),
                                  "1: a group-relative advantage needs "
                                  "at least 2 samples a question");
    if (step > INT_MAX)
        return r1_reader_fail_key(r, of(s, "prompts_per_step", key),
                                  "%d prompts x %d samples are "
                                  "more than 2^31 - 1 samples",
                                  s->prompts_per_step, s->group_size);
    if (s->minibatch < 0)
        s->minibatch = (int)step;
    if (s->minibatch % s->group_size)
        return r1_reader_fail_key(r, of(s, "minibatch", key),
                                  "%d is not a multiple of group_size "
                                  "(%d): a minibatch is whole groups",
                                  s->minibatch, s->group_size);
    if (step % s->minibatch)
        return r1_reader_fail_key(r, of(s, "minibatch", key),
                                  "%d does not divide prompts_per_step "
                                  "x group_size (%d x %d = %lld)",
                                  s->minibatch, s->prompts_per_step, s->group_size,
                                  (long long)step);
    int64_t updates = step / s->minibatch * s->inner_epochs;
    if (s->total_updates % updates)
        return r1_reader_fail_key(r, of(s, "total_updates", key),
                                  "%d is not a multiple of the %lld "
                                  "updates in a step (%lld samples / minibatch %d x %d epochs)",
                                  s->total_updates, (long long)updates, (long long)step,
                                  s->minibatch, s->inner_epochs);
    if (s->policy_loss == R1_LOSS_CISPO && !isnan(s->dual_clip))
        return r1_reader_fail_key(r, of(s, "dual_clip", key), "%g: cispo has no dual clip",
                                  s->dual_clip);
    return R1_OK;
}

static r1_status resolve_training(const r1_reader *r, r1_stage_config *s) {
    char key[R1_KEY_TEXT];
    int longest = s->limits.max_prompt_len + s->max_response_len;

    if (s->warmup > s->total_updates)
        return r1_reader_fail_key(r, of(s, "warmup", key), "%d is above total_updates (%d)",
                                  s->warmup, s->total_updates);
    if (s->limits.max_tokens_per_microbatch < longest)
        return r1_reader_fail_key(r, of(s, "limits.max_tokens_per_microbatch", key),
                                  "%d is below one longest sequence (max_prompt_len %d + "
                                  "max_response_len %d)",
                                  s->limits.max_tokens_per_microbatch, s->limits.max_prompt_len,
                                  s->max_response_len);
    if (r->cfg->model.init == R1_INIT_RANDOM && longest > r->cfg->model.config.max_positions)
        return r1_reader_fail_key(r, of(s, "max_response_len", key),
                                  "%d + max_prompt_len (%d) is above model.config.max_positions "
                                  "(%d)",
                                  s->max_response_len, s->limits.max_prompt_len,
                                  r->cfg->model.config.max_positions);
    return R1_OK;
}

/* An evaluation samples as many tokens as the recipe's first grpo stage allows. */
static int eval_len(const r1_config *c) {
    for (int i = 0; i < c->n_stages; i++)
        if (c->stages[i].kind == R1_STAGE_GRPO)
            return c->stages[i].max_response_len;
    return 512;
}

static r1_status resolve_top(const r1_reader *r) {
    const r1_config *c = r->cfg;
    int v = c->topology.virtual_learners;

    if (!*c->name || strchr(c->name, '/') || c->name[0] == '.' || strlen(c->name) > 100)
        return r1_reader_fail_key(r, "name",
                                  "'%.60s' is no directory name (no slash, no dot in "
                                  "front, 1 to 100 bytes)",
                                  c->name);
    if (v & (v - 1))
        return r1_reader_fail_key(r, "topology.virtual_learners", "%d is not a power of two", v);
    if (c->topology.learners > v)
        return r1_reader_fail_key(r, "topology.learners", "%d is above virtual_learners (%d)",
                                  c->topology.learners, v);
    const char *best = c->checkpoint.best; /* clocks differ from rank to rank, losses fall */
    if (best && strncmp(best, "eval/", 5) != 0 && strncmp(best, "critic/", 7) != 0)
        return r1_reader_fail_key(
            r, "checkpoint.best",
            "'%.60s' is no metric eval/... or critic/..., where more is better", best);
    if (c->async.in_flight && c->async.max_staleness == 0)
        return r1_reader_fail_key(r, "async.in_flight", "true: not available in this version");
    return R1_OK;
}

static r1_status resolve_stage(const r1_reader *r, r1_stage_config *s) {
    r1_status st;

    R1_TRY(resolve_data(r, s));
    R1_TRY(resolve_rewards(r, s));
    if (s->kind == R1_STAGE_GRPO) {
        R1_TRY(resolve_batch(r, s));
        R1_TRY(resolve_sampling(r, s));
    }
    if (s->kind != R1_STAGE_EVAL)
        R1_TRY(resolve_training(r, s));
done:
    return st;
}

r1_status r1_config_resolve(const r1_reader *r) {
    r1_config *c = r->cfg;
    r1_status st = R1_OK;
    int len = eval_len(c);

    R1_TRY(resolve_top(r));
    R1_TRY(resolve_model(r));
    R1_TRY(resolve_tokenizer(r));
    for (int i = 0; i < c->n_stages; i++)
        if (c->stages[i].max_response_len < 0)
            c->stages[i].max_response_len = len;
    /* grpo stages first: a value that others have from them is blamed on its own key. */
    for (int grpo = 1; grpo >= 0; grpo--)
        for (int i = 0; i < c->n_stages; i++)
            if ((c->stages[i].kind == R1_STAGE_GRPO) == grpo)
                R1_TRY(resolve_stage(r, &c->stages[i]));
    R1_TRY(r1_config_check_sides(r));
done:
    return st;
}
