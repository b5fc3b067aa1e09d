/* tokenizer.json of any bytes: refused in one line, or every text becomes ids of its vocabulary. */
#include "tests/fuzz/fuzz.h"

#include "common/base/mem.h"
#include "common/tokenizer/tokenizer.h"
#include "tests/fuzz/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static const char text[] = "the thin <|end|>\xff\xc3\xa9 e\xcc\x81 123 'll\r\n  x";
    r1_tokenizer_file file = {.name = "tokenizer.json", .data = (const char *)data, .n = n};
    r1_err err = {0};
    r1_ids ids = {0};
    r1_tokenizer *t;
    r1_buf back;
    r1_status st = r1_tokenizer_open_files(&t, &file, 1, "here", &err);

    if (st != R1_OK) {
        fuzz_check_refusal(st, &err);
        return 0;
    }
    r1_buf_init(&back, 1 << 20);
    R1_ASSERT(r1_tokenizer_encode(t, text, sizeof text - 1, 1, &ids, &err) == R1_OK);
    for (size_t i = 0; i < ids.n; i++)
        R1_ASSERT(ids.ids[i] >= 0 && ids.ids[i] < r1_tokenizer_vocab_size(t));
    R1_ASSERT(r1_tokenizer_decode(t, ids.ids, ids.n, 1, &back, &err) == R1_OK);
    r1_ids_done(&ids);
    r1_buf_done(&back);
    r1_tokenizer_free(t);
    return 0;
}
