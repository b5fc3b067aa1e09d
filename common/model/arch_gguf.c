/* Model descriptors from the metadata of GGUF files; see arch.h. */
#include "common/formats/tensors.h"
#include "common/model/arch.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A reader of keys "ARCH.name" that remembers the first failure. */
typedef struct reader {
    const r1_gguf *g;
    const char *arch;
    r1_err *err;
    r1_status st;
} reader;

static void key_of(const reader *r, const char *name, char *key, size_t size) {
    snprintf(key, size, "%s.%s", r->arch, name);
}

/* fallback -1: the key must be there. */
static int get_int(reader *r, const char *name, int fallback) {
    char key[128];
    int64_t x = fallback;

    key_of(r, name, key, sizeof key);
    if (r->st == R1_OK)
        r->st = r1_gguf_int(r->g, key, fallback, &x, r->err);
    if (r->st == R1_OK && (x < 0 || x > INT_MAX))
        r->st = x == -1 && fallback == -1
                    ? R1_FAIL(r->err, R1_DATA, "'%s': key '%s' is missing", r->g->path, key)
                    : R1_FAIL(r->err, R1_DATA, "'%s': key '%s' is %lld, which cannot be",
                              r->g->path, key, (long long)x);
    return (int)x;
}

static double get_num(reader *r, const char *name, double fallback) {
    char key[128];
    double x = fallback;

    key_of(r, name, key, sizeof key);
    if (r->st == R1_OK)
        r->st = r1_gguf_num(r->g, key, fallback, &x, r->err);
    return x;
}

static r1_status read_kind(const r1_gguf *g, r1_arch *a, r1_err *err) {
    size_t len = 0;
    const char *text = r1_gguf_str(g, "general.architecture", &len);

    for (int k = R1_ARCH_LLAMA; text && k <= R1_ARCH_QWEN3; k++) {
        const char *name = r1_arch_kind_name((r1_arch_kind)k);
        if (len == strlen(name) && memcmp(text, name, len) == 0) {
            a->kind = (r1_arch_kind)k;
            return R1_OK;
        }
    }
    return R1_FAIL(err, R1_DATA,
                   "'%s': architecture '%.*s' is not supported (llama, qwen2, qwen3 are)", g->path,
                   text ? (int)(len < 60 ? len : 60) : 6, text ? text : "(none)");
}

/* GGUF keeps llama3's scaling as one divisor a frequency (rope_freqs.weight) and drops the numbers
 * it came from.  All published models use low 1, high 4 and 8192 original positions; the factor is
 * the largest divisor, and every divisor is checked against those numbers. */
static void read_llama3(reader *r, const r1_tensor_entry *e, r1_arch *a) {
    float divisors[512];
    int half = a->head_dim / 2;

    if (e->n != (size_t)half || half > 512) {
        r->st = R1_FAIL(r->err, R1_DATA, "'%s': rope_freqs.weight has %zu values, not %d",
                        r->g->path, e->n, half);
        return;
    }
    r1_tensors_read(e, 0, e->n, divisors);
    a->rope = R1_ROPE_LLAMA3;
    a->rope_factor = (double)divisors[half - 1];
    a->rope_low_freq = 1;
    a->rope_high_freq = 4;
    a->rope_original_positions = 8192;
    for (int i = 0; i < half; i++) {
        double f = pow(a->rope_theta, -2.0 * i / a->head_dim);
        double want = f / r1_arch_inv_freq(a, i);
        if (!(fabs((double)divisors[i] - want) <= 1e-4 * want)) {
            r->st = R1_FAIL(r->err, R1_DATA,
                            "'%s': rope_freqs.weight[%d] is %g, not %g as Llama 3's scaling by %g "
                            "has it: this scaling is not supported",
                            r->g->path, i, (double)divisors[i], want, a->rope_factor);
            return;
        }
    }
}

static void read_rope(reader *r, const r1_tensors *t, r1_arch *a) {
    const r1_tensor_entry *freqs = r1_tensors_find(t, "rope_freqs.weight");
    char key[128];
    size_t len = 0;

    a->rope_theta = get_num(r, "rope.freq_base", 10000.0);
    key_of(r, "rope.scaling.type", key, sizeof key);
    const char *type = r1_gguf_str(r->g, key, &len);
    if (type && len == 6 && memcmp(type, "linear", 6) == 0) {
        a->rope = R1_ROPE_LINEAR;
        a->rope_factor = get_num(r, "rope.scaling.factor", 1.0);
    } else if (type && !(len == 4 && memcmp(type, "none", 4) == 0) && r->st == R1_OK) {
        r->st = R1_FAIL(r->err, R1_DATA,
                        "'%s': rope type '%.*s' is not supported (none, linear and Llama 3's are)",
                        r->g->path, (int)(len < 60 ? len : 60), type);
    }
    if (get_num(r, "rope.scale_linear", 1.0) != 1.0) {
        a->rope = R1_ROPE_LINEAR;
        a->rope_factor = get_num(r, "rope.scale_linear", 1.0);
    }
    if (freqs && r->st == R1_OK)
        read_llama3(r, freqs, a);
}

