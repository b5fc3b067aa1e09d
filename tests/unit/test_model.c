/* Descriptors, the two parameter spaces, and the pool of keys and values. */
#include "tests/unit/model_kit.h"

#include "common/base/hash.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- descriptors ---- */

#define LLAMA                                                                          \
    "\"architectures\": [\"LlamaForCausalLM\"], \"model_type\": \"llama\", "           \
    "\"hidden_size\": 64, \"num_hidden_layers\": 2, \"num_attention_heads\": 4, "      \
    "\"num_key_value_heads\": 2, \"intermediate_size\": 96, \"vocab_size\": 300, "     \
    "\"max_position_embeddings\": 512, \"rms_norm_eps\": 1e-05, \"bos_token_id\": 1, " \
    "\"eos_token_id\": [2, 7]"
#define QWEN(n)                                                                      \
    "\"architectures\": [\"Qwen" n "ForCausalLM\"], \"model_type\": \"qwen" n "\", " \
    "\"hidden_size\": 64, \"num_hidden_layers\": 2, \"num_attention_heads\": 4, "    \
    "\"num_key_value_heads\": 2, \"intermediate_size\": 96, \"vocab_size\": 300"

static r1_status parse(const char *body, r1_arch *a, r1_err *err) {
    char text[2048];
    int n = snprintf(text, sizeof text, "{%s}", body);

    err->msg[0] = '\0';
    return r1_arch_from_json(a, text, (size_t)n, "config.json", err);
}

static void both_spellings_of_rope(void **state) {
    static const char scaling[] = "\"factor\": 8.0, \"low_freq_factor\": 1.0, "
                                  "\"high_freq_factor\": 4.0, "
                                  "\"original_max_position_embeddings\": 64";
    char v4[1024], v4_type[1024], v5[1024];
    r1_arch a, b, c;
    r1_err err;

    snprintf(v4, sizeof v4,
             LLAMA ", \"rope_theta\": 5e5, \"rope_scaling\": {\"rope_type\": "
                   "\"llama3\", %s}",
             scaling);
    snprintf(v4_type, sizeof v4_type,
             LLAMA ", \"rope_theta\": 500000, \"rope_scaling\": {\"type\": "
                   "\"llama3\", %s}",
             scaling);
    snprintf(v5, sizeof v5,
             LLAMA ", \"rope_parameters\": {\"rope_type\": \"llama3\", "
                   "\"rope_theta\": 500000.0, %s}",
             scaling);
    ASSERT_OK(parse(v4, &a, &err), &err);
    ASSERT_OK(parse(v4_type, &b, &err), &err);
    ASSERT_OK(parse(v5, &c, &err), &err);
    assert_memory_equal(&a, &b, sizeof a);
    assert_memory_equal(&a, &c, sizeof a);
    assert_int_equal(a.rope, R1_ROPE_LLAMA3);
    assert_true(a.rope_theta == 500000.0 && a.rope_factor == 8.0 && a.rope_low_freq == 1.0);
    assert_int_equal(a.rope_original_positions, 64);
    assert_int_equal(a.head_dim, 16);
    assert_int_equal(a.n_eos, 2);
    assert_int_equal(a.eos_ids[1], 7);
    ASSERT_OK(parse(LLAMA ", \"rope_scaling\": {\"type\": \"linear\", \"factor\": 2}", &a, &err),
              &err);
    assert_int_equal(a.rope, R1_ROPE_LINEAR);
    assert_true(a.rope_theta == 10000.0);
}

