/* Model descriptors from and to config.json; see arch.h. */
#include "common/model/arch.h"

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/formats/json_pretty.h"
#include "common/formats/tensors.h"

#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CONFIG ((size_t)16 << 20)

#define R1_TEXT_(x) #x
#define R1_TEXT(x)  R1_TEXT_(x)

static const char *const kind_names[] = {"llama", "qwen2", "qwen3"};
static const char *const class_names[] = {"LlamaForCausalLM", "Qwen2ForCausalLM",
                                          "Qwen3ForCausalLM"};
static const char *const score_names[] = {"LlamaForSequenceClassification",
                                          "Qwen2ForSequenceClassification",
                                          "Qwen3ForSequenceClassification"};

const char *r1_arch_kind_name(r1_arch_kind kind) {
    return kind_names[kind];
}

/* A reader of one JSON object that remembers the file and the first failure. */
typedef struct reader {
    const json_t *obj;
    const char *path;
    r1_err *err;
    r1_status st;
} reader;

static json_t *get(reader *r, const char *key) {
    json_t *v = json_object_get(r->obj, key);
    return v && !json_is_null(v) ? v : NULL;
}

static void bad(reader *r, const char *key, const char *what) {
    if (r->st == R1_OK)
        r->st = R1_FAIL(r->err, R1_DATA, "%s: key '%s' %s", r->path, key, what);
}

/* An integer in [lo, hi]; fallback < 0: the key must be there. */
static int get_int(reader *r, const char *key, int lo, int hi, int fallback) {
    json_t *v = get(r, key);

    if (!v) {
        if (fallback < 0)
            bad(r, key, "is missing");
        return fallback;
    }
    json_int_t x = json_is_integer(v) ? json_integer_value(v) : -1;
    if (!json_is_integer(v) || x < lo || x > hi) {
        if (r->st == R1_OK) {
            char *text = NULL;
            r->st = r1_json_dump(v, JSON_ENCODE_ANY, key, &text, r->err);
            if (r->st == R1_OK)
                r->st = R1_FAIL(r->err, R1_DATA, "%s: key '%s' is %.60s, not an integer in %d..%d",
                                r->path, key, text, lo, hi);
            r1_free(text);
        }
        return lo;
    }
    return (int)x;
}

static double get_num(reader *r, const char *key, double fallback) {
    json_t *v = get(r, key);

    if (v && !json_is_number(v))
        bad(r, key, "is not a number");
    return v && json_is_number(v) ? json_number_value(v) : fallback;
}

static int get_bool(reader *r, const char *key, int fallback) {
    json_t *v = get(r, key);

    if (v && !json_is_boolean(v))
        bad(r, key, "is not true or false");
    return v ? json_is_true(v) : fallback;
}

static const char *get_str(reader *r, const char *key) {
    json_t *v = get(r, key);

    if (v && !json_is_string(v))
        bad(r, key, "is not a string");
    return v ? json_string_value(v) : NULL;
}

static void read_kind(reader *r, r1_arch *a) {
    const char *type = get_str(r, "model_type"), *cls = NULL;
    json_t *classes = get(r, "architectures");

    if (json_is_array(classes))
        cls = json_string_value(json_array_get(classes, 0));
    for (int i = 0; i < 3; i++) {
        a->scores = cls && strcmp(cls, score_names[i]) == 0;
        if (a->scores ||
            (cls ? strcmp(cls, class_names[i]) == 0 : type && strcmp(type, kind_names[i]) == 0)) {
            a->kind = (r1_arch_kind)i;
            return;
        }
    }
    if (r->st == R1_OK)
        r->st = R1_FAIL(r->err, R1_DATA,
                        "%s: architecture '%s' is not supported (LlamaForCausalLM, "
                        "Qwen2ForCausalLM, Qwen3ForCausalLM are)",
                        r->path,
                        cls    ? cls
                        : type ? type
                               : "(none)");
}

