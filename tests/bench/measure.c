/* The measurements of r1-bench; see measure.h. */
#include "tests/bench/measure.h"

#include "actor/engine.h"
#include "common/base/clock.h"
#include "common/base/cpu.h"
#include "common/base/file.h"
#include "common/wire/trajectory.h"
#include "learner/optimizer.h"
#include "learner/runner.h"
#include "tests/bench/disk.h"
#include "tests/bench/peak.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *x, int n) {
    qsort(x, (size_t)n, sizeof *x, ascending);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

/* ---- the model ---- */

static r1_status shape_arch(r1_arch *a, const char *shape, r1_err *err) {
    *a = (r1_arch){.kind = R1_ARCH_LLAMA,
                   .max_positions = 8192,
                   .norm_eps = 1e-5f,
                   .tied = 1,
                   .rope_theta = 100000,
                   .rope_factor = 1,
                   .init_std = 0.02,
                   .bos_id = -1};
    if (strcmp(shape, "135m") == 0) {
        a->vocab_size = 49152, a->hidden_size = 576, a->layers = 30, a->heads = 9;
        a->kv_heads = 3, a->head_dim = 64, a->intermediate_size = 1536;
    } else if (strcmp(shape, "tiny") == 0) {
        a->vocab_size = 261, a->hidden_size = 128, a->layers = 4, a->heads = 4;
        a->kv_heads = 2, a->head_dim = 32, a->intermediate_size = 384;
    } else {
        return R1_FAIL(err, R1_USAGE, "--shape %s: 135m or tiny", shape);
    }
    return R1_OK;
}

/* All master weights of a model on disk. */
static r1_status load_weights(const bench_model *m, const char *path, float *w, r1_err *err) {
    const r1_layout *l = &m->model.layout;
    r1_tensors *t = NULL;
    r1_ckpt *c = NULL;
    r1_status st;

    if (!r1_ckpt_is(path)) {
        R1_TRY(r1_tensors_open(&t, path, err));
        st = r1_layout_load(l, t, 0, l->n_units, w, err);
        r1_tensors_close(t);
        return st;
    }
    R1_TRY(R1_NEW(c, 1, err));
    R1_TRY(r1_ckpt_open_model(c, path, err));
    st = r1_ckpt_read(c, l, m->ops, 0, l->n_units, w, NULL, NULL, err);
    r1_ckpt_close(c);
done:
    r1_free(c);
    return st;
}

r1_status bench_model_open(bench_model *m, const bench_options *o, int max_len, r1_err *err) {
    int threads = o->threads > 0 ? o->threads : r1_cpu_cores();
    r1_dtype dtype = strcmp(o->dtype, "fp32") == 0 ? R1_F32 : R1_BF16;
    r1_status st;

    *m = (bench_model){0};
    r1_threads_pin(0, 1, threads);
    snprintf(m->name, sizeof m->name, "%s", o->model ? "file" : o->shape);
    R1_TRY(o->model ? r1_arch_open(&m->arch, o->model, err) : shape_arch(&m->arch, o->shape, err));
    R1_TRY(r1_ops_open(&m->ops, dtype, "auto", threads, err));
    R1_TRY(r1_model_open(&m->model, &m->arch, m->ops, max_len, err));
    const r1_layout *l = &m->model.layout;
    size_t bytes = l->n_params * sizeof(float);
    R1_TRY(r1_slab_open(&m->master, bytes > BENCH_READ_BYTES ? bytes : BENCH_READ_BYTES,
                        "master weights", err));
    R1_TRY(r1_slab_open(&m->payload, l->payload_bytes, "weights", err));
    memset(m->master.base, 0, BENCH_READ_BYTES);
    m->peak_gflops = bench_peak_gflops(m->ops);
    m->read_gbs = bench_read_gbs(threads, m->master.base);
    float *w = (float *)(void *)m->master.base;
    if (o->model)
        R1_TRY(load_weights(m, o->model, w, err));
    else
        r1_layout_init(l, m->arch.init_std, 1, 0, l->n_units, w);
    r1_layout_pack(l, m->ops, w, 0, l->n_units, m->payload.base);
done:
    if (st != R1_OK)
        bench_model_close(m);
    return st;
}

void bench_model_close(bench_model *m) {
    r1_model_close(&m->model);
    if (m->ops)
        r1_ops_close(m->ops);
    r1_slab_close(&m->master);
    r1_slab_close(&m->payload);
    *m = (bench_model){0};
}