static void flags_of_architectures(void **state) {
    r1_arch a;
    r1_err err;

    ASSERT_OK(parse(LLAMA ", \"tie_word_embeddings\": true, \"head_dim\": null", &a, &err), &err);
    assert_true(a.tied && !a.qkv_bias && !a.qk_norm && a.head_dim == 16 && a.bos_id == 1);
    ASSERT_OK(
        parse(QWEN("2") ", \"use_sliding_window\": false, \"sliding_window\": 4096", &a, &err),
        &err);
    assert_true(!a.tied && a.qkv_bias && !a.qk_norm && a.bos_id == -1 && a.n_eos == 0);
    ASSERT_OK(parse(LLAMA ", \"sliding_window\": null, \"attention_multiplier\": 0.25, "
                          "\"logits_scaling\": 1, \"num_experts\": 0, \"clip_qkv\": null, "
                          "\"rope_interleaved\": false",
                    &a, &err),
              &err);
    ASSERT_OK(parse(QWEN("3"), &a, &err), &err);
    assert_true(!a.qkv_bias && a.qk_norm && a.head_dim == 128);
}

static void refusals_name_the_key(void **state) {
    static const struct {
        const char *body, *text;
    } cases[] = {
        {LLAMA ", \"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 4}", "rope type 'yarn'"},
        {LLAMA ", \"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 4}", "rope type 'dynamic'"},
        {LLAMA ", \"rope_parameters\": {\"rope_type\": \"longrope\"}", "rope type 'longrope'"},
        {LLAMA ", \"rope_scaling\": {\"type\": \"linear\"}", "'factor'"},
        {LLAMA ", \"rope_scaling\": {\"type\": \"llama3\", \"factor\": 8}",
         "'original_max_position_embeddings' is missing"},
        {LLAMA ", \"rope_scaling\": 3", "'rope_scaling'"},
        {LLAMA ", \"rope_theta\": \"big\"", "'rope_theta' is not a number"},
        {LLAMA ", \"rope_theta\": 0", "rope_theta"},
        {LLAMA ", \"hidden_act\": \"gelu\"", "hidden_act 'gelu'"},
        {LLAMA ", \"attention_bias\": true", "'attention_bias'"},
        {LLAMA ", \"mlp_bias\": true", "'mlp_bias'"},
        {LLAMA ", \"partial_rotary_factor\": 0.5", "'partial_rotary_factor'"},
        {LLAMA ", \"quantization_config\": {}", "'quantization_config'"},
        {LLAMA ", \"head_dim\": 15", "head_dim 15"},
        {LLAMA ", \"head_dim\": 1000", "'head_dim'"},
        {QWEN("2") ", \"use_sliding_window\": true, \"sliding_window\": 128, "
                   "\"max_window_layers\": 1",
         "'use_sliding_window'"},
        {LLAMA ", \"use_sliding_window\": true, \"sliding_window\": 16", "'use_sliding_window'"},
        {LLAMA ", \"sliding_window\": 16", "'sliding_window'"},
        {LLAMA ", \"attention_multiplier\": 0.5", "'attention_multiplier' is set"},
        {LLAMA ", \"final_logit_softcapping\": 30.0", "'final_logit_softcapping' is set"},
        {LLAMA ", \"num_local_experts\": 8", "'num_local_experts' is set"},
        {LLAMA ", \"rope_interleaved\": true", "'rope_interleaved' is set"},
        {QWEN("3") ", \"layer_types\": [\"full_attention\", \"sliding_attention\"]",
         "'layer_types'"},
        {QWEN("2") ", \"eos_token_id\": [1,2,3,4,5,6,7,8,9]", "more than 8"},
        {QWEN("2") ", \"eos_token_id\": \"</s>\"", "'eos_token_id'"},
        {QWEN("2") ", \"bos_token_id\": 99999999999", "'bos_token_id'"},
        {"\"architectures\": [\"MixtralForCausalLM\"], \"model_type\": \"llama\"",
         "'MixtralForCausalLM'"},
        {"\"model_type\": \"gemma\"", "'gemma'"},
        {"\"hidden_size\": 64", "'(none)'"},
        {"\"model_type\": \"llama\"", "'hidden_size' is missing"},
        {"\"model_type\": \"llama\", \"hidden_size\": -4", "'hidden_size' is -4"},
        {"\"model_type\": \"llama\", \"hidden_size\": 64.5", "64.5"},
        {"\"model_type\": \"llama\", \"model_type\": \"llama\"", "duplicate"},
        {"\"model_type\"", "config.json:1"},
    };
    r1_err err;
    r1_arch a;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ASSERT_FAILS(parse(cases[i].body, &a, &err), R1_DATA, &err, cases[i].text);
        assert_non_null(strstr(err.msg, "config.json"));
    }
    assert_int_equal(r1_arch_from_json(&a, "[]", 2, "config.json", &err), R1_DATA);
}