/* transformers 4: rope_theta and rope_scaling; transformers 5: all in rope_parameters. */
static void read_rope(reader *r, r1_arch *a) {
    json_t *v5 = get(r, "rope_parameters"), *v4 = get(r, "rope_scaling");
    reader inner = {.obj = v5 ? v5 : v4, .path = r->path, .err = r->err};

    a->rope_theta = get_num(r, "rope_theta", 10000.0);
    a->rope = R1_ROPE_DEFAULT;
    if (!inner.obj)
        return;
    if (!json_is_object(inner.obj)) {
        bad(r, v5 ? "rope_parameters" : "rope_scaling", "is not an object");
        return;
    }
    const char *type = get_str(&inner, "rope_type");
    type = type ? type : get_str(&inner, "type");
    a->rope_theta = get_num(&inner, "rope_theta", a->rope_theta);
    if (get_num(&inner, "partial_rotary_factor", 1.0) != 1.0)
        bad(&inner, "partial_rotary_factor", "is not 1, which is not supported");
    if (!type || strcmp(type, "default") == 0) {
        a->rope = R1_ROPE_DEFAULT;
    } else if (strcmp(type, "linear") == 0) {
        a->rope = R1_ROPE_LINEAR;
        a->rope_factor = get_num(&inner, "factor", 0);
    } else if (strcmp(type, "llama3") == 0) {
        a->rope = R1_ROPE_LLAMA3;
        a->rope_factor = get_num(&inner, "factor", 0);
        a->rope_low_freq = get_num(&inner, "low_freq_factor", 0);
        a->rope_high_freq = get_num(&inner, "high_freq_factor", 0);
        a->rope_original_positions =
            get_int(&inner, "original_max_position_embeddings", 1, 1 << 30, -1);
    } else if (inner.st == R1_OK) {
        inner.st = R1_FAIL(r->err, R1_DATA,
                           "%s: rope type '%s' is not supported (default, linear, llama3 are)",
                           r->path, type);
    }
    if (a->rope != R1_ROPE_DEFAULT && !(a->rope_factor > 0))
        bad(&inner, "factor", "of the rope scaling is missing or not positive");
    if (a->rope == R1_ROPE_LLAMA3 &&
        !(a->rope_low_freq > 0 && a->rope_high_freq > a->rope_low_freq))
        bad(&inner, "low_freq_factor", "of the rope scaling is not below high_freq_factor");
    if (r->st == R1_OK)
        r->st = inner.st;
}

static int token_id(reader *r, const char *key, const json_t *v) {
    json_int_t id = json_is_integer(v) ? json_integer_value(v) : -1;

    if (id < 0 || id > INT_MAX)
        bad(r, key, "is neither a token id nor a list of token ids");
    return id < 0 || id > INT_MAX ? -1 : (int)id;
}

/* One id or a list; nothing there leaves the descriptor as it is. */
static void read_eos(reader *r, r1_arch *a) {
    json_t *eos = get(r, "eos_token_id");
    size_t n = json_is_array(eos) ? json_array_size(eos) : 1, max = R1_ARCH_MAX_EOS;

    if (!eos)
        return;
    if (n > max) {
        bad(r, "eos_token_id", "lists more than " R1_TEXT(R1_ARCH_MAX_EOS) " ids");
        return;
    }
    a->n_eos = (int)n;
    for (size_t i = 0; i < n; i++)
        a->eos_ids[i] =
            token_id(r, "eos_token_id", json_is_array(eos) ? json_array_get(eos, i) : eos);
}

/* Layers from max_window_layers on have the window where it is switched on; newer files also list
 * the kind of each layer. */
static void refuse_sliding_window(reader *r, const r1_arch *a) {
    json_t *types = get(r, "layer_types");
    const char *type;

    /* Mistral's files, renamed to Llama, have the size alone. */
    int used = get_bool(r, "use_sliding_window", a->kind == R1_ARCH_LLAMA);
    int from = get_int(r, "max_window_layers", 0, INT_MAX, a->kind == R1_ARCH_LLAMA ? 0 : 28);

    if (used && get(r, "sliding_window") && from < a->layers)
        bad(r, get(r, "use_sliding_window") ? "use_sliding_window" : "sliding_window",
            "is set: sliding-window attention is not supported");
    for (size_t i = 0; json_is_array(types) && i < json_array_size(types); i++) {
        type = json_string_value(json_array_get(types, i));
        if (!type || strcmp(type, "full_attention") != 0)
            bad(r, "layer_types",
                "names a layer that is not full_attention, which is not supported");
    }
}

