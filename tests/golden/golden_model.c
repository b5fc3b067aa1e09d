/* Tiny models of every architecture against PyTorch and transformers in float64: the committed ones
 * (always), and those of $R1_SHARED/golden/models where it is set (golden_model shared). */
#include "tests/golden/golden.h"

#include "common/base/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const golden_bounds f32_bounds = {
    .logits = 2e-5, .logprobs = 2e-5, .loss = 2e-5, .grads = 1e-4, .curve = 1e-4};

static char root[R1_PATH_MAX];
static const char *const *names;
static int warmup, prompt_len, with_v5;

static const char *dir_of(const char *name) {
    static char path[R1_PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static void forward_backward_f32(void **state) {
    static const char *const paths[] = {"ref", "avx2", "avx512"};

    for (int i = 0; names[i]; i++) {
        for (size_t p = 0; p < sizeof paths / sizeof *paths; p++) {
            r1_ops *ops = NULL;
            r1_err err;
            if (r1_ops_open(&ops, R1_F32, paths[p], 1, &err) != R1_OK) {
                assert_true(p > 0); /* the reference runs everywhere */
                print_message("  %s: not on this machine: %s\n", paths[p], err.msg);
                continue;
            }
            r1_ops_close(ops);
            golden_forward_backward(dir_of(names[i]), NULL, R1_F32, paths[p], &f32_bounds);
        }
    }
}

static void training_f32(void **state) {
    for (int i = 0; names[i]; i++)
        golden_train(dir_of(names[i]), "auto", warmup, &f32_bounds);
}

static void greedy_f32(void **state) {
    for (int i = 0; names[i]; i++)
        golden_greedy(dir_of(names[i]), NULL, "auto", prompt_len);
}

/* bf16 operands against float64.  Measured, over all paths (which agree to three digits): the
 * models of $R1_SHARED (hidden size 64 to 96) logits 1.2e-2 to 1.8e-2 of the largest, single
 * log-probabilities 2.1e-2 to 4.6e-2, their mean 3.0e-4, gradients of a tensor 2.4e-2 to 3.9e-2 of
 * its norm; the committed ones (hidden size 16, so that fewer errors average out) 3.2e-2, 9.1e-2,
 * 1.1e-3 and 1.4e-1. */
static const golden_bounds bf16_shared = {
    .logits = 2.5e-2, .logprobs = 6e-2, .loss = 5e-4, .grads = 5e-2};
static const golden_bounds bf16_committed = {
    .logits = 4e-2, .logprobs = 1.2e-1, .loss = 1.5e-3, .grads = 1.8e-1};
static const golden_bounds *bf16_bounds;

static void forward_backward_bf16(void **state) {
    static const char *const paths[] = {"ref", "avx2", "avx512", "avx512_bf16", "amx_bf16"};

    for (int i = 0; names[i]; i++) {
        for (size_t p = 0; p < sizeof paths / sizeof *paths; p++) {
            r1_ops *ops = NULL;
            r1_err err;
            if (r1_ops_open(&ops, R1_BF16, paths[p], 1, &err) != R1_OK) {
                assert_true(p > 0); /* the reference runs everywhere */
                print_message("  %s: not on this machine: %s\n", paths[p], err.msg);
                continue;
            }
            r1_ops_close(ops);
            golden_forward_backward(dir_of(names[i]), NULL, R1_BF16, paths[p], bf16_bounds);
        }
    }
}

/* config.json as transformers 4 and 5 write it: the same descriptor. */
static void both_generations_of_config(void **state) {
    int n = 0;

    for (int i = 0; names[i]; i++) {
        char path[R1_PATH_MAX + 128], *text = NULL;
        r1_arch a, b;
        r1_err err;
        size_t len;

        snprintf(path, sizeof path, "%s/config.v5.json", dir_of(names[i]));
        if (!r1_path_exists(path))
            continue;
        ASSERT_OK(r1_arch_open(&a, dir_of(names[i]), &err), &err);
        ASSERT_OK(r1_file_slurp(path, 1 << 20, &text, &len, &err), &err);
        ASSERT_OK(r1_arch_from_json(&b, text, len, path, &err), &err);
        assert_memory_equal(&a, &b, sizeof a);
        r1_free(text);
        n++;
    }
    assert_int_equal(n, with_v5);
}

/* A result that is not a number is not close to anything. */
static void nothing_is_close_to_nan(void **state) {
    const double nan = (double)NAN;

    assert_true(isnan(golden_worst(0, nan)) && isnan(golden_worst(nan, 0)));
    assert_true(golden_worst(1, 2) == 2 && golden_worst(2, 1) == 2);
}

int main(int argc, char **argv) {
    static const char *const committed[] = {"llama_tied", "llama3_untied", "llama_linear",
                                            "qwen2",      "qwen3",         NULL};
    static const char *const shared[] = {"llama_gqa_tied", "qwen2_bias", "llama3_rope_bf16",
                                         "qwen3_qknorm", NULL};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_backward_f32),
        cmocka_unit_test(training_f32),
        cmocka_unit_test(greedy_f32),
        cmocka_unit_test(forward_backward_bf16),
        cmocka_unit_test(both_generations_of_config),
        cmocka_unit_test(nothing_is_close_to_nan),
    };
    int use_shared = argc > 1 && strcmp(argv[1], "shared") == 0;
    const char *below = use_shared ? golden_path("R1_SHARED", "golden/models")
                                   : golden_path("R1_SOURCE", "tests/golden/models");

    if (!below)
        return GOLDEN_SKIPPED;
    snprintf(root, sizeof root, "%s", below);
    names = use_shared ? shared : committed;
    bf16_bounds = use_shared ? &bf16_shared : &bf16_committed;
    warmup = use_shared ? 4 : 3;
    prompt_len = use_shared ? 16 : 8;
    with_v5 = use_shared ? 3 : 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
