/* A real model, SmolLM2-135M-Instruct out of its GGUF file in $R1_MODELS, against the numbers of
 * $R1_SHARED/golden/smollm2_135m: log-probabilities, greedy continuations through the rollout
 * engine, and six steps of supervised fine-tuning through the learner's runner and optimizer. */
#include "actor/engine.h"
#include "learner/optimizer.h"
#include "learner/runner.h"
#include "tests/golden/golden.h"

#include "common/base/cpu.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROWS = 2048
};

static char model[1024];
static json_t *golden, *curve;
static kit k;

static int32_t *ids_of(const json_t *list, int *ret_n) {
    size_t n = json_array_size(list);
    int32_t *ids = calloc(n + 1, sizeof *ids);

    for (size_t i = 0; i < n; i++)
        ids[i] = (int32_t)json_integer_value(json_array_get(list, i));
    *ret_n = (int)n;
    return ids;
}

static double number(const json_t *o, const char *key) {
    return json_number_value(json_object_get(o, key));
}

static void keep_logp(void *ctx, int item, int member, int token, int n, const float *logp,
                      const float *entropy, float *ret_dlogp, float *ret_dent) {
    memcpy((float *)ctx + token, logp, (size_t)n * sizeof *logp);
}

static void log_probabilities(void **state) {
    r1_runner runner;
    r1_err err;
    double worst = 0;

    ASSERT_OK(r1_runner_open(&runner, &k.model, ROWS, 8, 0, 0, &err), &err);
    for (size_t c = 0; c < json_array_size(golden); c++) {
        const json_t *want = json_object_get(json_array_get(golden, c), "logprobs");
        int n, len;
        int32_t *ids = ids_of(json_object_get(json_array_get(golden, c), "ids"), &n);
        const int32_t *rest = ids + 1;
        float *logp = calloc((size_t)n, sizeof *logp);
        len = n - 1;
        r1_item item = {.prompt = ids, .prompt_len = 1, .n = 1, .ids = &rest, .lens = &len};
        r1_piece piece = {0, 0, 1};
        r1_runner_score(&runner, k.payload, &item, &piece, 1, 1.0f, keep_logp, logp);
        assert_int_equal(json_array_size(want), len);
        for (int i = 0; i < len; i++)
            worst = golden_worst(
                worst, fabs((double)logp[i] - json_number_value(json_array_get(want, (size_t)i))));
        free(ids);
        free(logp);
    }
    print_message("  log-probabilities  %.2e (allowed 2e-4)\n", worst);
    assert_true(worst <= 2e-4);
    r1_runner_close(&runner);
}

static void greedy_continuations(void **state) {
    r1_engine_options o = {
        .model = &k.model, .max_sequences = 8, .n_blocks = 64, .prefill_rows = 64};
    r1_engine *e;
    r1_finished *f;
    r1_err err;
    int done = 0;

    ASSERT_OK(r1_engine_open(&e, &o, &err), &err);
    for (size_t c = 0; c < json_array_size(golden); c++) {
        int n;
        int32_t *ids = ids_of(json_object_get(json_array_get(golden, c), "ids"), &n);
        r1_request r = {.tag = c,
                        .prompt = ids,
                        .prompt_len = n,
                        .n = 1,
                        .sampling = {.temperature = 0, .top_p = 1, .max_new_tokens = 48}};
        ASSERT_OK(r1_engine_submit(e, &r, &err), &err);
        free(ids);
    }
    while (r1_engine_pending(e) > 0) {
        ASSERT_OK(r1_engine_step(e, k.payload, &err), &err);
        while ((f = r1_engine_poll(e)) != NULL) {
            int n;
            int32_t *want =
                ids_of(json_object_get(json_array_get(golden, (size_t)f->tag), "greedy_ids"), &n);
            assert_int_equal(f->samples[0].n, n);
            assert_memory_equal(f->samples[0].ids, want, (size_t)n * sizeof *want);
            free(want);
            r1_finished_free(f);
            done++;
        }
    }
    assert_int_equal(done, (int)json_array_size(golden));
    r1_engine_close(e);
}

