/* The language-model head: logits, log-probabilities and their backward, a chunk of rows at a time,
 * so that logits never exist for a whole batch. */
#include "common/model/model.h"

#include "common/base/trace.h"

int r1_logits_ld(const r1_model *m) {
    return r1_panel_count(m->arch.vocab_size) * R1_PANEL;
}

size_t r1_head_bytes(const r1_model *m) {
    return (size_t)R1_HEAD_CHUNK * ((size_t)r1_logits_ld(m) + 8) * sizeof(float) + 1024;
}

static const void *head_weights(const r1_model *m, const void *payload) {
    return (const uint8_t *)payload + m->layout.tensors[m->layout.head].payload;
}

static const uint8_t *hidden_row(const r1_model *m, const void *hidden, int row) {
    return (const uint8_t *)hidden +
           (size_t)row * (size_t)m->arch.hidden_size * r1_dtype_bytes(m->ops->dtype);
}

void r1_head_logits(const r1_model *m, const void *payload, const void *hidden, int n,
                    float *logits) {
    r1_mm job = {.w = head_weights(m, payload),
                 .n = m->arch.vocab_size,
                 .y = logits,
                 .ldy = r1_logits_ld(m)};

    R1_TRACE();
    m->ops->matmul(m->ops, hidden, m->arch.hidden_size, n, m->arch.hidden_size, &job, 1);
}

void r1_head_scores(const r1_model *m, const void *payload, const void *hidden, int n, float *ret) {
    int d = m->arch.hidden_size;

    for (int i = 0; i < n; i++) {
        float panel[R1_PANEL];
        r1_mm job = {.w = head_weights(m, payload), .n = 1, .y = panel, .ldy = R1_PANEL};
        m->ops->matmul(m->ops, hidden_row(m, hidden, i), d, 1, d, &job, 1);
        ret[i] = panel[0];
    }
}

/* One chunk: logits stay in `logits`, lse in `lse`. */
static void chunk_logprobs(const r1_model *m, const void *payload, const void *hidden, int n,
                           const int32_t *targets, float inv_t, float *logits, float *lse,
                           float *logp, float *entropy) {
    const r1_ops *ops = m->ops;
    int ld = r1_logits_ld(m);

    r1_head_logits(m, payload, hidden, n, logits);
    ops->logsumexp(ops, logits, ld, n, m->arch.vocab_size, inv_t, lse, entropy, NULL, NULL);
    ops->gather_logp(ops, logits, ld, n, inv_t, targets, lse, logp);
}

void r1_head_logprobs(const r1_model *m, const void *payload, const void *hidden, int n,
                      const int32_t *targets, float inv_t, r1_arena *ws, float *logp,
                      float *entropy) {
    size_t mark = r1_arena_mark(ws);
    size_t ld = (size_t)r1_logits_ld(m);
    float *logits = r1_arena_take(ws, R1_HEAD_CHUNK * ld * sizeof *logits), lse[R1_HEAD_CHUNK];

    for (int i = 0; i < n; i += R1_HEAD_CHUNK) {
        int rows = n - i < R1_HEAD_CHUNK ? n - i : R1_HEAD_CHUNK;
        chunk_logprobs(m, payload, hidden_row(m, hidden, i), rows, targets + i, inv_t, logits, lse,
                       logp + i, entropy ? entropy + i : NULL);
    }
    r1_arena_release(ws, mark);
}

void r1_head_backward(const r1_model *m, const void *payload, const void *hidden, int n,
                      const int32_t *targets, float inv_t, r1_loss_fn loss, void *ctx, r1_arena *ws,
                      float *logp, float *entropy, float *dhidden, float *grad) {
    const r1_ops *ops = m->ops;
    const r1_tensor *head = &m->layout.tensors[m->layout.head];
    int ld = r1_logits_ld(m), d = m->arch.hidden_size;
    size_t mark = r1_arena_mark(ws);
    float *logits = r1_arena_take(ws, R1_HEAD_CHUNK * (size_t)ld * sizeof *logits);
    float lse[R1_HEAD_CHUNK], dlogp[R1_HEAD_CHUNK], dent[R1_HEAD_CHUNK];

    for (int i = 0; i < n; i += R1_HEAD_CHUNK) {
        int rows = n - i < R1_HEAD_CHUNK ? n - i : R1_HEAD_CHUNK;
        const void *h = hidden_row(m, hidden, i);
        chunk_logprobs(m, payload, h, rows, targets + i, inv_t, logits, lse, logp + i, entropy + i);
        for (int r = 0; r < rows; r++)
            dlogp[r] = dent[r] = 0.0f;
        loss(ctx, i, rows, logp + i, entropy + i, dlogp, dent);
        ops->logits_bwd(ops, logits, ld, rows, m->arch.vocab_size, inv_t, targets + i, lse,
                        entropy + i, dlogp, dent);
        r1_mm_grad job = {.w = head_weights(m, payload),
                          .n = m->arch.vocab_size,
                          .dy = logits,
                          .lddy = ld,
                          .dw = grad + head->offset};
        ops->matmul_bwd(ops, h, d, rows, d, &job, 1, dhidden + (size_t)i * (size_t)d, d, 0);
    }
    r1_arena_release(ws, mark);
}
