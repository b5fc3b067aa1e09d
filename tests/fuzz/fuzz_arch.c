/* config.json of any bytes: refused in one line, or a shape that fits together and survives a trip
 * through our own config.json. */
#include "tests/fuzz/fuzz.h"

#include "common/base/mem.h"
#include "common/model/arch.h"
#include "tests/fuzz/file.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    r1_err err = {0};
    r1_arch a, b;
    char *text;
    r1_status st = r1_arch_from_json(&a, (const char *)data, n, "config.json", &err);

    if (st != R1_OK) {
        fuzz_check_refusal(st, &err);
        return 0;
    }
    R1_ASSERT(a.layers > 0 && a.heads % a.kv_heads == 0 && a.head_dim % 2 == 0);
    for (int i = 0; i < a.head_dim / 2; i++)
        R1_ASSERT(isfinite(r1_arch_inv_freq(&a, i)));
    R1_ASSERT(r1_arch_to_json(&a, "float32", &text, &err) == R1_OK);
    R1_ASSERT(r1_arch_from_json(&b, text, strlen(text), "ours", &err) == R1_OK);
    R1_ASSERT(a.kind == b.kind && a.hidden_size == b.hidden_size && a.layers == b.layers &&
              a.vocab_size == b.vocab_size && a.rope == b.rope && a.tied == b.tied &&
              a.n_eos == b.n_eos);
    r1_free(text);
    return 0;
}
