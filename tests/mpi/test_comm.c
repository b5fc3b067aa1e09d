/* Collectives, the fixed tree and the spreading of weights over whatever nodes mpirun gives.
 *
 * Every rank knows what must come out: the sum is made again by one rank alone, leaf by leaf. */
#include "common/base/mem.h"
#include "common/base/rng.h"
#include "common/comm/collect.h"
#include "common/comm/reduce.h"
#include "common/comm/spread.h"
#include "common/comm/window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed, checks;

#define CHECK(cond)                                                            \
    do {                                                                       \
        checks++;                                                              \
        if (!(cond)) {                                                         \
            failed++;                                                          \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #cond); \
        }                                                                      \
    } while (0)

#define OK(call)                     \
    do {                             \
        r1_err e = {0};              \
        r1_err *err = &e;            \
        if ((call) != R1_OK)         \
            r1_world_fail(1, e.msg); \
    } while (0)

#define LEAVES 8

/* Element i of a leaf's gradient: numbers whose sum depends on the order of additions. */
static float element(int leaf, size_t i) {
    uint32_t x = (uint32_t)(i * 2654435761u) ^ (uint32_t)leaf * 40503u;

    return (float)(int32_t)(x * 2246822519u) * 1.7e-7f;
}

/* Sum of leaves [lo, hi) along the tree; 0: none of them is present. */
static int tree_sum(int lo, int hi, unsigned present, size_t i, float *ret) {
    float left = 0, right = 0;

    if (hi - lo == 1) {
        *ret = element(lo, i);
        return present >> lo & 1;
    }
    int a = tree_sum(lo, (lo + hi) / 2, present, i, &left);
    int b = tree_sum((lo + hi) / 2, hi, present, i, &right);
    *ret = a && b ? left + right : a ? left : b ? right : 0.0f;
    return a || b;
}

/* One reduction: n elements in shards of uneven sizes. */
static void reduction(r1_world *w, r1_window *window, size_t n, unsigned present) {
    int learners = w->learners.size, lo, hi;
    float **segments = r1_calloc((size_t)learners, sizeof *segments);
    size_t *first = r1_calloc((size_t)learners + 1, sizeof *first);
    r1_reducer *r;

    for (int i = 0; i < learners; i++) {
        first[i + 1] = i == learners - 1 ? n : first[i] + (n - first[i]) / (size_t)(i + 2);
        if (w->node_of[i] == w->node_id)
            segments[i] = window->segments[r1_world_node_rank(w, i)];
    }
    r1_leaf_range(LEAVES, learners, w->learners.rank, &lo, &hi);
    int mine = 0;
    for (int leaf = lo; leaf < hi; leaf++)
        mine |= (int)(present >> leaf & 1);
    for (size_t i = 0; i < n; i++)
        tree_sum(lo, hi, present, i, &segments[w->learners.rank][i]);
    size_t shard = first[w->learners.rank + 1] - first[w->learners.rank];
    float *out = r1_calloc(shard + 1, sizeof *out);
    r1_reducer_options o = {w, segments, first, 2};
    OK(r1_reducer_open(&r, &o, err));
    OK(r1_reducer_run(r, mine, out, err));
    size_t wrong = 0;
    for (size_t i = 0; i < shard; i++) {
        float want;
        tree_sum(0, LEAVES, present, first[w->learners.rank] + i, &want);
        wrong += memcmp(&want, &out[i], sizeof want) != 0;
    }
    CHECK(wrong == 0);
    OK(r1_barrier(&w->learners, "reduction", err));
    r1_reducer_close(r);
    r1_free(out);
    r1_free(first);
    r1_free(segments);
}

static void reductions(r1_world *w) {
    static const size_t sizes[] = {1, 1000, R1_REDUCE_PIECE + 17, 4 * R1_REDUCE_PIECE + 3};
    r1_window window;

    OK(r1_window_open(&window, w, 0, 0, sizes[3] * sizeof(float), err));
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        reduction(w, &window, sizes[s], 0xff);
        reduction(w, &window, sizes[s], 0x2d);
        reduction(w, &window, sizes[s], 0x01);
        reduction(w, &window, sizes[s], 0x00);
    }
    r1_window_close(&window);
}

/* From every node to all, and to all behind the first `first`. */
static void spreading(const r1_world *w) {
    static const size_t sizes[] = {1, R1_SPREAD_CHUNK, 21 * R1_SPREAD_CHUNK + 5};
    unsigned char *data = malloc(sizes[2]);

    for (int root = 0; root < w->n_nodes && w->node.rank == 0; root++) {
        for (int first = 0; first < w->n_nodes; first++) {
            for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
                if (w->node_id != root && w->node_id < first)
                    continue;
                for (size_t i = 0; i < sizes[s]; i++)
                    data[i] = w->node_id == root ? (unsigned char)(i * 7 + i / 1000 + s) : 0;
                OK(r1_spread(w, root, first, w->n_nodes, data, sizes[s], "test", err));
                size_t wrong = 0;
                for (size_t i = 0; i < sizes[s]; i++)
                    wrong += data[i] != (unsigned char)(i * 7 + i / 1000 + s);
                CHECK(wrong == 0);
            }
        }
    }
    free(data);
}

static void places(const r1_world *w) {
    int here = 0;

    for (int r = 0; r < w->all.size; r++)
        here += w->node_of[r] == w->node_id;
    CHECK(here == w->node.size);
    CHECK(w->node_of[w->all.rank] == w->node_id);
    CHECK(r1_world_node_rank(w, w->all.rank) == w->node.rank);
    CHECK((w->leaders.size > 0) == (w->node.rank == 0));
    CHECK(w->node.rank > 0 || (w->leaders.rank == w->node_id && w->leaders.size == w->n_nodes));
    CHECK(r1_world_first_rank(w, 0) == 0);
}

static void agreement(const r1_world *w) {
    r1_err err = {0};

    for (int bad = 0; bad < w->all.size; bad++) {
        r1_status mine = w->all.rank >= bad && w->all.rank % 2 == bad % 2
                             ? R1_FAIL(&err, R1_DATA, "no good: %d", w->all.rank)
                             : R1_OK;
        char want[64];
        snprintf(want, sizeof want, "no good: %d", bad);
        CHECK(r1_agree(&w->all, mine, &err) == R1_DATA);
        CHECK(strstr(err.msg, want) != NULL); /* the first one that failed, everywhere */
    }
    CHECK(r1_agree_text(w, "same", "a key", &err) == R1_OK);
    if (w->all.size > 1) {
        CHECK(r1_agree_text(w, w->all.rank == 1 ? "b" : "a", "a key", &err) == R1_USAGE);
        CHECK(strstr(err.msg, "a key is a on") && strstr(err.msg, "and b on"));
    }
}

int main(int argc, char **argv) {
    r1_world w;
    int64_t total;

    OK(r1_world_open(&w, &argc, &argv, err));
    int learners = argc > 1 ? atoi(argv[1]) : w.all.size;
    OK(r1_world_set_learners(&w, learners, err));
    places(&w);
    agreement(&w);
    spreading(&w);
    if (w.learners.size == w.all.size) /* a window is the node's: all its ranks open it */
        reductions(&w);
    total = failed;
    OK(r1_allmax(&w.all, &total, "failures", err));
    if (w.all.rank == 0)
        printf("%d nodes, %d ranks, %d checks on rank 0, %s\n", w.n_nodes, w.all.size, checks,
               total ? "FAILED" : "passed");
    r1_world_close(&w);
    return total != 0;
}