static void json_round_trip(void **state) {
    for (int which = 0; which < KIT_N_ARCHS; which++) {
        r1_arch a = kit_arch(which), b;
        char *text = NULL;
        r1_err err;

        a.n_eos = which == 3 ? 3 : which;
        for (int i = 0; i < a.n_eos; i++)
            a.eos_ids[i] = 5 + i;
        a.bos_id = which - 1;
        ASSERT_OK(r1_arch_to_json(&a, "bfloat16", &text, &err), &err);
        assert_non_null(strstr(text, "\"torch_dtype\": \"bfloat16\""));
        assert_null(strstr(text, "e-06,")); /* norm_eps as people write it */
        ASSERT_OK(r1_arch_from_json(&b, text, strlen(text), "export", &err), &err);
        assert_memory_equal(&a, &b, sizeof a);
        r1_free(text);
    }
}

static void allocation_failures(void **state) {
    r1_arch arch = kit_arch(2);
    r1_ops *ops = NULL;
    r1_err err;
    int n, done = 0;

    ASSERT_OK(r1_ops_open(&ops, R1_F32, "ref", 1, &err), &err);
    for (n = 0; !done && n < 50; n++) {
        r1_model m;
        r1_mem_fail_after(n);
        r1_status st = r1_model_open(&m, &arch, ops, 64, &err);
        r1_mem_fail_after(-1);
        done = st == R1_OK;
        if (!done)
            assert_int_equal(st, R1_NOMEM);
        r1_model_close(&m);
    }
    assert_in_range(n, 3, 49);
    for (n = 0, done = 0; !done && n < 50; n++) {
        r1_kv kv;
        r1_mem_fail_after(n);
        r1_status st = r1_kv_open(&kv, &arch, R1_F32, 10, &err);
        r1_mem_fail_after(-1);
        done = st == R1_OK;
        r1_kv_close(&kv);
    }
    assert_int_equal(n, 3);
    r1_ops_close(ops);
}

/* ---- layout ---- */

static void layout_covers_both_spaces(void **state) {
    for (int which = 0; which < KIT_N_ARCHS; which++) {
        for (int t = R1_F32; t <= R1_BF16; t++) {
            r1_arch a = kit_arch(which);
            size_t offset = 0, payload = 0;
            uint32_t unit = 0;
            r1_layout l;
            r1_err err;

            ASSERT_OK(r1_layout_open(&l, &a, (r1_dtype)t, &err), &err);
            for (uint32_t i = 0; i < l.n_tensors; i++) {
                const r1_tensor *x = &l.tensors[i];
                if (i > 0)
                    assert_true(strcmp(l.tensors[i - 1].name, x->name) < 0);
                assert_true(x->offset == offset && x->payload == payload && x->unit0 == unit);
                for (int r = 0; r < x->rows; r += R1_PANEL, unit++) {
                    const r1_unit *u = &l.units[unit];
                    assert_true(u->tensor == i && u->row0 == r && u->offset == offset);
                    assert_true(u->payload == payload && u->payload % 64 == 0);
                    assert_int_equal(u->rows, x->rows - r < R1_PANEL ? x->rows - r : R1_PANEL);
                    assert_int_equal(u->n, (size_t)u->rows * (size_t)x->cols);
                    offset += u->n;
                    payload += u->payload_bytes;
                }
            }
            assert_true(offset == l.n_params && payload == l.payload_bytes && unit == l.n_units);
            assert_int_equal(l.payload_bytes % 64, 0);
            assert_true((l.head == l.embed) == a.tied);
            assert_string_equal(l.tensors[l.embed].name, "model.embed_tokens.weight");
            assert_true((l.layers[1].q_bias >= 0) == a.qkv_bias);
            assert_true((l.layers[1].k_norm >= 0) == a.qk_norm);
            assert_string_equal(l.tensors[l.layers[1].down].name,
                                "model.layers.1.mlp.down_proj.weight");
            assert_int_equal(l.tensors[l.layers[1].down].cols, a.intermediate_size);
            r1_layout_close(&l);
        }
    }
}

