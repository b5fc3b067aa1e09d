/* Gradients of the whole model: against central differences of its own loss (loose: everything runs
 * in fp32; the exact comparison is with other software's numbers in tests/golden), and of groups that
 * share their prompt against the same sequences on their own. */
#include "tests/unit/model_kit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMBERS 3

static kit_batch batch;
static float dlogp[2 * KIT_MAX_ROWS], dent[2 * KIT_MAX_ROWS];

/* One prompt of p tokens with three continuations; shared: its rows once, else once a member.  The
 * order of the out entries is the same. */
static void group_batch(kit *k, int p, int shared) {
    int32_t prompt[80], ids[MEMBERS][50];
    static kit_seq seqs[MEMBERS + 1];
    int full = p / R1_KV_BLOCK, prompt_row = 0;

    r1_kv_reset(&k->kv);
    memset(seqs, 0, sizeof seqs);
    kit_batch_begin(&batch);
    kit_ids(prompt, p, k->model.arch.vocab_size, 1);
    if (shared) {
        kit_grow(k, &seqs[MEMBERS], p);
        prompt_row = kit_batch_add(&batch, &seqs[MEMBERS], prompt, p, 0);
    }
    for (int m = 0; m < MEMBERS; m++) {
        int n = 1 + 16 * m, row;
        kit_ids(ids[m], n + 1, k->model.arch.vocab_size, 10 + (uint64_t)m);
        if (shared) {
            seqs[m].len = full * R1_KV_BLOCK;
            memcpy(seqs[m].table, seqs[MEMBERS].table, (size_t)full * sizeof(int32_t));
            kit_grow(k, &seqs[m], p + n);
            row = kit_batch_add_member(&batch, &seqs[m], ids[m], n, prompt_row, p);
        } else {
            int32_t all[130];
            memcpy(all, prompt, (size_t)p * sizeof *all);
            memcpy(all + p, ids[m], (size_t)n * sizeof *all);
            kit_grow(k, &seqs[m], p + n);
            prompt_row = kit_batch_add(&batch, &seqs[m], all, p + n, 0);
            row = prompt_row + p;
        }
        kit_batch_out(&batch, prompt_row + p - 1, ids[m][0]);
        for (int i = 0; i < n; i++)
            kit_batch_out(&batch, row + i, ids[m][i + 1]);
    }
    for (int i = 0; i < batch.b.n_out; i++) {
        dlogp[i] = 0.25f + (float)(i % 7 - 3) * 0.125f;
        dent[i] = (float)(i % 5 - 2) * 0.0625f;
    }
}

static double loss_at(kit *k, size_t offset, size_t n, const float *direction, float step) {
    static float logp[2 * KIT_MAX_ROWS], entropy[2 * KIT_MAX_ROWS];
    float *saved = malloc(n * sizeof *saved);
    double sum = 0;

    memcpy(saved, k->w + offset, n * sizeof *saved);
    for (size_t i = 0; i < n; i++)
        k->w[offset + i] += step * direction[i];
    kit_pack(k);
    kit_run(k, &batch, 0, NULL, logp, entropy);
    for (int i = 0; i < batch.b.n_out; i++)
        sum += (double)dlogp[i] * (double)logp[i] + (double)dent[i] * (double)entropy[i];
    memcpy(k->w + offset, saved, n * sizeof *saved);
    free(saved);
    return sum;
}

/* Along each tensor's own gradient g the slope is |g|. */
static void central_differences(void **state) {
    for (int which = 0; which < KIT_N_ARCHS; which++) {
        r1_arch arch = kit_arch(which);
        kit k;

        assert_true(kit_open(&k, &arch, R1_F32, "auto", 1, 1000));
        kit_random(&k, 8);
        group_batch(&k, 37, 1);
        const r1_layout *l = &k.model.layout;
        float *grad = calloc(l->n_params, sizeof *grad);
        kit_backward(&k, &batch, 1, dlogp, dent, grad);
        for (uint32_t t = 0; t < l->n_tensors; t++) {
            const r1_tensor *x = &l->tensors[t];
            size_t n = (size_t)x->rows * (size_t)x->cols;
            double g2 = k.ops->sumsq(k.ops, grad + x->offset, n), norm = sqrt(g2);
            float step = (float)(0.02 / g2); /* the loss moves by 0.02 either way */
            assert_true(norm > 0);
            double up = loss_at(&k, x->offset, n, grad + x->offset, step);
            double down = loss_at(&k, x->offset, n, grad + x->offset, -step);
            double slope = (up - down) / (2 * (double)step) / g2;
            if (fabs(slope - 1) > 0.01)
                fail_msg("%s, %s: slope along the gradient is %.4f of its norm",
                         r1_arch_kind_name(arch.kind), x->name, slope);
        }
        free(grad);
        kit_close(&k);
    }
}

static void shared_prompt(r1_dtype dtype, double bound) {
    static const int lengths[] = {1, 31, 32, 37, 64, 71};

    for (int which = 0; which < KIT_N_ARCHS; which++) {
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            r1_arch arch = kit_arch(which);
            kit k;
            assert_true(kit_open(&k, &arch, dtype, "auto", 2, 1000));
            kit_random(&k, 8);
            const r1_layout *l = &k.model.layout;
            float *a = calloc(l->n_params, sizeof *a), *b = calloc(l->n_params, sizeof *b);
            group_batch(&k, lengths[i], 1);
            double shared = kit_backward(&k, &batch, 1, dlogp, dent, a);
            group_batch(&k, lengths[i], 0);
            double apart = kit_backward(&k, &batch, 1, dlogp, dent, b);
            assert_true(shared == apart); /* the forward is the same to the bit */
            for (uint32_t t = 0; t < l->n_tensors; t++) {
                const r1_tensor *x = &l->tensors[t];
                double rel =
                    kit_rel(a + x->offset, b + x->offset, (size_t)x->rows * (size_t)x->cols);
                if (!(rel <= bound))
                    fail_msg("%s, prompt of %d, %s: gradients apart by %.2e",
                             r1_arch_kind_name(arch.kind), lengths[i], x->name, rel);
            }
            free(a);
            free(b);
            kit_close(&k);
        }
    }
}

static void shared_prompt_f32(void **state) {
    shared_prompt(R1_F32, 1e-5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(central_differences),
        cmocka_unit_test(shared_prompt_f32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
