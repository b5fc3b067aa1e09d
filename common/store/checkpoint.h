#ifndef R1_STORE_CHECKPOINT_H
#define R1_STORE_CHECKPOINT_H
/* Checkpoints: a directory that is complete or not there.
 *
 *   checkpoints/step_000400/
 *     shard_0000.h5 ...   one file a learner: /w /m /v, the elements of its units one after another
 *                         (the flat space of common/model/layout.h), and /hash/{w,m,v}, xxh3 per unit
 *     checkpoint.h5       virtual datasets over the shards: /model/<name> in Hugging Face shape,
 *                         /optimizer/{m,v}/<name>; /train, /rng, /data: numbers; /config: texts.
 *                         For h5dump, h5py and people; our reader opens the shards.
 *     config.json, tokenizer files     so that the directory is a model like any other
 *     manifest            size and hash of every file, and of the reference policy that is named
 *   checkpoints/reference_000400.h5    the KL reference as compute-dtype weights, written once when
 *                         it is replaced, and kept while a checkpoint names it
 *
 * Writing: r1_ckpt_begin (one rank), r1_ckpt_write_shard (every learner, at the same time),
 * agreement of all (the caller's), r1_ckpt_finish (one rank): manifest, fsync, rename, fsync.  A
 * directory without a valid manifest is no checkpoint.  Shards are cut at units, so any number of
 * learners can read what any other number wrote.  No MPI here; one caller at a time in a process.
 *
 * Hashes find damage, not malice: whoever makes manifest and HDF5 files that agree decides what
 * libhdf5 parses, so checkpoints are to be taken from people that one trusts. */
#include "common/model/layout.h"

#define R1_CKPT_FORMAT     2 /* the only one that is read */
#define R1_CKPT_SHARDS_MAX 1024
#define R1_CKPT_NAME       48

typedef uint64_t r1_ckpt_hash; /* 16 hex digits in the file, as metrics and summaries print it */

/* What a run must know to go on: X(type, name, group in checkpoint.h5, unit). */
#define R1_CKPT_NUMBERS(X)                             \
    X(int64_t, step, "train", "1")                     \
    X(int64_t, stage, "train", "1")                    \
    X(int64_t, stage_step, "train", "1")               \
    X(int64_t, updates, "train", "1")                  \
    X(int64_t, stage_updates, "train", "1")            \
    X(int64_t, adam_t, "train", "1")                   \
    X(int64_t, weights_version, "train", "1")          \
    X(int64_t, reference_update, "train", "1")         \
    X(int64_t, best_step, "train", "1")                \
    X(double, best, "train", "1")                      \
    X(double, wall_s, "train", "s")                    \
    X(int64_t, metrics_offset, "train", "bytes")       \
    X(int64_t, events_offset, "train", "bytes")        \
    X(r1_ckpt_hash, weights_checksum, "train", NULL)   \
    X(r1_ckpt_hash, optimizer_checksum, "train", NULL) \
    X(int64_t, seed, "rng", "1")                       \
    X(int64_t, deals, "data", "prompts")

typedef struct r1_ckpt_numbers {
#define X(type, name, group, unit) type name;
    R1_CKPT_NUMBERS(X)
#undef X
} r1_ckpt_numbers;

/* Texts in /config; they belong to whoever filled them in. */
typedef struct r1_ckpt_texts {
    const char *config;       /* resolved configuration, YAML */
    const char *model;        /* config.json */
    const char *numeric_path; /* of the kernels, e.g. "avx512_bf16" */
    const char *reference;    /* file in the parent directory; "": none */
    const char *stage;        /* name of the stage */
    const char *inputs;       /* fingerprints of model, tokenizer and data; NULL: none */
} r1_ckpt_texts;

/* One shard as its learner wrote it. */
typedef struct r1_ckpt_shard {
    uint32_t u0, u1;
    uint64_t bytes, hash; /* of the file */
} r1_ckpt_shard;

/* Path of the directory that is being written; left-overs of an earlier attempt are removed. */
R1_MUST_USE r1_status r1_ckpt_begin(const char *dir, int64_t step, char *ret_tmp, size_t size,
                                    r1_err *err);
/* The same path on the other ranks. */
R1_MUST_USE r1_status r1_ckpt_tmp(const char *dir, int64_t step, char *ret_tmp, size_t size,
                                  r1_err *err);