/* Pieces packed, hashed and initialised one by one equal the whole; panels unpack to the weights. */
static void pieces_equal_the_whole(void **state) {
    r1_arch a = kit_arch(3);
    uint32_t cut[8];
    kit k;

    assert_true(kit_open(&k, &a, R1_F32, "ref", 2, 64));
    const r1_layout *l = &k.model.layout;
    float *w = calloc(l->n_params, sizeof *w), panel[R1_PANEL * 200];
    uint8_t *payload = aligned_alloc(64, l->payload_bytes);
    uint64_t *all = calloc(l->n_units, 8), *part = calloc(l->n_units, 8);

    memset(payload, 0, l->payload_bytes);
    r1_layout_init(l, 0.02, 9, 0, l->n_units, k.w);
    kit_pack(&k);
    r1_layout_hash(l, k.ops, k.w, 0, l->n_units, all);
    for (int n = 1; n <= 7; n++) {
        r1_layout_cut(l, n, cut);
        assert_int_equal(cut[0], 0);
        assert_int_equal(cut[n], l->n_units);
        for (int i = 0; i < n; i++) {
            assert_true(cut[i] <= cut[i + 1]);
            if (cut[i] == cut[i + 1])
                continue;
            float *at = w + l->units[cut[i]].offset;
            r1_layout_init(l, 0.02, 9, cut[i], cut[i + 1], at);
            r1_layout_pack(l, k.ops, at, cut[i], cut[i + 1], payload);
            r1_layout_hash(l, k.ops, at, cut[i], cut[i + 1], part + cut[i]);
        }
        assert_memory_equal(w, k.w, l->n_params * sizeof *w);
        assert_memory_equal(payload, k.payload, l->payload_bytes);
        assert_memory_equal(part, all, l->n_units * 8);
    }
    for (uint32_t u = 0; u < l->n_units; u++) {
        const r1_unit *x = &l->units[u];
        assert_true(all[u] == r1_hash64(k.w + x->offset, x->n * sizeof *w));
        if (!l->tensors[x->tensor].is_matrix)
            continue;
        k.ops->unpack(k.ops, k.payload + x->payload, x->rows, l->tensors[x->tensor].cols, panel);
        assert_memory_equal(panel, k.w + x->offset, x->n * sizeof *w);
    }
    free(w);
    free(payload);
    free(all);
    free(part);
    kit_close(&k);
}

static void cut_is_balanced(void **state) {
    r1_arch a = kit_arch(0);
    uint32_t cut[5];
    r1_layout l;
    r1_err err;

    a.layers = 40;
    ASSERT_OK(r1_layout_open(&l, &a, R1_F32, &err), &err);
    r1_layout_cut(&l, 4, cut);
    for (int i = 0; i < 4; i++) {
        size_t first = l.units[cut[i]].offset;
        size_t end = cut[i + 1] < l.n_units ? l.units[cut[i + 1]].offset : l.n_params;
        double share = (double)(end - first) / (double)l.n_params;
        assert_true(share > 0.24 && share < 0.26);
    }
    r1_layout_close(&l);
}