/* What relatives of these architectures multiply, cap, normalise and route by.  null, false and the
 * neutral value change nothing. */
static void refuse_relatives(reader *r, const r1_arch *a) {
    static const double none = 0, one = 1;
    const struct {
        const char *key;
        double neutral;
    } keys[] = {
        {"attention_multiplier", 1 / sqrt(a->head_dim)},
        {"query_pre_attn_scalar", a->head_dim},
        {"embedding_multiplier", one},
        {"residual_multiplier", one},
        {"logits_scaling", one},
        {"logit_scale", one},
        {"scale_emb", one},
        {"scale_depth", none},
        {"final_logit_softcapping", none},
        {"attn_logit_softcapping", none},
        {"clip_qkv", none},
        {"use_qk_norm", none},
        {"attention_chunk_size", none},
        {"attn_temperature_tuning", none},
        {"rope_interleaved", none},
        {"num_local_experts", none},
        {"num_experts", none},
        {"n_routed_experts", none},
        {"q_lora_rank", none},
        {"kv_lora_rank", none},
    };

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        json_t *v = get(r, keys[i].key);
        if (!v || json_is_false(v) ||
            (json_is_number(v) &&
             fabs(json_number_value(v) - keys[i].neutral) <= 1e-6 * keys[i].neutral))
            continue;
        bad(r, keys[i].key, "is set, which is not supported");
    }
}

/* Keys that are read above, and those that say nothing about the arithmetic of a forward. */
static int is_known_key(const char *key) {
    static const char known[] =
        " architectures model_type hidden_size num_hidden_layers num_attention_heads "
        "num_key_value_heads head_dim intermediate_size vocab_size max_position_embeddings "
        "rms_norm_eps initializer_range tie_word_embeddings rope_theta rope_scaling "
        "rope_parameters bos_token_id eos_token_id pad_token_id hidden_act attention_bias mlp_bias "
        "partial_rotary_factor use_sliding_window sliding_window max_window_layers layer_types "
        "attention_multiplier query_pre_attn_scalar embedding_multiplier residual_multiplier "
        "logits_scaling logit_scale scale_emb num_local_experts num_experts n_routed_experts "
        "torch_dtype dtype transformers_version transformers.js_config use_cache "
        "attention_dropout hidden_dropout pretraining_tp is_llama_config use_mrope auto_map "
        "_name_or_path unsloth_version unsloth_fixed _attn_implementation attn_implementation "
        "output_attentions output_hidden_states return_dict chunk_size_feed_forward "
        "id2label label2id problem_type ";
    const char *at = known;
    size_t n = strlen(key);

    if (n == 0 || strchr(key, ' ')) /* matches lie inside of the blanks at both ends */
        return 0;
    while ((at = strstr(at, key)) && !(at[-1] == ' ' && at[n] == ' '))
        at++;
    return at != NULL;
}

static void warn_of_unknown(const reader *r) {
    char list[256] = "";
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)r->obj, key, value) {
        size_t at = strlen(list);
        if (!is_known_key(key) && !json_is_null(value) && !json_is_false(value))
            snprintf(list + at, sizeof list - at, "%s%.60s", at ? ", " : "", key);
    }
    if (*list)
        r1_warn("%s: not known here, so without effect: %s", r->path, list);
}

