/* See golden.h. */
#include "tests/golden/golden.h"

#include "common/base/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static kit_batch batch;

const char *golden_path(const char *root, const char *below) {
    static char path[R1_PATH_MAX];
    const char *base = getenv(root);

    if (!base)
        return NULL;
    if (snprintf(path, sizeof path, "%s/%s", base, below) < (int)sizeof path &&
        r1_path_exists(path))
        return path;
    print_error("%s is %s, but %s is not there\n", root, base, below);
    exit(1);
}

double golden_worst(double worst, double distance) {
    return isnan(worst) || distance <= worst ? worst : distance;
}

float *golden_read(const r1_tensors *t, const char *name, size_t *ret_n) {
    const r1_tensor_entry *e = r1_tensors_find(t, name);

    if (!e) {
        fail_msg("no golden tensor '%s' in %s", name, r1_tensors_path(t));
        abort(); /* not reached: cmocka has jumped, which compilers do not know */
    }
    float *x = malloc((e->n ? e->n : 1) * sizeof *x);
    r1_tensors_read(e, 0, e->n, x);
    if (ret_n)
        *ret_n = e->n;
    return x;
}

void golden_open(kit *k, const char *dir, const char *weights, r1_dtype dtype, const char *path,
                 int threads, int rows) {
    r1_tensors *src = NULL;
    r1_arch arch;
    r1_err err;

    ASSERT_OK(r1_arch_open(&arch, dir, &err), &err);
    assert_true(kit_open(k, &arch, dtype, path, threads, rows));
    ASSERT_OK(r1_tensors_open(&src, weights ? weights : dir, &err), &err);
    ASSERT_OK(r1_layout_load(&k->model.layout, src, 0, k->model.layout.n_units, k->w, &err), &err);
    r1_tensors_close(src);
    kit_pack(k);
}

/* The golden numbers of a directory and its batch: every row of every sequence is an out row (the
 * last one, which predicts nothing, has target 0 and weight 0). */
typedef struct golden {
    r1_tensors *t;
    int rows, len; /* B, T */
    int32_t *ids;  /* [B, T] */
    float *mask;   /* [B, T] */
    float *dlogp;  /* [B * T] of loss = -mean over mask[:, 1:] */
    double count;
} golden;

static void load(golden *g, const char *dir) {
    char path[R1_PATH_MAX];
    r1_err err;
    size_t n;

    snprintf(path, sizeof path, "%s/golden.safetensors", dir);
    ASSERT_OK(r1_tensors_open(&g->t, path, &err), &err);
    const r1_tensor_entry *e = r1_tensors_find(g->t, "input_ids");
    g->rows = (int)e->dims[0];
    g->len = (int)e->dims[1];
    float *ids = golden_read(g->t, "input_ids", &n);
    g->mask = golden_read(g->t, "mask", NULL);
    g->ids = malloc(n * sizeof *g->ids);
    g->dlogp = calloc(n, sizeof *g->dlogp);
    g->count = 0;
    for (size_t i = 0; i < n; i++) {
        g->ids[i] = (int32_t)ids[i];
        g->count += i % (size_t)g->len ? (double)g->mask[i] : 0;
    }
    for (int i = 0; i < (int)n; i++)
        if ((i + 1) % g->len)
            g->dlogp[i] = (float)(-(double)g->mask[i + 1] / g->count);
    free(ids);
}

static void unload(golden *g) {
    r1_tensors_close(g->t);
    free(g->ids);
    free(g->mask);
    free(g->dlogp);
}

static void build_batch(kit *k, const golden *g, kit_seq *seqs) {
    r1_kv_reset(&k->kv);
    kit_batch_begin(&batch);
    for (int r = 0; r < g->rows; r++) {
        const int32_t *ids = g->ids + r * g->len;
        seqs[r] = (kit_seq){0};
        kit_grow(k, &seqs[r], g->len);
        int row = kit_batch_add(&batch, &seqs[r], ids, g->len, 0);
        for (int i = 0; i < g->len; i++)
            kit_batch_out(&batch, row + i, i + 1 < g->len ? ids[i + 1] : 0);
    }
}

