/* The promise that training and rollouts rest on: the hidden state and the log-probability of a token
 * are the same bits whatever batch it was computed in, and gradients do not depend on threads or on
 * recomputation.  Everything here compares with ==. */
#include "tests/unit/model_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEN 77

/* One sequence computed whole: what every other way must reproduce. */
typedef struct reference {
    int32_t ids[LEN + 1];
    uint8_t hidden[LEN * 72 * 4];
    float logp[LEN], entropy[LEN];
} reference;

static kit_batch batch;
static reference want;

static size_t row_bytes(const kit *k) {
    return (size_t)k->model.arch.hidden_size * r1_dtype_bytes(k->ops->dtype);
}

static void whole(kit *k, const int32_t *ids, int len, int mode, uint8_t *hidden, float *logp,
                  float *entropy) {
    kit_seq s = {0};

    kit_grow(k, &s, len);
    kit_batch_begin(&batch);
    kit_batch_add(&batch, &s, ids, len, 0);
    for (int i = 0; i < len; i++)
        kit_batch_out(&batch, i, ids[i + 1]);
    kit_run(k, &batch, mode, hidden, logp, entropy);
    kit_drop(k, &s);
}

/* Out entries 0 .. n of the last batch are positions pos .. pos + n of the reference. */
static void same(const kit *k, const char *what, const uint8_t *hidden, const float *logp,
                 const float *entropy, int n, int pos) {
    size_t b = row_bytes(k);

    for (int i = 0; i < n; i++) {
        if (memcmp(hidden + (size_t)i * b, want.hidden + (size_t)(pos + i) * b, b) != 0)
            fail_msg("%s, path %s, %s, %s: hidden state at position %d differs", what, k->ops->path,
                     r1_dtype_name(k->ops->dtype), r1_arch_kind_name(k->model.arch.kind), pos + i);
        if (memcmp(&logp[i], &want.logp[pos + i], 4) != 0 ||
            (entropy && memcmp(&entropy[i], &want.entropy[pos + i], 4) != 0))
            fail_msg("%s, path %s, %s: log-probability at position %d: %a, not %a", what,
                     k->ops->path, r1_dtype_name(k->ops->dtype), pos + i, (double)logp[i],
                     (double)want.logp[pos + i]);
    }
}

/* The reference's positions in pieces of these sizes (the last size repeats). */
static void in_pieces(kit *k, const char *what, const int *sizes, int n_sizes) {
    uint8_t hidden[sizeof want.hidden];
    float logp[LEN], entropy[LEN];
    kit_seq s = {0};

    for (int pos = 0, i = 0; pos < LEN; i++) {
        int n = sizes[i < n_sizes ? i : n_sizes - 1];
        n = n < LEN - pos ? n : LEN - pos;
        kit_grow(k, &s, pos + n);
        kit_batch_begin(&batch);
        kit_batch_add(&batch, &s, want.ids + pos, n, pos);
        for (int r = 0; r < n; r++)
            kit_batch_out(&batch, r, want.ids[pos + r + 1]);
        kit_run(k, &batch, 0, hidden, logp, entropy);
        same(k, what, hidden, logp, entropy, n, pos);
        pos += n;
    }
    kit_drop(k, &s);
}

/* The last position of the reference among others-1 sequences of other lengths, decoded and
 * prefilled in one batch, at a row in the middle. */
static void among_others(kit *k, int others) {
    static uint8_t hidden[sizeof want.hidden];
    float logp[LEN], entropy[LEN];
    int32_t ids[128];
    kit_seq seqs[64] = {0};

    kit_grow(k, &seqs[0], LEN);
    kit_batch_begin(&batch);
    kit_batch_add(&batch, &seqs[0], want.ids, LEN - 1, 0);
    kit_run(k, &batch, 0, NULL, NULL, NULL);
    kit_batch_begin(&batch);
    for (int i = 0; i < others; i++) {
        int n = i == others / 2 ? 1 : 1 + (i * 7) % 40;
        if (i == others / 2) {
            int row = kit_batch_add(&batch, &seqs[0], want.ids + LEN - 1, 1, LEN - 1);
            kit_batch_out(&batch, row, want.ids[LEN]);
            continue;
        }
        kit_seq *s = &seqs[i < others / 2 ? i + 1 : i];
        kit_grow(k, s, n);
        kit_ids(ids, n, k->model.arch.vocab_size, 1000 + (uint64_t)i);
        kit_batch_add(&batch, s, ids, n, 0);
    }
    kit_run(k, &batch, 0, hidden, logp, entropy);
    same(k, "among others", hidden, logp, entropy, 1, LEN - 1);
    for (int i = 0; i < 64; i++)
        kit_drop(k, &seqs[i]);
}