/* Features that change the arithmetic and that this code does not have must not pass in silence. */
static void refuse_unsupported(reader *r, const r1_arch *a) {
    const char *act = get_str(r, "hidden_act");

    if (act && strcmp(act, "silu") != 0 && r->st == R1_OK)
        r->st = R1_FAIL(r->err, R1_DATA, "%s: hidden_act '%s' is not supported (silu is)", r->path,
                        act);
    if (get_num(r, "partial_rotary_factor", 1.0) != 1.0)
        bad(r, "partial_rotary_factor", "is not 1, which is not supported");
    if (get_bool(r, "mlp_bias", 0))
        bad(r, "mlp_bias", "is true, which is not supported");
    if (a->kind != R1_ARCH_QWEN2 && get_bool(r, "attention_bias", 0))
        bad(r, "attention_bias", "is true, which is not supported for this architecture");
    refuse_sliding_window(r, a);
    refuse_relatives(r, a);
    if (get(r, "quantization_config"))
        bad(r, "quantization_config", "is set: quantised Hugging Face weights are not supported");
}

static r1_status read_arch(r1_arch *a, const json_t *root, const char *path, r1_err *err) {
    reader r = {.obj = root, .path = path, .err = err};

    read_kind(&r, a);
    a->hidden_size = get_int(&r, "hidden_size", 2, 1 << 16, -1);
    a->layers = get_int(&r, "num_hidden_layers", 1, 512, -1);
    a->heads = get_int(&r, "num_attention_heads", 1, 1024, -1);
    /* Only Llama's default is a function of the other keys; a guess for Qwen would be silent. */
    a->kv_heads =
        get_int(&r, "num_key_value_heads", 1, 1024, a->kind == R1_ARCH_LLAMA ? a->heads : -1);
    a->head_dim = get_int(&r, "head_dim", 2, 256,
                          a->kind == R1_ARCH_QWEN3 ? 128
                          : a->heads > 0           ? a->hidden_size / a->heads
                                                   : 2);
    a->intermediate_size = get_int(&r, "intermediate_size", 2, 1 << 18, -1);
    a->vocab_size = get_int(&r, "vocab_size", 2, 1 << 21, -1);
    a->max_positions = get_int(&r, "max_position_embeddings", 1, 1 << 28, 2048);
    a->norm_eps = (float)get_num(&r, "rms_norm_eps", 1e-6);
    a->init_std = get_num(&r, "initializer_range", 0.02);
    a->tied = get_bool(&r, "tie_word_embeddings", 0);
    a->qkv_bias = a->kind == R1_ARCH_QWEN2;
    a->qk_norm = a->kind == R1_ARCH_QWEN3;
    read_rope(&r, a);
    a->bos_id =
        get(&r, "bos_token_id") ? token_id(&r, "bos_token_id", get(&r, "bos_token_id")) : -1;
    read_eos(&r, a);
    refuse_unsupported(&r, a);
    if (r.st == R1_OK)
        r.st = r1_arch_check(a, path, err);
    if (r.st == R1_OK)
        warn_of_unknown(&r);
    return r.st;
}

r1_status r1_arch_from_json(r1_arch *ret_arch, const char *text, size_t len, const char *path,
                            r1_err *err) {
    r1_arch a = {0};
    json_error_t je;
    json_t *root = NULL;
    r1_status st = r1_json_parse(&root, text, len, JSON_REJECT_DUPLICATES, &je);

    if (st != R1_OK)
        return R1_FAIL(err, st, "%s:%d: %s", path, je.line, je.text);
    st = json_is_object(root) ? read_arch(&a, root, path, err)
                              : R1_FAIL(err, R1_DATA, "%s: not a JSON object", path);
    json_decref(root);
    if (st == R1_OK)
        *ret_arch = a;
    return st;
}