static void head(const char *what, const bench_model *m) {
    printf("{\"what\": \"%s\", \"model\": \"%s\", \"path\": \"%s\", \"dtype\": \"%s\", "
           "\"threads\": %d, ",
           what, m->name, m->ops->path, m->ops->dtype == R1_BF16 ? "bf16" : "fp32",
           m->ops->threads);
}

static void tail(const bench_model *m) {
    printf("\"peak_gflops\": %.1f, \"read_gbs\": %.1f}\n", m->peak_gflops, m->read_gbs);
    fflush(stdout);
}

/* Multiply-adds of the matrices a token goes through, times two; the head too. */
static double matrix_flop(const bench_model *m) {
    double n = 0;

    for (uint32_t t = 0; t < m->model.layout.n_tensors; t++)
        if (m->model.layout.tensors[t].is_matrix)
            n += (double)m->model.layout.tensors[t].rows * m->model.layout.tensors[t].cols;
    return 2 * n;
}

/* ---- decode and prefill ---- */

static r1_status submit_all(const bench_options *o, const bench_model *m, r1_engine *e, int new,
                            r1_err *err) {
    int32_t *prompt;
    r1_rng_key key = {.seed = 3, .purpose = R1_RNG_TASK};
    r1_status st = R1_NEW(prompt, (size_t)o->context, err);

    for (int s = 0; s < o->batch && st == R1_OK; s++) {
        for (int i = 0; i < o->context; i++)
            prompt[i] = (int32_t)r1_rng_below(&key, (uint32_t)(s * o->context + i),
                                              (uint32_t)m->arch.vocab_size);
        r1_request r = {.tag = (uint64_t)s,
                        .prompt = prompt,
                        .prompt_len = o->context,
                        .n = 1,
                        .key = {.seed = 1, .index = (uint64_t)s, .purpose = R1_RNG_GENERATE},
                        .sampling = {.temperature = 1, .top_p = 1, .max_new_tokens = new}};
        st = r1_engine_submit(e, &r, err);
    }
    r1_free(prompt);
    return st;
}

static void drain(r1_engine *e) {
    for (r1_finished *f; (f = r1_engine_poll(e));)
        r1_finished_free(f);
}

/* One run: seconds until every sequence has its first token, and from there to the end. */
static r1_status generate(const bench_options *o, const bench_model *m, int new, double *ret_first,
                          double *ret_rest, uint64_t *ret_tokens, uint64_t *ret_steps,
                          r1_err *err) {
    int per = (o->context + new) / R1_KV_BLOCK + 2;
    r1_engine_options eo = {.model = &m->model,
                            .max_sequences = o->batch,
                            .n_blocks = o->batch * per,
                            .prefill_rows = 512};
    r1_engine *e = NULL;
    r1_status st;

    R1_TRY(r1_engine_open(&e, &eo, err));
    R1_TRY(submit_all(o, m, e, new, err));
    uint64_t prefill = (uint64_t)o->batch * (uint64_t)o->context;
    double t0 = r1_now_s();
    while (r1_engine_pending(e) > 0 && r1_engine_get_stats(e).rows < prefill)
        R1_TRY(r1_engine_step(e, m->payload.base, err));
    double t1 = r1_now_s();
    uint64_t before = r1_engine_get_stats(e).decoded;
    while (r1_engine_pending(e) > 0)
        R1_TRY(r1_engine_step(e, m->payload.base, err));
    *ret_steps = r1_engine_get_stats(e).steps;
    *ret_first = t1 - t0;
    *ret_rest = r1_now_s() - t1;
    *ret_tokens = r1_engine_get_stats(e).decoded - before;
    drain(e);
done:
    r1_engine_close(e);
    return st;
}

r1_status bench_decode(const bench_options *o, r1_err *err) {
    double rate[64], first, rest;
    uint64_t tokens, steps = 0;
    bench_model m;
    r1_status st;

    R1_TRY(bench_model_open(&m, o, o->context + o->new_tokens + 1, err));
    for (int r = 0; r < o->reps; r++) {
        R1_TRY(generate(o, &m, o->new_tokens, &first, &rest, &tokens, &steps, err));
        rate[r] = (double)tokens / rest;
    }
    double x = median(rate, o->reps);
    head("decode", &m);
    printf("\"batch\": %d, \"context\": %d, \"new_tokens\": %d, \"tokens_per_s\": %.1f, "
           "\"gflops\": %.1f, \"weights_gbs\": %.2f, ",
           o->batch, o->context, o->new_tokens, x, x * matrix_flop(&m) * 1e-9,
           x / o->batch * (double)m.model.layout.payload_bytes * 1e-9);
    tail(&m);
    bench_model_close(&m);
done:
    return st;
}

