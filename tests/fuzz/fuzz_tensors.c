/* A file of tensors of any bytes (safetensors or GGUF): it is refused in one line, or every element
 * can be read; a GGUF's architecture and vocabulary are refused or make sense. */
#include "tests/fuzz/fuzz.h"

#include "common/formats/tensors.h"
#include "common/model/arch.h"
#include "common/tokenizer/tokenizer.h"
#include "tests/fuzz/file.h"

/* The first and the last elements, through every block type's reader. */
static void read_ends(const r1_tensor_entry *e) {
    float out[300];
    size_t n = e->n < 300 ? e->n : 300;

    R1_ASSERT(e->name && e->file && e->n_dims >= 0 && e->n_dims <= R1_TENSOR_MAX_DIMS);
    r1_tensors_read(e, 0, n, out);
    r1_tensors_read(e, e->n - n, n, out);
}

static void read_all(const r1_tensors *t) {
    for (size_t i = 0; i < r1_tensors_count(t); i++) {
        const r1_tensor_entry *e = r1_tensors_at(t, i);
        R1_ASSERT(r1_tensors_find(t, e->name) == e); /* names are unique and in order */
        read_ends(e);
    }
}

static void read_gguf(const r1_tensors *t, const char *path) {
    static const char text[] = "the thin <|end|> \xff\xc3\xa9";
    r1_err err = {0};
    r1_tokenizer *k;
    r1_arch arch;
    r1_status st = r1_arch_from_gguf(&arch, t, &err);

    if (st != R1_OK)
        fuzz_check_refusal(st, &err);
    else
        R1_ASSERT(arch.heads % arch.kv_heads == 0 && arch.vocab_size > 0);
    if ((st = r1_tokenizer_open(&k, path, &err)) != R1_OK) {
        fuzz_check_refusal(st, &err);
        return;
    }
    r1_ids ids = {0};
    R1_ASSERT(r1_tokenizer_encode(k, text, sizeof text - 1, 1, &ids, &err) == R1_OK);
    for (size_t i = 0; i < ids.n; i++)
        R1_ASSERT(ids.ids[i] >= 0 && ids.ids[i] < r1_tokenizer_vocab_size(k));
    r1_ids_done(&ids);
    r1_tokenizer_free(k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    char path[64];
    int fd = fuzz_file(data, n, path);
    r1_err err = {0};
    r1_tensors *t;
    r1_status st = r1_tensors_open(&t, path, &err);

    if (st == R1_OK) {
        read_all(t);
        if (r1_tensors_gguf(t))
            read_gguf(t, path);
        r1_tensors_close(t);
    } else {
        fuzz_check_refusal(st, &err);
    }
    close(fd);
    return 0;
}
