#ifndef R1_FORMATS_SOURCE_H
#define R1_FORMATS_SOURCE_H
/* Inside common/formats: a source of tensors while it is being filled by the reader of a format. */
#include "common/base/file.h"
#include "common/formats/gguf.h"
#include "common/formats/tensors.h"

typedef struct r1_source_file {
    char *path;
    r1_map map;
} r1_source_file;

struct r1_tensors {
    char *path;
    r1_source_file *files; /* safetensors */
    size_t n_files;
    r1_gguf gguf; /* path NULL: the source is no GGUF file */
    r1_tensor_entry *entries;
    size_t n_entries, cap;
};

#define R1_SOURCE_MAX_FILES 4096

/* Append a copy of e, its name included. */
R1_MUST_USE r1_status r1_source_add(r1_tensors *t, const r1_tensor_entry *e, r1_err *err);
/* dims -> n, and whether n elements of the type are whole blocks and fit into `bytes`. */
R1_MUST_USE r1_status r1_source_size(r1_tensor_entry *e, size_t *ret_bytes, r1_err *err);

R1_MUST_USE r1_status r1_source_safetensors(r1_tensors *t, const char *path, r1_err *err);
R1_MUST_USE r1_status r1_source_index(r1_tensors *t, const char *dir, const char *index,
                                      r1_err *err);
R1_MUST_USE r1_status r1_source_gguf(r1_tensors *t, const char *path, r1_err *err);

#endif