r1_status bench_prefill(const bench_options *o, r1_err *err) {
    double rate[64], first, rest;
    uint64_t tokens, steps = 0;
    bench_model m;
    r1_status st;

    R1_TRY(bench_model_open(&m, o, o->context + 2, err));
    for (int r = 0; r < o->reps; r++) {
        R1_TRY(generate(o, &m, 1, &first, &rest, &tokens, &steps, err));
        rate[r] = (double)o->batch * o->context / (first + rest);
    }
    double x = median(rate, o->reps);
    head("prefill", &m);
    printf("\"batch\": %d, \"context\": %d, \"tokens_per_s\": %.1f, \"gflops\": %.1f, "
           "\"weights_gbs\": %.2f, ",
           o->batch, o->context, x, x * matrix_flop(&m) * 1e-9,
           x / o->batch / o->context * (double)steps * (double)m.model.layout.payload_bytes * 1e-9);
    tail(&m);
    bench_model_close(&m);
done:
    return st;
}

/* ---- training ---- */

static void nll(void *ctx, int item, int member, int token, int n, const float *logp,
                const float *entropy, float *ret_dlogp, float *ret_dent) {
    for (int i = 0; i < n; i++)
        ret_dlogp[i] = -*(const float *)ctx;
}

typedef struct training {
    r1_runner runner;
    r1_shard shard;
    r1_slab grad;
    int32_t *ids;
    const int32_t **rest;
    int *lens;
    r1_item *items;
    r1_piece *pieces;
    double *squares;
} training;

static r1_status open_training(training *t, const bench_options *o, const bench_model *m,
                               r1_err *err) {
    const r1_layout *l = &m->model.layout;
    size_t n = (size_t)o->sequences, len = (size_t)o->length;
    r1_rng_key key = {.seed = 4, .purpose = R1_RNG_TASK};
    r1_status st;

    *t = (training){0};
    R1_TRY(r1_runner_open(&t->runner, &m->model, o->sequences * o->length, o->sequences, 1,
                          o->recompute, err));
    R1_TRY(r1_shard_open(&t->shard, l, 1, 0, err));
    R1_TRY(r1_slab_open(&t->grad, l->n_params * sizeof(float), "gradient", err));
    R1_TRY(R1_NEW(t->ids, n * (len + 1), err));
    R1_TRY(R1_NEW(t->rest, n, err));
    R1_TRY(R1_NEW(t->lens, n, err));
    R1_TRY(R1_NEW(t->items, n, err));
    R1_TRY(R1_NEW(t->pieces, n, err));
    R1_TRY(R1_NEW(t->squares, l->n_units, err));
    memcpy(t->shard.w, m->master.base, l->n_params * sizeof(float));
    for (size_t i = 0; i < n * (len + 1); i++)
        t->ids[i] = (int32_t)r1_rng_below(&key, (uint32_t)i, (uint32_t)m->arch.vocab_size);
    for (size_t i = 0; i < n; i++) {
        int32_t *ids = t->ids + i * (len + 1);
        t->rest[i] = ids + 1;
        t->lens[i] = (int)len;
        t->items[i] = (r1_item){ids, 1, 1, &t->rest[i], &t->lens[i]};
        t->pieces[i] = (r1_piece){(int)i, 0, 1};
    }
done:
    return st;
}

static void close_training(training *t) {
    r1_runner_close(&t->runner);
    r1_shard_close(&t->shard);
    r1_slab_close(&t->grad);
    r1_free(t->ids);
    r1_free(t->rest);
    r1_free(t->lens);
    r1_free(t->items);
    r1_free(t->pieces);
    r1_free(t->squares);
}

static void train_step(training *t, const bench_options *o, const bench_model *m) {
    const r1_layout *l = &m->model.layout;
    float *grad = (float *)(void *)t->grad.base;
    float weight = 1.0f / (float)(o->sequences * o->length);
    r1_adamw p = {.lr = 1e-5f,
                  .beta1 = 0.9f,
                  .beta2 = 0.95f,
                  .eps = 1e-8f,
                  .bias1 = 0.1f,
                  .bias2 = 0.05f,
                  .grad_scale = 1.0f};

    memset(grad, 0, l->n_params * sizeof *grad);
    r1_runner_grad(&t->runner, m->payload.base, t->items, t->pieces, o->sequences, 1.0f, nll,
                   &weight, grad);
    r1_shard_sumsq(&t->shard, m->ops, grad, t->squares);
    r1_shard_step(&t->shard, m->ops, grad, &p);
    r1_layout_pack(l, m->ops, t->shard.w, 0, l->n_units, m->payload.base);
}