static void read_id(reader *r, const char *key, int *ret) {
    int64_t id = -1;

    if (r->st == R1_OK)
        r->st = r1_gguf_int(r->g, key, -1, &id, r->err);
    if (r->st == R1_OK && (id < -1 || id > INT_MAX))
        r->st = R1_FAIL(r->err, R1_DATA, "'%s': key '%s' is %lld", r->g->path, key, (long long)id);
    *ret = (int)id;
}

/* The end of the text, of a turn, of a message: whichever there are, each once. */
static void read_stops(reader *r, r1_arch *a) {
    static const char *const keys[] = {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
                                       "tokenizer.ggml.eom_token_id"};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        int id, known = 0;
        read_id(r, keys[i], &id);
        for (int j = 0; j < a->n_eos; j++)
            known |= a->eos_ids[j] == id;
        if (id >= 0 && !known)
            a->eos_ids[a->n_eos++] = id;
    }
}

static void refuse_unsupported(reader *r, const r1_arch *a) {
    static const char *const zero[] = {"expert_count", "attention.sliding_window"};
    static const char *const head[] = {"attention.value_length", "rope.dimension_count"};

    for (size_t i = 0; i < 2; i++) {
        if (get_int(r, zero[i], 0) != 0 && r->st == R1_OK)
            r->st = R1_FAIL(r->err, R1_DATA, "'%s': key '%s.%s' is set, which is not supported",
                            r->g->path, r->arch, zero[i]);
        int n = get_int(r, head[i], a->head_dim);
        if (n != a->head_dim && r->st == R1_OK)
            r->st = R1_FAIL(r->err, R1_DATA, "'%s': key '%s.%s' is %d, not the head's size %d",
                            r->g->path, r->arch, head[i], n, a->head_dim);
    }
}

r1_status r1_arch_from_gguf(r1_arch *ret_arch, const r1_tensors *t, r1_err *err) {
    reader r = {.g = r1_tensors_gguf(t), .err = err};
    const r1_tensor_entry *embed = r1_tensors_find(t, "model.embed_tokens.weight");
    r1_arch a = {.init_std = 0.02};

    if ((r.st = read_kind(r.g, &a, err)) != R1_OK)
        return r.st;
    if (!embed || embed->n_dims != 2 || embed->dims[0] > INT_MAX)
        return R1_FAIL(err, R1_DATA, "'%s' has no matrix token_embd.weight", r.g->path);
    r.arch = r1_arch_kind_name(a.kind);
    a.vocab_size = (int)embed->dims[0];
    a.hidden_size = get_int(&r, "embedding_length", -1);
    a.layers = get_int(&r, "block_count", -1);
    a.heads = get_int(&r, "attention.head_count", -1);
    a.kv_heads = get_int(&r, "attention.head_count_kv", a.heads > 0 ? a.heads : 0);
    a.head_dim = get_int(&r, "attention.key_length", a.heads > 0 ? a.hidden_size / a.heads : 0);
    a.intermediate_size = get_int(&r, "feed_forward_length", -1);
    a.max_positions = get_int(&r, "context_length", 2048);
    a.norm_eps = (float)get_num(&r, "attention.layer_norm_rms_epsilon", 1e-6);
    a.tied = r1_tensors_find(t, "lm_head.weight") == NULL;
    a.qkv_bias = a.kind == R1_ARCH_QWEN2;
    a.qk_norm = a.kind == R1_ARCH_QWEN3;
    refuse_unsupported(&r, &a);
    if (a.head_dim > 0)
        read_rope(&r, t, &a);
    if (r.st == R1_OK)
        r.st = r1_arch_check(&a, r.g->path, err);
    read_id(&r, "tokenizer.ggml.bos_token_id", &a.bos_id);
    read_stops(&r, &a);
    if (r.st == R1_OK)
        *ret_arch = a;
    return r.st;
}
