/* GGUF files: every block type to the bit, and whole models that must be the same as their Hugging
 * Face twins.  The committed ones (make_gguf.py) always, those of $R1_SHARED/golden/gguf where it is
 * set (golden_gguf shared). */
#include "tests/golden/golden.h"

#include "common/base/file.h"
#include "common/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char gguf[1024], models[1024];
static const char *const *names;
static int prompt_len;

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

/* The descriptor too: head_dim, eps, stop tokens and rotary embedding from the file's metadata.
 * init_std is not in a GGUF; the committed llama3 file is made for 8192 original positions because a
 * GGUF cannot say another number. */
static void arch_equals_its_twin(const char *path, const char *twin) {
    r1_arch a, b;
    r1_err err;

    ASSERT_OK(r1_arch_open(&a, path, &err), &err);
    ASSERT_OK(r1_arch_open(&b, twin, &err), &err);
    if (b.rope == R1_ROPE_LLAMA3)
        b.rope_original_positions = 8192;
    assert_memory_equal(&a, &b, sizeof a);
}

static void models_equal_their_twins(void **state) {
    static const golden_bounds bounds = {
        .logits = 2e-5, .logprobs = 2e-5, .loss = 2e-5, .grads = 1e-4, .curve = 1e-4};
    char path[1100], twin[1100];
    kit x, y;

    for (int i = 0; names[i]; i++) {
        snprintf(path, sizeof path, "%s/%s.gguf", gguf, names[i]);
        snprintf(twin, sizeof twin, "%s/%s", models, names[i]);
        arch_equals_its_twin(path, twin);
        golden_open(&x, twin, path, R1_F32, "auto", 1, 64);
        golden_open(&y, twin, NULL, R1_F32, "auto", 1, 64);
        assert_memory_equal(x.w, y.w, x.model.layout.n_params * sizeof *x.w);
        kit_close(&x);
        kit_close(&y);
        golden_forward_backward(twin, path, R1_F32, "auto", &bounds);
        golden_greedy(twin, path, "auto", prompt_len);
    }
}

/* The value of a metadata key, patched: what cannot be is named, whatever stands in the file. */
static void wrong_values_are_named(void **state) {
    static const struct {
        const char *key; /* with its type's code behind it */
        uint32_t bits;
        const char *message;
    } cases[] = {
        {"llama.rope.scaling.factor", 0x00000000u, "factor 0 of the rope scaling"},
        {"llama.rope.scaling.factor", 0x7fc00000u, "of the rope scaling"},
        {"llama.rope.freq_base", 0xff800000u, "rope_theta -inf"},
        {"llama.feed_forward_length", 0x1b000018u, "intermediate_size 452984856"},
        {"llama.block_count", 0u, "num_hidden_layers 0"},
        {"llama.block_count", 0xffffffffu, "llama.block_count"},
        {"llama.attention.head_count", 3u, "do not divide into 3 heads"},
        {"llama.attention.key_length", 6u, "not the head's size 6"},
        {"general.architecture", 0xffffffffu, "ends behind the file"},
    };
    char path[1100], *data, bad[] = "/tmp/r1-golden-gguf-XXXXXX";
    size_t len;
    r1_arch a;
    r1_err err;

    snprintf(path, sizeof path, "%s/llama_linear.gguf", gguf);
    close(mkstemp(bad));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = strlen(cases[i].key), at = 0;
        ASSERT_OK(r1_file_slurp(path, 1 << 20, &data, &len, &err), &err);
        while (at + n < len && memcmp(data + at, cases[i].key, n) != 0)
            at++;
        memcpy(data + at + n + 4, &cases[i].bits, 4);
        ASSERT_OK(r1_file_write_atomic(bad, data, len, &err), &err);
        r1_free(data);
        ASSERT_FAILS(r1_arch_open(&a, bad, &err), R1_DATA, &err, cases[i].message);
    }
    unlink(bad);
}

int main(int argc, char **argv) {
    static const char *const committed[] = {"llama_tied", "llama_linear",  "qwen2",
                                            "qwen3",      "llama3_untied", NULL};
    static const char *const shared[] = {"llama_gqa_tied", NULL};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_bit_exact),
        cmocka_unit_test(models_equal_their_twins),
        cmocka_unit_test(wrong_values_are_named),
    };
    int beside = argc > 1 && strcmp(argv[1], "shared") == 0;
    const struct CMUnitTest shared_tests[] = {tests[0], tests[1]};
    const char *below =
        beside ? golden_path("R1_SHARED", "golden") : golden_path("R1_SOURCE", "tests/golden");

    if (!below)
        return GOLDEN_SKIPPED;
    names = beside ? shared : committed;
    prompt_len = beside ? 16 : 8;
    snprintf(gguf, sizeof gguf, "%s/gguf", below);
    snprintf(models, sizeof models, "%s/models", below);
    /* The last one patches a committed file. */
    return beside ? cmocka_run_group_tests(shared_tests, NULL, NULL)
                  : cmocka_run_group_tests(tests, NULL, NULL);
}
