/* GGUF files of $R1_SHARED/golden/gguf: every block type to the bit, and a whole model that must be the
 * same as its Hugging Face twin. */
#include "tests/golden/golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char gguf[1024], twin[1024];

static void blocks_are_bit_exact(void **state) {
    char path[1100];
    r1_tensors *have = NULL, *want = NULL;
    r1_err err;

    snprintf(path, sizeof path, "%s/quants.gguf", gguf);
    ASSERT_OK(r1_tensors_open(&have, path, &err), &err);
    snprintf(path, sizeof path, "%s/quants.safetensors", gguf);
    ASSERT_OK(r1_tensors_open(&want, path, &err), &err);
    assert_int_equal(r1_tensors_count(have), r1_tensors_count(want));
    for (size_t i = 0; i < r1_tensors_count(want); i++) {
        const r1_tensor_entry *w = r1_tensors_at(want, i), *h = r1_tensors_find(have, w->name);
        assert_non_null(h);
        assert_int_equal(h->n, w->n);
        float *a = malloc(w->n * sizeof *a), *b = malloc(w->n * sizeof *b);
        r1_tensors_read(w, 0, w->n, b);
        r1_tensors_read(h, 0, w->n, a);
        if (memcmp(a, b, w->n * sizeof *a) != 0)
            fail_msg("block type %s is decoded wrongly", w->name);
        for (size_t first = 0; first < w->n; first += 61) { /* any run gives the same */
            size_t n = w->n - first < 300 ? w->n - first : 300;
            r1_tensors_read(h, first, n, a);
            assert_memory_equal(a, b + first, n * sizeof *a);
        }
        free(a);
        free(b);
    }
    r1_tensors_close(have);
    r1_tensors_close(want);
}

static void model_equals_its_twin(void **state) {
    static const golden_bounds bounds = {
        .logits = 2e-5, .logprobs = 2e-5, .loss = 2e-5, .grads = 1e-4, .curve = 1e-4};
    char path[1100];
    r1_arch a, b;
    r1_err err;
    kit x, y;

    snprintf(path, sizeof path, "%s/llama_gqa_tied.gguf", gguf);
    ASSERT_OK(r1_arch_open(&a, path, &err), &err);
    ASSERT_OK(r1_arch_open(&b, twin, &err), &err);
    assert_memory_equal(&a, &b, sizeof a);
    golden_open(&x, twin, path, R1_F32, "auto", 1, 64);
    golden_open(&y, twin, NULL, R1_F32, "auto", 1, 64);
    assert_memory_equal(x.w, y.w, x.model.layout.n_params * sizeof *x.w);
    kit_close(&x);
    kit_close(&y);
    golden_forward_backward(twin, path, R1_F32, "auto", &bounds);
    golden_greedy(twin, path, "auto", 16);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_bit_exact),
        cmocka_unit_test(model_equals_its_twin),
    };
    const char *below = golden_path("R1_SHARED", "golden/gguf");

    if (!below)
        return GOLDEN_SKIPPED;
    snprintf(gguf, sizeof gguf, "%s", below);
    snprintf(twin, sizeof twin, "%s/../models/llama_gqa_tied", below);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
