/* Converting models; see convert.h. */
#include "learner/convert.h"

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/formats/hfdir.h"
#include "common/formats/tensors.h"
#include "common/model/export.h"
#include "common/store/checkpoint.h"
#include "common/tokenizer/tokenizer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Units that are read between two looks at the clock. */
#define UNITS_AT_ONCE 4096u

/* The model that is read. */
typedef struct source {
    const char *path;
    r1_arch arch;
    r1_ops *ops; /* nothing is computed: they say with how many threads to hash */
    r1_layout layout;
    r1_tensors *tensors; /* of files; NULL: a checkpoint */
    r1_ckpt *checkpoint;
    r1_dtype *dtypes; /* [layout.n_tensors], of what is written */
    r1_dtype main;    /* of the embedding: what config.json names */
} source;

static void source_close(source *s) {
    r1_layout_close(&s->layout);
    r1_tensors_close(s->tensors);
    if (s->checkpoint)
        r1_ckpt_close(s->checkpoint);
    if (s->ops)
        r1_ops_close(s->ops);
    r1_free(s->checkpoint);
    r1_free(s->dtypes);
}

static r1_status read_units(void *ctx, uint32_t u0, uint32_t u1, float *w, r1_err *err) {
    const source *s = ctx;

    return s->tensors ? r1_layout_load(&s->layout, s->tensors, u0, u1, w, err)
                      : r1_ckpt_read(s->checkpoint, &s->layout, s->ops, u0, u1, w, NULL, NULL, err);
}

static r1_status parse_dtype(const char *text, r1_dtype *ret, r1_err *err) {
    static const struct {
        const char *name; /* safetensors' and the other programs' */
        r1_dtype dtype;
    } names[] = {
        {"F32", R1_F32}, {"fp32", R1_F32}, {"BF16", R1_BF16}, {"F16", R1_F16}, {"fp16", R1_F16}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcasecmp(text, names[i].name) == 0) {
            *ret = names[i].dtype;
            return R1_OK;
        }
    }
    return R1_FAIL(err, R1_USAGE, "--dtype %s: F32, BF16 or F16", text);
}

/* The dtype of a tensor in the source, fp32 where files have no such type of ours. */
static r1_dtype own_dtype(const source *s, const char *name) {
    const r1_tensor_entry *e =
        s->tensors && !r1_tensors_gguf(s->tensors) ? r1_tensors_find(s->tensors, name) : NULL;

    return !e                          ? R1_F32
           : e->type == R1_TENSOR_BF16 ? R1_BF16
           : e->type == R1_TENSOR_F16  ? R1_F16
                                       : R1_F32;
}

static r1_status choose_dtypes(source *s, const char *asked, r1_err *err) {
    r1_dtype all = R1_F32;
    r1_status st;

    if (asked)
        R1_TRY(parse_dtype(asked, &all, err));
    R1_TRY(R1_NEW(s->dtypes, s->layout.n_tensors, err));
    for (uint32_t i = 0; i < s->layout.n_tensors; i++)
        s->dtypes[i] = asked ? all : own_dtype(s, s->layout.tensors[i].name);
    s->main = s->dtypes[s->layout.embed];
done:
    return st;
}

static r1_status source_open(source *s, const r1_convert_options *o, r1_err *err) {
    r1_status st;

    *s = (source){.path = o->in};
    R1_TRY(r1_arch_open(&s->arch, o->in, err));
    R1_TRY(r1_layout_open(&s->layout, &s->arch, R1_F32, err));
    R1_TRY(r1_ops_open(&s->ops, R1_F32, "ref", 1, err));
    if (r1_ckpt_is(o->in)) {
        R1_TRY(R1_NEW(s->checkpoint, 1, err));
        R1_TRY(r1_ckpt_open_model(s->checkpoint, o->in, err));
    } else {
        R1_TRY(r1_tensors_open(&s->tensors, o->in, err));
    }
    st = choose_dtypes(s, o->dtype, err);
done:
    return st;
}

/* A GGUF's vocabulary becomes files; a directory's files are copied.  A model without a vocabulary
 * (weights alone) stays one. */
static r1_status write_tokenizer(const source *s, const char *dir, r1_err *err) {
    const r1_gguf *g = s->tensors ? r1_tensors_gguf(s->tensors) : NULL;
    r1_tokenizer *t = NULL;
    r1_status st;

    if (!g)
        return r1_hfdir_copy_extras(s->path, dir, err);
    if (!r1_gguf_find(g, "tokenizer.ggml.model")) {
        r1_info("'%s' has no vocabulary: the result has none either", s->path);
        return R1_OK;
    }
    R1_TRY(r1_tokenizer_open(&t, s->path, err));
    st = r1_tokenizer_save(t, dir, err);
done:
    r1_tokenizer_free(t);
    return st;
}

static r1_status write_hf(source *s, const r1_convert_options *o, const char *dir, r1_err *err) {
    r1_export e = {.layout = &s->layout,
                   .dtypes = s->dtypes,
                   .shard_bytes = (size_t)o->shard_mb * 1000 * 1000,
                   .read = read_units,
                   .ctx = s};
    r1_status st;

    R1_TRY(r1_export_weights(&e, dir, err));
    R1_TRY(write_tokenizer(s, dir, err));
    st = s->tensors && !r1_tensors_gguf(s->tensors)
             ? r1_export_copy_config(s->path, s->main, dir, err)
             : r1_export_config(&s->arch, s->main, dir, err);
done:
    return st;
}