/* ---- the on-policy ratio: rollouts against the learner's forward, bit by bit ---- */

enum {
    SAMPLES = 8,
    NEW = 48
};

typedef struct agreement {
    const r1_finished *f;
    long tokens, different;
} agreement;

static void compare_bits(void *ctx, int item, int member, int token, int n, const float *logp,
                         const float *entropy, float *ret_dlogp, float *ret_dent) {
    agreement *a = ctx;

    for (int i = 0; i < n; i++) {
        a->different += memcmp(&logp[i], &a->f->samples[member].logp[token + i], sizeof *logp) != 0;
        if (ret_dlogp)
            ret_dlogp[i] = 0.01f;
    }
    a->tokens += n;
}

/* The learner's forward on a group; with its gradient where there is room for one. */
static void score_group(r1_runner *runner, const r1_finished *f, float *grad, agreement *a) {
    const int32_t *ids[SAMPLES];
    int lens[SAMPLES], order[1] = {0}, pos = 0, member = 0, n;
    r1_piece pieces[1];

    if (!f) {
        fail_msg("a prompt was not finished");
        return;
    }
    for (int i = 0; i < f->n; i++) {
        ids[i] = f->samples[i].ids;
        lens[i] = f->samples[i].n;
    }
    r1_item item = {
        .prompt = f->prompt, .prompt_len = f->prompt_len, .n = f->n, .ids = ids, .lens = lens};
    a->f = f;
    while ((n = r1_pack_next(&item, order, 1, 300, &pos, &member, pieces, 1)) > 0) {
        if (grad)
            r1_runner_grad(runner, k.payload, &item, pieces, n, 1.0f, compare_bits, a, grad);
        else
            r1_runner_score(runner, k.payload, &item, pieces, n, 1.0f, compare_bits, a);
    }
}

/* One rollout of all cases; groups [n] in order of their case.  Returns evictions. */
static uint64_t roll(int max_sequences, int n_blocks, int prefill_rows, r1_finished **groups) {
    r1_engine_options o = {.model = &k.model,
                           .max_sequences = max_sequences,
                           .n_blocks = n_blocks,
                           .prefill_rows = prefill_rows};
    r1_finished *f;
    r1_engine *e;
    r1_err err;

    ASSERT_OK(r1_engine_open(&e, &o, &err), &err);
    for (size_t c = 0; c < json_array_size(golden); c++) {
        int n;
        int32_t *ids = ids_of(json_object_get(json_array_get(golden, c), "ids"), &n);
        r1_request r = {.tag = c,
                        .prompt = ids,
                        .prompt_len = n,
                        .n = SAMPLES,
                        .key = {.seed = 9, .index = c, .purpose = R1_RNG_SAMPLE},
                        .sampling = {.temperature = 1, .top_p = 1, .max_new_tokens = NEW}};
        ASSERT_OK(r1_engine_submit(e, &r, &err), &err);
        free(ids);
    }
    while (r1_engine_pending(e) > 0)
        ASSERT_OK(r1_engine_step(e, k.payload, &err), &err);
    while ((f = r1_engine_poll(e)) != NULL)
        groups[f->tag] = f;
    uint64_t evictions = r1_engine_get_stats(e).evictions;
    r1_engine_close(e);
    return evictions;
}

/* Everything at once, then a pool and chunks so small that samples lose their blocks; both against
 * the learner's forward, in the end with a gradient and every layer recomputed. */