static r1_status open_dir(r1_arch *ret, const char *dir, r1_err *err) {
    char path[R1_PATH_MAX], *text = NULL;
    r1_arch a;
    r1_status st;
    size_t len;

    R1_TRY(r1_path_format(path, sizeof path, err, "%s/config.json", dir));
    R1_TRY(r1_file_slurp(path, MAX_CONFIG, &text, &len, err));
    R1_TRY(r1_arch_from_json(&a, text, len, path, err));
    r1_free(text);
    text = NULL;
    R1_TRY(r1_path_format(path, sizeof path, err, "%s/generation_config.json", dir));
    if (r1_path_exists(path)) { /* its list of stop tokens is the one that generation goes by */
        json_error_t je;
        R1_TRY(r1_file_slurp(path, MAX_CONFIG, &text, &len, err));
        json_t *root = NULL;
        st = r1_json_parse(&root, text, len, JSON_REJECT_DUPLICATES, &je);
        reader r = {.obj = root, .path = path, .err = err, .st = st};
        if (st == R1_OK)
            read_eos(&r, &a);
        else
            r1_err_set(err, st, "%s:%d: %s", path, je.line, je.text);
        json_decref(root);
        R1_TRY(r.st);
        R1_TRY(r1_arch_check(&a, path, err));
    }
    *ret = a;
    st = R1_OK;
done:
    r1_free(text);
    return st;
}

static r1_status open_any(r1_arch *ret_arch, const char *path, r1_err *err) {
    char config[R1_PATH_MAX];
    r1_tensors *t = NULL;
    r1_status st;

    if (r1_path_is_dir(path) &&
        r1_path_format(config, sizeof config, err, "%s/config.json", path) == R1_OK &&
        r1_path_exists(config))
        return open_dir(ret_arch, path, err);
    if (!r1_gguf_is(path))
        return r1_arch_not_a_model(path, err);
    R1_TRY(r1_tensors_open(&t, path, err));
    st = r1_arch_from_gguf(ret_arch, t, err);
    r1_tensors_close(t);
done:
    return st;
}

r1_status r1_arch_open(r1_arch *ret_arch, const char *path, r1_err *err) {
    r1_status st = open_any(ret_arch, path, err);

    if (st == R1_OK && ret_arch->scores)
        st = R1_FAIL(err, R1_DATA,
                     "'%s' is a reward model (%s), no language model: r1-score reads it", path,
                     score_names[ret_arch->kind]);
    return st;
}

r1_status r1_arch_open_reward_model(r1_arch *ret_arch, const char *path, r1_err *err) {
    r1_status st = open_any(ret_arch, path, err);

    if (st == R1_OK && !ret_arch->scores)
        st = R1_FAIL(err, R1_DATA, "'%s' is no reward model (%s)", path,
                     score_names[ret_arch->kind]);
    return st;
}

double r1_arch_inv_freq(const r1_arch *a, int i) {
    double f = pow(a->rope_theta, -2.0 * i / a->head_dim);

    if (a->rope == R1_ROPE_LINEAR)
        return f / a->rope_factor;
    if (a->rope != R1_ROPE_LLAMA3)
        return f;
    double wavelen = 2.0 * M_PI / f, original = a->rope_original_positions;
    if (wavelen < original / a->rope_high_freq)
        return f;
    if (wavelen > original / a->rope_low_freq)
        return f / a->rope_factor;
    double smooth =
        (original / wavelen - a->rope_low_freq) / (a->rope_high_freq - a->rope_low_freq);
    return (1.0 - smooth) * f / a->rope_factor + smooth * f;
}

