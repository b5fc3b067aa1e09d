/* A language model as a configuration names it; see policy.h. */
#include "common/store/policy.h"

#include "common/base/file.h"

#include <string.h>

static r1_status random_arch(r1_policy *p, const r1_config *cfg, r1_err *err) {
    static const r1_arch_kind kinds[] = {R1_ARCH_LLAMA, R1_ARCH_QWEN2, R1_ARCH_QWEN3};
    int vocab = r1_tokenizer_vocab_size(p->tokenizer), asked = cfg->model.config.vocab_size;
    int32_t eos[R1_ARCH_MAX_EOS];

    if (asked != R1_AUTO && asked < vocab)
        return R1_FAIL(err, R1_USAGE,
                       "%s: model.config.vocab_size is %d, the tokenizer has %d tokens", cfg->path,
                       asked, vocab);
    p->arch = (r1_arch){.kind = kinds[cfg->model.config.arch],
                        .vocab_size = asked == R1_AUTO ? vocab : asked,
                        .hidden_size = cfg->model.config.hidden_size,
                        .layers = cfg->model.config.layers,
                        .heads = cfg->model.config.heads,
                        .kv_heads = cfg->model.config.kv_heads,
                        .head_dim = cfg->model.config.head_dim,
                        .intermediate_size = cfg->model.config.intermediate_size,
                        .max_positions = cfg->model.config.max_positions,
                        .norm_eps = (float)cfg->model.config.norm_eps,
                        .tied = cfg->model.config.tied,
                        .qkv_bias = cfg->model.config.arch == R1_NAME_QWEN2,
                        .qk_norm = cfg->model.config.arch == R1_NAME_QWEN3,
                        .rope_theta = cfg->model.config.rope_theta,
                        .rope_factor = 1,
                        .init_std = cfg->model.config.init_std,
                        .bos_id = -1};
    p->arch.n_eos = r1_tokenizer_eos(p->tokenizer, eos, R1_ARCH_MAX_EOS);
    for (int i = 0; i < p->arch.n_eos; i++)
        p->arch.eos_ids[i] = eos[i];
    p->init_std = cfg->model.config.init_std;
    return r1_arch_check(&p->arch, cfg->path, err);
}

static r1_status open_tokenizer(r1_policy *p, const r1_config *cfg, r1_err *err) {
    if (cfg->tokenizer.kind == R1_TOK_BYTES)
        return r1_tokenizer_new_bytes(&p->tokenizer, cfg->tokenizer.added_tokens.s,
                                      cfg->tokenizer.added_tokens.n, err);
    if (!cfg->tokenizer.path && !cfg->model.path)
        return R1_FAIL(err, R1_USAGE, "%s: no tokenizer", cfg->path);
    return r1_tokenizer_open(&p->tokenizer,
                             cfg->tokenizer.path ? cfg->tokenizer.path : cfg->model.path, err);
}

static void choose_template(r1_policy *p, const char *asked) {
    p->template_kind = strcmp(asked, "auto") == 0 ? r1_template_of(p->tokenizer) : asked;
    p->system = NULL;
}

/* With arch and tokenizer known: what computes. */
static r1_status open_model(r1_policy *p, r1_dtype dtype, const char *path, int threads,
                            int max_len, const char *where, r1_err *err) {
    r1_status st;

    if (r1_tokenizer_vocab_size(p->tokenizer) > p->arch.vocab_size) {
        st = R1_FAIL(err, R1_USAGE, "%s: the tokenizer has %d tokens, the model %d", where,
                     r1_tokenizer_vocab_size(p->tokenizer), p->arch.vocab_size);
        goto done;
    }
    R1_TRY(r1_ops_open(&p->ops, dtype, path, threads, err));
    st = r1_model_open(&p->model, &p->arch, p->ops, max_len, err);
done:
    return st;
}

/* The longest sequence that any stage can make. */
static int longest(const r1_config *cfg, const r1_arch *arch) {
    int most = 1;

    for (int i = 0; i < cfg->n_stages; i++) {
        const r1_stage_config *s = &cfg->stages[i];
        int len = s->limits.max_prompt_len + (s->max_response_len > 0 ? s->max_response_len : 0);
        if (s->kind == R1_STAGE_SFT && len < s->limits.max_tokens_per_microbatch)
            len = s->limits.max_tokens_per_microbatch;
        most = len > most ? len : most;
    }
    return most < arch->max_positions ? most : arch->max_positions;
}