static void check(const char *what, const char *dir, double have, double bound) {
    if (!(have <= bound))
        fail_msg("%s: %s: off by %.3e, allowed %.1e", dir, what, have, bound);
    print_message("  %-28s %.2e (allowed %.0e)\n", what, have, bound);
}

/* Largest |a - b| over largest |b|. */
static double rel_max(const float *a, const float *b, size_t n) {
    double diff = 0, top = 0;

    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - (double)b[i]);
        diff = d > diff || isnan(d) ? d : diff;
        top = fmax(top, fabs((double)b[i]));
    }
    return diff / top;
}

static void check_logits(kit *k, const golden *g, const char *dir, const golden_bounds *bound) {
    int v = k->model.arch.vocab_size, ld = r1_logits_ld(&k->model), n = batch.b.n_out;
    size_t bytes = (size_t)k->model.arch.hidden_size * r1_dtype_bytes(k->ops->dtype);
    float *want = golden_read(g->t, "logits", NULL), *logp = calloc((size_t)n, sizeof *logp);
    float *want_logp = golden_read(g->t, "logprobs", NULL);
    float *logits = calloc((size_t)n * (size_t)ld, sizeof *logits);
    float *have = calloc((size_t)n * (size_t)v, sizeof *have);
    uint8_t *hidden = calloc((size_t)n, bytes);
    double worst = 0;

    kit_run(k, &batch, 0, hidden, logp, NULL);
    r1_head_logits(&k->model, k->payload, hidden, n, logits);
    for (int r = 0; r < n; r++)
        memcpy(have + (size_t)r * (size_t)v, logits + (size_t)r * (size_t)ld,
               (size_t)v * sizeof *have);
    check("logits", dir, rel_max(have, want, (size_t)n * (size_t)v), bound->logits);
    for (int r = 0; r < g->rows; r++)
        for (int i = 0; i + 1 < g->len; i++)
            worst = golden_worst(worst, fabs((double)logp[r * g->len + i] -
                                             (double)want_logp[r * (g->len - 1) + i]));
    check("log-probabilities", dir, worst, bound->logprobs);
    free(want);
    free(want_logp);
    free(logp);
    free(logits);
    free(have);
    free(hidden);
}

static void check_tensors(const kit *k, const golden *g, const char *dir, const char *prefix,
                          const float *have, double bound) {
    const r1_layout *l = &k->model.layout;
    double worst = 0;

    for (uint32_t t = 0; t < l->n_tensors; t++) {
        char name[160];
        size_t n;
        snprintf(name, sizeof name, "%s%s", prefix, l->tensors[t].name);
        float *want = golden_read(g->t, name, &n);
        assert_int_equal(n, (size_t)l->tensors[t].rows * (size_t)l->tensors[t].cols);
        double rel = kit_rel(have + l->tensors[t].offset, want, n);
        if (!(rel <= bound))
            fail_msg("%s: %s: off by %.3e of its norm, allowed %.1e", dir, name, rel, bound);
        worst = golden_worst(worst, rel);
        free(want);
    }
    check(prefix, dir, worst, bound);
}

void golden_forward_backward(const char *dir, const char *weights, r1_dtype dtype, const char *path,
                             const golden_bounds *bound) {
    kit_seq seqs[16];
    golden g;
    kit k;

    load(&g, dir);
    golden_open(&k, dir, weights, dtype, path, 1, g.rows * g.len);
    print_message("%s, %s, %s\n", dir, k.ops->path, r1_dtype_name(dtype));
    float *grad = calloc(k.model.layout.n_params, sizeof *grad);
    float *loss = golden_read(g.t, "loss", NULL);
    build_batch(&k, &g, seqs);
    check_logits(&k, &g, dir, bound);
    double have = kit_backward(&k, &batch, 1, g.dlogp, NULL, grad);
    check("loss", dir, fabs(have - (double)*loss) / (double)*loss, bound->loss);
    check_tensors(&k, &g, dir, "grad.", grad, bound->grads);
    free(grad);
    free(loss);
    kit_close(&k);
    unload(&g);
}