/* A prompt of p positions computed once, three members of which the second is the reference; in one
 * batch (the forward fills the members' tail blocks) and prefilled first, then copied and decoded. */
static void as_group(kit *k, int p, int mode) {
    static uint8_t hidden[4 * sizeof want.hidden];
    static float logp[4 * LEN], entropy[4 * LEN];
    kit_seq prompt = {0}, members[3];
    int32_t other[LEN];
    int prompt_row, row, full = p / R1_KV_BLOCK;

    kit_grow(k, &prompt, p);
    kit_ids(other, LEN, k->model.arch.vocab_size, 77);
    for (int m = 0; m < 3; m++) {
        members[m] = (kit_seq){.len = full * R1_KV_BLOCK};
        memcpy(members[m].table, prompt.table, (size_t)full * sizeof(int32_t));
        kit_grow(k, &members[m], LEN);
    }
    kit_batch_begin(&batch);
    prompt_row = kit_batch_add(&batch, &prompt, want.ids, p, 0);
    for (int m = 0; m < 3; m++) {
        int n = m == 1 ? LEN - p : m == 0 ? 9 : 33;
        row = kit_batch_add_member(&batch, &members[m], m == 1 ? want.ids + p : other, n,
                                   prompt_row, p);
        kit_batch_out(&batch, prompt_row + p - 1, want.ids[p]);
        for (int i = 0; i < n && m == 1; i++)
            kit_batch_out(&batch, row + i, want.ids[p + i + 1]);
    }
    kit_run(k, &batch, mode, hidden, logp, entropy);
    same(k, "group: prompt's last row", hidden, logp, entropy, 1, p - 1);
    same(k, "group: member", hidden + row_bytes(k), logp + 1, entropy + 1, LEN - p + 1, p - 1);
    same(k, "group: prompt's last row again", hidden + (size_t)(LEN - p + 2) * row_bytes(k),
         logp + LEN - p + 2, entropy + LEN - p + 2, 1, p - 1);
    for (int m = 0; m < 3; m++)
        for (int b = full; b * R1_KV_BLOCK < LEN; b++)
            r1_kv_give(&k->kv, members[m].table[b]);

    kit_seq fork = {.len = full * R1_KV_BLOCK};
    memcpy(fork.table, prompt.table, (size_t)full * sizeof(int32_t));
    kit_grow(k, &fork, LEN);
    if (p % R1_KV_BLOCK)
        r1_kv_copy_tail(&k->kv, prompt.table[full], fork.table[full], p % R1_KV_BLOCK);
    for (int pos = p; pos < LEN; pos++) {
        kit_batch_begin(&batch);
        kit_batch_add(&batch, &fork, want.ids + pos, 1, pos);
        kit_batch_out(&batch, 0, want.ids[pos + 1]);
        kit_run(k, &batch, 0, hidden, logp, entropy);
        same(k, "decode behind a copied tail", hidden, logp, entropy, 1, pos);
    }
    for (int b = full; b * R1_KV_BLOCK < LEN; b++)
        r1_kv_give(&k->kv, fork.table[b]);
    kit_drop(k, &prompt);
}

/* All ways of computing the reference, with this number of threads. */
static void all_ways(kit *k) {
    static const int one[] = {1}, ragged[] = {5, 27, 1, 30, 3}, inside[] = {20, 11, 33};
    static const int boundary[] = {32, 32, 13}, big[] = {31, 2, 44};
    uint8_t hidden[sizeof want.hidden];
    float logp[LEN], entropy[LEN];
    int all_free = k->kv.n_free;

    for (int mode = 0; mode <= 2; mode++) {
        whole(k, want.ids, LEN, mode, hidden, logp, entropy);
        same(k, "whole sequence", hidden, logp, entropy, LEN, 0);
    }
    in_pieces(k, "token by token", one, 1);
    in_pieces(k, "ragged pieces", ragged, 5);
    in_pieces(k, "pieces inside blocks", inside, 3);
    in_pieces(k, "pieces at boundaries", boundary, 3);
    in_pieces(k, "pieces across boundaries", big, 3);
    for (int others = 1; others <= 64; others += others < 8 ? 1 : 14)
        among_others(k, others);
    for (int mode = 0; mode <= 2; mode++) {
        as_group(k, 45, mode);
        as_group(k, 32, mode);
        as_group(k, 7, mode);
        as_group(k, 64, mode);
    }
    assert_int_equal(k->kv.n_free, all_free);
}