/* xxh3 over the units' xxh3, as common/model/layout.h says; w NULL: of zeros. */
static r1_status checksum(const source *s, const float *w, uint64_t *ret, r1_err *err) {
    const r1_layout *l = &s->layout;
    uint64_t *hashes = NULL;
    float *zeros = NULL;
    size_t most = 1;
    r1_status st;

    R1_TRY(R1_NEW(hashes, l->n_units, err));
    for (uint32_t u = 0; u < l->n_units; u++)
        most = l->units[u].n > most ? l->units[u].n : most;
    R1_TRY(R1_NEW(zeros, most, err));
    if (w)
        r1_layout_hash(l, s->ops, w, 0, l->n_units, hashes);
    for (uint32_t u = 0; u < l->n_units && !w; u++)
        r1_layout_hash(l, s->ops, zeros, u, u + 1, &hashes[u]);
    *ret = r1_hash64(hashes, l->n_units * sizeof *hashes);
done:
    r1_free(zeros);
    r1_free(hashes);
    return st;
}

/* All master weights. */
static r1_status read_all(source *s, float *w, r1_err *err) {
    const r1_layout *l = &s->layout;
    r1_progress progress;
    r1_status st = R1_OK;

    r1_progress_start(&progress, "reading weights", l->n_units);
    for (uint32_t u = 0, end; u < l->n_units; u = end) {
        end = l->n_units - u > UNITS_AT_ONCE ? u + UNITS_AT_ONCE : l->n_units;
        R1_TRY(read_units(s, u, end, w + l->units[u].offset, err));
        r1_progress_update(&progress, end);
    }
done:
    r1_progress_finish(&progress);
    return st;
}

/* One shard with all units; the moments of step 0 are zero and take no room. */
static r1_status write_checkpoint(source *s, const char *dir, r1_err *err) {
    const r1_layout *l = &s->layout;
    r1_ckpt_numbers numbers = {.best = (double)NAN};
    r1_ckpt_texts texts = {.config = "# made by r1-convert: no run stands behind it\n",
                           .numeric_path = "none",
                           .reference = "",
                           .stage = "none"};
    r1_slab slab = {0};
    r1_ckpt_shard shard;
    uint64_t weights, moments[2];
    char tmp[R1_PATH_MAX], *json = NULL;
    r1_status st;

    R1_TRY(r1_slab_open(&slab, l->n_params * sizeof(float), "weights", err));
    float *w = (float *)(void *)slab.base;
    R1_TRY(read_all(s, w, err));
    R1_TRY(checksum(s, w, &weights, err));
    R1_TRY(checksum(s, NULL, &moments[0], err));
    moments[1] = moments[0];
    numbers.weights_checksum = weights;
    numbers.optimizer_checksum = r1_hash64(moments, sizeof moments);
    R1_TRY(r1_ckpt_begin(dir, 0, tmp, sizeof tmp, err));
    R1_TRY(r1_ckpt_write_shard(tmp, 0, l, 0, l->n_units, w, NULL, NULL, &shard, err));
    R1_TRY(write_tokenizer(s, tmp, err));
    R1_TRY(r1_arch_to_json(&s->arch, "float32", &json, err));
    texts.model = json;
    st = r1_ckpt_finish(dir, tmp, l, &shard, 1, &numbers, &texts, err);
done:
    r1_slab_close(&slab);
    r1_free(json);
    return st;
}

static int wants_checkpoint(const r1_convert_options *o) {
    size_t n = strlen(o->out);

    if (strcmp(o->to, "auto") != 0)
        return strcmp(o->to, "checkpoint") == 0;
    while (n > 0 && o->out[n - 1] == '/')
        n--;
    while (n > 0 && o->out[n - 1] != '/')
        n--;
    return strncmp(o->out + n, "step_", 5) == 0;
}

static r1_status check(const r1_convert_options *o, r1_err *err) {
    r1_dtype dtype = R1_F32;
    r1_status st = R1_OK;

    if (!r1_path_exists(o->in))
        return R1_FAIL(err, R1_IO, "'%s' does not exist", o->in);
    if (wants_checkpoint(o) && r1_ckpt_is(o->in))
        return R1_FAIL(err, R1_USAGE, "'%s' is a checkpoint already", o->in);
    if (o->dtype)
        R1_TRY(parse_dtype(o->dtype, &dtype, err));
    if (wants_checkpoint(o) && dtype != R1_F32)
        st = R1_FAIL(err, R1_USAGE, "--dtype %s: a checkpoint holds master weights, F32", o->dtype);
done:
    return st;
}

r1_status r1_convert_run(const r1_convert_options *o, r1_err *err) {
    char tmp[R1_PATH_MAX] = "", made[R1_PATH_MAX];
    int checkpoint = wants_checkpoint(o);
    source s = {0};
    r1_status st;

    R1_TRY(check(o, err));
    R1_TRY(source_open(&s, o, err));
    r1_info("%s: %s, %zu parameters in %u tensors -> %s (%s)", o->in,
            r1_arch_kind_name(s.arch.kind), s.layout.n_params, s.layout.n_tensors, o->out,
            checkpoint ? "checkpoint, F32" : r1_dtype_name(s.main));
    R1_TRY(r1_hfdir_begin(o->out, tmp, sizeof tmp, err));
    if (!checkpoint) {
        R1_TRY(write_hf(&s, o, tmp, err));
        st = r1_hfdir_finish(o->out, tmp, err);
    } else { /* the store makes its own directory, below ours */
        R1_TRY(write_checkpoint(&s, tmp, err));
        R1_TRY(r1_path_format(made, sizeof made, err, "%s/step_000000", tmp));
        R1_TRY(r1_hfdir_finish(o->out, made, err));
        r1_hfdir_drop(tmp);
    }
done:
    if (st != R1_OK)
        r1_hfdir_drop(tmp);
    source_close(&s);
    return st;
}
