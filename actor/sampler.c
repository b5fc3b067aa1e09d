/* Sampling; see sampler.h. */
#include "actor/sampler.h"

#include "common/base/mem.h"
#include "common/base/trace.h"

#include <math.h>
#include <stdlib.h>

typedef struct candidate {
    int32_t id;
    float z, p; /* logit * inv_t; its probability */
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

/* Larger first, equal ones by id. */
static int by_probability(const void *a, const void *b) {
    const candidate *x = a, *y = b;

    if (x->z != y->z)
        return x->z > y->z ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int by_id(const void *a, const void *b) {
    const candidate *x = a, *y = b;

    return x->id < y->id ? -1 : x->id > y->id;
}

/* The last of list[0 .. n) in by_probability's order sits at the root of a heap: let it sink. */
static void sink(candidate *list, int n) {
    candidate x = list[0];
    int at = 0, child;

    while ((child = 2 * at + 1) < n) {
        if (child + 1 < n && by_probability(&list[child], &list[child + 1]) < 0)
            child++;
        if (by_probability(&list[child], &x) <= 0)
            break;
        list[at] = list[child];
        at = child;
    }
    list[at] = x;
}

typedef struct scan {
    const r1_sampling *p;
    int no_stops;
    const float *logits;
    int vocab;
    float inv_t, lse;
    int top_k; /* 0: off; greedy sampling has neither filter */
    float top_p;
} scan;

static int allowed(const scan *c, int32_t id) {
    return !(c->no_stops && r1_is_stop_id(c->p, id));
}

/* The k largest, in no order. */
static int largest(r1_sampler *s, const scan *c, int k) {
    int n = 0;

    for (int32_t v = 0; v < c->vocab; v++) {
        candidate x = {.id = v, .z = c->logits[v] * c->inv_t};
        if ((n == k && x.z <= s->list[0].z) || !allowed(c, v))
            continue;
        if (n < k) { /* rises from the end */
            int at = n++;
            for (; at > 0 && by_probability(&s->list[(at - 1) / 2], &x) < 0; at = (at - 1) / 2)
                s->list[at] = s->list[(at - 1) / 2];
            s->list[at] = x;
            continue;
        }
        s->list[0] = x;
        sink(s->list, n);
    }
    return n;
}

/* All that may be in the nucleus: those below (1 - top_p) / vocab are together below 1 - top_p.
 * The margin covers the rounding of logarithm and exponential. */
static int likely(r1_sampler *s, const scan *c) {
    float least = -INFINITY;
    int n = 0;

    if (c->top_p < 1.0f)
        least = c->lse + logf((1.0f - c->top_p) / (float)c->vocab) - 1e-3f;
    for (int32_t v = 0; v < c->vocab; v++)
        if (c->logits[v] * c->inv_t >= least && allowed(c, v))
            s->list[n++] = (candidate){.id = v, .z = c->logits[v] * c->inv_t};
    return n;
}

/* Log-sum-exp over the tokens that may be drawn: suppressed ones can hold nearly everything. */
static float lse_allowed(const scan *c) {
    float top = -INFINITY;
    double sum = 0;

    for (int32_t v = 0; v < c->vocab; v++)
        if (c->logits[v] * c->inv_t > top && allowed(c, v))
            top = c->logits[v] * c->inv_t;
    for (int32_t v = 0; v < c->vocab; v++)
        if (allowed(c, v))
            sum += (double)expf(c->logits[v] * c->inv_t - top);
    return top + (float)log(sum);
}

/* The kept candidates in ascending id order; returns their number, *ret_sum their probability. */
static int filter(r1_sampler *s, const scan *c, float *ret_sum) {
    int k = c->top_k < c->vocab ? c->top_k : 0;
    int n = k > 0 ? largest(s, c, k) : likely(s, c);

    for (int i = 0; i < n; i++)
        s->list[i].p = expf(s->list[i].z - c->lse);
    if (c->top_p < 1.0f) {
        qsort(s->list, (size_t)n, sizeof *s->list, by_probability);
        double total = k > 0 ? 0 : 1, mass = 0; /* with top-k the k kept ones are the whole */
        int keep = 0;
        for (int i = 0; k > 0 && i < n; i++)
            total += (double)s->list[i].p;
        while (keep < n && (keep == 0 || mass < (double)c->top_p * total))
            mass += (double)s->list[keep++].p;
        n = keep;
    }
    if (k > 0 || c->top_p < 1.0f)
        qsort(s->list, (size_t)n, sizeof *s->list, by_id);
    *ret_sum = 0;
    for (int i = 0; i < n; i++)
        *ret_sum += s->list[i].p;
    return n;
}

static int32_t draw_filtered(r1_sampler *s, const r1_sampling *p, int no_stops, float u,
                             const float *logits, int vocab, float lse, float *ret_logp) {
    scan c = {.p = p,
              .no_stops = no_stops,
              .logits = logits,
              .vocab = vocab,
              .inv_t = r1_sampling_inv_t(p),
              .lse = lse,
              .top_k = p->temperature > 0 ? p->top_k : 0,
              .top_p = p->temperature > 0 ? p->top_p : 1.0f};
    float sum, cumulated = 0;
    int pick = 0;

    if (no_stops)
        c.lse = lse_allowed(&c);
    int n = filter(s, &c, &sum);
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

/* The lowest id among the largest logits: it lies in the first panel with the largest maximum. */
static int32_t largest_logit(const r1_ops *ops, const float *logits, int vocab,
                             const float *panel_max) {
    int best = 0;

    for (int p = 1; p < r1_vocab_panels(vocab); p++)
        best = panel_max[p] > panel_max[best] ? p : best;
    int first = best * R1_VOCAB_PANEL;
    int n = vocab - first < R1_VOCAB_PANEL ? vocab - first : R1_VOCAB_PANEL;
    return first + ops->argmax(ops, logits + first, n);
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
        id = largest_logit(ops, logits, vocab, row->panel_max);
    ops->gather_logp(ops, logits, 0, 1, inv_t, &id, &row->lse, ret_logp);
    return id;
}