static r1_status open_weights(r1_policy *p, const char *path, r1_err *err) {
    r1_status st;

    if (!r1_ckpt_is(path))
        return r1_tensors_open(&p->source, path, err);
    R1_TRY(R1_NEW(p->checkpoint, 1, err));
    st = r1_ckpt_open_model(p->checkpoint, path, err);
done:
    return st;
}

static r1_status find_model(const r1_config *cfg, r1_err *err) {
    char base[R1_PATH_MAX];

    if (r1_path_exists(cfg->model.path))
        return R1_OK;
    return R1_FAIL(
        err, R1_IO,
        "%s: model.path: '%s' does not exist%s; deploy/get-model fetches the models that "
        "configs/ name",
        cfg->path, cfg->model.path, r1_path_base(cfg->model.path, base, sizeof base));
}

r1_status r1_policy_open(r1_policy *p, const r1_config *cfg, int threads, r1_err *err) {
    r1_status st;

    *p = (r1_policy){.seed = cfg->seed};
    if (cfg->model.init != R1_INIT_RANDOM)
        R1_TRY(find_model(cfg, err));
    R1_TRY(open_tokenizer(p, cfg, err));
    if (cfg->model.init == R1_INIT_RANDOM) {
        R1_TRY(random_arch(p, cfg, err));
    } else {
        R1_TRY(r1_arch_open(&p->arch, cfg->model.path, err));
        R1_TRY(open_weights(p, cfg->model.path, err));
    }
    choose_template(p, cfg->chat_template);
    st = open_model(p, (r1_dtype)cfg->compute.dtype, cfg->compute.numeric_path, threads,
                    longest(cfg, &p->arch), cfg->path, err);
done:
    if (st != R1_OK)
        r1_policy_close(p);
    return st;
}

void r1_policy_resolve(const r1_policy *p, r1_config *cfg) {
    cfg->compute.numeric_path = p->ops->path;
    cfg->chat_template = p->template_kind;
    if (cfg->model.init == R1_INIT_RANDOM)
        cfg->model.config.vocab_size = p->arch.vocab_size;
}

r1_status r1_policy_open_model(r1_policy *p, const r1_policy_options *o, r1_err *err) {
    r1_status st;

    *p = (r1_policy){0};
    R1_TRY(o->scores ? r1_arch_open_reward_model(&p->arch, o->model, err)
                     : r1_arch_open(&p->arch, o->model, err));
    R1_TRY(open_weights(p, o->model, err));
    R1_TRY(r1_tokenizer_open(&p->tokenizer, o->tokenizer ? o->tokenizer : o->model, err));
    choose_template(p, o->chat_template);
    int len =
        o->max_len > 0 && o->max_len < p->arch.max_positions ? o->max_len : p->arch.max_positions;
    st = open_model(p, o->dtype, "auto", o->threads, len, o->model, err);
done:
    if (st != R1_OK)
        r1_policy_close(p);
    return st;
}

void r1_policy_close(r1_policy *p) {
    r1_model_close(&p->model);
    if (p->ops)
        r1_ops_close(p->ops);
    r1_tokenizer_free(p->tokenizer);
    if (p->source)
        r1_tensors_close(p->source);
    if (p->checkpoint)
        r1_ckpt_close(p->checkpoint);
    r1_free(p->checkpoint);
    *p = (r1_policy){0};
}

r1_status r1_policy_weights(const r1_policy *p, uint32_t u0, uint32_t u1, float *w, r1_err *err) {
    if (p->source)
        return r1_layout_load(&p->model.layout, p->source, u0, u1, w, err);
    if (p->checkpoint)
        return r1_ckpt_read(p->checkpoint, &p->model.layout, p->ops, u0, u1, w, NULL, NULL, err);
    r1_layout_init(&p->model.layout, p->init_std, p->seed, u0, u1, w);
    return R1_OK;
}