/* Units [u0, u1): w, m, v point at the first one's first element; m and v NULL: zero moments, which
 * take no room.  What it returns has been read back from the file.  Uses a thread of its own. */
R1_MUST_USE r1_status r1_ckpt_write_shard(const char *tmp, int index, const r1_layout *l,
                                          uint32_t u0, uint32_t u1, const float *w, const float *m,
                                          const float *v, r1_ckpt_shard *ret, r1_err *err);
/* After all shards are there.  Other files that lie in tmp become part of it. */
R1_MUST_USE r1_status r1_ckpt_finish(const char *dir, const char *tmp, const r1_layout *l,
                                     const r1_ckpt_shard *shards, int n_shards,
                                     const r1_ckpt_numbers *numbers, const r1_ckpt_texts *texts,
                                     r1_err *err);

/* The KL reference: a payload with its hash, under the name that r1_ckpt_reference_name gives.  A
 * file that holds it already is left alone, any other of that name is replaced. */
void r1_ckpt_reference_name(int64_t update, char name[R1_CKPT_NAME]);
R1_MUST_USE r1_status r1_ckpt_write_reference(const char *dir, int64_t update, const void *payload,
                                              size_t bytes, r1_err *err);
R1_MUST_USE r1_status r1_ckpt_read_reference(const char *path, void *payload, size_t bytes,
                                             r1_err *err);

/* ---- reading ---- */

typedef struct r1_ckpt {
    char path[1024];
    int n_shards;
    r1_ckpt_shard shards[R1_CKPT_SHARDS_MAX];
    r1_ckpt_numbers numbers;
    char *config, *model, *numeric_path, *reference, *stage, *inputs; /* owned */
} r1_ckpt;

/* Open a checkpoint directory: manifest, sizes, contents of all files but shards and references,
 * numbers, texts.  Damage is R1_DATA and named. */
R1_MUST_USE r1_status r1_ckpt_open(r1_ckpt *c, const char *path, r1_err *err);
/* As a model: the KL reference beside it need not be there. */
R1_MUST_USE r1_status r1_ckpt_open_model(r1_ckpt *c, const char *path, r1_err *err);
void r1_ckpt_close(r1_ckpt *c);

/* Units [u0, u1) into w, m, v (any may be NULL), each checked against its hash: a damaged one is
 * R1_DATA and named by tensor and file. */
R1_MUST_USE r1_status r1_ckpt_read(const r1_ckpt *c, const r1_layout *l, const r1_ops *ops,
                                   uint32_t u0, uint32_t u1, float *w, float *m, float *v,
                                   r1_err *err);
/* Every file against the manifest, byte for byte.  Damaged data is R1_DATA and named by tensor and
 * file, anything else by file. */
R1_MUST_USE r1_status r1_ckpt_verify(const char *path, r1_err *err);

/* Is this directory one of ours (has a manifest)? */
int r1_ckpt_is(const char *path);

/* The newest checkpoint below dir of a step below `before` whose files are as its manifest says (but
 * for the contents of shards and reference, which are checked as they are read); those that are not
 * are reported through r1_warn and passed over.  *ret_step = -1 when dir holds no
 * directory step_N at all; when it holds some, but none that can be used, that is R1_DATA. */
R1_MUST_USE r1_status r1_ckpt_newest(const char *dir, int64_t before, char *ret_path, size_t size,
                                     int64_t *ret_step, r1_err *err);
/* Directories step_N, complete or not. */
R1_MUST_USE r1_status r1_ckpt_count(const char *dir, int *ret, r1_err *err);

/* A run that goes on behind `step` makes the later ones anew: rename them to step_N.asideI, which
 * nothing here takes for a checkpoint of the run. */
R1_MUST_USE r1_status r1_ckpt_set_aside(const char *dir, int64_t step, r1_err *err);
/* Remove what interrupted or failed saves left.  Nobody may be writing. */
R1_MUST_USE r1_status r1_ckpt_sweep(const char *dir, r1_err *err);

/* Remove checkpoints that are not among the newest keep_last, not multiples of keep_every (<= 0:
 * none are) and not pinned, then references that no directory names any more.  Damaged ones (by
 * manifest and sizes) do not count and are left; what they may name is left too. */
R1_MUST_USE r1_status r1_ckpt_prune(const char *dir, int keep_last, int keep_every,
                                    const int64_t *pinned, int n_pinned, r1_err *err);

#endif
