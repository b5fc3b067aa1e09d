/* Sampling filters against a brute-force nucleus in double, and stop strings through the engine. */
#include "tests/unit/model_kit.h"

#include "actor/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define V 700

static float logits[V];

static int by_logit(const void *a, const void *b) {
    int x = *(const int *)a, y = *(const int *)b;

    return logits[x] != logits[y] ? (logits[x] > logits[y] ? -1 : 1) : x - y;
}

/* Which tokens may be drawn, from the definition: suppressed ones out, top-k of the rest by (logit,
 * id), of those the shortest list that reaches top_p of their probability. */
static void brute_force(const r1_sampling *p, int suppress, uint8_t keep[V], double prob[V]) {
    int order[V], n = 0;
    double mass = 0, total = 0;

    memset(keep, 0, V);
    for (int v = 0; v < V; v++)
        if (!(suppress && r1_is_stop_id(p, v)))
            order[n++] = v;
    qsort(order, (size_t)n, sizeof *order, by_logit);
    if (p->top_k > 0 && n > p->top_k)
        n = p->top_k;
    for (int i = 0; i < n; i++)
        total += prob[order[i]] =
            exp((double)logits[order[i]] / (double)p->temperature - (double)logits[order[0]]);
    for (int i = 0; i < n && (i == 0 || mass < (double)p->top_p * total * (1 - 1e-6)); i++) {
        mass += prob[order[i]];
        keep[order[i]] = 1;
    }
    for (int v = 0; v < V; v++)
        prob[v] = keep[v] ? prob[v] / mass : 0;
}

static void check_filters(const r1_ops *ops, r1_sampler *s, const r1_sampling *p) {
    float lse, pm[1], ps[1];
    uint8_t keep[V];
    double prob[V];

    ops->logsumexp(ops, logits, V, 1, V, r1_sampling_inv_t(p), &lse, NULL, pm, ps);
    r1_row_stats row = {lse, pm, ps};
    brute_force(p, p->min_new_tokens > 0, keep, prob);
    for (int draw = 0; draw < 300; draw++) {
        r1_rng_key key = {.seed = 1, .index = (uint64_t)draw, .purpose = R1_RNG_SAMPLE};
        double u = (double)r1_rng_unit(&key, 0), below = 0;
        float logp;
        int32_t id = r1_sampler_draw(s, ops, p, &key, 0, logits, V, &row, &logp);
        assert_true(keep[id]);
        for (int v = 0; v < id; v++)
            below += prob[v];
        assert_true(below <= u + 1e-5 && below + prob[id] >= u - 1e-5); /* the inverse CDF */
        if (!(fabs(exp((double)logp) - prob[id]) < 1e-5))
            fail_msg("k %d p %g min %d draw %d id %d: %.9g %.9g", p->top_k, (double)p->top_p,
                     p->min_new_tokens, draw, id, exp((double)logp), prob[id]);
    }
}

static void filters_keep_what_they_define(void **state) {
    static const int top_k[] = {0, 1, 7, 100, V, 2 * V};
    static const float top_p[] = {1, 0.95f, 0.5f, 0.01f};
    r1_rng_key key = {.seed = 9, .purpose = R1_RNG_INIT};
    r1_sampler *s;
    r1_ops *ops;
    r1_err err;

    ASSERT_OK(r1_ops_open(&ops, R1_F32, "auto", 1, &err), &err);
    ASSERT_OK(r1_sampler_new(&s, V, &err), &err);
    for (int shape = 0; shape < 3; shape++) {
        for (int v = 0; v < V; v++) /* normal; two steps, so nearly all mass in the tail; ties */
            logits[v] = shape == 0   ? 2 * (float)r1_rng_normal(&key, (uint32_t)v)
                        : shape == 1 ? (v % 2 ? 0.0f : 1.3863f)
                                     : (float)(v % 5);
        for (int k = 0; k < 6; k++)
            for (int t = 0; t < 4; t++)
                for (int min = 0; min < 2; min++) {
                    r1_sampling p = {.temperature = 1,
                                     .top_k = top_k[k],
                                     .top_p = top_p[t],
                                     .min_new_tokens = min,
                                     .max_new_tokens = 4,
                                     .n_stop_ids = 3,
                                     .stop_ids = {4, 9, 44}};
                    check_filters(ops, s, &p);
                }
    }
    r1_sampler_free(s);
    r1_ops_close(ops);
}