void golden_train(const char *dir, const char *path, int warmup, const golden_bounds *bound) {
    kit_seq seqs[16];
    golden g;
    kit k;
    size_t steps;

    load(&g, dir);
    golden_open(&k, dir, NULL, R1_F32, path, 1, g.rows * g.len);
    const r1_layout *l = &k.model.layout;
    float *losses = golden_read(g.t, "train.loss", &steps);
    float *norms = golden_read(g.t, "train.grad_norm", NULL);
    float *grad = calloc(l->n_params, sizeof *grad), *m1 = calloc(l->n_params, sizeof *m1);
    float *m2 = calloc(l->n_params, sizeof *m2);
    double worst_loss = 0, worst_norm = 0;

    build_batch(&k, &g, seqs);
    for (size_t s = 0; s < steps; s++) {
        memset(grad, 0, l->n_params * sizeof *grad);
        kit_pack(&k);
        double loss = kit_backward(&k, &batch, 1, g.dlogp, NULL, grad);
        double norm = sqrt(k.ops->sumsq(k.ops, grad, l->n_params));
        worst_loss = golden_worst(worst_loss, fabs(loss / (double)losses[s] - 1));
        worst_norm = golden_worst(worst_norm, fabs(norm / (double)norms[s] - 1));
        double lr = 1e-3 * fmin(1.0, (double)(s + 1) / warmup);
        for (uint32_t t = 0; t < l->n_tensors; t++) {
            const r1_tensor *x = &l->tensors[t];
            r1_adamw p = {.lr = (float)lr,
                          .beta1 = 0.9f,
                          .beta2 = 0.95f,
                          .eps = 1e-8f,
                          .weight_decay = x->is_matrix ? 0.1f : 0.0f,
                          .bias1 = (float)(1 - pow(0.9, (double)(s + 1))),
                          .bias2 = (float)(1 - pow(0.95, (double)(s + 1))),
                          .grad_scale = (float)fmin(1.0, 1.0 / (norm + 1e-6))};
            k.ops->adamw(k.ops, k.w + x->offset, m1 + x->offset, m2 + x->offset, grad + x->offset,
                         (size_t)x->rows * (size_t)x->cols, &p);
        }
    }
    print_message("%s, training\n", dir);
    check("curve of the loss", dir, worst_loss, bound->curve);
    check("curve of the gradient norm", dir, worst_norm, bound->curve);
    check_tensors(&k, &g, dir, "after.", k.w, bound->curve);
    free(losses);
    free(norms);
    free(grad);
    free(m1);
    free(m2);
    kit_close(&k);
    unload(&g);
}

void golden_greedy(const char *dir, const char *weights, const char *path, int prompt_len) {
    kit_seq seqs[16] = {0};
    int32_t next[16];
    golden g;
    kit k;

    load(&g, dir);
    golden_open(&k, dir, weights, R1_F32, path, 1, g.rows * g.len);
    size_t bytes = (size_t)k.model.arch.hidden_size * r1_dtype_bytes(k.ops->dtype);
    uint8_t *hidden = calloc(16, bytes);
    float *logits = calloc((size_t)16 * (size_t)r1_logits_ld(&k.model), sizeof *logits);
    size_t total;
    float *want = golden_read(g.t, "greedy", &total);
    int steps = (int)total / g.rows;

    for (int s = 0; s < steps; s++) {
        kit_batch_begin(&batch);
        for (int r = 0; r < g.rows; r++) {
            int n = s ? 1 : prompt_len, pos = s ? prompt_len + s - 1 : 0;
            kit_grow(&k, &seqs[r], pos + n);
            int row = kit_batch_add(&batch, &seqs[r], s ? &next[r] : g.ids + r * g.len, n, pos);
            kit_batch_out(&batch, row + n - 1, 0);
        }
        kit_run(&k, &batch, 0, hidden, NULL, NULL);
        r1_head_logits(&k.model, k.payload, hidden, g.rows, logits);
        for (int r = 0; r < g.rows; r++) {
            next[r] = k.ops->argmax(k.ops, logits + (size_t)r * (size_t)r1_logits_ld(&k.model),
                                    k.model.arch.vocab_size);
            if (next[r] != (int32_t)want[r * steps + s])
                fail_msg("%s: greedy token %d of row %d is %d, not %d", dir, s, r, next[r],
                         (int)want[r * steps + s]);
        }
    }
    free(hidden);
    free(logits);
    free(want);
    kit_close(&k);
    unload(&g);
}