static void forward_on_path(const char *path, r1_dtype dtype) {
    for (int which = 0; which < KIT_N_ARCHS; which++) {
        r1_arch arch = kit_arch(which);
        for (int threads = 1; threads <= 3; threads++) {
            kit k;
            assert_true(kit_open(&k, &arch, dtype, path, threads, 2000));
            kit_random(&k, 5);
            if (threads == 1) {
                kit_ids(want.ids, LEN + 1, arch.vocab_size, 3);
                whole(&k, want.ids, LEN, 0, want.hidden, want.logp, want.entropy);
            }
            all_ways(&k);
            kit_close(&k);
        }
    }
}

static void forward_is_invariant(void **state) {
    kit_each_path(forward_on_path);
}

/* Two groups of three and a single sequence; a prompt's last row has one entry a member. */
static void grad_batch(kit *k, kit_seq *seqs) {
    int32_t prompt[70], ids[50];
    int n_seq = 0;

    kit_batch_begin(&batch);
    for (int g = 0; g < 2; g++) {
        int p = g ? 32 : 45, full = p / R1_KV_BLOCK;
        kit_seq *shared = &seqs[n_seq++];
        kit_ids(prompt, p, k->model.arch.vocab_size, 40 + (uint64_t)g);
        kit_grow(k, shared, p);
        int row = kit_batch_add(&batch, shared, prompt, p, 0);
        for (int m = 0; m < 3; m++) {
            kit_seq *s = &seqs[n_seq++];
            int n = 11 + 13 * m;
            kit_ids(ids, n + 1, k->model.arch.vocab_size, 50 + (uint64_t)(10 * g + m));
            s->len = full * R1_KV_BLOCK;
            memcpy(s->table, shared->table, (size_t)full * sizeof(int32_t));
            kit_grow(k, s, p + n);
            int own = kit_batch_add_member(&batch, s, ids, n, row, p);
            kit_batch_out(&batch, row + p - 1, ids[0]);
            for (int i = 0; i < n; i++)
                kit_batch_out(&batch, own + i, ids[i + 1]);
        }
    }
    kit_seq *s = &seqs[n_seq++];
    kit_ids(prompt, 40, k->model.arch.vocab_size, 90);
    kit_grow(k, s, 39);
    int row = kit_batch_add(&batch, s, prompt, 39, 0);
    for (int i = 0; i < 39; i++)
        kit_batch_out(&batch, row + i, prompt[i + 1]);
}

static void grad_on_path(const char *path, r1_dtype dtype) {
    static float dlogp[2 * KIT_MAX_ROWS], dent[2 * KIT_MAX_ROWS];

    for (int i = 0; i < 2 * KIT_MAX_ROWS; i++) {
        dlogp[i] = (float)(i % 7 - 3) * 0.125f;
        dent[i] = (float)(i % 5 - 2) * 0.0625f;
    }
    for (int which = 0; which < KIT_N_ARCHS; which++) {
        r1_arch arch = kit_arch(which);
        float *first = NULL;
        size_t n = 0;
        for (int threads = 1; threads <= 3; threads++) {
            for (int mode = 1; mode <= 2; mode++) {
                kit_seq seqs[9] = {0};
                kit k;
                assert_true(kit_open(&k, &arch, dtype, path, threads, 2000));
                kit_random(&k, 5);
                grad_batch(&k, seqs);
                n = k.model.layout.n_params;
                float *grad = calloc(n, sizeof *grad);
                kit_backward(&k, &batch, mode, dlogp, dent, grad);
                if (first && memcmp(first, grad, n * sizeof *grad) != 0)
                    fail_msg("path %s, %s, %s: gradients with %d threads, mode %d, differ", path,
                             r1_dtype_name(dtype), r1_arch_kind_name(arch.kind), threads, mode);
                if (first)
                    free(grad);
                else
                    first = grad;
                kit_close(&k);
            }
        }
        assert_true(kit_rel(first, first, n) == 0.0); /* no NaN */
        free(first);
    }
}

static void gradients_are_invariant(void **state) {
    kit_each_path(grad_on_path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_is_invariant),
        cmocka_unit_test(gradients_are_invariant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
