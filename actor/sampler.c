/* Sampling; see sampler.h. */
#include "actor/sampler.h"

#include "common/base/mem.h"
#include "common/base/trace.h"

#include <math.h>
#include <stdlib.h>

typedef struct candidate {
    int32_t id;
    float z, p;
} candidate;

struct r1_sampler {
    int vocab;
    candidate *list;
};

r1_status r1_sampler_new(r1_sampler **ret, int vocab, r1_err *err) {
    r1_sampler *s = NULL;
    r1_status st;

    R1_TRY(R1_NEW(s, 1, err));
    s->vocab = vocab;
    R1_TRY(R1_NEW(s->list, (size_t)vocab, err));
    *ret = s;
    return R1_OK;
done:
    r1_sampler_free(s);
    return st;
}

void r1_sampler_free(r1_sampler *s) {
    if (s)
        r1_free(s->list);
    r1_free(s);
}

int r1_is_stop_id(const r1_sampling *p, int32_t id) {
    for (int i = 0; i < p->n_stop_ids; i++)
        if (p->stop_ids[i] == id)
            return 1;
    return 0;
}

static int by_probability(const void *a, const void *b) {
    const candidate *x = a, *y = b;

    if (x->p != y->p)
        return x->p > y->p ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int by_id(const void *a, const void *b) {
    const candidate *x = a, *y = b;

    return x->id < y->id ? -1 : x->id > y->id;
}

/* The kept candidates in ascending id order; returns their number, *ret_sum their probability. */
static int filter(r1_sampler *s, const r1_sampling *p, int no_stops, const float *logits, int vocab,
                  float inv_t, float lse, float *ret_sum) {
    /* Tokens below this can never be in the nucleus: all of them together stay below 1 - top_p. */
    float floor_p = p->top_k == 0 && p->top_p < 1.0f ? (1.0f - p->top_p) / (float)vocab : 0.0f;
    int n = 0;

    for (int v = 0; v < vocab; v++) {
        float prob = expf(logits[v] * inv_t - lse);
        if (prob >= floor_p && !(no_stops && r1_is_stop_id(p, v)))
            s->list[n++] = (candidate){.id = v, .p = prob};
    }
    if (p->top_k > 0 || p->top_p < 1.0f) {
        qsort(s->list, (size_t)n, sizeof *s->list, by_probability);
        if (p->top_k > 0 && n > p->top_k)
            n = p->top_k;
        float total = 0, mass = 0;
        for (int i = 0; i < n; i++)
            total += s->list[i].p;
        int keep = 0;
        while (keep < n && (keep == 0 || mass < p->top_p * total))
            mass += s->list[keep++].p;
        n = keep;
        qsort(s->list, (size_t)n, sizeof *s->list, by_id);
    }
    *ret_sum = 0;
    for (int i = 0; i < n; i++)
        *ret_sum += s->list[i].p;
    return n;
}

static int32_t draw_filtered(r1_sampler *s, const r1_sampling *p, int no_stops, float u,
                             const float *logits, int vocab, float lse, float *ret_logp) {
    float sum, cumulated = 0;
    int n = filter(s, p, no_stops, logits, vocab, r1_sampling_inv_t(p), lse, &sum), pick = 0;

    R1_ASSERT(n > 0);
    if (p->temperature > 0) {
        for (pick = 0; pick < n - 1; pick++) {
            cumulated += s->list[pick].p;
            if (cumulated > u * sum)
                break;
        }
    } else {
        for (int i = 1; i < n; i++)
            pick = s->list[i].p > s->list[pick].p ? i : pick;
    }
    *ret_logp = logf(s->list[pick].p / sum);
    return s->list[pick].id;
}

int32_t r1_sampler_draw(r1_sampler *s, const r1_ops *ops, const r1_sampling *p,
                        const r1_rng_key *key, int token, const float *logits, int vocab,
                        const r1_row_stats *row, float *ret_logp) {
    int no_stops = token < p->min_new_tokens && p->n_stop_ids > 0;
    float inv_t = r1_sampling_inv_t(p);
    float u = p->temperature > 0 ? r1_rng_unit(key, (uint32_t)token) : 0.0f;
    int32_t id;

    R1_TRACE();
    if (no_stops || (p->temperature > 0 && (p->top_k > 0 || p->top_p < 1.0f)))
        return draw_filtered(s, p, no_stops, u, logits, vocab, row->lse, ret_logp);
    if (p->temperature > 0)
        id = ops->sample(ops, logits, vocab, inv_t, row->lse, row->panel_max, row->panel_sum, u);
    else
        id = ops->argmax(ops, logits, vocab);
    ops->gather_logp(ops, logits, 0, 1, inv_t, &id, &row->lse, ret_logp);
    return id;
}
