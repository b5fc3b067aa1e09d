/* Tensors of a GGUF file under their Hugging Face names. */
#include "common/formats/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *gguf, *hf;
} names[] =
    {
        {"token_embd.weight", "model.embed_tokens.weight"},
        {"output_norm.weight", "model.norm.weight"},
        {"output.weight", "lm_head.weight"},
},
  layer_names[] = {
      {"attn_norm.weight", "input_layernorm.weight"},
      {"attn_q.weight", "self_attn.q_proj.weight"},
      {"attn_q.bias", "self_attn.q_proj.bias"},
      {"attn_k.weight", "self_attn.k_proj.weight"},
      {"attn_k.bias", "self_attn.k_proj.bias"},
      {"attn_v.weight", "self_attn.v_proj.weight"},
      {"attn_v.bias", "self_attn.v_proj.bias"},
      {"attn_output.weight", "self_attn.o_proj.weight"},
      {"attn_q_norm.weight", "self_attn.q_norm.weight"},
      {"attn_k_norm.weight", "self_attn.k_norm.weight"},
      {"ffn_norm.weight", "post_attention_layernorm.weight"},
      {"ffn_gate.weight", "mlp.gate_proj.weight"},
      {"ffn_up.weight", "mlp.up_proj.weight"},
      {"ffn_down.weight", "mlp.down_proj.weight"},
};

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* The Hugging Face name; one that has none stays as it is. */
static void translate(const char *name, char *out, size_t size) {
    char *end = NULL;
    long layer = strncmp(name, "blk.", 4) == 0 ? strtol(name + 4, &end, 10) : -1;

    for (size_t i = 0; i < COUNT(names); i++) {
        if (strcmp(name, names[i].gguf) == 0) {
            snprintf(out, size, "%s", names[i].hf);
            return;
        }
    }
    for (size_t i = 0; layer >= 0 && *end == '.' && i < COUNT(layer_names); i++) {
        if (strcmp(end + 1, layer_names[i].gguf) == 0) {
            snprintf(out, size, "model.layers.%ld.%s", layer, layer_names[i].hf);
            return;
        }
    }
    snprintf(out, size, "%s", name);
}

/* Rows of one head of q or k in a file of architecture llama, 0 for all other tensors: only there
 * the converter reorders them for the interleaved rotation. */
static r1_status head_rows(const r1_gguf *g, const r1_tensor_entry *e, int *ret, r1_err *err) {
    size_t len = 0;
    const char *arch = r1_gguf_str(g, "general.architecture", &len);
    int is_q = strstr(e->name, ".q_proj.") != NULL, is_k = strstr(e->name, ".k_proj.") != NULL;
    int64_t heads, kv_heads;
    r1_status st;

    *ret = 0;
    if (!arch || len != 5 || memcmp(arch, "llama", 5) != 0 || (!is_q && !is_k))
        return R1_OK;
    R1_TRY(r1_gguf_int(g, "llama.attention.head_count", 0, &heads, err));
    R1_TRY(r1_gguf_int(g, "llama.attention.head_count_kv", heads, &kv_heads, err));
    int64_t n = is_q ? heads : kv_heads;
    if (n <= 0 || e->n_dims < 1 || e->dims[0] == 0 || e->dims[0] > INT32_MAX ||
        e->dims[0] % (2 * (uint64_t)n))
        return R1_FAIL(err, R1_DATA, "'%s': tensor '%s': its rows do not divide into %lld heads",
                       g->path, e->name, (long long)n);
    *ret = (int)(e->dims[0] / (uint64_t)n);
    return R1_OK;
done:
    return st;
}

static r1_status add_tensor(r1_tensors *t, const r1_gguf_tensor *from, r1_err *err) {
    const r1_gguf *g = &t->gguf;
    char name[256];
    r1_tensor_entry e = {.file = g->path, .name = name, .type = R1_TENSOR_TYPE_COUNT};
    size_t bytes;
    r1_status st;

    translate(from->name, name, sizeof name);
    for (int i = 0; i < R1_TENSOR_TYPE_COUNT; i++)
        if (r1_type_infos[i].gguf_id == (int)from->type)
            e.type = (r1_tensor_type)i;
    if (e.type == R1_TENSOR_TYPE_COUNT)
        return R1_FAIL(err, R1_DATA, "'%s': tensor '%s' has block type %u, which is not supported",
                       g->path, from->name, from->type);
    e.n_dims = from->n_dims;
    for (int i = 0; i < e.n_dims; i++)
        e.dims[i] = from->dims[e.n_dims - 1 - i];
    R1_TRY(r1_source_size(&e, &bytes, err));
    if (from->offset > g->data_bytes || bytes > g->data_bytes - from->offset)
        return R1_FAIL(
            err, R1_DATA,
            "'%s': tensor '%s' (%zu bytes at %llu) ends behind the %zu data bytes of the "
            "file",
            g->path, from->name, bytes, (unsigned long long)from->offset, g->data_bytes);
    e.data = g->data + from->offset;
    R1_TRY(head_rows(g, &e, &e.pair_rows, err));
    st = r1_source_add(t, &e, err);
done:
    return st;
}

r1_status r1_source_gguf(r1_tensors *t, const char *path, r1_err *err) {
    r1_status st;

    R1_TRY(r1_gguf_open(&t->gguf, path, err));
    for (size_t i = 0; i < t->gguf.n_tensors; i++)
        R1_TRY(add_tensor(t, &t->gguf.tensors[i], err));
done:
    return st;
}