/* What has to pass between memory and cores in a step at least: packed weights in forward and
 * backward and written anew, the gradient, and AdamW's reads and writes. */
static double step_bytes(const bench_model *m) {
    const r1_layout *l = &m->model.layout;

    return 3.0 * (double)l->payload_bytes + (1 + 4 + 3) * (double)l->n_params * sizeof(float);
}

r1_status bench_train(const bench_options *o, r1_err *err) {
    double rate[64];
    bench_model m;
    training t = {0};
    r1_status st;

    R1_TRY(bench_model_open(&m, o, o->length + 1, err));
    R1_TRY(open_training(&t, o, &m, err));
    for (int r = -1; r < o->reps; r++) { /* the first one touches the memory */
        double t0 = r1_now_s();
        train_step(&t, o, &m);
        if (r >= 0)
            rate[r] = (double)o->sequences * o->length / (r1_now_s() - t0);
    }
    double x = median(rate, o->reps);
    head("train", &m);
    printf("\"sequences\": %d, \"length\": %d, \"recompute\": %d, \"tokens_per_s\": %.1f, "
           "\"gflops\": %.1f, \"weights_gbs\": %.2f, ",
           o->sequences, o->length, o->recompute, x, 3 * x * matrix_flop(&m) * 1e-9,
           x / o->sequences / o->length * step_bytes(&m) * 1e-9);
    tail(&m);
    bench_model_close(&m);
done:
    close_training(&t);
    return st;
}

/* ---- weights, wire, checkpoint ---- */

r1_status bench_weights(const bench_options *o, r1_err *err) {
    double seconds[64];
    bench_model m;
    r1_status st;

    R1_TRY(bench_model_open(&m, o, 64, err));
    const r1_layout *l = &m.model.layout;
    for (int r = 0; r < o->reps; r++) {
        double t0 = r1_now_s();
        r1_layout_pack(l, m.ops, (const float *)(const void *)m.master.base, 0, l->n_units,
                       m.payload.base);
        seconds[r] = r1_now_s() - t0;
    }
    double x = median(seconds, o->reps);
    head("weights", &m);
    printf("\"bytes\": %zu, \"pack_s\": %.6f, \"gbs\": %.2f, ", l->payload_bytes, x,
           ((double)l->payload_bytes + (double)l->n_params * sizeof(float)) / x * 1e-9);
    tail(&m);
    bench_model_close(&m);
done:
    return st;
}

r1_status bench_wire(const bench_options *o, r1_err *err) {
    r1_wire_limits limits = {o->context, o->new_tokens, o->batch, 1 << 20};
    double out_s[64], in_s[64];
    r1_group g = {0}, back;
    r1_slab memory = {0};
    r1_buf buf;
    r1_status st;

    r1_buf_init(&buf, (size_t)1 << 30);
    R1_TRY(r1_group_alloc(&g, o->context, o->batch, err));
    for (int i = 0; i < o->batch; i++) {
        R1_TRY(r1_trajectory_alloc(&g.t[i], o->new_tokens, err));
        for (int k = 0; k < o->new_tokens; k++) {
            g.t[i].ids[k] = (i * 7919 + k * 31) & 0xffff;
            g.t[i].logp[k] = -0.25f;
        }
    }
    for (int r = 0; r < o->reps; r++) {
        r1_buf_clear(&buf);
        double t0 = r1_now_s();
        R1_TRY(r1_group_encode(&g, &buf, err));
        double t1 = r1_now_s();
        R1_TRY(r1_group_decode(buf.data, buf.len, &limits, &back, err));
        in_s[r] = r1_now_s() - t1;
        out_s[r] = t1 - t0;
        r1_group_done(&back);
    }
    R1_TRY(r1_slab_open(&memory, BENCH_READ_BYTES, "memory to read", err));
    memset(memory.base, 0, BENCH_READ_BYTES);
    double tokens = (double)o->batch * o->new_tokens, bytes = (double)buf.len;
    double to_wire = median(out_s, o->reps), from_wire = median(in_s, o->reps);
    printf("{\"what\": \"wire\", \"threads\": 1, \"samples\": %d, \"tokens\": %d, \"bytes\": %zu, "
           "\"encode_tokens_per_s\": %.0f, \"encode_gbs\": %.3f, \"decode_tokens_per_s\": %.0f, "
           "\"decode_gbs\": %.3f, \"read_gbs\": %.1f}\n",
           o->batch, o->new_tokens, buf.len, tokens / to_wire, bytes / to_wire * 1e-9,
           tokens / from_wire, bytes / from_wire * 1e-9, bench_read_gbs(1, memory.base));
done:
    r1_group_done(&g);
    r1_slab_close(&memory);
    r1_buf_done(&buf);
    return st;
}

