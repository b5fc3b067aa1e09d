/* The leaves of the fixed tree on one rank; see reduce.h. */
#include "common/comm/reduce.h"

#include "common/base/trace.h"

#include <string.h>

int r1_leaf_of(uint64_t position, int v) {
    uint64_t p = position % (uint64_t)v;
    int leaf = 0;

    for (int bit = 1; bit < v; bit *= 2) {
        leaf = leaf * 2 + (int)(p & 1);
        p >>= 1;
    }
    return leaf;
}

void r1_leaf_range(int v, int ranks, int rank, int *lo, int *hi) {
    int a = 0, b = v, r0 = 0, r1 = ranks; /* leaves [a, b) belong to ranks [r0, r1) */

    while (r1 - r0 > 1) {
        int mid = (a + b) / 2, half = r0 + (r1 - r0) / 2;
        if (rank < half) {
            b = mid;
            r1 = half;
        } else {
            a = mid;
            r0 = half;
        }
    }
    *lo = a;
    *hi = b;
}

int r1_leaf_buffers(int leaves) {
    int n = 1;

    while ((1 << (n - 1)) < leaves)
        n++;
    return n;
}

void r1_leaf_stack_init(r1_leaf_stack *s, float *const *buffers, int n_buffers, size_t n,
                        r1_add_fn add, const void *ctx) {
    *s = (r1_leaf_stack){.n = n, .n_buffers = n_buffers, .add = add, .ctx = ctx};
    R1_ASSERT(n_buffers <= 16);
    for (int i = 0; i < n_buffers; i++) {
        s->buffers[i] = buffers[i];
        s->free_list[s->n_free++] = n_buffers - 1 - i; /* buffer 0 first */
    }
}

float *r1_leaf_begin(r1_leaf_stack *s) {
    R1_TRACE();
    R1_ASSERT(s->n_free > 0 && s->depth < 16);
    int b = s->free_list[--s->n_free];
    s->level[s->depth] = 0;
    s->buffer[s->depth++] = b;
    memset(s->buffers[b], 0, s->n * sizeof(float));
    return s->buffers[b];
}

void r1_leaf_end(r1_leaf_stack *s, int present) {
    if (!present) {
        s->free_list[s->n_free++] = s->buffer[s->depth - 1];
        s->buffer[s->depth - 1] = -1;
    }
    while (s->depth >= 2 && s->level[s->depth - 1] == s->level[s->depth - 2]) {
        int right = s->buffer[s->depth - 1], left = s->buffer[s->depth - 2];
        if (left >= 0 && right >= 0) {
            s->add(s->ctx, s->buffers[left], s->buffers[right], s->n);
            s->free_list[s->n_free++] = right;
        }
        s->buffer[s->depth - 2] = left >= 0 ? left : right;
        s->level[s->depth - 2]++;
        s->depth--;
    }
}

int r1_leaf_stack_finish(r1_leaf_stack *s) {
    R1_ASSERT(s->depth == 1);
    int b = s->buffer[0];

    s->depth = 0;
    if (b < 0)
        return 0;
    if (b != 0)
        memcpy(s->buffers[0], s->buffers[b], s->n * sizeof(float));
    return 1;
}