r1_status r1_arch_check(const r1_arch *a, const char *path, r1_err *err) {
#define NEED(cond, ...) \
    if (!(cond))        \
    return R1_FAIL(err, R1_DATA, __VA_ARGS__)
    /* Far above any model, and low enough for rows and columns such as heads x head_dim to fit an
     * int. */
    const struct {
        const char *name;
        int value, max;
    } sizes[] = {{"hidden_size", a->hidden_size, 1 << 16},
                 {"num_hidden_layers", a->layers, 512},
                 {"num_attention_heads", a->heads, 1024},
                 {"num_key_value_heads", a->kv_heads, 1024},
                 {"head_dim", a->head_dim, 256},
                 {"intermediate_size", a->intermediate_size, 1 << 18},
                 {"vocab_size", a->vocab_size, 1 << 21},
                 {"max_position_embeddings", a->max_positions, 1 << 28}};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        NEED(sizes[i].value > 0 && sizes[i].value <= sizes[i].max, "%s: %s %d is not in 1..%d",
             path, sizes[i].name, sizes[i].value, sizes[i].max);
    NEED(a->heads % a->kv_heads == 0,
         "%s: num_attention_heads %d is not a multiple of num_key_value_heads %d", path, a->heads,
         a->kv_heads);
    NEED(a->hidden_size % 2 == 0, "%s: hidden_size %d is odd", path, a->hidden_size);
    NEED(a->intermediate_size % 2 == 0, "%s: intermediate_size %d is odd", path,
         a->intermediate_size);
    NEED(a->head_dim % 2 == 0, "%s: head_dim %d is odd", path, a->head_dim);
    NEED(isfinite(a->rope_theta) && a->rope_theta > 0, "%s: rope_theta %g is not positive", path,
         a->rope_theta);
    NEED(a->rope == R1_ROPE_DEFAULT || (isfinite(a->rope_factor) && a->rope_factor > 0),
         "%s: factor %g of the rope scaling is not positive", path, a->rope_factor);
    for (int i = 0; i < a->n_eos; i++)
        NEED(a->eos_ids[i] < a->vocab_size, "%s: eos_token_id %d is outside the vocabulary of %d",
             path, a->eos_ids[i], a->vocab_size);
    NEED(isfinite(a->norm_eps) && a->norm_eps >= 0, "%s: rms_norm_eps %g is negative", path,
         (double)a->norm_eps);
#undef NEED
    return R1_OK;
}

/* The shortest decimal that reads back as this float: 1e-05, not 9.9999997e-06. */
static double decimal_of(float x) {
    char text[32];

    for (int digits = 1; digits < 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)x);
        if (strtof(text, NULL) == x)
            return strtod(text, NULL);
    }
    return (double)x;
}

static json_t *rope_json(const r1_arch *a) {
    if (a->rope == R1_ROPE_DEFAULT)
        return json_null();
    if (a->rope == R1_ROPE_LINEAR)
        return json_pack("{s:s, s:f}", "rope_type", "linear", "factor", a->rope_factor);
    return json_pack("{s:s, s:f, s:f, s:f, s:i}", "rope_type", "llama3", "factor", a->rope_factor,
                     "low_freq_factor", a->rope_low_freq, "high_freq_factor", a->rope_high_freq,
                     "original_max_position_embeddings", a->rope_original_positions);
}

r1_status r1_arch_to_json(const r1_arch *a, const char *torch_dtype, char **ret_text, r1_err *err) {
    json_t *eos = json_array();
    int good = eos != NULL;

    for (int i = 0; i < a->n_eos; i++)
        good = good && json_array_append_new(eos, json_integer(a->eos_ids[i])) == 0;
    json_t *root = json_pack(
        "{s:[s], s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:f, s:f, s:b, s:s, s:o, s:s}",
        "architectures", a->scores ? score_names[a->kind] : class_names[a->kind], "model_type",
        kind_names[a->kind], "hidden_size", a->hidden_size, "num_hidden_layers", a->layers,
        "num_attention_heads", a->heads, "num_key_value_heads", a->kv_heads, "head_dim",
        a->head_dim, "intermediate_size", a->intermediate_size, "vocab_size", a->vocab_size,
        "max_position_embeddings", a->max_positions, "rms_norm_eps", decimal_of(a->norm_eps),
        "rope_theta", a->rope_theta, "initializer_range", a->init_std, "tie_word_embeddings",
        a->tied, "hidden_act", "silu", "rope_scaling", rope_json(a), "torch_dtype", torch_dtype);
    good = good && root;
    if (good && a->bos_id >= 0)
        good = json_object_set_new(root, "bos_token_id", json_integer(a->bos_id)) == 0;
    if (good && a->n_eos > 0)
        good = json_object_set(root, "eos_token_id",
                               a->n_eos == 1 ? json_array_get(eos, 0) : eos) == 0;
    r1_status st = good ? r1_json_pretty(root, "config.json", ret_text, err)
                        : R1_FAIL(err, R1_NOMEM, "out of memory: config.json");
    json_decref(root);
    json_decref(eos);
    return st;
}
