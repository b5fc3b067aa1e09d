/* dump_logits MODEL IDS OUT: logits of one text, for comparison by another program.  IDS: int32,
 * OUT: fp32 [n, vocab], both raw.  fp32 computation. */
#include "tests/golden/golden.h"

#include "common/base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char **args;
static kit k;
static kit_batch batch;

static void dump(void **state) {
    char *ids;
    size_t bytes;
    kit_seq seq = {0};
    r1_err err;

    ASSERT_OK(r1_file_slurp(args[1], KIT_MAX_ROWS * sizeof(int32_t), &ids, &bytes, &err), &err);
    int n = (int)(bytes / sizeof(int32_t));
    golden_open(&k, args[0], NULL, R1_F32, "auto", 1, n);
    size_t v = (size_t)k.model.arch.vocab_size, ld = (size_t)r1_logits_ld(&k.model);
    size_t hidden_bytes = (size_t)k.model.arch.hidden_size * sizeof(float);
    float *hidden = calloc((size_t)n, hidden_bytes), *logp = calloc((size_t)n, sizeof *logp);
    float *logits = calloc((size_t)n * ld, sizeof *logits);
    kit_batch_begin(&batch);
    kit_grow(&k, &seq, n);
    int row = kit_batch_add(&batch, &seq, (const int32_t *)(const void *)ids, n, 0);
    for (int i = 0; i < n; i++)
        kit_batch_out(&batch, row + i, 0);
    kit_run(&k, &batch, 0, hidden, logp, NULL);
    r1_head_logits(&k.model, k.payload, hidden, n, logits);
    FILE *f = fopen(args[2], "wb");
    assert_non_null(f);
    for (size_t i = 0; i < (size_t)n; i++)
        assert_int_equal(fwrite(logits + i * ld, sizeof *logits, v, f), v);
    assert_int_equal(fclose(f), 0);
    free(hidden);
    free(logp);
    free(logits);
    r1_free(ids);
    kit_close(&k);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(dump)};

    if (argc != 4)
        return 64;
    args = argv + 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