static void ratio_is_exactly_one(void **state) {
    r1_finished *groups[2][16] = {{NULL}};
    size_t n = json_array_size(golden);
    agreement a = {0};
    r1_runner runner;
    r1_err err;

    assert_true(n <= 16);
    roll(48, 200, 40, groups[0]);
    assert_true(roll(20, 30, 33, groups[1]) > 0);
    ASSERT_OK(r1_runner_open(&runner, &k.model, ROWS, SAMPLES, 0, 0, &err), &err);
    for (int r = 0; r < 2; r++)
        for (size_t c = 0; c < n; c++)
            score_group(&runner, groups[r][c], NULL, &a);
    r1_runner_close(&runner);
    float *grad = calloc(k.model.layout.n_params, sizeof *grad);
    ASSERT_OK(r1_runner_open(&runner, &k.model, ROWS, SAMPLES, 1, 1, &err), &err);
    score_group(&runner, groups[1][0], grad, &a);
    print_message("  %ld tokens, %s, path %s\n", a.tokens, r1_dtype_name(k.ops->dtype),
                  k.ops->path);
    assert_int_equal(a.tokens, (2 * n + 1) * SAMPLES * NEW);
    assert_int_equal(a.different, 0);
    /* One bit of a weight that every token uses, and it fails. */
    int up = k.model.layout.layers[3].up;
    k.payload[k.model.layout.tensors[up].payload + r1_dtype_bytes(k.ops->dtype) - 1] ^= 0x01;
    score_group(&runner, groups[1][0], grad, &a);
    assert_true(a.different > 0);
    k.payload[k.model.layout.tensors[up].payload + r1_dtype_bytes(k.ops->dtype) - 1] ^= 0x01;
    r1_runner_close(&runner);
    free(grad);
    for (size_t c = 0; c < 2 * n; c++)
        r1_finished_free(groups[c / n][c % n]);
}

typedef struct nll {
    double sum, tokens;
} nll;

static void nll_fn(void *ctx, int item, int member, int token, int n, const float *logp,
                   const float *entropy, float *ret_dlogp, float *ret_dent) {
    nll *s = ctx;

    for (int i = 0; i < n; i++) {
        s->sum -= (double)logp[i];
        ret_dlogp[i] = (float)(-1.0 / s->tokens);
    }
}

/* One batch of the curve: its gradient and loss. */
static double sft_gradient(r1_runner *runner, const json_t *examples, int first, int count,
                           double tokens, float *grad) {
    r1_item items[8];
    int32_t *prompts[8], *completions[8];
    int order[8], lens[8], pos = 0, member = 0, n;
    r1_piece pieces[8];
    nll loss = {0, tokens};

    for (int i = 0; i < count; i++) {
        const json_t *e = json_array_get(examples, (size_t)(first + i));
        int prompt_len;
        prompts[i] = ids_of(json_object_get(e, "prompt_ids"), &prompt_len);
        completions[i] = ids_of(json_object_get(e, "completion_ids"), &lens[i]);
        items[i] = (r1_item){.prompt = prompts[i],
                             .prompt_len = prompt_len,
                             .n = 1,
                             .ids = (const int32_t *const *)&completions[i],
                             .lens = &lens[i]};
        order[i] = i;
    }
    while ((n = r1_pack_next(items, order, count, ROWS, &pos, &member, pieces, 8)) > 0)
        r1_runner_grad(runner, k.payload, items, pieces, n, 1.0f, nll_fn, &loss, grad);
    for (int i = 0; i < count; i++) {
        free(prompts[i]);
        free(completions[i]);
    }
    return loss.sum / tokens;
}