/* A stop token that holds all probability can be suppressed, and greedy takes the lowest of equals. */
static void suppressed_tokens_may_hold_everything(void **state) {
    r1_sampling p = {.top_p = 1, .min_new_tokens = 1, .n_stop_ids = 1, .stop_ids = {0}};
    float lse, pm[1], ps[1], logp;
    r1_rng_key key = {.seed = 1};
    r1_sampler *s;
    r1_ops *ops;
    r1_err err;

    ASSERT_OK(r1_ops_open(&ops, R1_F32, "auto", 1, &err), &err);
    ASSERT_OK(r1_sampler_new(&s, V, &err), &err);
    for (int v = 0; v < V; v++)
        logits[v] = v == 0 ? 200.0f : v == 5 || v == 8 ? 1.0f : -50.0f;
    for (int t = 0; t < 4; t++) {
        p.temperature = t < 2 ? 0.0f : 1.0f;
        p.top_p = t % 2 ? 0.9f : 1.0f;
        ops->logsumexp(ops, logits, V, 1, V, 1, &lse, NULL, pm, ps);
        r1_row_stats row = {lse, pm, ps};
        int32_t id = r1_sampler_draw(s, ops, &p, &key, 0, logits, V, &row, &logp);
        assert_true(t < 2 ? id == 5 : id == 5 || id == 8);
        assert_true(fabsf(logp - logf(0.5f)) < 1e-5f);
    }
    r1_sampler_free(s);
    r1_ops_close(ops);
}

/* ---- stop strings ---- */

/* Token 65 is "A", and so on; 200 is a control token with a name. */
static const char *piece(void *ctx, int32_t id, size_t *ret_len) {
    static char byte[1];

    if (id == 200) {
        *ret_len = 5;
        return "<end>";
    }
    byte[0] = (char)id;
    *ret_len = 1;
    return byte;
}

typedef struct stop_case {
    kit k;
    int32_t prompt[3];
    int32_t ids[40]; /* what the model says when nothing stops it */
} stop_case;

static r1_finished *run(stop_case *c, int n_strings, const char *const *strings, int min_new) {
    r1_engine_options o = {.model = &c->k.model,
                           .max_sequences = 4,
                           .n_blocks = 40,
                           .prefill_rows = 16,
                           .piece = piece};
    r1_request q = {.prompt = c->prompt,
                    .prompt_len = 3,
                    .n = 1,
                    .key = {.seed = 2, .purpose = R1_RNG_SAMPLE},
                    .sampling = {.temperature = 1,
                                 .top_p = 1,
                                 .min_new_tokens = min_new,
                                 .max_new_tokens = 40,
                                 .n_stop_strings = n_strings,
                                 .stop_strings = strings}};
    r1_engine *e;
    r1_err err;

    ASSERT_OK(r1_engine_open(&e, &o, &err), &err);
    ASSERT_OK(r1_engine_submit(e, &q, &err), &err);
    while (r1_engine_pending(e) > 0)
        ASSERT_OK(r1_engine_step(e, c->k.payload, &err), &err);
    r1_finished *f = r1_engine_poll(e);
    assert_non_null(f);
    r1_engine_close(e);
    return f;
}

static void stop_strings_end_a_sample(void **state) {
    stop_case c = {.prompt = {1, 2, 3}};
    r1_arch arch = kit_arch(0);

    assert_true(kit_open(&c.k, &arch, R1_F32, "auto", 1, 64));
    kit_random(&c.k, 3);
    kit_pack(&c.k);
    r1_finished *f = run(&c, 0, NULL, 0);
    memcpy(c.ids, f->samples[0].ids, sizeof c.ids);
    assert_int_equal(f->samples[0].finish, R1_FINISH_LENGTH);
    r1_finished_free(f);
    char across[4] = {(char)c.ids[10], (char)c.ids[11], (char)c.ids[12], 0};
    for (int i = 0; i < 3; i++)
        assert_true(across[i] != 0);
    const char *strings[] = {"never said, and long enough to look far back", across};
    f = run(&c, 2, strings, 0);
    assert_int_equal(f->samples[0].n, 13);
    assert_int_equal(f->samples[0].finish, R1_FINISH_STOP);
    assert_memory_equal(f->samples[0].ids, c.ids, 13 * sizeof *c.ids);
    r1_finished_free(f);
    f = run(&c, 2, strings, 14); /* it was complete before the 14th token, and is not again */
    assert_true(f->samples[0].n >= 14);
    r1_finished_free(f);
    kit_close(&c.k);
}

static void bad_stop_strings_are_refused(void **state) {
    stop_case c = {.prompt = {1, 2, 3}};
    r1_arch arch = kit_arch(0);
    char longest[R1_STOP_STRING_MAX + 2];
    const char *strings[] = {"", longest};
    r1_engine *e;
    r1_err err;

    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    assert_true(kit_open(&c.k, &arch, R1_F32, "auto", 1, 64));
    r1_engine_options o = {
        .model = &c.k.model, .max_sequences = 1, .n_blocks = 9, .prefill_rows = 8, .piece = piece};
    ASSERT_OK(r1_engine_open(&e, &o, &err), &err);
    for (int i = 0; i < 2; i++) {
        r1_request q = {
            .prompt = c.prompt,
            .prompt_len = 3,
            .n = 1,
            .sampling = {
                .top_p = 1, .max_new_tokens = 4, .n_stop_strings = 1, .stop_strings = &strings[i]}};
        ASSERT_FAILS(r1_engine_submit(e, &q, &err), R1_USAGE, &err, "1 to 256");
    }
    r1_engine_close(e);
    kit_close(&c.k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_keep_what_they_define),
        cmocka_unit_test(suppressed_tokens_may_hold_everything),
        cmocka_unit_test(stop_strings_end_a_sample),
        cmocka_unit_test(bad_stop_strings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