static r1_status write_and_read(const char *dir, const bench_model *m, r1_shard *s,
                                double *ret_write, double *ret_read, r1_err *err) {
    char tmp[R1_PATH_MAX], path[R1_PATH_MAX];
    r1_ckpt_numbers numbers = {0};
    r1_ckpt_texts texts = {"", "{}", m->ops->path, "", "bench"};
    r1_ckpt_shard shard;
    r1_ckpt *c = NULL;
    uint32_t n = m->model.layout.n_units;
    r1_status st;

    double t0 = r1_now_s();
    R1_TRY(r1_ckpt_begin(dir, 0, tmp, sizeof tmp, err));
    R1_TRY(r1_ckpt_write_shard(tmp, 0, &m->model.layout, 0, n, s->w, s->m, s->v, &shard, err));
    R1_TRY(r1_ckpt_finish(dir, tmp, &m->model.layout, &shard, 1, &numbers, &texts, err));
    double t1 = r1_now_s();
    R1_TRY(r1_path_format(path, sizeof path, err, "%s/step_000000", dir));
    R1_TRY(R1_NEW(c, 1, err));
    bench_drop_cache(path);
    double t2 = r1_now_s();
    R1_TRY(r1_ckpt_open(c, path, err));
    st = r1_ckpt_read(c, &m->model.layout, m->ops, 0, n, s->w, s->m, s->v, err);
    r1_ckpt_close(c);
    *ret_write = t1 - t0;
    *ret_read = r1_now_s() - t2;
    if (st == R1_OK)
        st = r1_dir_remove(path, err);
done:
    r1_free(c);
    return st;
}

/* A new directory below `parent`, the only place where files are made and removed. */
static r1_status own_dir(const char *parent, char *ret, size_t size, r1_err *err) {
    char path[R1_PATH_MAX];
    r1_status st;

    R1_TRY(r1_path_format(path, sizeof path, err, "%s/r1-bench.XXXXXX", parent));
    if (!mkdtemp(path))
        return R1_FAIL(err, R1_IO, "cannot create a directory in '%s': %s", parent,
                       strerror(errno));
    st = r1_path_format(ret, size, err, "%s", path);
done:
    return st;
}

r1_status bench_checkpoint(const bench_options *o, r1_err *err) {
    double write_s[64], read_s[64], disk_write[64], disk_read[64];
    char dir[R1_PATH_MAX] = "";
    bench_model m = {0};
    r1_shard s = {0};
    r1_status st;

    R1_TRY(own_dir(o->dir, dir, sizeof dir, err));
    R1_TRY(bench_model_open(&m, o, 64, err));
    R1_TRY(r1_shard_open(&s, &m.model.layout, 1, 0, err));
    memcpy(s.w, m.master.base, m.model.layout.n_params * sizeof(float));
    double bytes = 3.0 * (double)m.model.layout.n_params * sizeof(float);
    for (int r = 0; r < o->reps; r++) { /* in turn: a shared disk has its moods */
        R1_TRY(write_and_read(dir, &m, &s, &write_s[r], &read_s[r], err));
        R1_TRY(bench_disk(dir, m.master.base, m.master.bytes, (size_t)bytes, &disk_write[r],
                          &disk_read[r], err));
    }
    double w = median(write_s, o->reps), r = median(read_s, o->reps);
    head("checkpoint", &m);
    printf("\"bytes\": %.0f, \"write_s\": %.3f, \"write_gbs\": %.3f, \"read_s\": %.3f, "
           "\"read_gbs_checkpoint\": %.3f, \"disk_write_gbs\": %.3f, \"disk_read_gbs\": %.3f, ",
           bytes, w, bytes / w * 1e-9, r, bytes / r * 1e-9, median(disk_write, o->reps),
           median(disk_read, o->reps));
    tail(&m);
done:
    r1_shard_close(&s);
    bench_model_close(&m);
    if (*dir) {
        r1_status removed = r1_dir_remove(dir, st == R1_OK ? err : NULL);
        st = st == R1_OK ? removed : st;
    }
    return st;
}