static void fine_tuning_curve(void **state) {
    const json_t *steps = json_object_get(curve, "curve");
    const json_t *examples = json_object_get(curve, "examples");
    int batch = (int)number(curve, "batch");
    const r1_layout *l = &k.model.layout;
    float *grad = calloc(l->n_params, sizeof *grad);
    double *squares = calloc(l->n_units, sizeof *squares), worst = 0, worst_norm = 0;
    r1_runner runner;
    r1_shard shard;
    r1_err err;

    assert_true(batch <= 8);
    ASSERT_OK(r1_runner_open(&runner, &k.model, ROWS, 8, 1, 1, &err), &err);
    ASSERT_OK(r1_shard_open(&shard, l, 1, 0, &err), &err);
    memcpy(shard.w, k.w, l->n_params * sizeof *shard.w);
    for (size_t s = 0; s < json_array_size(steps); s++) {
        const json_t *want = json_array_get(steps, s);
        double sum = 0;
        memset(grad, 0, l->n_params * sizeof *grad);
        double loss =
            sft_gradient(&runner, examples, (int)s * batch, batch, number(want, "tokens"), grad);
        r1_shard_sumsq(&shard, k.ops, grad, squares);
        for (uint32_t u = 0; u < l->n_units; u++)
            sum += squares[u];
        double norm = sqrt(sum), t = (double)(s + 1);
        worst = golden_worst(worst, fabs(loss - number(want, "loss")));
        worst_norm = golden_worst(worst_norm, fabs(norm / number(want, "grad_norm") - 1));
        r1_adamw p = {.lr = (float)number(curve, "lr"),
                      .beta1 = 0.9f,
                      .beta2 = 0.95f,
                      .eps = (float)number(curve, "eps"),
                      .weight_decay = (float)number(curve, "weight_decay"),
                      .bias1 = (float)(1 - pow(0.9, t)),
                      .bias2 = (float)(1 - pow(0.95, t)),
                      .grad_scale = (float)fmin(1.0, 1.0 / (norm + 1e-6))};
        r1_shard_step(&shard, k.ops, grad, &p);
        r1_layout_pack(l, k.ops, shard.w, 0, l->n_units, k.payload);
    }
    print_message("  loss of six steps  %.2e (allowed 1e-3), gradient norm %.2e (1e-3)\n", worst,
                  worst_norm);
    assert_true(worst <= 1e-3 && worst_norm <= 1e-3);
    free(grad);
    free(squares);
    r1_shard_close(&shard);
    r1_runner_close(&runner);
}

/* A value of a file of R1_SHARED that is not empty; NULL where that is unset. */
static json_t *load(const char *below, const char *key) {
    const char *path = golden_path("R1_SHARED", below);
    json_error_t why;

    if (!path)
        return NULL;
    json_t *all = json_load_file(path, 0, &why);
    json_t *value = all && key ? json_object_get(all, key) : all;
    if (!json_array_size(value) && !json_object_size(value)) {
        print_error("%s: %s is missing or empty: %s\n", path, key ? key : "all", why.text);
        exit(1);
    }
    json_incref(value);
    json_decref(all);
    return value;
}

int main(int argc, char **argv) {
    int narrow = argc > 1 && strcmp(argv[1], "bf16") == 0; /* the ratio only */
    const struct CMUnitTest ratio[] = {cmocka_unit_test(ratio_is_exactly_one)};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_probabilities), cmocka_unit_test(greedy_continuations),
        cmocka_unit_test(ratio_is_exactly_one),
        cmocka_unit_test(fine_tuning_curve), /* last: it changes the weights */
    };
    const char *path = golden_path("R1_MODELS", "SmolLM2-135M-Instruct.Q4_1.gguf");

    if (!path)
        return GOLDEN_SKIPPED;
    snprintf(model, sizeof model, "%s", path);
    golden = load("golden/smollm2_135m/golden.json", "cases");
    curve = load("golden/smollm2_135m/sft_curve.json", NULL);
    if (!golden || !curve)
        return GOLDEN_SKIPPED;
    int threads = r1_cpu_cores(); /* before each is bound to one */
    r1_threads_pin(0, 1, threads);
    golden_open(&k, model, model, narrow ? R1_BF16 : R1_F32, "auto", threads, ROWS);
    int failed = narrow ? cmocka_run_group_tests(ratio, NULL, NULL)
                        : cmocka_run_group_tests(tests, NULL, NULL);
    kit_close(&k);
    json_decref(golden);
    json_decref(curve);
    return failed;
}