static void initialisation(void **state) {
    r1_arch a = kit_arch(1);
    r1_layout l;
    r1_err err;

    ASSERT_OK(r1_layout_open(&l, &a, R1_F32, &err), &err);
    float *w = calloc(l.n_params, sizeof *w);
    r1_layout_init(&l, 0.05, 3, 0, l.n_units, w);
    for (uint32_t t = 0; t < l.n_tensors; t++) {
        const r1_tensor *x = &l.tensors[t];
        size_t n = (size_t)x->rows * (size_t)x->cols;
        double sum = 0, sq = 0;
        for (size_t i = 0; i < n; i++) {
            double v = (double)w[x->offset + i];
            sum += v;
            sq += v * v;
            if (!x->is_matrix)
                assert_true(v ==
                            (strstr(x->name, "norm.") || strstr(x->name, "layernorm") ? 1.0 : 0.0));
        }
        if (!x->is_matrix)
            continue;
        double sd = sqrt(sq / (double)n);
        assert_true(fabs(sd / 0.05 - 1) < 5 / sqrt(2.0 * (double)n));
        assert_true(fabs(sum / (double)n) < 5 * 0.05 / sqrt((double)n));
    }
    free(w);
    r1_layout_close(&l);
}

/* ---- rotary tables ---- */

/* transformers' formulas evaluated apart from the code: default and linear by hand, llama3 at its
 * three branches (wavelength below, above and between the two limits). */
static void rotary_tables(void **state) {
    r1_arch a = kit_arch(3);
    kit k;

    assert_true(kit_open(&k, &a, R1_F32, "ref", 1, 64));
    for (int i = 0; i < 16; i++) {
        double f = pow(500000.0, -i / 16.0), wave = 6.283185307179586 / f, want = f;
        if (wave > 64.0) {
            want = f / 8.0;
        } else if (wave > 16.0) {
            double s = (64.0 / wave - 1.0) / 3.0;
            want = ((1 - s) / 8.0 + s) * f;
        }
        for (int p = 0; p < 2000; p += 333) {
            assert_true(fabs((double)k.model.cos_sin[p * 32 + i] - cos(p * want)) < 1e-7);
            assert_true(fabs((double)k.model.cos_sin[p * 32 + 16 + i] - sin(p * want)) < 1e-7);
        }
    }
    kit_close(&k);
    a.rope = R1_ROPE_LINEAR;
    a.rope_factor = 2.5;
    assert_true(kit_open(&k, &a, R1_F32, "ref", 1, 64));
    assert_true(fabs((double)k.model.cos_sin[10 * 32 + 1] -
                     cos(10 / 2.5 * pow(500000.0, -1 / 16.0))) < 1e-7);
    kit_close(&k);
}

/* ---- keys and values ---- */

static void pool_of_blocks(void **state) {
    r1_arch a = kit_arch(2);
    for (int t = R1_F32; t <= R1_BF16; t++) {
        int32_t got[6];
        r1_kv kv;
        r1_err err;

        ASSERT_OK(r1_kv_open(&kv, &a, (r1_dtype)t, 6, &err), &err);
        assert_int_equal(2 * (size_t)kv.layers * kv.layer_bytes,
                         6 * r1_kv_block_bytes(&a, (r1_dtype)t));
        for (int i = 0; i < 6; i++)
            assert_int_equal(got[i] = r1_kv_take(&kv), i);
        assert_int_equal(r1_kv_take(&kv), -1);
        r1_kv_give(&kv, got[4]);
        assert_int_equal(r1_kv_take(&kv), 4);
        r1_kv_reset(&kv);
        assert_int_equal(kv.n_free, 6);
        r1_kv_close(&kv);
        r1_kv_close(&kv); /* a closed pool may be closed again */
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_spellings_of_rope), cmocka_unit_test(flags_of_architectures),
        cmocka_unit_test(refusals_name_the_key),  cmocka_unit_test(json_round_trip),
        cmocka_unit_test(allocation_failures),    cmocka_unit_test(layout_covers_both_spaces),
        cmocka_unit_test(pieces_equal_the_whole), cmocka_unit_test(cut_is_balanced),
        cmocka_unit_test(initialisation),         cmocka_unit_test(rotary_tables),
        cmocka_unit_test(pool_of_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
